import type { Nanos } from '@quorate/kernel';
import { type Linked, LinkedQueue } from './linked-queue.js';
import { LockFlag } from './lock-flags.js';
import { Mode } from './mode.js';

/** Which queue a lock is on (`DLM_LKSTS_*`). */
export const LockStatus = { none: 0, waiting: 1, granted: 2, convert: 3 } as const;

/**
 * State of a lock that is no part of the caller's flags (`DLM_IFL_*`). The low 16 bits travel with messages, the others
 * are private to a node.
 *
 * Source: Linux fs/dlm/dlm_internal.h.
 */
export const LkbFlag = {
  USER: 0x1,
  /** Kept without an owner until somebody adopts or purges it. */
  ORPHAN: 0x2,
  /** The owner is another node; this is the master's twin. */
  MSTCPY: 0x10000,
  /** Its operation has to be issued anew after recovery. */
  RESEND: 0x20000,
  /** Its process is gone, and it is being unlocked: nobody hears of it any more. */
  DEAD: 0x40000,
  OVERLAP_UNLOCK: 0x80000,
  OVERLAP_CANCEL: 0x100000,
  /** Its last completion was delivered. */
  ENDOFLIFE: 0x200000,
  /** It is canceled because it was queued too long. */
  TIMEOUT_CANCEL: 0x800000,
  /** It is canceled to resolve a deadlock. */
  DEADLOCK_CANCEL: 0x1000000,
} as const;

/**
 * One lock on one node: a local copy (owner and master are this node), a process copy (the master is elsewhere) or a
 * master copy (the owner is elsewhere).
 *
 * Source: Linux fs/dlm/dlm_internal.h, `dlm_lkb`; the names are its names.
 */
export class Lkb implements Linked<Lkb> {
  readonly lkid: number;
  /** The caller's name for it; -1 for a master copy. An orphan keeps the one it had until it is adopted. */
  handle: number;
  /** The process of this node that owns it, or left it behind. */
  process = 0;
  resource: Rsb;
  /** Local copy: 0. Process copy: the master, -1 while unknown. Master copy: the owner. */
  nodeid = 0;
  /** How long it may be queued, with TIMEOUT. */
  timeout: Nanos = 0;
  /** The transaction that it belongs to. */
  xid = 0;
  /** Its id on that node; 0 while unknown. */
  remid = 0;
  /** Flags of the last lock call, with those of unlock and cancel added (`exflags`). */
  exflags = 0;
  /** Flags of the operation under way (`sbflags`). */
  sbflags = 0;
  /** `LkbFlag`. */
  flags = 0;
  status: number = LockStatus.none;
  grmode: number = Mode.IV;
  rqmode: number = Mode.IV;
  /** Highest mode that a blocking AST was sent for since the last grant. */
  highbast = 0;
  /** Type of the message whose reply is awaited; 0 for none. */
  waitType = 0;
  /** Number of replies awaited. */
  waitCount = 0;
  /** Node whose reply is awaited. */
  waitNodeid = 0;
  /** The owner has a function for blocking ASTs: the master sends them. */
  hasBast = true;
  /** An owner on this node that wants none is not told. */
  wantsBast = true;
  /** The value block's buffer; undefined until an operation carries VALBLK. */
  lvb: Uint8Array | undefined = undefined;
  /** Linux's device has a buffer for it that the next conversion brings with it; only with `strictReference`. */
  isLvbOffered = false;
  /** Sequence number of the resource's value block when it was last exchanged; u32. */
  lvbseq = 0;
  /** Granted mode at the last completion that was queued for delivery; undefined before the first. */
  lastCastMode: number | undefined = undefined;
  /** Mode of the last blocking AST that was delivered; 0 before the first. */
  lastBast = 0;
  /** Recovery moves it to a new master in the middle of a conversion between PR and CW. */
  isMiddleConverting = false;
  /** Nothing but awaited replies keeps it. */
  isDead = false;
  /** When it was given its handle, among the locks of its node. */
  order = 0;
  /** It stands in the lockspace's list of those that await a reply. */
  isWaiting = false;
  previousWaiter: Lkb | undefined = undefined;
  nextWaiter: Lkb | undefined = undefined;
  queue: LinkedQueue<Lkb> | undefined = undefined;
  previous: Lkb | undefined = undefined;
  next: Lkb | undefined = undefined;

