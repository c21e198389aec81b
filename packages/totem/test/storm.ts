import { MILLISECOND, Prng, SECOND } from '@quorate/kernel';
import { corosync31 } from '../src/index.js';
import { Cluster, type Weather } from './cluster.js';

export const timings = corosync31(5, { tokenMs: 1000, tokenCoefficientMs: 0 });
const PERCENT = Math.floor(0x1_0000_0000 / 100);

/** One run of random crashes, pauses, partitions, leaves and bad weather, then of quiet. */
export function storm(seed: number, cpg: boolean): Cluster {
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
