import { afterAll, expect } from 'vitest';
import { itUnless } from '../../../tooling/oracle.js';
import { RealRing } from '../../../tooling/real-ring/real-ring.js';
import { lacksRealRings } from '../../../tooling/real-ring/ring-network.js';
import type { RingNode } from '../../../tooling/real-ring/ring-node.js';
import { until } from '../../../tooling/real-ring/until.js';
import { isThorough } from '../../../tooling/thorough.js';
import { bundleCli } from './bundled-cli.js';

const lacks =
  lacksRealRings('corosync-quorumtool', 'iptables') ??
  (isThorough ? undefined : 'it takes minutes: where oracles are required');

const cli = lacks === undefined ? bundleCli() : undefined;
afterAll(async () => (await cli)?.remove());

const clientSource = new URL('../../../tooling/real-ring/cpg-client.c', import.meta.url);

const TIMES = 3;
const LOSS = 0.15;
const LOSS_MS = 30_000;

/** The real nodes' own tool lists everybody with a vote, and so do ours. */
async function areCounted(ring: RealRing): Promise<void> {
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
}

/** In turn the real nodes and ours, the one that leads among them; whole again after each. */
async function eachKind(ring: RealRing, end: (node: RingNode) => Promise<void>): Promise<void> {
  for (let round = 0; round < TIMES; round++) {
    for (const nodes of [ring.reals, ring.ours]) {
      const node = nodes[round % nodes.length]!;
      await end(node);
      await ring.formedWithout(node);
      node.start();
      await ring.formed();
    }
  }
}

function killEach(ring: RealRing): Promise<void> {
  return eachKind(ring, (node) => node.kill());
}

function leaveEach(ring: RealRing): Promise<void> {
  return eachKind(ring, (node) => node.leave());
}

async function partition(ring: RealRing): Promise<void> {
  for (let round = 0; round < TIMES; round++) {
    const cut = ring.nodes[round % ring.nodes.length]!;
    ring.network.pull(cut.id);
    await ring.formedWithout(cut);
    await ring.formed([cut.id]);
    ring.network.plug(cut.id);
    await ring.formed();
  }
}

async function loseAddress(ring: RealRing): Promise<void> {
  const ours = ring.ours.at(-1)!;
  ring.network.removeAddress(ours.id);
  await ring.formedWithout(ours);
  ring.network.addAddress(ours.id);
  await ring.formed();
}

/** Joins that waited in the socket of a process that stood still are those of a ring that is over: they are thrown away. */
async function pause(ring: RealRing): Promise<void> {
  const ours = ring.ours.at(-1)!;
  ours.pause();
  await ring.formedWithout(ours);
  ours.resume();
  await ring.formed();
  expect(ours.errors.some((line) => line.includes('Process pause detected'))).toBe(true);
}

/** Whatever that does to the ring, messages go on in one order, and it is whole in the end. */
async function loseAtOne(ring: RealRing): Promise<void> {
  const ours = ring.ours.at(-1)!;
  ring.network.lose(ours.id, LOSS);
  await ring.chat(LOSS_MS);
  ring.network.loseNoMore(ours.id, LOSS);
  await ring.formed();
  expect(ring.disorder()).toBeUndefined();
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
      const ring = new RealRing(kinds, { quorate: (await cli!).main, clientSource }, totem);
      try {
        for (const node of ring.nodes) node.start();
        await ring.formed();
        for (const node of ring.nodes) expect(node.ring).toMatch(/^1\./);
        await areCounted(ring);
        await ring.speak();
        for (const act of [killEach, leaveEach, partition, pause, loseAddress, loseAtOne]) {
          await act(ring);
          await ring.speak();
          await areCounted(ring);
        }
        expect(ring.complaints()).toEqual([]);
      } finally {
        await ring.remove();
      }
    },
    300_000,
  );
}
