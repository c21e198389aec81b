import type { Errno } from '@quorate/kernel';
import { Status } from '../lock-flags.js';

/**
 * Why a call of the lock manager was refused or ended without what it asked for.
 *
 * EAGAIN: with `noQueue`, it would have had to wait. EDEADLK: a conversion that would deadlock. ECANCEL: cancelled.
 * EUNLOCK: unlocked by force meanwhile. ENOENT: the lock is gone. EBUSY: another operation on the lock is under way.
 * EINVAL: flags, mode or name that are not legal, or a lockspace that is not there. EEXIST and EPROTO: of `open`.
 */
export type LockErrorCode = Errno | 'ECANCEL' | 'ETIMEDOUT' | 'EUNLOCK';

/** A lock call that failed: `code` says why; a lock that it was about keeps the mode that it had. */
export class LockError extends Error {
  override readonly name = 'LockError';
  readonly code: LockErrorCode;
  /** The resource, or the lockspace that could not be opened or closed. */
  readonly resource: string;

  constructor(code: LockErrorCode, resource: string, found: string, expected: string) {
    super(`${resource}: ${code}: found ${found}, expected ${expected}`);
    this.code = code;
    this.resource = resource;
  }
}

/** What a completion that grants nothing says. */
export function statusError(status: number, resource: string, asked: string): LockError {
  switch (status) {
    case Status.EAGAIN:
      return new LockError('EAGAIN', resource, `locks in the way of ${asked}`, 'none, since noQueue was asked for');
    case Status.EDEADLK:
      return new LockError('EDEADLK', resource, `a conversion to ${asked} that would wait for itself`, 'one that ends');
    case Status.ETIMEDOUT:
      return new LockError('ETIMEDOUT', resource, `${asked} not granted in time`, 'a grant');
    case Status.EUNLOCK:
      return new LockError('EUNLOCK', resource, `the lock unlocked by force`, `a grant of ${asked}`);
  }
  return new LockError('ECANCEL', resource, 'a cancel', `a grant of ${asked}`);
}
