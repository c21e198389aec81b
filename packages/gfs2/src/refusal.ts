import type { Errno } from '@quorate/kernel';

/** Why a file system call was refused. `ELOOP`: too many symbolic links on the way. */
export type FsErrno = Errno | 'ELOOP';

/**
 * The error return of a system call, thrown inside operations and caught where the operation was started, so that every
 * lock and reservation on the way is given back by a `finally`.
 */
export class Refusal {
  readonly errno: FsErrno;

  constructor(errno: FsErrno) {
    this.errno = errno;
  }
}
