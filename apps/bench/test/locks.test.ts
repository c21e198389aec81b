import { describe, expect, it } from 'vitest';
import { mutexLocks } from '../src/locks/alternatives.js';
import { heapPairs, heapRemotePairs, loneNode } from '../src/locks/heap.js';
import { gaps, grants, type Locks, latency, pairs, quantile } from '../src/locks/lockers.js';
import { PHASES, type PhaseInstant, phaseTimes } from '../src/locks/phases.js';
import { headLine, rowLine } from '../src/locks/table.js';

describe.each([
  ['ours', async () => (await loneNode()) as Locks<unknown>],
  ['async-mutex', async () => mutexLocks() as Locks<unknown>],
])('%s', (_, open) => {
  it('is held by one locker at a time, and by all in turn', async () => {
    const locks = await open();
    let holders = 0;
    const watched: Locks<unknown> = {
      async acquire(name, locker) {
        const held = await locks.acquire(name, locker);
        holders += 1;
        expect(holders).toBe(1);
        return held;
      },
      release(held) {
        holders -= 1;
        return locks.release(held);
      },
    };
    const counts = await pairs(watched, Array(4).fill('same'), 0.05);
    expect(Math.min(...counts)).toBeGreaterThan(0);
    expect((await grants(watched, 'same', 2, 0.01)).length).toBeGreaterThan(1);
    expect((await latency(watched, ['a', 'b'], 100)).acquire.length).toBe(100);
  });
});

it('locks in one heap are all granted', () => {
  expect(heapPairs(100, 2)).toBeGreaterThan(0);
  expect(heapRemotePairs(100, 2)).toBeGreaterThan(0);
});

it('an acquire is cut into its phases by what two threads noted', () => {
  const ats: PhaseInstant[] = ['called', ...PHASES.map(({ at }) => at)];
  const instants = ats.map((at, i) => ({ at, micros: 10 * i }));
  const isMaster = (i: number): boolean => i > 0 && PHASES[i - 1]!.thread === 'master';
  const owner = instants.filter((_, i) => !isMaster(i));
  const master = instants.filter((_, i) => isMaster(i));
  const late = [{ at: 'called', micros: 1000 }] as const;
  expect(phaseTimes([...owner, ...late], master).map((times) => [...times])).toEqual(PHASES.map(() => [10]));
});

it('grants lie apart, whoever had them', () => {
  expect([...gaps([30, 10, 15])]).toEqual([5, 15]);
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(3);
});

it('a row stands under its heads', () => {
  const row = { name: 'x', p50: 1, p99: 2, own: [1, 1500, 25_000, 3e6], same: [1, 2, 3, 4], handOff: 5, fairness: 1 };
  expect(rowLine(row)).toMatch(/ 1\/1 +1\.5k\/2 +25k\/3 +3\.00M\/4 /);
  expect(rowLine(row)).toHaveLength(headLine().length);
});
