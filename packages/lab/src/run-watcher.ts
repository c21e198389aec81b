import type { Nanos, Stamped } from '@quorate/kernel';
import type { Progress } from './lab.js';

/** A line that a machine has logged. */
export interface LogLine {
  readonly at: Nanos;
  readonly machine: string;
  readonly priority: string;
  readonly tag: string;
  readonly text: string;
  /** The machine's own wall clock. */
  readonly wallSec: number;
}

/** Whoever watches a run, on whatever driver; nothing it does may change the run. */
export interface RunWatcher {
  fact?(fact: Stamped): void;
  log?(line: LogLine): void;
  progress?(at: Nanos, progress: Progress): void;
  /** The clock of a driver in real time stood still: slices lost so far. */
  lost?(slices: number): void;
}
