import { afterAll, beforeAll, expect } from 'vitest';
import { itUnless, lacksPrograms } from '../../../tooling/oracle.js';
import { lacksNamespaces } from '../../../tooling/ring-network.js';
import { isThorough } from '../../../tooling/thorough.js';
import { bundleCli } from './bundled-cli.js';
import { pause, RealRing, until } from './real-ring/real-ring.js';
import type { RingNode } from './real-ring/ring-node.js';

const lacks =
  lacksPrograms('corosync', 'corosync-quorumtool', 'gcc', 'ip', 'nsenter', 'iptables') ??
  lacksNamespaces() ??
  (isThorough ? undefined : 'it takes minutes: where oracles are required');

const cli = lacks === undefined ? bundleCli() : undefined;
beforeAll(() => cli);
afterAll(async () => (await cli)?.remove());

const PARTITIONS = 3;
const LOSS = 0.15;
const LOSS_MS = 30_000;
const SIZES = [10, 1024, 8192, 102_400];

type Act = (ring: RealRing) => Promise<void>;

/** Two nodes that are of both kinds, wherever they are in the ring. */
function oneOfEach(ring: RealRing): readonly [RingNode, RingNode] {
  return [ring.reals.at(-1)!, ring.ours.at(-1)!];
}

/** Texts are never used twice, so that a message can be told from all others. */
let texts = 0;

/** Every node sends messages of all sizes; all hear all of them in one order. */
async function speak(ring: RealRing): Promise<void> {
  const nodes = ring.nodes.filter(({ isRunning }) => isRunning);
  const sent = new Set<string>();
  for (const size of SIZES) {
    for (const node of nodes) {
      texts += 1;
      sent.add(node.send(`message-${texts}.`, size));
    }
  }
  const heard = (): string[][] => nodes.map((node) => node.heard.filter((message) => sent.has(message)));
  await until(
    () => `${sent.size} messages at each; there are ${heard().map(({ length }) => length)}`,
    () => heard().every(({ length }) => length >= sent.size),
  );
  const [first, ...others] = heard();
  for (const other of others) expect(other).toEqual(first);
  expect(new Set(first)).toEqual(sent);
}

/** What two nodes both heard, they heard in one order. */
function expectOneOrder(nodes: readonly RingNode[]): void {
  for (const a of nodes) {
    for (const b of nodes) {
      const common = new Set(b.heard);
      const order = a.heard.filter((message) => common.has(message));
      const known = new Set(order);
      expect(b.heard.filter((message) => known.has(message))).toEqual(order);
    }
  }
}

async function allButOneIn(ring: RealRing, node: RingNode): Promise<void> {
  await ring.formed(ring.nodes.filter((other) => other !== node).map(({ id }) => id));
}

/** The real nodes' own tool lists everybody with a vote, and so do ours. */
const areCounted: Act = async (ring) => {
  const votes = ring.nodes.length;
  const voters = ring.nodes.map(({ id }) => ` +${id} +1 10\\.99\\.0\\.${id}( \\(local\\))?\n`).join('');
  const all = new RegExp(`Quorate: +Yes\n[^]*Total votes: +${votes}\n[^]*Name\n${voters}`);
  await until(
    () => `all of ${votes} nodes with their votes at ${ring.reals.map((real) => `${real.id}: ${real.quorumTool()}`)}`,
    () => ring.reals.every((real) => all.test(real.quorumTool())),
  );
  await until(
    () => `${votes} votes at ${ring.ours.map(({ id, quorum }) => `${id}: ${quorum}`)}`,
    () => ring.ours.every(({ quorum }) => quorum.startsWith(`quorum: ${votes} of ${votes} votes`)),
  );
};

const killEach: Act = async (ring) => {
  for (const node of oneOfEach(ring)) {
    await node.kill();
    await allButOneIn(ring, node);
    node.start();
    await ring.formed();
  }
};

const leaveEach: Act = async (ring) => {
  for (const node of oneOfEach(ring)) {
    await node.leave();
    await allButOneIn(ring, node);
    node.start();
    await ring.formed();
  }
};

const partition: Act = async (ring) => {
  for (let round = 0; round < PARTITIONS; round++) {
    const cut = ring.nodes[round % ring.nodes.length]!;
    ring.network.pull(cut.id);
    await allButOneIn(ring, cut);
    await until(
      () => `node ${cut.id} alone, it is with ${cut.members}`,
      () => cut.members.join() === `${cut.id}` && cut.group.join() === cut.process,
    );
    ring.network.plug(cut.id);
    await ring.formed();
  }
};

/** Whatever that does to the ring, messages go on, and it is whole in the end. */
const loseAtOne: Act = async (ring) => {
  const [, ours] = oneOfEach(ring);
  ring.network.lose(ours.id, LOSS);
  const end = performance.now() + LOSS_MS;
  while (performance.now() < end) {
    for (const node of ring.nodes) {
      texts += 1;
      node.send(`lossy-${texts}.`, 500);
    }
    await pause(250);
  }
  ring.network.loseNoMore(ours.id, LOSS);
  await ring.formed();
  expectOneOrder(ring.nodes);
};

const loseAddress: Act = async (ring) => {
  const [, ours] = oneOfEach(ring);
  ring.network.removeAddress(ours.id);
  await allButOneIn(ring, ours);
  ring.network.addAddress(ours.id);
  await ring.formed();
};

/** Lines of corosync's log that tell of more than what was done to the ring. */
const COMPLAINT = /\b(error|crit|alert|emerg) +\[/;

function expectNoComplaints(ring: RealRing): void {
  for (const real of ring.reals) {
    expect(real.log.split('\n').filter((line) => COMPLAINT.test(line))).toEqual([]);
    expect(real.isRunning).toBe(true);
  }
  for (const ours of ring.ours) {
    const said = [...ours.complaints, ...ours.errors];
    expect(said.filter((line) => !/^(notice|warning|info): /.test(line))).toEqual([]);
  }
}

for (const [name, kinds, totem] of [
  ['2 corosync + 1 of ours', ['corosync', 'corosync', 'quorate'], 'transport: udpu'],
  ['1 corosync + 2 of ours, which lead', ['quorate', 'corosync', 'quorate'], 'transport: udp'],
  ['2 corosync + 3 of ours, which lead', ['quorate', 'corosync', 'quorate', 'corosync', 'quorate'], 'transport: udpu'],
] as const) {
  itUnless(
    lacks,
    `a ring of ${name} (${totem}) lives through all that is done to it`,
    async () => {
      const ring = new RealRing(kinds, (await cli!).main, totem);
      try {
        for (const node of ring.nodes) node.start();
        await ring.formed();
        for (const node of ring.nodes) expect(node.ring).toMatch(/^1\./);
        await areCounted(ring);
        await speak(ring);
        for (const act of [killEach, leaveEach, partition, loseAddress, loseAtOne]) {
          await act(ring);
          await speak(ring);
          await areCounted(ring);
        }
        expectNoComplaints(ring);
      } finally {
        await ring.remove();
      }
    },
    300_000,
  );
}
