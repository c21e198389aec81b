import type { Errno } from '@quorate/kernel';
import { LockFlag } from './lock-flags.js';
import { MessageType } from './message.js';
import { isMode, isQuecvtLegal, Mode } from './mode.js';
import { type Lkb, LkbFlag, LockStatus } from './resource.js';

const MAX_NAME = 64;

/** Flags that contradict each other or the mode (`set_lock_args`). */
export function lockCallDefect(mode: number, flags: number, lvbLength: number): Errno | undefined {
  if (!isMode(mode)) return 'EINVAL';
  if ((flags & ODD_FLAGS) === 0) return undefined;
  const isConvert = (flags & LockFlag.CONVERT) !== 0;
  if ((flags & LockFlag.CANCEL) !== 0) return 'EINVAL';
  if ((flags & LockFlag.QUECVT) !== 0 && !isConvert) return 'EINVAL';
  if ((flags & LockFlag.CONVDEADLK) !== 0 && (!isConvert || (flags & LockFlag.NOQUEUE) !== 0)) return 'EINVAL';
  if ((flags & LockFlag.EXPEDITE) !== 0) {
    if (mode !== Mode.NL || (flags & (LockFlag.CONVERT | LockFlag.QUECVT | LockFlag.NOQUEUE)) !== 0) return 'EINVAL';
  }
  return (flags & LockFlag.VALBLK) !== 0 && lvbLength === 0 ? 'EINVAL' : undefined;
}

/** Flags that are not legal in every call. */
const ODD_FLAGS = LockFlag.CANCEL | LockFlag.QUECVT | LockFlag.CONVDEADLK | LockFlag.EXPEDITE | LockFlag.VALBLK;

/** Whether a resource can have that name: up to 64 one-byte characters, of which the last is not NUL. */
export function isResourceName(name: string): boolean {
  if (name.length > MAX_NAME || name.charCodeAt(name.length - 1) === 0) return false;
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) > 0xff) return false;
  return true;
}

/** Whether the lock may be converted now (`validate_lock_args`). */
export function convertDefect(lkb: Lkb, mode: number, flags: number): Errno | undefined {
  if (lkb.status !== LockStatus.granted || lkb.waitType !== 0 || lkb.waitCount > 0 || lkb.isOverlap) return 'EBUSY';
  return (flags & LockFlag.QUECVT) !== 0 && !isQuecvtLegal(lkb.grmode, mode) ? 'EINVAL' : undefined;
}

const UNLOCK_FLAGS = LockFlag.CANCEL | LockFlag.VALBLK | LockFlag.IVVALBLK | LockFlag.FORCEUNLOCK;
const FORCED_CANCEL = LockFlag.CANCEL | LockFlag.FORCEUNLOCK;

/** Flags that unlock does not know or that contradict each other (`set_unlock_args`). */
export function unlockCallDefect(flags: number): Errno | undefined {
  return (flags & ~UNLOCK_FLAGS) !== 0 || (flags & FORCED_CANCEL) === FORCED_CANCEL ? 'EINVAL' : undefined;
}

/**
 * What an unlock or cancel has to do: go on; nothing, since it is done, or will be when a reply comes; complete here,
 * since the lock only waits for another one's lookup; or be refused.
 */
export type UnlockVerdict = 'proceed' | 'settled' | 'complete-here' | 'EBUSY' | 'EINVAL';

/** Source: Linux fs/dlm/lock.c, `validate_unlock_args`, in its order. */
export function unlockVerdict(lkb: Lkb, flags: number): UnlockVerdict {
  const isCancel = (flags & LockFlag.CANCEL) !== 0;
  const isForced = (flags & LockFlag.FORCEUNLOCK) !== 0;
  if (!isCancel && !isForced && (lkb.waitType !== 0 || lkb.waitCount > 0)) return 'EBUSY';
  if (lkb.queue === lkb.resource.lookup) return isCancel || isForced ? 'complete-here' : 'EBUSY';
  if (isCancel) return cancelVerdict(lkb);
  return isForced ? forceUnlockVerdict(lkb) : 'proceed';
}

function cancelVerdict(lkb: Lkb): UnlockVerdict {
  if ((lkb.exflags & LockFlag.CANCEL) !== 0 || lkb.isOverlap) return 'EINVAL';
  if (lkb.has(LkbFlag.RESEND)) return overlap(lkb, LkbFlag.OVERLAP_CANCEL);
  if (lkb.status === LockStatus.granted && lkb.waitType === 0) return 'settled';
  switch (lkb.waitType) {
    case MessageType.LOOKUP:
    case MessageType.REQUEST:
      return overlap(lkb, LkbFlag.OVERLAP_CANCEL);
    case MessageType.UNLOCK:
    case MessageType.CANCEL:
      return 'EINVAL';
  }
  return 'proceed';
}

function forceUnlockVerdict(lkb: Lkb): UnlockVerdict {
  if ((lkb.exflags & LockFlag.FORCEUNLOCK) !== 0 || lkb.has(LkbFlag.OVERLAP_UNLOCK)) return 'EINVAL';
  if (lkb.has(LkbFlag.RESEND)) return overlap(lkb, LkbFlag.OVERLAP_UNLOCK);
  switch (lkb.waitType) {
    case MessageType.LOOKUP:
    case MessageType.REQUEST:
      return overlap(lkb, LkbFlag.OVERLAP_UNLOCK);
    case MessageType.UNLOCK:
      return 'EINVAL';
  }
  return 'proceed';
}

/** The reply that is awaited will carry it out. */
function overlap(lkb: Lkb, flag: number): 'settled' {
  lkb.flags |= flag;
  return 'settled';
}
