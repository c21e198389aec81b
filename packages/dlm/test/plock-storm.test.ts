import { describe, expect, it } from 'vitest';
import { PlockStorm } from './plock-storm.js';

const SEEDS = Array.from({ length: Number(process.env.STORMS ?? 30) }, (_, i) => i + Number(process.env.STORM ?? 1));

describe.each([
  ['everything is told to all', false],
  ['an inode may be owned by one', true],
] as const)('posix locks with crashes, leaves and joins; %s', (_, isOwnership) => {
  it.each(SEEDS)('seed %i', (seed) => {
    const storm = new PlockStorm({
      seed,
      nodes: 2 + (seed % 4),
      operations: 200,
      faults: seed % 3 === 0 ? 0 : 6,
      isOwnership,
      isDeadlockDetected: seed % 5 === 0,
    });
    storm.run();
    expect(storm.problems).toEqual([]);
    expect(storm.counts.granted).toBeGreaterThan(0);
  });
});
