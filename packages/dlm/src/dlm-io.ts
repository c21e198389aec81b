import type { Errno, LogPriority, Nanos } from '@quorate/kernel';
import type { PacketDefect } from './midcomms.js';
import type { ModeName } from './mode.js';

/** A member as a start names it. */
export interface StartMember {
  readonly node: number;
  /** Share of the directory; 1 when absent. With all weights 0 each counts once. */
  readonly weight?: number;
  /** It left and came back since the last start. */
  readonly isNew?: boolean;
}

/**
 * A lock call. With CONVERT it converts the lock of that handle, and `name` is not looked at; otherwise the handle must
 * be free, and names the lock until its last completion.
 */
export interface LockInput {
  readonly kind: 'lock';
  readonly lockspace: string;
  /** The caller's, unique in the lockspace on this node. */
  readonly handle: number;
  /** Up to 64 characters, each one byte (Latin-1), the last not NUL. */
  readonly name: string;
  /** `Mode`. */
  readonly mode: number;
  /** `LockFlag`. */
  readonly flags: number;
  /** Put into the lock's buffer before the call; exactly `lvbLength` bytes, lent. Heard only if the lock has a buffer. */
  readonly lvb?: Uint8Array;
  /** Whether the owner wants blocking ASTs; it does when absent. */
  readonly wantsBast?: boolean;
  /**
   * Of a new lock: whether its owner has a function for blocking ASTs. Without one its master sends none, as for callers in the kernel;
   * programs (libdlm) always have one. It has when absent.
   */
  readonly hasBast?: boolean;
  /** With TIMEOUT: how long it may stand in a queue before it completes with ETIMEDOUT; 0 when absent. */
  readonly timeout?: Nanos;
  /** The transaction that it belongs to, for the detection of deadlocks over several resources; 0 when absent. */
  readonly xid?: number;
  /** The process that asks; 0 when absent. With PERSISTENT the lock outlives it, with ORPHAN it takes such a lock over. */
  readonly process?: number;
}

export interface UnlockInput {
  readonly kind: 'unlock';
  readonly lockspace: string;
  readonly handle: number;
  /** CANCEL, VALBLK, IVVALBLK, FORCEUNLOCK. */
  readonly flags: number;
  /** As for `lock`. */
  readonly lvb?: Uint8Array;
  /** With CANCEL: the completion says EDEADLK instead of ECANCEL. */
  readonly isDeadlock?: boolean;
}

/** A process closed the lockspace, or died. Nothing more is heard of its locks. */
export interface ProcessExitInput {
  readonly kind: 'process-exit';
  readonly lockspace: string;
  readonly process: number;
}

/** Unlocks the orphans that a process of a node left behind. */
export interface PurgeInput {
  readonly kind: 'purge';
  readonly lockspace: string;
  /** 0: this node. */
  readonly node: number;
  /** 0: those of all processes. */
  readonly process: number;
  /** Who asks; 0 when absent. Whoever purges itself loses the locks that it has, and keeps its orphans. */
  readonly by?: number;
}

/** What programs ask of a lockspace: it waits while the lockspace recovers. */
export type CallInput = LockInput | UnlockInput | ProcessExitInput | PurgeInput;

/** A program opens a lockspace: `online` follows, and `created` or `create-refused`. */
export interface CreateInput {
  readonly kind: 'create';
  readonly lockspace: string;
  /** Bytes of a value block: a multiple of 8, the same on all nodes. */
  readonly lvbLength: number;
  /** A file system hears `recover-prep`, `recover-slot` and `recover-done`. */
  readonly isFs: boolean;
  /** TIMEWARN: `timewarn` is told of locks that are queued too long; not when absent. */
  readonly isTimewarn?: boolean;
  /**
   * `nodir`: there is no directory, the node that a name's hash leads to is its master, and locks move with every change of members. The
   * same on all nodes, which nobody checks; not when absent.
   */
  readonly isNodir?: boolean;
}

