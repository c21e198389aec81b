import { ByteWriter, crc32, type Nanos, SECOND } from '@quorate/kernel';
import { ControldType } from '../controld-message.js';
import { closesPlockCycle } from './plock-deadlock.js';
import { emptyRecord, type PlockRecord, writePlockEntries } from './plock-message.js';
import {
  newPlockResource,
  OWNER_UNKNOWN,
  type OwnPlock,
  type PlockResource,
  type PlockResourceView,
  plockResourceView,
  UNOWNED,
} from './plock-resource.js';
import { entriesOf, type PlockSync } from './plock-sync.js';
import { isSameOwner, type PlockOwner, type PlockRange } from './plock-table.js';

/** How a cluster keeps its posix locks; the same on all nodes. Absent: as dlm_controld of RHEL 6. */
export interface PlockConfig {
  /** `enable_plock`: without it every operation gives ENOSYS. */
  readonly isEnabled?: boolean;
  /** `plock_ownership`: one node alone may have an inode's locks, without messages; false in dlm 4. */
  readonly isOwnership?: boolean;
  /** `plock_rate_limit`: operations a second; 0: unlimited. */
  readonly rateLimit?: number;
  /** `drop_resources_time`: how often unused inodes are forgotten. */
  readonly dropTime?: Nanos;
  /** `drop_resources_count`: how many at a time. */
  readonly dropCount?: number;
  /** `drop_resources_age`: unused that long. */
  readonly dropAge?: Nanos;
  /**
   * A wait that closes a circle gets EDEADLK; the original never says so. With `isOwnership` only circles among inodes that
   * nobody owns are found, or of one node alone.
   */
  readonly isDeadlockDetected?: boolean;
}

/** A lock in the way of what `get` asked about. */
export interface PlockConflict extends PlockRange, PlockOwner {
  readonly isExclusive: boolean;
}

/** What became of a request: undefined is success. */
export type PlockResult = PlockConflict | PlockErrno | undefined;
export type PlockErrno = 'EAGAIN' | 'EDEADLK' | 'EEXIST' | 'EINVAL' | 'ENOENT' | 'ENOSYS';

export interface PlockPorts {
  /** To all members of the lockspace, ourselves included. */
  multicast(type: number, record: PlockRecord): void;
  result(id: number, result: PlockResult): void;
  log(text: string): void;
  /** A message about that inode was taken in, as the `position`th since the lockspace started. */
  taken(at: PlockPosition, number: bigint): void;
}

/** Where in the order of all messages something is: the same on all who have the same place. */
export interface PlockPosition {
  /** Messages about posix locks and departures since the last start. */
  readonly position: number;
  /** Members of the newest configuration. */
  readonly members: readonly number[];
}

export type PlockMessageType =
  | typeof ControldType.PLOCK
  | typeof ControldType.PLOCK_OWN
  | typeof ControldType.PLOCK_DROP
  | typeof ControldType.PLOCK_SYNC_LOCK
  | typeof ControldType.PLOCK_SYNC_WAITER;

/** A PLOCK of ours that is under way. */
interface SentPlock extends OwnPlock {
  /** Its owner was closed since, or it is that: it counts only where everybody carries it out. */
  isCanceled: boolean;
}

const DROP_TIME: Nanos = 10 * SECOND;
const DROP_COUNT = 10;

/**
 * Posix locks of one lockspace, as every member keeps them.
 *
 * Without ownership each operation goes to all, who carry it out in the order of delivery. With it the first node to use an inode
 * owns it, and gives it up when another one wants to use it, too: it tells what it has, and then that nobody owns it.
 *
 * Source: dlm dlm_controld/plock.c.
 */
export class Plocks {
  readonly #me: number;
  readonly #fsid: number;
  readonly #config: PlockConfig;
  readonly #ports: PlockPorts;
  readonly #resources = new Map<bigint, PlockResource>();
  /** Our own PLOCK messages that have not come back, in their order. */
  readonly #sent: SentPlock[] = [];
  readonly #digests = new ByteWriter(true, 256);
  #droppedAt: Nanos = 0;
  #now: Nanos = 0;

