import type { Reservation } from '../allocator/reservation.js';
import type { Buffer } from '../buffer/buffer.js';
import type { Glock, Holder } from '../glock/glock.js';
import type { Listed } from '../lru-list.js';
import type { Dinode } from '../ondisk/dinode.js';
import type { FsErrno } from '../refusal.js';
import { Signal } from '../scheduler.js';
import type { Acl } from './acl.js';

/** An inode as this node has it in memory (`gfs2_inode`). */
export class Inode implements Listed<Inode> {
  /** Block of the dinode, which names its locks. */
  readonly addr: number;
  /** Formal number that the directory entry gave; 0 when it was looked up by its block alone. */
  readonly formalIno: number;
  readonly glock: Glock;
  readonly iopenGlock: Glock;
  /** SH for as long as the inode is in memory: "someone has it open". */
  iopen: Holder | undefined = undefined;
  /** What the dinode says; right only while the glock is held. */
  dinode: Dinode | undefined = undefined;
  /** The list that decides about access; an error where its bytes are none. Right only while the glock is held. */
  acl: Acl | FsErrno | undefined = undefined;
  /** Operations and descriptors that use it. */
  users = 0;
  state: 'loading' | 'ready' | 'evicting' | 'gone' = 'loading';
  /** Something about `state` has changed. */
  readonly changed: Signal = new Signal();
  /** Another node deletes it: it only has to go out of memory here. */
  isDropped = false;
  /** This node deletes it and waits for the others to close it. */
  upgrading: Holder | undefined = undefined;
  /** Where it allocates, once it has; its no-fly zone ends with the last close for writing. */
  reservation: Reservation | undefined = undefined;
  /** Descriptors that may write. */
  writers = 0;
  /** Its neighbours among all that are in memory. */
  before: Inode | undefined = undefined;
  behind: Inode | undefined = undefined;
  isListed = false;
  #buffer: Buffer | undefined = undefined;

  constructor(addr: number, formalIno: number, glock: Glock, iopenGlock: Glock) {
    this.addr = addr;
    this.formalIno = formalIno;
    this.glock = glock;
    this.iopenGlock = iopenGlock;
  }

  /** The dinode, which an operation that holds the glock has read. */
  get di(): Dinode {
    return this.dinode!;
  }

  /** The dinode's block, if it is cached. */
  get buffer(): Buffer | undefined {
    return this.glock.space.buffers.get(this.addr);
  }

  /** The same, if it is valid. */
  get uptodateBuffer(): Buffer | undefined {
    // What was dropped is not valid any more.
    if (this.#buffer?.isUptodate !== true) this.#buffer = this.buffer;
    return this.#buffer?.isUptodate ? this.#buffer : undefined;
  }
}
