import { type Nanos, type ProgramResult, SECOND, type Violation } from '@quorate/kernel';
import type { Fetched, LabCommand, PageRequest } from '@quorate/lab';

/** How long a command is waited for: one that waits for a cluster without quorum may never end. */
export const PATIENCE: Nanos = 600 * SECOND;

/** A cluster that has power, and that somebody outside acts on. */
export interface RunningCluster {
  now(): Nanos;
  /** Types a command on a machine; undefined if that is not up, or goes down meanwhile, or does not answer for `PATIENCE`. */
  exec(machine: string, command: string): Promise<ProgramResult | undefined>;
  fetch(request: PageRequest): Promise<Fetched | undefined>;
  command(command: LabCommand): void;
  wait(duration: Nanos): Promise<void>;
  /** Cluster seconds per second, at most; absent where time passes only as commands need it. */
  setSpeed?(speed: number): void;
  readonly violations: readonly Violation[];
  /** It was stopped, or does not go on by itself. */
  readonly isOver: boolean;
  /** Why the run does not go on by itself. */
  readonly trouble: string | undefined;
  stop(): Promise<void>;
}
