import type { Nanos } from '@quorate/kernel';

/** Commands of the hub that wait for their instants. They keep their order: none overtakes one that has a later instant. */
export class CommandQueue<Command> {
  readonly #queue: { readonly at: Nanos; readonly command: Command }[] = [];

  add(at: Nanos, command: Command): void {
    this.#queue.push({ at: Math.max(at, this.#queue.at(-1)?.at ?? 0), command });
  }

  /** Instant of the first; Infinity when there is none. */
  deadline(): Nanos {
    return this.#queue[0]?.at ?? Infinity;
  }

  /** The first one that is due at `now`. */
  take(now: Nanos): Command | undefined {
    return this.deadline() <= now ? this.#queue.shift()!.command : undefined;
  }
}
