import type { LogPriority, Nanos, Observe } from '@quorate/kernel';
import type { ControldDefect } from './controld-message.js';
import type { DlmView } from './dlm.js';
import type { ControldFact } from './facts.js';
import type { Confchg } from './lockspace-change.js';
import type { LockspaceView } from './lockspace-view.js';
import type { PlockRange } from './plocks/plock-table.js';
import type { PlockConfig, PlockResult } from './plocks/plocks.js';
import type { ViewsAsked, ViewsQuestion } from './view-query.js';
import type { ClusterViews } from './why-not.js';

/** A ring of totem: its representative and its sequence number. */
export interface RingId {
  readonly representative: number;
  readonly seq: number;
}

export type ControldInput =
  /** The daemon starts. `uncontrolled`: lockspaces that the kernel still has from before; then this node has to go. */
  | { readonly kind: 'start'; readonly uncontrolled?: readonly string[] }
  /** The lock manager created a lockspace, or wants to leave one. */
  | { readonly kind: 'online'; readonly lockspace: string }
  | { readonly kind: 'offline'; readonly lockspace: string }
  /** The `stop` that we asked for is done. */
  | { readonly kind: 'stopped'; readonly lockspace: string }
  | ({ readonly kind: 'confchg'; readonly group: string } & Confchg)
  /** CPG is on that ring now; comes after the ring's `confchg`s. */
  | { readonly kind: 'ring-confchg'; readonly ring: RingId }
  /** A message of a group, our own included. */
  | { readonly kind: 'message'; readonly group: string; readonly from: number; readonly payload: Uint8Array }
  /** What cman says of the cluster. */
  | {
      readonly kind: 'membership';
      readonly members: readonly number[];
      readonly ring: RingId;
      readonly isQuorate: boolean;
    }
  /** fenced says that a node was dealt with; `at` is our own clock. */
  | { readonly kind: 'fenced'; readonly node: number; readonly at: Nanos }
  /** All nodes that fenced still has to deal with. Until the first of these nothing is known about fencing. */
  | { readonly kind: 'victims'; readonly nodes: readonly number[] }
  /** gfs_controld wants to be heard before the lockspace recovers from a failure; comes before there is a lockspace. */
  | { readonly kind: 'fs-registered'; readonly lockspace: string }
  /** It has seen that node fail; may come before we have. */
  | { readonly kind: 'fs-notified'; readonly lockspace: string; readonly node: number }
  | PlockInput
  /** The lock manager has a lock that is queued for long. */
  | { readonly kind: 'timewarn'; readonly lockspace: string }
  /** `dlm_tool deadlock_check`. */
  | { readonly kind: 'deadlock-check'; readonly lockspace: string }
  /** What `read-locks` asked for; no view if the lock manager does not have the lockspace. */
  | { readonly kind: 'locks'; readonly lockspace: string; readonly view: LockspaceView | undefined }
  /** What do the other nodes show? Answered by `views-told` with the same `id`, within 2 s. */
  | ({ readonly kind: 'ask-views'; readonly id: number } & ViewsAsked)
  /** What `read-views` asked for. */
  | ({ readonly kind: 'views'; readonly dlm: DlmView } & ViewsQuestion)
  /** SIGTERM: answered by `exited`; ignored while there is a lockspace. */
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'wake' };

/**
 * A process of this node asks for a posix lock, through the kernel. Answered by `plock-result` with the same `id`, but for an
 * unlock with `isClose`, which takes back what of its owner still waits, too: nothing more is said of that.
 */
export interface PlockInput extends PlockRange {
  readonly kind: 'plock';
  readonly lockspace: string;
  readonly id: number;
  /** F_SETLK with a lock or with F_UNLCK, F_GETLK. */
  readonly op: 'lock' | 'unlock' | 'get';
  /** Inode. */
  readonly number: bigint;
  /** The table of open files; locks of one never are in each other's way. */
  readonly owner: bigint;
  readonly pid: number;
  readonly isExclusive: boolean;
  /** F_SETLKW. */
  readonly isWaiting: boolean;
  readonly isClose: boolean;
}

export type ControldOutput =
  | { readonly kind: 'cpg-join'; readonly group: string }
  | { readonly kind: 'cpg-leave'; readonly group: string }
  /** `payload` is lent. */
  | { readonly kind: 'cpg-mcast'; readonly group: string; readonly payload: Uint8Array }
  /** The lock manager has to stand still in that lockspace, then say `stopped`. */
  | { readonly kind: 'stop'; readonly lockspace: string }
  /** It may recover and go on. Same shape as the lock manager's input. */
  | {
      readonly kind: 'start';
      readonly lockspace: string;
      readonly members: readonly { readonly node: number; readonly weight: number; readonly isNew: boolean }[];
      readonly failed: readonly number[];
    }
  /** We belong to the lockspace's group and have started in it. */
  | { readonly kind: 'joined'; readonly lockspace: string }
  | { readonly kind: 'left'; readonly lockspace: string }
  /** `result`: an errno name, for `get` the lock that is in the way, undefined when there is none or the lock is granted. */
  | { readonly kind: 'plock-result'; readonly lockspace: string; readonly id: number; readonly result: PlockResult }
  /** The lock manager's locks are wanted, to look for deadlocks: answered by `locks`. */
  | { readonly kind: 'read-locks'; readonly lockspace: string }
  /** That lock of this node is to be canceled, and completes with EDEADLK (`unlock` with CANCEL and `isDeadlock`). */
  | { readonly kind: 'deadlock-cancel'; readonly lockspace: string; readonly handle: number }
  /** Another node wants to see what the lock manager shows: answered by `views` with the same question. */
  | ({ readonly kind: 'read-views' } & ViewsQuestion)
  /** `views` of the nodes that have answered, this one left out. */
  | { readonly kind: 'views-told'; readonly id: number; readonly views: ClusterViews }
  /** cman should kill that node. */
  | { readonly kind: 'kick'; readonly node: number }
  | { readonly kind: 'exited' }
  | { readonly kind: 'reject'; readonly group: string; readonly from: number; readonly reason: ControldReject }
  | { readonly kind: 'log'; readonly priority: LogPriority; readonly text: string };

export type ControldReject = ControldDefect | 'wrong-version' | 'wrong-sender' | 'wrong-group' | 'no-match';

export interface ControldConfig {
  readonly nodeId: number;
  /** `enable_fencing`: wait until failed nodes are fenced; true when absent. */
  readonly enableFencing?: boolean;
  /**
   * `enable_quorum`: wait for quorum also where nobody has failed; false when absent. Who fences has quorum, so a lockspace
   * without failed members is all that goes on without: it can be left, and its file system unmounted, when the quorum is gone.
   */
  readonly enableQuorum?: boolean;
  /** `enable_deadlk`: look for deadlocks over several resources; false when absent. The same on all nodes. */
  readonly enableDeadlock?: boolean;
  /** Share of a node in a lockspace's directory (`<lockspace><master weight/>`); 1 when absent. */
  readonly weightOf?: (lockspace: string, node: number) => number;
  readonly plock?: PlockConfig;
  readonly observe?: Observe<ControldFact>;
}
