/** The wall clock and the timers of a thread; tests bring their own. */
export interface Wall {
  /** Milliseconds with a fraction, from an origin that all threads of a run share. */
  nowMs(): number;
  /** Calls `then` once, not before `delayMs` have passed. The result cancels it. */
  after(delayMs: number, then: () => void): () => void;
}

/**
 * The thread's own clock.
 *
 * `performance.now()` counts from another origin in every thread; with `timeOrigin` added the readings are comparable, in
 * Node to the microsecond. Source: High Resolution Time, "timeOrigin".
 */
export const THREAD_WALL: Wall = {
  nowMs: () => performance.timeOrigin + performance.now(),
  after: (delayMs, then) => {
    const timer = setTimeout(then, delayMs);
    return () => clearTimeout(timer);
  },
};
