import type { Fact, Invariant, Nanos, Seed, Violation } from '@quorate/kernel';
import type { RunWatcher, Scenario, Topology } from '@quorate/lab';
import type { BlockStore } from '@quorate/scsi';
import type { Departure, WorkerLike } from '../platform/worker-like.js';
import type { FrameWatcher } from '../record/recorded-frames.js';
import type { Wall } from '../time/wall.js';

/** Why a run stopped; `gone`: a worker threw, ended or hung. */
export type StopReason = 'ended' | 'time' | 'violation' | 'exception' | 'gone' | 'stopped';

/** A worker threw, ended by itself or hung. */
export interface WorkerGoneFact extends Fact, Departure {
  readonly kind: 'workers.gone';
  /** Host name of its machine, `switch` or `disks`. */
  readonly worker: string;
}

export interface WorkersConfig {
  readonly scenario: Scenario;
  /** Name under which the workers' registry builds the same topology. */
  readonly topologyName: string;
  /** Plain data for that. */
  readonly topologyOptions?: unknown;
  /** Plain data for the workers' `openStores`; absent: disks are written in memory, as copies of the topology's images. */
  readonly storeOptions?: unknown;
  /** The topology here; its disks are asked for in the worker only. */
  readonly topology: Topology;
  readonly seed: Seed;
  /** Cluster time per wall time, at most. */
  readonly speed: number;
  readonly invariants: readonly Invariant[];
  /** Starts one worker whose file calls `serveWorker`. */
  spawn(name: string): WorkerLike;
  readonly watcher?: RunWatcher;
  /** Kinds of facts that `watcher.fact` wants; absent: all. */
  readonly watchedKinds?: readonly string[];
  /** Gets a recording of the run, for `replay`, piece by piece as it goes on; each piece is valid during that call only. */
  readonly recordTo?: (bytes: Uint8Array) => void;
  /** Hears of every frame, slice by slice. Costs the hub a second run of the network. */
  readonly frames?: FrameWatcher;
  /** Whether the result has the disks' content even if the scenario does not look at it. */
  readonly wantsStores?: boolean;
  /** Cluster time at which the run ends at the latest; an hour unless told. */
  readonly maxTime?: Nanos;
  /** Whether the run stops at the first violation (default) or goes on. */
  readonly keepGoing?: boolean;
  /** Wall time without a sign of a worker after which it counts as hung; 10 s unless told, three times that at the start. */
  readonly hangTimeoutMs?: number;
  /** Length of a slice on the wall; unless told 50 ms of cluster time, but from 2 to 10 ms. */
  readonly sliceMs?: number;
  readonly wall?: Wall;
}

export interface WorkersResult {
  readonly reason: StopReason;
  /** What the scenario's script ended with; undefined if it did not end. */
  readonly result: unknown;
  readonly at: Nanos;
  /** Steps of all machines, network, hosts and disks. */
  readonly events: number;
  /** Ids of the invariants under watch. */
  readonly checked: readonly string[];
  /** Those of them that had nothing to judge. */
  readonly idle: readonly string[];
  readonly violations: readonly Violation[];
  /** Message and stack of an exception of the script, an invariant or a watcher. */
  readonly exception: string | undefined;
  readonly gone: WorkerGoneFact | undefined;
  /** How often the clock stood still because a worker was late, and for how many slices of wall time. */
  readonly stops: number;
  readonly lostSlices: number;
  readonly wallMs: number;
  /** The disks as the run left them, by LUN; empty without `wantsStores` and `atEnd`. */
  readonly stores: ReadonlyMap<number, BlockStore>;
  /** `imageHash` of what each of them was before the run. */
  readonly imageHashes: ReadonlyMap<number, string>;
}
