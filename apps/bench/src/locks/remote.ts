import { jhash, Mode } from '@quorate/dlm';
import type { Remote } from 'comlink';
import type { Figure } from '../figures.js';
import type { LockThread } from '../locks-thread.js';
import { gaps, median, quantile, sum } from './lockers.js';
import { type Mesh, openMesh, type Way } from './mesh.js';
import { PHASES, phaseTimes } from './phases.js';
import { type Measured, type Row, rowOf } from './table.js';

/** As long as a REQUEST with a name, in its envelope. */
export const MESSAGE_BYTES = 112;
export const BATCH = 64;
const ROUNDS = 9;

/** Calls back with threads that have opened the lockspace. What 1 sends bare to the last one comes back, by way of those between. */
export async function withMesh<T>(ids: readonly number[], way: Way, use: (mesh: Mesh) => Promise<T>): Promise<T> {
  const mesh = openMesh(ids, way);
  try {
    await Promise.all([...mesh.threads.values()].map((thread) => thread.open('3.1')));
    const [one, two, three] = [1, 2, 3].map((id) => mesh.threads.get(id));
    await one!.listen(2);
    await (three === undefined ? two!.echo(1) : two!.relay(1, 3));
    await three?.echo(2);
    return await use(mesh);
  } finally {
    await mesh.end();
  }
}

/** A thread that locks, and one that is the master of all. */
export function remoteRow(way: Way): Promise<Row> {
  return withMesh([1, 2, 3], way, async ({ threads }) => {
    const [one, two, three] = [threads.get(1)!, threads.get(2)!, threads.get(3)!];
    await two.hold([...Array.from({ length: 64 }, (_, i) => `own ${i}`), 'same', 'handed'], Mode.NL);
    const by: Measured = {
      latency: (names) => one.latency(names, 20_000, 0.5),
      pairs: (names, seconds) => spread(names, seconds, one, three),
      grants: async (name, seconds) => {
        const instants = await Promise.all([one.grants(name, 1, seconds), three.grants(name, 1, seconds)]);
        return Float64Array.from(instants.flatMap((some) => [...some]));
      },
    };
    return rowOf(way === 'direct' ? 'ours, master in another thread' : 'ours, through a switch thread', by);
  });
}

/** Lockers of one name are on both nodes, as many on each; those of own names on the first. */
async function spread(
  names: readonly string[],
  seconds: number,
  one: Remote<LockThread>,
  three: Remote<LockThread>,
): Promise<number[]> {
  const half = names.length / 2;
  if (names[0] !== 'same' || half < 1) return await one.pairs(names, seconds);
  const counts = [one.pairs(names.slice(half), seconds), three.pairs(names.slice(0, half), seconds)];
  return (await Promise.all(counts)).flat();
}

/** Locks beside bare messages between the same threads, by turns. */
export function remoteFigures(way: Way): Promise<readonly Figure[]> {
  return withMesh([1, 2], way, async ({ threads }) => {
    const [one, two] = [threads.get(1)!, threads.get(2)!];
    const names = Array.from({ length: 64 }, (_, i) => `own ${i}`);
    await two.hold(names, Mode.NL);
    await one.latency(names, 10_000);
    await one.roundTrips(2, MESSAGE_BYTES, 10_000);
    const rounds: { readonly bare: number; readonly ours: number }[] = [];
    for (let round = 0; round < 4 * ROUNDS; round++) {
      const bare = quantile(await one.roundTrips(2, MESSAGE_BYTES, 500), 0.5);
      const { acquire } = await one.latency(names, 500);
      rounds.push({ bare, ours: quantile(acquire, 0.5) });
    }
    const rates: { readonly bare: number; readonly ours: number }[] = [];
    await one.pairs(names, 1);
    for (let round = 0; round < ROUNDS; round++) {
      const bare = await one.batched(2, MESSAGE_BYTES, BATCH, 0.2);
      rates.push({ bare, ours: sum(await one.pairs(names, 0.3)) / 0.3 });
    }
    return [
      { name: 'round trip of a bare message, p50', value: median(rounds.map(({ bare }) => bare)), unit: 'µs' },
      { name: 'acquire, p50', value: median(rounds.map(({ ours }) => ours)), unit: 'µs' },
      {
        name: 'acquire by round trip (goal 1.25)',
        value: median(rounds.map(({ bare, ours }) => ours / bare)),
        unit: '',
        bar: { atMost: 1.5 },
      },
      { name: `bare messages one way, ${BATCH} in a buffer`, value: median(rates.map(({ bare }) => bare)), unit: '/s' },
      { name: '64 lockers, own names', value: median(rates.map(({ ours }) => ours)), unit: 'pairs/s' },
      {
        name: '100,000 pairs for a million bare messages',
        value: median(rates.map(({ bare, ours }) => (10 * ours) / bare)),
        unit: '',
        bar: { atLeast: 1 },
      },
    ];
  });
}

