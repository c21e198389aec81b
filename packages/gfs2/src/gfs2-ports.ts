import type { WallTime } from '@quorate/kernel';
import type { Caller } from './calls/caller.js';
import type { Operation, OperationResult } from './calls/operation.js';
import type { PlockCall, PlockDone } from './calls/posix-locks.js';
import type { LogLine } from './core.js';
import type { DiskOutput, IoDone } from './disk.js';
import type { LockCall, LockCast, UnlockCall } from './glock/glocks.js';
import type { RecoveryResult } from './recovery/recover-journal.js';
import type { FsErrno } from './refusal.js';

export type Gfs2Input =
  /** `options` as in `mount -o`; `wall` is the wall clock at this moment. Answered by `mounted` or `mount-failed`. */
  | {
      readonly kind: 'mount';
      readonly jid: number;
      readonly isFirst: boolean;
      readonly options: string;
      readonly wall: WallTime;
    }
  /** The mount under way is to fail, as it would wait for ever; nothing if it has ended. Answered by `mount-failed`. */
  | { readonly kind: 'abort-mount' }
  /** `isLast`: no other node has it mounted, so unlinked inodes that nobody reclaimed can be. */
  | { readonly kind: 'unmount'; readonly isLast: boolean }
  | IoDone
  | LockCast
  | { readonly kind: 'lock-bast'; readonly handle: number; readonly mode: number }
  /** The DLM did not take a call. */
  | { readonly kind: 'call-refused'; readonly handle: number; readonly errno: string }
  | { readonly kind: 'block-locks'; readonly isBlocked: boolean }
  | { readonly kind: 'recover-journal'; readonly jid: number }
  /** `process` has its descriptors, and owns the posix locks that it takes; 0 when absent. `caller` is root when absent. */
  | {
      readonly kind: 'operation';
      readonly id: number;
      readonly operation: Operation;
      readonly process?: number;
      readonly caller?: Caller;
    }
  /** It was killed: what it waits for a posix lock for is over. Its descriptors are to be closed, too. */
  | { readonly kind: 'process-killed'; readonly process: number }
  | PlockDone
  /** Somebody has set the wall clock. */
  | { readonly kind: 'clock-step'; readonly wall: WallTime }
  | { readonly kind: 'wake' };

export type Gfs2Output =
  | DiskOutput
  | LockCall
  | UnlockCall
  | PlockCall
  | LogLine
  | { readonly kind: 'mounted' }
  | { readonly kind: 'mount-failed'; readonly errno: FsErrno; readonly text: string }
  | { readonly kind: 'unmounted' }
  /** Files are open: nothing was done. */
  | { readonly kind: 'unmount-failed'; readonly errno: 'EBUSY' }
  /** What an operation gave, or an errno name. Bytes are lent. */
  | { readonly kind: 'result'; readonly id: number; readonly result: OperationResult }
  | { readonly kind: 'recovered'; readonly jid: number; readonly result: RecoveryResult }
  | { readonly kind: 'first-done' }
  | { readonly kind: 'withdrawn'; readonly reason: string };
