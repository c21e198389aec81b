import type { FsErrno } from '../refusal.js';

/** A call that the file system refused: `ENOENT: open /a/b`. */
export class Gfs2Error extends Error {
  readonly code: FsErrno;

  constructor(code: FsErrno, what: string) {
    super(`${code}: ${what}`);
    this.name = 'Gfs2Error';
    this.code = code;
  }
}
