import { MILLISECOND, type Nanos, Prng, SECOND, type Violation } from '@quorate/kernel';
import { cman, corosync31, type RingState, type TotemTimings } from '../src/index.js';
import { bytesOf, Cluster, FAIR, type Weather } from './cluster.js';

const PERCENT = Math.floor(0x1_0000_0000 / 100);
const TOKEN: Nanos = SECOND;
/** Clocks are that much too fast or too slow at most. */
const DRIFT = 0.01;
const STEPS = 40;

/** What one run came to. */
export interface ChaosRun {
  readonly violations: readonly Violation[];
  /** States in which nodes crashed, and how often. */
  readonly crashes: Readonly<Record<RingState, number>>;
  readonly pauses: number;
  readonly partitions: number;
  readonly flaps: number;
  readonly oneWayCuts: number;
  /** Regular configurations of all nodes together. */
  readonly configurations: number;
  readonly datagrams: number;
  readonly virtualTime: Nanos;
}

/**
 * One run of what can happen to memberships: 3 to 7 nodes, loss to 30 %, duplicates, reordering, partitions, one-way and
 * flapping ones too, crashes, also at the moment at which a state is entered, pauses, and clocks that drift; then quiet,
 * in which everybody has to come together. A few messages, some of them safe, let recovery have something to do.
 */
export function chaos(seed: number): ChaosRun {
  return new Chaos(seed).run();
}

class Chaos {
  readonly #prng: Prng;
  readonly #cluster: Cluster;
  readonly #timings: TotemTimings;
  readonly #offersSafe: boolean;
  readonly #crashes: Record<RingState, number> = { operational: 0, gather: 0, commit: 0, recovery: 0 };
  readonly #counts = { pauses: 0, partitions: 0, flaps: 0, oneWayCuts: 0, configurations: 0 };
  /** The state whose next entry, by whatever node, is its crash. */
  #trap: RingState | undefined;
  #isCalm = false;

  constructor(seed: number) {
    const prng = Prng.derive({ hi: 17, lo: seed }, 'chaos');
    this.#prng = prng;
    const nodes = 3 + prng.below(5);
    const era = prng.below(3) === 0 ? 'rhel6' : 'modern';
    this.#timings = timingsOf(prng, nodes, era);
    this.#offersSafe = prng.below(2) === 0;
    this.#cluster = new Cluster({
      ...{ nodes, era, seed, timings: this.#timings, safeDelivery: this.#offersSafe, cpg: prng.below(4) === 0 },
      rates: Array.from({ length: nodes }, () => 1 + DRIFT * (prng.below(2001) / 1000 - 1)),
    });
    this.#cluster.listen = () => {};
    this.#cluster.onFact = (fact) => this.#onFact(fact);
  }

  run(): ChaosRun {
    const cluster = this.#cluster;
    for (const id of cluster.ids) cluster.at(this.#prng.below(SECOND), () => cluster.boot(id));
    for (let step = 0; step < STEPS; step++) {
      cluster.run(this.#prng.below(900 * MILLISECOND));
      this.#happen();
      for (let i = this.#prng.below(4); i > 0; i--) this.#say();
    }
    this.#calmDown();
    const { violations } = cluster.checker;
    const crashes = { ...this.#crashes };
    return { violations, crashes, ...this.#counts, datagrams: cluster.datagrams, virtualTime: cluster.now };
  }

  #happen(): void {
    const cluster = this.#cluster;
    const prng = this.#prng;
    const id = this.#pick();
    switch (prng.below(14)) {
      case 0:
        return this.#crash(id);
      case 1:
      case 2:
        this.#trap = (['operational', 'gather', 'commit', 'recovery'] as const)[prng.below(4)]!;
        return;
      case 3:
        return cluster.leave(id);
      case 4:
        this.#counts.partitions += 1;
        return cluster.partition([id, this.#pick()]);
      case 5:
        this.#counts.oneWayCuts += 1;
        return cluster.cut(id, this.#pick());
      case 6:
        return this.#flap([id, this.#pick()]);
      case 7:
        return cluster.heal();
      case 8:
        cluster.weather = this.#weather();
        return;
      case 9:
        this.#counts.pauses += 1;
        return cluster.pause(id);
      case 10:
        return cluster.resume(id);
      case 11:
        for (const other of cluster.ids) cluster.resume(other);
        return;
      default:
        return cluster.boot(id);
    }
  }

  #crash(id: number): void {
    const { totem } = this.#cluster.station(id);
    if (totem === undefined) return;
    this.#crashes[totem.inspect().state] += 1;
    this.#cluster.crash(id);
  }

  /** A partition that comes and goes with about the token's time, so that who notices it first changes. */
  #flap(side: readonly number[]): void {
    this.#counts.flaps += 1;
    let at = this.#cluster.now;
    for (let i = 0; i < 6; i++) {
      at += Math.floor(TOKEN * (0.8 + this.#prng.below(400) / 1000));
      const call = i % 2 === 0 ? () => this.#cluster.partition(side) : () => this.#cluster.heal();
      this.#cluster.at(at, () => !this.#isCalm && call());
    }
  }

  #onFact(fact: { readonly kind: string; readonly node: number }): void {
    if (fact.kind === 'totem.configuration' && (fact as { type?: string }).type === 'regular') {
      this.#counts.configurations += 1;
    }
    if (fact.kind !== 'totem.state' || this.#isCalm || (fact as { state?: string }).state !== this.#trap) return;
    this.#trap = undefined;
    const cluster = this.#cluster;
    cluster.at(cluster.now, () => !this.#isCalm && this.#crash(fact.node));
  }

  #weather(): Weather {
    const prng = this.#prng;
    return { loss: prng.below(31) * PERCENT, duplicate: prng.below(10) * PERCENT, jitter: prng.below(3 * MILLISECOND) };
  }

  #say(): void {
    const cluster = this.#cluster;
    const id = this.#pick();
    if (!cluster.alive.includes(id) || cluster.station(id).isPaused) return;
    const safe = this.#offersSafe && this.#prng.below(2) === 0;
    cluster.input(id, { kind: 'cast', group: 'test', payload: bytesOf('x'.repeat(this.#prng.below(2000))), safe });
  }

  #calmDown(): void {
    const cluster = this.#cluster;
    this.#isCalm = true;
    cluster.weather = FAIR;
    cluster.heal();
    for (const id of cluster.ids) {
      cluster.resume(id);
      cluster.boot(id);
    }
    const { token, consensus, join, sendJoin } = this.#timings;
    const bound = (2 * (token + consensus) + 10 * (join + sendJoin)) / (1 - DRIFT);
    cluster.calm(bound);
    cluster.run(bound + MILLISECOND);
    cluster.checker.end(cluster.now);
  }

  #pick(): number {
    const { ids } = this.#cluster;
    return ids[this.#prng.below(ids.length)]!;
  }
}

function timingsOf(prng: Prng, nodes: number, era: 'rhel6' | 'modern'): TotemTimings {
  const options = {
    tokenMs: TOKEN / MILLISECOND,
    heartbeatFailuresAllowed: prng.below(4) === 0 ? 3 : 0,
    sendJoinMs: prng.below(4) === 0 ? 20 : 0,
  };
  if (era === 'rhel6') return cman(nodes, options);
  return corosync31(nodes, { ...options, tokenCoefficientMs: 0 });
}
