// A membership daemon for many nodes at once: each node stops when it hears of a change, and starts when all members of
// the newest change have stopped and nobody is left to be fenced. Every step reaches every node after a delay of its own.
import type { Nanos, Prng } from '@quorate/kernel';
import type { Cluster } from '../src/conformance/cluster.js';

interface Departure {
  readonly node: number;
  readonly hasFailed: boolean;
}

interface Change {
  readonly seq: number;
  readonly members: readonly number[];
  readonly stopped: Set<number>;
  readonly departures: readonly Departure[];
}

interface Event {
  readonly at: Nanos;
  readonly run: () => void;
}

export class Membership {
  readonly #cluster: Cluster;
  readonly #lockspace: string;
  readonly #prng: Prng;
  readonly #maxDelay: Nanos;
  readonly #events: Event[] = [];
  /** Departures that each node has not been told of by a start. */
  readonly #untold = new Map<number, Departure[]>();
  #change: Change = { seq: 0, members: [], stopped: new Set(), departures: [] };
  #fencing = 0;

  constructor(cluster: Cluster, lockspace: string, prng: Prng, maxDelay: Nanos) {
    this.#cluster = cluster;
    this.#lockspace = lockspace;
    this.#prng = prng;
    this.#maxDelay = maxDelay;
  }

  get members(): readonly number[] {
    return this.#change.members;
  }

  /** A node that has created the lockspace. */
  join(node: number): void {
    this.#untold.set(node, []);
    this.#begin(
      [...this.members, node].sort((a, b) => a - b),
      [],
    );
  }

  /** A node that wants to leave, in good order. */
  leave(node: number): void {
    this.#begin(
      this.members.filter((member) => member !== node),
      [{ node, hasFailed: false }],
    );
    this.#later(() => this.#cluster.input(node, { kind: 'left', lockspace: this.#lockspace }));
  }

  /** A node that is dead, and fenced after a while. */
  fail(node: number): void {
    if (!this.members.includes(node)) return;
    this.#fencing += 1;
    this.#begin(
      this.members.filter((member) => member !== node),
      [{ node, hasFailed: true }],
    );
    this.#later(() => {
      this.#fencing -= 1;
      this.#tryStart();
    });
  }

  nextAt(): Nanos {
    return this.#events.reduce((least, event) => Math.min(least, event.at), Infinity);
  }

  /** Does what is due. */
  run(): void {
    for (const event of [...this.#events].sort((a, b) => a.at - b.at)) {
      if (event.at > this.#cluster.now) continue;
      this.#events.splice(this.#events.indexOf(event), 1);
      event.run();
    }
  }

  #later(run: () => void): void {
    this.#events.push({ at: this.#cluster.now + this.#prng.below(this.#maxDelay), run });
  }

  #begin(members: readonly number[], departures: readonly Departure[]): void {
    const change: Change = { seq: this.#change.seq + 1, members, stopped: new Set(), departures };
    this.#change = change;
    for (const departure of departures) this.#untold.delete(departure.node);
    for (const untold of this.#untold.values()) untold.push(...departures);
    for (const node of members) this.#later(() => this.#stop(change, node));
  }

  #stop(change: Change, node: number): void {
    if (this.#change !== change) return;
    this.#cluster.input(node, { kind: 'stop', lockspace: this.#lockspace });
    change.stopped.add(node);
    this.#tryStart();
  }

  #tryStart(): void {
    const change = this.#change;
    if (this.#fencing > 0 || change.members.some((node) => !change.stopped.has(node))) return;
    for (const node of change.members) this.#later(() => this.#start(change, node));
  }

  #start(change: Change, node: number): void {
    // A newer change is known everywhere at the same point of the order: nobody starts an older one any more.
    if (this.#change !== change || this.#fencing > 0 || !change.stopped.has(node)) return;
    change.stopped.delete(node);
    const untold = this.#untold.get(node)!.splice(0);
    this.#cluster.input(node, {
      kind: 'start',
      lockspace: this.#lockspace,
      members: change.members.map((member) => ({
        node: member,
        isNew: untold.some((departure) => departure.node === member),
      })),
      failed: untold.filter((departure) => departure.hasFailed).map((departure) => departure.node),
    });
  }
}
