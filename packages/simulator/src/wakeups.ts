import { EventQueue, type Nanos } from '@quorate/kernel';

/** Orders of one class lie below those of the next. */
const CLASS = 2 ** 48;

/** Classes of events at one instant, lowest first. */
export const EventClass = { script: 0, lifeCycle: 1, disk: 2, frame: 3, timer: 4, task: 5, checker: 6 } as const;

/**
 * When whom to wake: one live entry per actor, moved lazily.
 *
 * Protocols move their deadlines with every token. An entry that is already queued at or before the new deadline stays;
 * when it comes up too early it is queued again. What comes up at the deadline is ordered by the change that set that
 * deadline, so that laziness cannot change who is first among equals.
 */
export class Wakeups {
  readonly #queue = new EventQueue();
  readonly #deadlines: Float64Array;
  /** Order of the change that set the deadline, with its class. */
  readonly #orders: Float64Array;
  readonly #queuedAt: Float64Array;
  readonly #generations: Int32Array;
  #lastSeq = 0;

  /** `actors` at most 256. */
  constructor(actors: number) {
    this.#deadlines = new Float64Array(actors).fill(Infinity);
    this.#orders = new Float64Array(actors);
    this.#queuedAt = new Float64Array(actors).fill(Infinity);
    this.#generations = new Int32Array(actors);
  }

  /** Entries in the queue, void ones included. */
  get size(): number {
    return this.#queue.size;
  }

  /** Sets an actor's deadline, in global time. One that has passed comes up at `now`. */
  set(now: Nanos, actor: number, deadline: Nanos, eventClass: number): void {
    const at = deadline < now ? now : deadline;
    if (at === this.#deadlines[actor]) return;
    this.#lastSeq += 1;
    this.#deadlines[actor] = at;
    this.#orders[actor] = eventClass * CLASS + this.#lastSeq;
    if (at < this.#queuedAt[actor]!) this.#push(actor);
  }

  /** Who is due next, not after `limit`, and when. Clears that actor's deadline. */
  next(limit: Nanos): { readonly actor: number; readonly at: Nanos } | undefined {
    for (;;) {
      const at = this.#queue.time;
      if (at === Infinity || at > limit) return undefined;
      const order = this.#queue.order;
      const slot = this.#queue.pop();
      const actor = slot & 0xff;
      if (slot >> 8 !== this.#generations[actor]) continue;
      this.#queuedAt[actor] = Infinity;
      const deadline = this.#deadlines[actor]!;
      if (deadline === Infinity) continue;
      if (deadline > at || order !== this.#orders[actor]) {
        this.#push(actor);
        continue;
      }
      this.#deadlines[actor] = Infinity;
      return { actor, at };
    }
  }

  #push(actor: number): void {
    // A new generation makes void what is still queued for this actor.
    const generation = (this.#generations[actor]! + 1) & 0x3fffff;
    this.#generations[actor] = generation;
    this.#queuedAt[actor] = this.#deadlines[actor]!;
    this.#queue.push(this.#deadlines[actor]!, this.#orders[actor]!, (generation << 8) | actor);
  }
}
