import { MILLISECOND, Prng, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { corosync31 } from '../src/index.js';
import { Cluster, FAIR, type Weather } from './cluster.js';

const timings = corosync31(5, { tokenMs: 1000, tokenCoefficientMs: 0 });
const PERCENT = Math.floor(0x1_0000_0000 / 100);

/** One run of random crashes, pauses, partitions, leaves and bad weather, then of quiet. */
function storm(seed: number, cpg: boolean): Cluster {
  const prng = Prng.derive({ hi: 7, lo: seed }, 'storm');
  const cluster = new Cluster({ nodes: 3 + prng.below(3), timings, seed, cpg });
  cluster.listen = () => {};
  const ids = cluster.ids;
  const pick = (): number => ids[prng.below(ids.length)]!;
  for (const id of ids) cluster.at(prng.below(SECOND), () => cluster.boot(id));
  for (let step = 0; step < 30; step++) {
    cluster.run(prng.below(900 * MILLISECOND));
    const id = pick();
    switch (prng.below(10)) {
      case 0:
        cluster.crash(id);
        break;
      case 1:
        cluster.leave(id);
        break;
      case 2:
        cluster.partition([id, pick()]);
        break;
      case 3:
        cluster.heal();
        break;
      case 4:
        cluster.weather = weather(prng);
        break;
      case 5:
        cluster.pause(id);
        break;
      case 6:
        cluster.resume(id);
        break;
      case 7:
      case 8:
        cluster.boot(id);
        break;
      case 9:
        for (const other of ids) cluster.resume(other);
    }
    for (let i = prng.below(8); i > 0; i--) say(cluster, pick(), prng, cpg);
  }
  return cluster;
}

function weather(prng: Prng): Weather {
  return { loss: prng.below(25) * PERCENT, duplicate: prng.below(10) * PERCENT, jitter: prng.below(3 * MILLISECOND) };
}

function say(cluster: Cluster, id: number, prng: Prng, cpg: boolean): void {
  if (!cluster.alive.includes(id) || cluster.station(id).isPaused) return;
  const payload = new Uint8Array(prng.below(3000));
  if (!cpg) return cluster.input(id, { kind: 'cast', group: 'test', payload });
  const group = `g${prng.below(2)}`;
  const pid = 100 + prng.below(2);
  const kind = (['join', 'join', 'mcast', 'mcast', 'mcast', 'leave'] as const)[prng.below(6)]!;
  if (prng.below(20) === 0) cluster.cpgInput(id, { kind: 'exit', pid });
  else if (kind === 'mcast') cluster.cpgInput(id, { kind, group, pid, payload });
  else cluster.cpgInput(id, { kind, group, pid });
}

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

describe('no invariant breaks in a storm, and quiet brings everybody together', () => {
  it.each(Array.from({ length: 10 }, (_, i) => i))('rings, seeds %i0 to %i9', (tens) => {
    for (let seed = tens * 10; seed < tens * 10 + 10; seed++) {
      const cluster = storm(seed, false);
      calmDown(cluster);
      expect(cluster.checker.violations, `seed ${seed}`).toEqual([]);
    }
  });
});
