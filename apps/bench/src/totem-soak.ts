import { fileURLToPath } from 'node:url';
import { Prng } from '@quorate/kernel';
import { RealRing } from '../../../tooling/real-ring/real-ring.js';
import { lacksRealRings } from '../../../tooling/real-ring/ring-network.js';
import type { RingNode } from '../../../tooling/real-ring/ring-node.js';
import type { BenchIo } from './run-bench.js';

/** Both kinds lead, follow, and stand side by side. */
const KINDS = ['quorate', 'corosync', 'quorate', 'corosync', 'quorate'] as const;
const LOSS = 0.15;
const LOSS_MS = 5000;

interface Soak {
  readonly minutes: number;
  /** What is done. */
  readonly seed: number;
}

type Act = (ring: RealRing, node: RingNode) => Promise<void>;

/** What is done to a node; the ring is whole again when it is over. */
const ACTS: ReadonlyMap<string, Act> = new Map<string, Act>([
  [
    'kill -9 and restart',
    async (ring, node) => {
      await node.kill();
      await ring.formedWithout(node);
      node.start();
    },
  ],
  [
    'kill -9, restarted at once',
    async (_, node) => {
      await node.kill();
      node.start();
    },
  ],
  [
    'leave and return',
    async (ring, node) => {
      await node.leave();
      await ring.formedWithout(node);
      node.start();
    },
  ],
  [
    'cut off and back',
    async (ring, node) => {
      ring.network.pull(node.id);
      await ring.formedWithout(node);
      ring.network.plug(node.id);
    },
  ],
  [
    '15 % loss for 5 s',
    async (ring, node) => {
      ring.network.lose(node.id, LOSS);
      await ring.chat(LOSS_MS);
      ring.network.loseNoMore(node.id, LOSS);
    },
  ],
]);

/**
 * A mixed ring of five: one random act after the other, and messages of all sizes in between.
 *
 * Exit code 0; 1 when a ring did not become whole, an order differed, or anybody complained.
 */
export async function runTotemSoak({ minutes, seed }: Soak, { stdout, stderr }: BenchIo): Promise<number> {
  const lacks = lacksRealRings('iptables');
  if (lacks !== undefined) {
    stderr.write(`bench: totem-soak: no ring to join: ${lacks}\n`);
    return 1;
  }
  const prng = Prng.derive({ hi: 0, lo: seed >>> 0 }, 'totem-soak');
  const ring = new RealRing(KINDS, {
    quorate: fileURLToPath(import.meta.resolve('@quorate/cli/dist/main.js')),
    clientSource: new URL('../../../tooling/real-ring/cpg-client.c', import.meta.url),
  });
  const counts = new Map([...ACTS.keys()].map((name) => [name, 0]));
  const end = performance.now() + minutes * 60_000;
  let messages = 0;
  stdout.write(`totem-soak: 2 corosync and 3 of ours, seed ${seed}, ${minutes} minutes\n`);
  try {
    for (const node of ring.nodes) node.start();
    await ring.formed();
    while (performance.now() < end) {
      const name = [...ACTS.keys()][prng.below(ACTS.size)]!;
      await ACTS.get(name)!(ring, ring.nodes[prng.below(KINDS.length)]!);
      await ring.formed();
      messages += await ring.speak();
      counts.set(name, counts.get(name)! + 1);
      const wrong = ring.disorder() ?? ring.complaints()[0];
      if (wrong !== undefined) throw new Error(`after ${name}: ${wrong}`);
    }
  } catch (error) {
    stderr.write(`bench: totem-soak: ${error instanceof Error ? error.message : error}\n`);
    return 1;
  } finally {
    await ring.remove();
    for (const [name, count] of counts) stdout.write(`  ${name.padEnd(30)}${`${count}`.padStart(6)} times\n`);
    stdout.write(`  ${'messages in one order at all'.padEnd(30)}${`${messages}`.padStart(6)}\n`);
  }
  return 0;
}
