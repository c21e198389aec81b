import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lacksRealRings, run } from '../../../tooling/real-ring/ring-network.js';
import type { Figure } from './figures.js';
import { heapFlood, threadFlood } from './totem/inner-rings.js';
import { corosyncRing, type MeasuredRing, ourRing } from './totem/measured-ring.js';

export const totemTitle =
  'agreed multicast of node 1 in network namespaces over UDP: ours, a process each, by corosync and its libcpg client';

const NODES = [2, 3, 5];
const SIZES = [64, 1024, 8192];
/** Each pair of rings is measured by turns, so that a busy moment hits both. */
const TURNS = 3;
const FLOOD_SECONDS = 1.5;
/** A ring runs for days: before it is measured it has run for a moment, and our nodes' code is compiled. */
const WARM_UP_SECONDS = 2;
const PING_PONGS = 1000;

interface Best {
  flood: number;
  pingPong: number;
}

/** The best of a few turns of either; throws when a ring does not form or does not answer. */
export async function totemFigures(): Promise<readonly Figure[]> {
  const lacks = lacksRealRings();
  if (lacks !== undefined) throw new Error(`nothing to hold our rings against: ${lacks}`);
  const directory = mkdtempSync(join(tmpdir(), 'quorate-bench-'));
  try {
    const client = join(directory, 'cpg-load');
    run('gcc', '-O2', '-o', client, fileURLToPath(new URL('../src/totem/cpg-load.c', import.meta.url)), '-lcpg');
    const script = fileURLToPath(new URL('./totem-node.js', import.meta.url));
    const figures: Figure[] = [];
    for (const nodes of NODES) figures.push(...(await compare(nodes, directory, client, script)));
    return figures;
  } finally {
    rmSync(directory, { recursive: true });
  }
}

async function compare(nodes: number, directory: string, client: string, script: string): Promise<readonly Figure[]> {
  const best = SIZES.map(() => ({ theirs: newBest(), ours: newBest() }));
  // One ring at a time: an idle one would still pass its token round.
  for (let turn = 0; turn < TURNS; turn++) {
    for (const who of ['theirs', 'ours'] as const) {
      const ring = await (who === 'ours' ? ourRing(nodes, directory, script) : corosyncRing(nodes, directory, client));
      try {
        await ring.flood(1024, WARM_UP_SECONDS);
        for (const [i, bytes] of SIZES.entries()) await measure(ring, bytes, best[i]![who]);
      } finally {
        await ring.remove();
      }
    }
  }
  const figures = SIZES.map((bytes, i) => figuresOf(nodes, bytes, best[i]!.theirs, best[i]!.ours));
  for (const bytes of SIZES) figures.push(await innerFigures(nodes, bytes));
  return figures.flat();
}

async function measure(ring: MeasuredRing, bytes: number, best: Best): Promise<void> {
  best.flood = Math.max(best.flood, await ring.flood(bytes, FLOOD_SECONDS));
  best.pingPong = Math.min(best.pingPong, await ring.pingPong(bytes, PING_PONGS));
}

function newBest(): Best {
  return { flood: 0, pingPong: Infinity };
}

function figuresOf(nodes: number, bytes: number, theirs: Best, ours: Best): readonly Figure[] {
  const what = `${nodes} nodes, ${bytes} B`;
  return [
    { name: `${what}: corosync`, value: theirs.flood, unit: 'messages/s' },
    { name: `${what}: ours`, value: ours.flood, unit: 'messages/s' },
    { name: `${what}: ours by corosync`, value: ours.flood / theirs.flood, unit: '', bar: { atLeast: 1 } },
    { name: `${what}: corosync, one message`, value: theirs.pingPong, unit: 'µs, median' },
    { name: `${what}: ours, one message`, value: ours.pingPong, unit: 'µs, median' },
    { name: `${what}: one, ours by corosync`, value: ours.pingPong / theirs.pingPong, unit: '', bar: { atMost: 1.5 } },
  ];
}

/** The same nodes without a kernel between them. */
async function innerFigures(nodes: number, bytes: number): Promise<readonly Figure[]> {
  const what = `${nodes} nodes, ${bytes} B`;
  const threads = await threadFlood(nodes, bytes, FLOOD_SECONDS);
  return [
    { name: `${what}: ours in threads`, value: threads, unit: 'messages/s' },
    { name: `${what}: ours in one heap`, value: heapFlood(nodes, bytes, 1), unit: 'messages per CPU s' },
  ];
}
