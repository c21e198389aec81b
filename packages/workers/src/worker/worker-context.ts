import type { Seed } from '@quorate/kernel';
import type { DiskSpec, Topology } from '@quorate/lab';
import type { OpenedStores } from '../boot.js';
import type { PacerConfig } from '../time/pacer.js';
import type { Reporter } from './reporter.js';

/** What every worker of a lab has, whatever its role. */
export interface WorkerContext {
  readonly topology: Topology;
  /** Stores that the run writes; a disk without one is written as a copy in memory. */
  openStores(disks: readonly DiskSpec[]): OpenedStores;
  readonly seed: Seed;
  readonly pacing: PacerConfig;
  readonly reporter: Reporter;
  /** Does some work; whatever it throws is told to the hub and is the end of this worker. */
  guard(work: () => void): void;
}