  constructor(me: number, fsid: number, config: PlockConfig, ports: PlockPorts) {
    this.#me = me;
    this.#fsid = fsid;
    this.#config = config;
    this.#ports = ports;
  }

  at(now: Nanos): this {
    this.#now = now;
    return this;
  }

  get #isOwnership(): boolean {
    return this.#config.isOwnership !== false;
  }

  // What processes of this node ask for

  /** Source: `process_plocks`. */
  request(asked: Omit<PlockRecord, 'nodeid' | 'fsid'>, id: number): void {
    const record: PlockRecord = { ...asked, nodeid: this.#me, fsid: this.#fsid };
    if (record.isClose) return this.#close({ record, id });
    const r = record.op === 'unlock' ? this.#resources.get(record.number) : this.#resource(record.number);
    if (r === undefined) return this.#ports.result(id, 'ENOENT');
    r.lastAccess = this.#now;
    if (r.owner === UNOWNED) this.#send({ record, id });
    else if (r.owner === this.#me) this.#carryOut(r, record, id);
    else this.#wantOwned(r, { record, id });
  }

  #resource(number: bigint): PlockResource {
    let r = this.#resources.get(number);
    if (r === undefined) {
      r = newPlockResource(number, this.#isOwnership ? OWNER_UNKNOWN : UNOWNED, this.#now);
      this.#resources.set(number, r);
    }
    r.lastAccess = this.#now;
    return r;
  }

  /**
   * The owner has closed the file, or was killed while it waited: what it has and what it still asks for there goes.
   *
   * Differs from dlm_controld, which forgets this when it does not know the inode, though an operation may be under way that was
   * overtaken by a DROP; and which asks for inodes that other nodes own, where there can be no lock of ours.
   */
  #close(own: OwnPlock): void {
    const { record } = own;
    const underWay = this.#sent.filter((sent) => isSameFile(sent.record, record));
    for (const sent of underWay) sent.isCanceled = true;
    const r = this.#resources.get(record.number);
    if (r !== undefined) r.pending = r.pending.filter((other) => !isSameOwner(other.record, record));
    if (r?.owner === this.#me) this.#carryOut(r, record, undefined);
    if (r?.owner === UNOWNED || underWay.length > 0) this.#send(own);
  }

  #isUnderWay(inode: bigint): boolean {
    return this.#sent.some(({ record }) => record.number === inode);
  }

  #send({ record, id }: OwnPlock): void {
    this.#sent.push({ record, id, isCanceled: record.isClose });
    this.#ports.multicast(ControldType.PLOCK, record);
  }

  /** The operation waits, and whoever owns the inode is told that we want to use it. */
  #wantOwned(r: PlockResource, own: OwnPlock): void {
    if (r.pending.length === 0) this.#sendOwn(r, this.#me);
    r.pending = [...r.pending, own];
  }

  #sendOwn(r: PlockResource, owner: number): void {
    this.#ports.multicast(ControldType.PLOCK_OWN, emptyRecord(r.number, owner));
  }

  // Messages

  receive(type: PlockMessageType, record: PlockRecord, from: number, at: PlockPosition): void {
    switch (type) {
      case ControldType.PLOCK:
        this.#receivePlock(record, from);
        break;
      case ControldType.PLOCK_OWN:
        this.#receiveOwn(record, from);
        break;
      case ControldType.PLOCK_DROP:
        this.#receiveDrop(record.number);
        break;
      case ControldType.PLOCK_SYNC_LOCK:
      case ControldType.PLOCK_SYNC_WAITER:
        this.#receiveSync(type, record, from);
        break;
    }
    this.#ports.taken(at, record.number);
  }

  /** Source: `_receive_plock`. */
  #receivePlock(record: PlockRecord, from: number): void {
    const sent = from === this.#me ? this.#sent.shift() : undefined;
    const id = sent?.id;
    let r = this.#resources.get(record.number);
    if (record.op === 'get' && id === undefined) return;
    if (record.nodeid !== from) return this.#ports.log(`receive_plock error from ${from} info ${record.nodeid}`);
    if (r === undefined) {
      // It was dropped meanwhile: who has sent the operation begins once more.
      if (this.#isOwnership && (sent === undefined || sent.isCanceled)) return;
      r = this.#resource(record.number);
    }
    r.lastAccess = this.#now;
    if (r.owner === UNOWNED) this.#carryOut(r, record, id);
    else if (sent === undefined || sent.isCanceled) return;
    else if (r.owner === this.#me) this.#carryOut(r, record, id);
    // Differs from dlm_controld, which asks for an inode that another node owns by now only if it did before.
    else this.#wantOwned(r, sent);
  }

  /** Source: `__receive_plock`, `do_lock`, `do_unlock`, `do_get`. */
  #carryOut(r: PlockResource, record: PlockRecord, id: number | undefined): void {
    const { table } = r;
    switch (record.op) {
      case 'lock':
        this.#doLock(r, record, id);
        break;
      case 'unlock':
        table.unlock(record);
        if (record.isClose) table.clearWaiters(record);
        else this.#answer(id, undefined);
        break;
      case 'get': {
        const held = table.conflictOf(record);
        this.#answer(id, held && conflictOf(held));
        break;
      }
      case 'none':
        this.#answer(id, 'EINVAL');
    }
    this.#takeWaiters(r);
    this.#put(r);
  }

  #doLock(r: PlockResource, record: PlockRecord, id: number | undefined): void {
    const { table } = r;
    if (table.conflictOf(record) === undefined) {
      table.lock(record);
      this.#answer(id, undefined);
    } else if (!record.isWaiting) this.#answer(id, 'EAGAIN');
    else if (this.#config.isDeadlockDetected && closesPlockCycle(this.#visibleWith(r), r, record)) {
      this.#answer(id, 'EDEADLK');
    } else table.wait(record, id);
  }

  /** Inodes whose locks everybody sees who is to decide about this one: all nodes, or with an owner that node. */
  #visibleWith(r: PlockResource): readonly PlockResource[] {
    const all = [...this.#resources.values()];
    return r.owner === this.#me ? all : all.filter((other) => this.#isReplicated(other));
  }

  #isReplicated(r: PlockResource): boolean {
    return r.owner === UNOWNED && (r.gotUnown || !this.#isOwnership);
  }

  #takeWaiters({ table }: PlockResource): void {
    table.takeWaiters(({ id }) => this.#answer(id, undefined));
  }

  #answer(id: number | undefined, result: PlockResult): void {
    if (id !== undefined) this.#ports.result(id, result);
  }

  /** With ownership an inode is forgotten by DROP only (`put_resource`). */
  #put(r: PlockResource): void {
    if (!this.#isOwnership && r.table.isEmpty && !this.#isUnderWay(r.number)) this.#resources.delete(r.number);
  }

  /** Source: `_receive_own`. `record.nodeid` is the owner that is proposed: its sender, or nobody. */
  #receiveOwn(record: PlockRecord, from: number): void {
    const r = this.#resource(record.number);
    const isRelinquished = record.nodeid === UNOWNED;
    if (from === this.#me) {
      if (isRelinquished) r.gotUnown = r.owner === UNOWNED;
      else if (r.owner === OWNER_UNKNOWN) this.#becomeOwner(r);
      else if (r.owner === UNOWNED) this.#sendPending(r);
      // Else another node was faster, which gives it up as soon as it hears of this.
    } else if (isRelinquished) {
      if (r.owner !== from) return this.#ports.log(`receive_own error from ${from} ${r.number} r owner ${r.owner}`);
      this.#becomeUnowned(r);
    } else if (r.owner === OWNER_UNKNOWN) r.owner = from;
    else if (r.owner === this.#me) this.#relinquish(r);
  }

  #becomeOwner(r: PlockResource): void {
    r.owner = this.#me;
    const { pending } = r;
    r.pending = [];
    for (const { record, id } of pending) this.#carryOut(r, record, id);
  }

  #becomeUnowned(r: PlockResource): void {
    r.owner = UNOWNED;
    r.gotUnown = true;
    this.#sendPending(r);
  }

  #sendPending(r: PlockResource): void {
    const { pending } = r;
    r.pending = [];
    for (const own of pending) this.#send(own);
  }

  /** Tells the others what we have there, then that nobody owns it. From now on our own operations go to all. */
  #relinquish(r: PlockResource): void {
    for (const held of r.table.locks) {
      const { pid, nodeid, owner, start, end, isExclusive } = held;
      const record = { ...emptyRecord(r.number, nodeid), pid, owner, start, end, isExclusive };
      this.#ports.multicast(ControldType.PLOCK_SYNC_LOCK, record);
      held.isSyncing = true;
    }
    for (const waiter of r.table.waiters) {
      const { pid, nodeid, owner, start, end, isExclusive } = waiter.wanted;
      const range = { pid, owner, start, end, isExclusive };
      const lock = { op: 'lock', isWaiting: true, fsid: this.#fsid } as const;
      this.#ports.multicast(ControldType.PLOCK_SYNC_WAITER, { ...emptyRecord(r.number, nodeid), ...range, ...lock });
      waiter.isSyncing = true;
    }
    this.#sendOwn(r, UNOWNED);
    r.owner = UNOWNED;
    r.gotUnown = false;
  }

  /** Source: `_receive_sync`. */
  #receiveSync(type: number, record: PlockRecord, from: number): void {
    const r = this.#resources.get(record.number);
    if (r === undefined) return this.#ports.log(`receive_sync error no r ${record.number} from ${from}`);
    r.lastAccess = this.#now;
    const isWaiter = type === ControldType.PLOCK_SYNC_WAITER;
    if (from === this.#me) this.#clearSyncing(r, record, isWaiter);
    else if (isWaiter) r.table.wait(record, undefined);
    else r.table.add(record, record, record.isExclusive);
  }

  /** Our own locks that were told are now with everybody (`clear_syncing_flag`). */
  #clearSyncing({ table }: PlockResource, record: PlockRecord, isWaiter: boolean): void {
    const isThat = (lock: PlockConflict): boolean =>
      lock.start === record.start &&
      lock.end === record.end &&
      isSameOwner(lock, record) &&
      lock.pid === record.pid &&
      lock.isExclusive === record.isExclusive;
    const found = isWaiter
      ? table.waiters.find((waiter) => waiter.isSyncing && isThat(waiter.wanted))
      : table.locks.find((held) => held.isSyncing && isThat(held));
    if (found === undefined) return this.#ports.log(`clear_syncing error ${record.number} no match`);
    found.isSyncing = false;
  }

  /**
   * Whether to drop depends on nothing that differs between nodes.
   *
   * Differs from dlm_controld, where who is giving an inode up drops it, and the others take him for its owner still.
   *
   * Source: `_receive_drop`.
   */
  #receiveDrop(number: bigint): void {
    const r = this.#resources.get(number);
    if (r !== undefined && this.#isReplicated(r) && r.table.isEmpty) this.#resources.delete(number);
  }

  // Members

  /** A node is gone: what it owned belongs to nobody. Everybody does this at one place in the order. Source: `purge_plocks`. */
  purge(nodeid: number, at: PlockPosition): void {
    let purged = 0;
    for (const r of [...this.#resources.values()]) {
      purged += r.table.purge(nodeid);
      if (r.owner === nodeid) this.#becomeUnowned(r);
      this.#takeWaiters(r);
      this.#put(r);
      this.#ports.taken(at, r.number);
    }
    if (purged > 0) this.#ports.log(`purged ${purged} plocks for ${nodeid}`);
  }

  /**
   * What a node that joins has to know. An inode of ours is told without its locks, which follow when we give it up; one that is
   * being given up is still its owner's, with what of it has been told already.
   *
   * Differs from dlm_controld, which leaves that out, and whose newcomers refuse it.
   *
   * Source: `send_all_plocks_data`.
   */
  snapshot(): readonly PlockSync[] {
    const known = [...this.#resources.values()].filter((r) => r.owner !== OWNER_UNKNOWN);
    return known.map((r): PlockSync => {
      const { number, table } = r;
      if (r.owner === this.#me) return { number, owner: this.#me, entries: [] };
      const isOurs = r.owner === UNOWNED && !this.#isReplicated(r);
      return { number, owner: isOurs ? this.#me : r.owner, entries: entriesOf(table) };
    });
  }

  /** Takes in what a member has told of an inode; of one more than once when it has many locks. */
  restore({ number, owner, entries }: PlockSync): void {
    const r = this.#resource(number);
    r.owner = owner;
    r.gotUnown = owner === UNOWNED;
    for (const entry of entries) {
      if (entry.isWaiter) r.table.wait(entry, undefined);
      else r.table.add(entry, entry, entry.isExclusive);
    }
  }

  clear(): void {
    this.#resources.clear();
  }

  // Unused inodes

  /** When inodes are to be forgotten next; Infinity when there is none to forget. */
  get dropAt(): Nanos {
    if (!this.#isOwnership) return Infinity;
    const { dropTime = DROP_TIME, dropAge = DROP_TIME } = this.#config;
    let oldest = Infinity;
    for (const r of this.#resources.values()) if (this.#isDroppable(r)) oldest = Math.min(oldest, r.lastAccess);
    return Math.max(oldest + dropAge, this.#droppedAt + dropTime);
  }

  /** Whether it is empty, and nobody else's; of what we have just given up the message has to come back first. */
  #isDroppable(r: PlockResource): boolean {
    const isOurs = r.owner === this.#me || (r.owner === UNOWNED && r.gotUnown);
    return isOurs && r.table.isEmpty && r.pending.length === 0 && !this.#isUnderWay(r.number);
  }

  /** Newest first, as they come in the original's list. Source: `drop_resources`. */
  dropUnused(): void {
    if (this.dropAt > this.#now) return;
    this.#droppedAt = this.#now;
    const { dropCount = DROP_COUNT, dropAge = DROP_TIME } = this.#config;
    const unused = [...this.#resources.values()].filter(
      (r) => this.#isDroppable(r) && this.#now - r.lastAccess >= dropAge,
    );
    for (const r of unused.reverse().slice(0, dropCount)) {
      if (r.owner === this.#me) this.#relinquish(r);
      else this.#ports.multicast(ControldType.PLOCK_DROP, emptyRecord(r.number, 0));
    }
  }

  // Views

  view(): readonly PlockResourceView[] {
    return [...this.#resources.values()].map((r) => plockResourceView(r, this.#now));
  }

  ownerOf(number: bigint): number {
    return this.#resources.get(number)?.owner ?? OWNER_UNKNOWN;
  }

  /** CRC-32 of what all nodes have in common of an inode; undefined when that is not known to be the same everywhere. */
  digestOf(number: bigint): number | undefined {
    const r = this.#resources.get(number);
    if (r === undefined) return this.#isOwnership ? undefined : 0;
    if (!this.#isReplicated(r)) return undefined;
    const writer = this.#digests.reset();
    writePlockEntries(writer, entriesOf(r.table));
    return crc32(writer.bytes());
  }

  /** CRC-32 of all inodes that nobody owns and that have locks. */
  digest(): number {
    const writer = this.#digests.reset();
    const inodes = [...this.#resources.values()].filter((r) => this.#isReplicated(r) && !r.table.isEmpty);
    for (const { number, table } of inodes.sort((a, b) => (a.number < b.number ? -1 : 1))) {
      writer.big64(number);
      writePlockEntries(writer, entriesOf(table));
    }
    return crc32(writer.bytes());
  }
}

function isSameFile(a: PlockRecord, b: PlockRecord): boolean {
  return a.number === b.number && isSameOwner(a, b);
}

function conflictOf({ start, end, nodeid, owner, pid, isExclusive }: PlockConflict): PlockConflict {
  return { start, end, nodeid, owner, pid, isExclusive };
}
