import { setFlagsFromString } from 'node:v8';

/**
 * When and how V8 optimises a function. A run of seconds spreads over thousands of functions, few of them hot, and the optimiser
 * takes milliseconds for one with all that it inlines; Node 20's own figures are behind each of ours.
 */
const WHEN_TO_OPTIMISE: Readonly<Record<string, number>> = {
  /** Bytes of bytecode that a function runs through before V8 counts a tick; after three it is optimised. 67 584. */
  'interrupt-budget': 200_000,
  /** Bytes of its own that cost a function one tick more: a long one ran long before it has so many. 150. */
  'bytecode-size-allowance-per-tick': 5_000,
  /** Bytes of other functions that are inlined into one: what is inlined is compiled again in each caller. 920. */
  'max-inlined-bytecode-size-cumulative': 400,
};

/**
 * Sets V8 up for short runs, for the whole process. To be called before the first run; an engine without a flag ignores it.
 *
 * Not for worker threads in real time, which run long enough for the optimiser to be worth its while.
 */
export function tuneForShortRuns(): void {
  for (const [flag, value] of Object.entries(WHEN_TO_OPTIMISE)) setFlagsFromString(`--${flag}=${value}`);
  // While it waits for the optimiser a function is compiled plainly instead of interpreted: a tenth less in each run.
  setFlagsFromString('--always-sparkplug');
}
