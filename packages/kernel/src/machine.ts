/** Nanoseconds on the node's own monotonic clock: an integer, 0 at its driver's start, at most 2^53 - 1 (104 days). */
export type Nanos = number;

export const MICROSECOND: Nanos = 1_000;
export const MILLISECOND: Nanos = 1_000_000;
export const SECOND: Nanos = 1_000_000_000;

/**
 * A pure protocol machine: input in, outputs out, at a given instant.
 *
 * The same state, input and instant give the same outputs. Bytes in an input and bytes handed to `emit` are valid
 * during that call only; whoever wants to keep them copies. A machine is never stepped from inside its own `emit`.
 */
export interface Machine<In, Out> {
  /** Takes one input at `now` and emits what follows from it. */
  step(now: Nanos, input: In, emit: (output: Out) => void): void;
  /** The next instant at which this machine wants a `wake` even if nothing arrives; Infinity when it wants none. */
  deadline(): Nanos;
}

/**
 * Wraps a machine for tests: stepping it while it is on the stack, or with a clock that runs backwards, throws.
 *
 * The wrapper costs a closure per step, so drivers use it in test builds only.
 */
export function guarded<In, Out>(machine: Machine<In, Out>): Machine<In, Out> {
  let isOnStack = false;
  let last: Nanos = 0;
  return {
    step(now, input, emit) {
      if (isOnStack) throw new Error('a machine on the stack was stepped again');
      if (now < last) throw new Error(`time ran backwards: ${now} after ${last}`);
      isOnStack = true;
      last = now;
      try {
        machine.step(now, input, emit);
      } finally {
        isOnStack = false;
      }
    },
    deadline: () => machine.deadline(),
  };
}