/** Lockers on two nodes, master on a third: an unlock goes there, a grant goes on. */
export function handOffFigures(way: Way): Promise<readonly Figure[]> {
  return withMesh([1, 2, 3], way, async ({ threads }) => {
    const [one, two, three] = [threads.get(1)!, threads.get(2)!, threads.get(3)!];
    await two.hold(['same'], Mode.NL);
    const rounds: { readonly bare: number; readonly ours: number; readonly fairness: number }[] = [];
    for (let round = 0; round < ROUNDS + 2; round++) {
      const bare = quantile(await one.roundTrips(2, MESSAGE_BYTES, 1000), 0.5) / 2;
      const instants = await Promise.all([one.grants('same', 1, 0.2), three.grants('same', 1, 0.2)]);
      const counts = await spread(Array(16).fill('same'), 1, one, three);
      const ours = quantile(gaps(instants.flatMap((some) => [...some])), 0.5);
      if (round >= 2) rounds.push({ bare, ours, fairness: Math.min(...counts) / Math.max(...counts) });
    }
    return [
      {
        name: 'bare message to a node by way of another one',
        value: median(rounds.map(({ bare }) => bare)),
        unit: 'µs',
      },
      { name: 'hand-off to another node, p50', value: median(rounds.map(({ ours }) => ours)), unit: 'µs' },
      {
        name: 'hand-off by two ways and 10 µs (goal 5)',
        value: median(rounds.map(({ bare, ours }) => ours / (bare + 10))),
        unit: '',
        bar: { atMost: 1 },
      },
      {
        name: '16 lockers on one name, least by most',
        value: median(rounds.map(({ fairness }) => fairness)),
        unit: '',
        bar: { atLeast: 0.99 },
      },
    ];
  });
}

/** The directory is on a node that is neither owner nor master: it is asked first. */
export function firstLockFigures(): Promise<readonly Figure[]> {
  return withMesh([1, 2, 3], 'direct', async ({ threads }) => {
    const [one, two] = [threads.get(1)!, threads.get(2)!];
    const names = Array.from({ length: 30_000 }, (_, i) => `first ${i}`).filter(
      (name) => (jhash(name) >>> 16) % 3 === 2,
    );
    await two.hold(names, Mode.NL);
    const warm = names.slice(0, 3000);
    await one.latency(warm, warm.length);
    const bare = quantile(await one.roundTrips(2, MESSAGE_BYTES, 3000), 0.5) / 2;
    const { acquire } = await one.latency(names.slice(3000), names.length - 3000);
    const ours = quantile(acquire, 0.5);
    return [
      { name: 'first lock of a name, p50', value: ours, unit: 'µs' },
      { name: 'first lock by two round trips', value: ours / (2 * bare), unit: '', bar: { atMost: 1.5 } },
    ];
  });
}

/** Bars of text: what one remote acquire spends its time with. */
export async function phaseLines(way: Way): Promise<readonly string[]> {
  const mesh = openMesh([1, 2], way);
  try {
    const [one, two] = [mesh.threads.get(1)!, mesh.threads.get(2)!];
    await Promise.all([one.openNoting(), two.openNoting()]);
    const names = Array.from({ length: 64 }, (_, i) => `own ${i}`);
    await two.hold(names, Mode.NL);
    await one.noteAcquires(names, 20_000);
    await two.noted();
    await one.noteAcquires(names, 5000);
    const medians = phaseTimes(await one.noted(), await two.noted()).map((times) => quantile(times, 0.5));
    const total = sum(medians);
    return PHASES.map(({ thread, name, does }, i) => {
      const bar = '█'.repeat(Math.max(1, Math.round((60 * medians[i]!) / total)));
      return `  ${thread.padEnd(8)}${name.padEnd(14)}${medians[i]!.toFixed(1).padStart(6)} µs  ${bar} ${does}`;
    });
  } finally {
    await mesh.end();
  }
}
