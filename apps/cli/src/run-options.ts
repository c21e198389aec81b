import type { Invariant, Seed } from '@quorate/kernel';
import type { RunWatcher, Topology } from '@quorate/lab';

/** What every run is started from, on either driver. */
export interface RunOptions {
  readonly topology: Topology;
  readonly seed: Seed;
  readonly invariants: readonly Invariant[];
  readonly watcher: RunWatcher;
  /** Kinds of facts that the watcher wants; absent: all. */
  readonly watchedKinds?: readonly string[];
}
