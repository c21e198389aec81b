import type { Fact } from '@quorate/kernel';

/** What a `Cpg` tells about itself. Rings are `rep.seq` in hexadecimal, processes `node/pid`. */
export type CpgFact = SyncFact | MembersFact | ConfchgFact | CpgMessageFact | ExitedFact;

/** `cpg.sync`: a synchronisation began; `cpg.synced`: it ended, messages flow again. */
export interface SyncFact extends Fact {
  readonly kind: 'cpg.sync' | 'cpg.synced';
  readonly ring: string;
}

/**
 * A place in the total order: how many messages of the process group service were handled in this ring since its
 * synchronisation. It is the same at all members; behind a transitional configuration, where `ring` is `old>new`, at
 * those that came along.
 */
export interface Place {
  readonly ring: string;
  readonly place: number;
}

/** The members of a group after a message, or after synchronisation (place 0), as this node knows them. */
export interface MembersFact extends Fact, Place {
  readonly kind: 'cpg.members';
  readonly group: string;
  readonly members: readonly string[];
}

/** A process was told of a configuration change. */
export interface ConfchgFact extends Fact, Place {
  readonly kind: 'cpg.confchg';
  readonly group: string;
  readonly pid: number;
  readonly members: readonly string[];
  readonly joined: readonly string[];
  readonly left: readonly string[];
}

/** A process died, and hears nothing more. */
export interface ExitedFact extends Fact {
  readonly kind: 'cpg.exited';
  readonly pid: number;
}

/** A message was handed to a process. */
export interface CpgMessageFact extends Fact, Place {
  readonly kind: 'cpg.message';
  readonly group: string;
  readonly pid: number;
  readonly from: string;
}
