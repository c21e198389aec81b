import { describe, expect, it } from 'vitest';
import { type Cluster, FAIR } from './cluster.js';
import { storm, timings } from './storm.js';

/** The bound of V17 on a quiet network. */
const CONVERGENCE = 2 * (timings.token + timings.consensus) + 10 * timings.join;

function calmDown(cluster: Cluster): void {
  cluster.weather = FAIR;
  cluster.heal();
  for (const id of cluster.ids) {
    cluster.resume(id);
    cluster.boot(id);
  }
  const isFormed = cluster.runUntil(() => cluster.isRingOf(cluster.ids), CONVERGENCE);
  expect(isFormed, 'one ring of all nodes').toBe(true);
}

const decades = Array.from({ length: 5 }, (_, i) => ({ from: `${i}0`, to: `${i}9` }));

describe('no invariant breaks in a storm, and quiet brings everybody together', () => {
  describe.each([
    ['rings', false],
    ['process groups', true],
  ] as const)('%s', (_, cpg) => {
    it.each(decades)('seeds $from to $to', ({ from, to }) => {
      for (let seed = Number(from); seed <= Number(to); seed++) {
        const cluster = storm(seed, cpg);
        calmDown(cluster);
        expect(cluster.checker.violations, `seed ${seed}`).toEqual([]);
      }
    });
  });
});