  constructor(lkid: number, handle: number, resource: Rsb) {
    this.lkid = lkid;
    this.handle = handle;
    this.resource = resource;
    // Once more: to engines a field that was written once is a constant, and recovery, which writes these, would have to go on
    // without the code that was made for locks.
    this.lvbseq = 0;
    this.previous = this.next = undefined;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  get isMasterCopy(): boolean {
    return (this.flags & LkbFlag.MSTCPY) !== 0;
  }

  get isProcessCopy(): boolean {
    return this.nodeid !== 0 && (this.flags & LkbFlag.MSTCPY) === 0;
  }

  /** Its process is gone: an orphan, or about to go as well. */
  get isAbandoned(): boolean {
    return (this.flags & (LkbFlag.ORPHAN | LkbFlag.DEAD)) !== 0;
  }

  get isOverlap(): boolean {
    return (this.flags & (LkbFlag.OVERLAP_CANCEL | LkbFlag.OVERLAP_UNLOCK)) !== 0;
  }
}

/**
 * Flags of a resource, by the bit that the debug text shows.
 *
 * Source: Linux fs/dlm/dlm_internal.h, `enum rsb_flags`.
 */
export const RsbFlag = {
  /** The cached master may be stale: the next request tells. */
  MASTER_UNCERTAIN: 0x1,
  VALNOTVALID: 0x2,
  /** Recovery gave it another master: its locks have to be sent there. */
  NEW_MASTER: 0x8,
  /** The same, kept until all locks are in. */
  NEW_MASTER2: 0x10,
  /** A conversion between PR and CW has to be repaired. */
  RECOVER_CONVERT: 0x20,
  /** Something may have become grantable by recovery. */
  RECOVER_GRANT: 0x40,
  /** A lock that may have been writing the value block is gone. */
  RECOVER_LVB_INVAL: 0x80,
} as const;

/** Nothing is ever added to it. */
const NO_LOCKS: LinkedQueue<Lkb> = new LinkedQueue();

/**
 * One resource on one node.
 *
 * Active while a lock of this node is on it. Without locks it is kept as a cache of who the master is, and on the
 * directory node as the directory's record.
 *
 * Source: Linux fs/dlm/dlm_internal.h, `dlm_rsb`.
 */
export class Rsb implements Linked<Rsb> {
  /** Up to 64 characters, each one byte (Latin-1). */
  readonly name: string;
  /** Signed: as such it stands in the object, and not in one of its own. */
  readonly hash: number;
  dirNodeid: number;
  /** 0 while unknown. */
  masterNodeid = 0;
  /** The lock that looks the master up, or whose request will tell; 0 for none. */
  firstLkid = 0;
  /** `RsbFlag`. */
  flags = 0;
  readonly grantqueue: LinkedQueue<Lkb> = new LinkedQueue();
  /** Most resources never have locks that wait: these three are the one empty queue until the first comes. */
  convertqueue: LinkedQueue<Lkb> = NO_LOCKS;
  waitqueue: LinkedQueue<Lkb> = NO_LOCKS;
  /** Locks that wait until `firstLkid` knows the master. */
  lookup: LinkedQueue<Lkb> = NO_LOCKS;
  lvb: Uint8Array | undefined = undefined;
  /** u32; counts writes of the value block and goes on while the resource is inactive. */
  lvbseq = 0;
  /** Locks of this node on it, on a queue or not. */
  lkbCount = 0;
  /** Locks sent to the new master in recovery whose replies are awaited. */
  recoverLocksCount = 0;
  /** When it became inactive last; Infinity, which is no small integer either, before. */
  tossTime: Nanos = Infinity;
  /** The list of inactive resources, oldest first, while it is on it. */
  queue: LinkedQueue<Rsb> | undefined = undefined;
  previous: Rsb | undefined = undefined;
  next: Rsb | undefined = undefined;
  /** In the lockspace's table. */
  nextInBucket: Rsb | undefined = undefined;

  constructor(name: string, hash: number, dirNodeid: number) {
    this.name = name;
    this.hash = hash | 0;
    this.dirNodeid = dirNodeid;
    // Once more, as of a lock.
    this.recoverLocksCount = 0;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }

  get isActive(): boolean {
    return this.lkbCount > 0;
  }

  /** Puts a lock on the queue of that status (`add_lkb`). */
  add(lkb: Lkb, status: number): void {
    lkb.status = status;
    const isHead = (lkb.exflags & LockFlag.HEADQUE) !== 0;
    switch (status) {
      case LockStatus.granted:
        return this.#addGranted(lkb);
      case LockStatus.convert:
        if (this.convertqueue === NO_LOCKS) this.convertqueue = new LinkedQueue();
        return isHead ? this.convertqueue.addFirst(lkb) : this.convertqueue.addLast(lkb);
      case LockStatus.waiting:
        if (this.waitqueue === NO_LOCKS) this.waitqueue = new LinkedQueue();
        return isHead ? this.waitqueue.addFirst(lkb) : this.waitqueue.addLast(lkb);
    }
  }

  /**
   * Meant to keep the queue ordered by mode, but what is compared is the others' requested mode: -1, unless a refused
   * conversion left it behind. So new locks come first nearly always (`lkb_add_ordered`).
   */
  #addGranted(lkb: Lkb): void {
    for (let other = this.grantqueue.first; other !== undefined; other = other.next) {
      if (other.rqmode < lkb.grmode) return this.grantqueue.addBefore(lkb, other);
    }
    this.grantqueue.addLast(lkb);
  }

  /** Puts a lock behind those that wait for the master to be known. */
  addLookup(lkb: Lkb): void {
    if (this.lookup === NO_LOCKS) this.lookup = new LinkedQueue();
    this.lookup.addLast(lkb);
  }

  /** Takes a lock off its queue (`del_lkb`). */
  del(lkb: Lkb): void {
    lkb.status = LockStatus.none;
    lkb.queue?.remove(lkb);
  }

  move(lkb: Lkb, status: number): void {
    this.del(lkb);
    this.add(lkb, status);
  }

  /** The first of all locks in the order granted, converting, waiting. */
  get firstLock(): Lkb | undefined {
    return this.grantqueue.first ?? this.convertqueue.first ?? this.waitqueue.first;
  }

  /** The next one in that order. */
  lockAfter(lkb: Lkb): Lkb | undefined {
    if (lkb.next !== undefined) return lkb.next;
    if (lkb.queue === this.grantqueue) return this.convertqueue.first ?? this.waitqueue.first;
    return lkb.queue === this.convertqueue ? this.waitqueue.first : undefined;
  }

  /** All locks in that order. */
  locks(): Lkb[] {
    const locks: Lkb[] = [];
    for (let lkb = this.firstLock; lkb !== undefined; lkb = this.lockAfter(lkb)) locks.push(lkb);
    return locks;
  }
}