export type DlmInput =
  | CreateInput
  /** Refused with EBUSY while this node owns locks in it, unless forced. */
  | { readonly kind: 'release'; readonly lockspace: string; readonly isForced?: boolean }
  /** The group that `offline` asked to leave was left. */
  | { readonly kind: 'left'; readonly lockspace: string }
  /** Ends with `stopped` in the same step. */
  | { readonly kind: 'stop'; readonly lockspace: string }
  /**
   * Members since now. Only after `stop` has ended on every one of them, and when those that failed are fenced.
   * `failed` are the nodes that are gone by failure; when absent, all that are gone.
   */
  | {
      readonly kind: 'start';
      readonly lockspace: string;
      readonly members: readonly StartMember[];
      readonly failed?: readonly number[];
    }
  | CallInput
  /** One or more whole packets, in the order in which that node sent them (`PacketStream` cuts a stream so). */
  | { readonly kind: 'packet'; readonly from: number; readonly bytes: Uint8Array }
  /** There is a connection to that node: what it has not acknowledged goes out again. */
  | { readonly kind: 'connected'; readonly node: number }
  | { readonly kind: 'disconnected'; readonly node: number }
  /** The node is no member of the cluster any more: nobody waits for its goodbye to the last lockspace. */
  | { readonly kind: 'node-gone'; readonly node: number }
  | { readonly kind: 'wake' };

export interface CastOutput {
  readonly kind: 'cast';
  readonly lockspace: string;
  readonly handle: number;
  /** `Status`. */
  readonly status: number;
  /** The mode granted now; `Mode.IV` when the lock is gone. */
  readonly mode: number;
  /** `StatusFlag`. */
  readonly flags: number;
  /** The lock's buffer, if it has one; lent. */
  readonly lvb?: Uint8Array;
}

export type DlmOutput =
  /**
   * To the connection with that node. Before `connected` it is only a sign that a connection is wanted: the bytes come
   * again when there is one.
   */
  | { readonly kind: 'packet'; readonly to: number; readonly bytes: Uint8Array }
  /** That node failed, and the connection with it is from before. */
  | { readonly kind: 'disconnect'; readonly node: number }
  /** Completion AST. */
  | CastOutput
  /** Blocking AST: somebody wants `mode`. */
  | { readonly kind: 'bast'; readonly lockspace: string; readonly handle: number; readonly mode: number }
  /**
   * A lock of this node has been queued for `timewarn`, in a lockspace that was created with TIMEWARN. Told once for each time that it
   * queues; never with NODLCKWT.
   */
  | {
      readonly kind: 'timewarn';
      readonly lockspace: string;
      readonly handle: number;
      readonly lkid: number;
      readonly process: number;
      readonly xid: number;
      readonly resource: string;
      readonly grmode: ModeName;
      readonly rqmode: ModeName;
    }
  /** The call did nothing, and no completion follows. */
  | { readonly kind: 'call-refused'; readonly lockspace: string; readonly handle: number; readonly errno: Errno }
  /** Join the lockspace's group. */
  | { readonly kind: 'online'; readonly lockspace: string }
  /** Leave the lockspace's group, then say `left`. */
  | { readonly kind: 'offline'; readonly lockspace: string }
  | { readonly kind: 'stopped'; readonly lockspace: string }
  /** The first recovery is over: locks are served. */
  | { readonly kind: 'created'; readonly lockspace: string }
  /** EEXIST, EINVAL, or EPROTO when the other members have another configuration; the lockspace does not exist. */
  | { readonly kind: 'create-refused'; readonly lockspace: string; readonly errno: Errno }
  | { readonly kind: 'released'; readonly lockspace: string }
  | { readonly kind: 'release-refused'; readonly lockspace: string; readonly errno: Errno }
  /** To a file system: the lockspace was running and stands still now. */
  | { readonly kind: 'recover-prep'; readonly lockspace: string }
  /** To a file system: that node failed; it had that slot. */
  | { readonly kind: 'recover-slot'; readonly lockspace: string; readonly node: number; readonly slot: number }
  /** To a file system: locking goes on; `slot` is our own. */
  | {
      readonly kind: 'recover-done';
      readonly lockspace: string;
      readonly slot: number;
      readonly generation: number;
    }
  | { readonly kind: 'reject'; readonly from: number; readonly reason: RejectReason }
  | { readonly kind: 'log'; readonly priority: LogPriority; readonly text: string };

export type RejectReason =
  | PacketDefect
  | 'bad-message'
  | 'bad-rcom'
  | 'unknown-lockspace'
  /** The sender is no member of the lockspace. */
  | 'non-member'
  /** It names a lock that is not there, is another node's, or is the wrong kind of copy. */
  | 'unknown-lock'
  /** It contradicts what we know of the lock or the resource. */
  | 'unexpected'
  /** It belongs to a recovery that is over or has not come. */
  | 'stale-rcom';
