import type { Holder } from '../glock/glock.js';
import type { Inode } from '../inode/inode.js';
import { Refusal } from '../refusal.js';
import type { Fd, OpenFlags } from './operation.js';

/** An open file. */
export interface OpenFile {
  readonly inode: Inode;
  readonly flags: OpenFlags;
  readonly mayWrite: boolean;
  /** Who has it open; its posix locks on the inode go with any of its descriptors. */
  readonly process: number;
  /** What flock(2) has taken. */
  flock: Holder | undefined;
}

/** The file descriptors of a mount. Numbers start at 3 and the lowest free one is given, as a process would have it. */
export class Descriptors {
  readonly #files = new Map<Fd, OpenFile>();

  get size(): number {
    return this.#files.size;
  }

  add(file: OpenFile): Fd {
    let fd = 3;
    while (this.#files.has(fd)) fd += 1;
    this.#files.set(fd, file);
    return fd;
  }

  /** @throws {Refusal} EBADF */
  get(fd: Fd): OpenFile {
    const file = this.#files.get(fd);
    if (file === undefined) throw new Refusal('EBADF');
    return file;
  }

  /** @throws {Refusal} EBADF when it is not open for reading */
  getReadable(fd: Fd): OpenFile {
    const file = this.get(fd);
    if (file.flags.read === false) throw new Refusal('EBADF');
    return file;
  }

  /** @throws {Refusal} EBADF when it is not open for writing */
  getWritable(fd: Fd): OpenFile {
    const file = this.get(fd);
    if (!file.mayWrite) throw new Refusal('EBADF');
    return file;
  }

  /** @throws {Refusal} EBADF */
  remove(fd: Fd): OpenFile {
    const file = this.get(fd);
    this.#files.delete(fd);
    return file;
  }
}
