import { AssertionError, assert, type Nanos, type Task, type WallTime } from '@quorate/kernel';
import { type AddressSpace, AilEntry, assertBlock, type Buffer } from '../buffer/buffer.js';
import type { BufferCache } from '../buffer/buffer-cache.js';
import { Batch, type Disk } from '../disk.js';
import type { Geometry } from '../ondisk/geometry.js';
import { revokeBlocks } from '../ondisk/log-descriptor.js';
import { LOG_HEAD, type LogHeaderCodec } from '../ondisk/log-header.js';
import { Refusal } from '../refusal.js';
import { type Scheduler, Signal, wait } from '../scheduler.js';
import type { JournalMap } from './journal-map.js';
import { chunkBlocks, writeBlockChunks, writeRevokeChunk } from './log-chunks.js';
import { LogWriter } from './log-writer.js';

/** The header that ends a log flush is on its way to the journal; `gfs2.write-done` tells what became of it. */
export interface LogFlushFact {
  readonly kind: 'gfs2.log-flush';
  readonly now: Nanos;
  readonly jid: number;
  /** Number of the write that has the header. */
  readonly write: number;
  /** Of the header that closes it. */
  readonly sequence: number;
  /** `LOG_HEAD` bits. */
  readonly flags: number;
  /** Metadata and journaled data blocks in it. */
  readonly blocks: number;
  readonly revokes: number;
}

/** What a log header says about its writer. */
export interface HeaderSource {
  readonly statfsAddr: number;
  readonly quotaAddr: number;
  /** Changes of the statfs figures that are not yet in the master file. */
  readonly localTotal: number;
  readonly localFree: number;
  readonly localDinodes: number;
}

/** What `inspect` shows of the journal. Counts of blocks, but for the last two. */
export interface LogView {
  readonly isLive: boolean;
  readonly sequence: number;
  readonly used: number;
  /** Changed and not committed. */
  readonly metadata: number;
  readonly revokes: number;
  readonly dirtyData: number;
  /** Flushes that are not yet wholly in place. */
  readonly ail: number;
  readonly openTransactions: number;
}

export interface LogConfig {
  readonly geometry: Geometry;
  readonly headerCodec: LogHeaderCodec;
  /** Longest time that a finished transaction stays in memory only (`commit=`). */
  readonly commit: Nanos;
  readonly wall: () => WallTime;
  readonly header: () => HeaderSource;
  /** All that is in memory is committed, but `committed` has not said so of any block. */
  readonly durable: () => Task;
  /** A block that is part of a resource group's bitmap is committed: blocks freed in it may be used again. */
  readonly committed: (space: AddressSpace) => void;
  /** The journal or the disk under it failed. */
  readonly failed: (text: string) => void;
  readonly observe: ((fact: LogFlushFact) => void) | undefined;
}

/** Blocks that stay free for the log daemon (`GFS2_LOG_FLUSH_MIN_BLOCKS`): without them no flush could make room. */
const TABOO = 4;

/** File data blocks that may wait for a commit before one is started. */
const MAX_DIRTY_DATA = 2048;

/** An open transaction: what was promised to it. */
export class Transaction {
  /** Blocks that it may change, and blocks that it may revoke. */
  readonly blocks: number;
  readonly revokes: number;
  readonly reserved: number;
  /** Blocks that it changed first. */
  changed = 0;

  constructor(blocks: number, revokes: number, reserved: number) {
    this.blocks = blocks;
    this.revokes = revokes;
    this.reserved = reserved;
  }
}

/**
 * The journal of this node: transactions merge into one that is in memory, a flush writes it to the journal, and its blocks
 * go in place afterwards.
 *
 * Positions count journal blocks since the mount without wrapping; modulo the journal's length they are block numbers.
 *
 * Source: Linux fs/gfs2/log.c, trans.c, lops.c.
 */
export class Log {
  readonly #config: LogConfig;
  readonly #scheduler: Scheduler;
  readonly #disk: Disk;
  readonly #cache: BufferCache;
  #map: JournalMap | undefined;
  #writer: LogWriter | undefined;

  /** Where the next block goes (`sd_log_head`), and the oldest one that a replay needs, as the last header says. */
  #head = 0;
  #tail = 0;
  #sequence = 0;
  /** Where the flush under way, or the last one, began. */
  #first = 0;
  /** The last header says that there is nothing to replay (`sd_log_idle`). */
  #isIdle = true;
  #isLive = false;
  /** The journal is closed until `thaw`. */
  #isFrozen = false;
  readonly #thawed = new Signal();

  /** The merged transaction: blocks changed and not committed (`sd_log_tr`). */
  readonly #metadata = new Set<Buffer>();
  readonly #journaledData = new Set<Buffer>();
  readonly #revokes = new Map<number, AddressSpace>();
  /** Spaces with file data that must be on disk before the next commit (`sd_log_ordered`). */
  readonly #ordered = new Set<AddressSpace>();
  #dirtyData = 0;
  /** Flushes whose blocks a replay would still need, the oldest first (`sd_ail1_list`, `sd_ail2_list`). */
  #ail: AilEntry[] = [];

  #openTransactions = 0;
  #reserved = 0;
  #isFlushing = false;
  #isFlushWanted = false;
  #isWritingBack = false;
  /** A freed block may be among those that are being written in place. */
  #mustAwaitWriteBack = false;
  readonly #ended = new Signal();
  readonly #flushed = new Signal();
  readonly #writtenBack = new Signal();
  readonly #roomMade = new Signal();
  /** Something for the log daemon to look at. */
  readonly daemonSignal: Signal = new Signal();
  isRoomWanted = false;
  /** Blocks that any transaction may change beside those that it asks for: those of `quota_change`. */
  extraBlocks = 0;
  /** When the oldest change in memory was made; Infinity when there is none. */
  #dirtySince: Nanos = Infinity;

  constructor(config: LogConfig, scheduler: Scheduler, disk: Disk, cache: BufferCache) {
    this.#config = config;
    this.#scheduler = scheduler;
    this.#disk = disk;
    this.#cache = cache;
  }

  /** Opens the journal for writing behind the header that ends it. */
  open(map: JournalMap, last: { readonly sequence: number; readonly blkno: number }): void {
    this.#map = map;
    this.#writer = new LogWriter(this.#disk, map);
    this.#head = this.#tail = this.#first = last.blkno + 1;
    this.#sequence = last.sequence + 1;
    this.#isIdle = true;
    this.#isLive = true;
  }

  get isLive(): boolean {
    return this.#isLive;
  }

  /** Of the next header: what is in memory is committed by that. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Blocks of the journal between tail and head. */
  get used(): number {
    return this.#head - this.#tail;
  }

  /** When the log daemon must commit what is in memory. */
  get commitAt(): Nanos {
    return this.#dirtySince + this.#config.commit;
  }

  /** Enough is in memory for a commit (`gfs2_jrnl_flush_reqd`). */
  get isFlushRequired(): boolean {
    return this.#pending() * 5 >= this.#blocks * 2 || this.#dirtyData >= MAX_DIRTY_DATA;
  }

  /** The journal fills up: write blocks in place, so that its tail can move (`gfs2_ail_flush_reqd`). */
  get isWriteBackRequired(): boolean {
    return (this.used + this.#pending()) * 5 >= this.#blocks * 4 || this.isRoomWanted;
  }

  inspect(): LogView {
    return {
      isLive: this.#isLive,
      sequence: this.#sequence,
      used: this.used,
      metadata: this.#metadata.size,
      revokes: this.#revokes.size,
      dirtyData: this.#dirtyData,
      ail: this.#ail.length,
      openTransactions: this.#openTransactions,
    };
  }

  /**
   * Starts a transaction that may change `blocks` blocks and revoke `revokes` (`gfs2_trans_begin`). Waits for room in
   * the journal and for a flush that is under way.
   *
   * @throws {Refusal} EIO when the journal is not in use (any more).
   */
  *begin(blocks: number, revokes = 0): Task<Transaction> {
    for (;;) {
      const transaction = this.beginNow(blocks, revokes);
      if (transaction !== undefined) return transaction;
      if (!this.#isLive) throw new Refusal('EIO');
      if (this.#isFrozen) yield* wait(this.#thawed);
      else if (this.#isFlushing || this.#isFlushWanted) yield* wait(this.#flushed);
      else {
        this.isRoomWanted = true;
        this.#scheduler.notify(this.daemonSignal);
        yield* wait(this.#roomMade);
      }
    }
  }

  /** The same without waiting: undefined when it would have to, or the journal is not in use. */
  beginNow(asked: number, revokes = 0): Transaction | undefined {
    const blocks = asked > 0 ? asked + this.extraBlocks : 0;
    const reserved = this.#reservationOf(blocks, revokes);
    if (reserved + 2 * TABOO >= this.#blocks) {
      throw new AssertionError(`a transaction of ${blocks} blocks is larger than the journal`);
    }
    const isHeldUp = !this.#isLive || this.#isFrozen || this.#isFlushing || this.#isFlushWanted;
    if (isHeldUp || !this.#hasRoom(reserved)) return undefined;
    this.#openTransactions += 1;
    this.#reserved += reserved;
    return new Transaction(blocks, revokes, reserved);
  }

  /** Ends a transaction: what it changed is committed by the next flush (`gfs2_trans_end`). */
  end(transaction: Transaction): void {
    this.#openTransactions -= 1;
    this.#reserved -= transaction.reserved;
    if (this.#openTransactions === 0) this.#scheduler.notify(this.#ended);
    if (this.isFlushRequired || this.isWriteBackRequired) this.#scheduler.notify(this.daemonSignal);
  }

  /** Runs `body` inside a transaction (`gfs2_trans_begin`, `gfs2_trans_end`). @throws {Refusal} as `begin` */
  *transact<T>(blocks: number, revokes: number, body: (transaction: Transaction) => Task<T>): Task<T> {
    const transaction = this.beginNow(blocks, revokes) ?? (yield* this.begin(blocks, revokes));
    try {
      return yield* body(transaction);
    } finally {
      this.end(transaction);
    }
  }

  /** Adds a metadata block that is about to be changed (`gfs2_trans_add_meta`). */
  addMeta(transaction: Transaction, buffer: Buffer): void {
    this.#pin(transaction, buffer, this.#metadata);
  }

  /** Adds a block of file data that goes through the journal (`gfs2_trans_add_data`). */
  addData(transaction: Transaction, buffer: Buffer): void {
    buffer.isJournaledData = true;
    this.#pin(transaction, buffer, this.#journaledData);
  }

  /** Adds a block of file data that must reach the disk before the next commit (data=ordered). */
  addOrdered(buffer: Buffer): void {
    this.#touch();
    if (buffer.isDirty) return;
    buffer.isOrderedData = true;
    assertBlock(buffer.space.isExclusive, buffer, 'of file data is changed without its glock');
    buffer.isDirty = true;
    if (buffer.space.dirtyData.size === 0) this.#ordered.add(buffer.space);
    buffer.space.dirtyData.add(buffer);
    this.#dirtyData += 1;
  }

  /** Sees to it that no replay of this journal writes the block (`gfs2_add_revoke`). */
  addRevoke(space: AddressSpace, block: number): void {
    if (this.#revokes.has(block)) return;
    this.#touch();
    this.#revokes.set(block, space);
    space.revokes += 1;
  }

  /** The blocks become metadata again: a revoke that waits for the flush would undo that (`gfs2_trans_remove_revoke`). */
  removeRevokes(block: number, count: number): void {
    if (this.#revokes.size === 0) return;
    for (let b = block; b < block + count; b++) {
      const space = this.#revokes.get(b);
      if (space === undefined) continue;
      this.#revokes.delete(b);
      space.revokes -= 1;
    }
  }

  /** Blocks were freed: drops them from memory, from the transaction and, by revokes, from the journal (`gfs2_journal_wipe`). */
  wipe(block: number, count: number): void {
    for (let b = block; b < block + count; b++) {
      const buffer = this.#cache.get(b);
      if (buffer === undefined) continue;
      if (buffer.isPinned) this.#unpin(buffer);
      if (buffer.ail !== undefined) {
        this.#removeFromAil(buffer);
        this.addRevoke(buffer.space, b);
      }
      if (buffer.space.dirtyData.delete(buffer)) this.#dirtyData -= 1;
      buffer.isDirty = false;
      this.#mustAwaitWriteBack ||= this.#isWritingBack;
      this.#cache.drop(buffer);
    }
  }

  /**
   * Writes what is in memory to the journal, file data first (`gfs2_log_flush`). With `space`: only if something of it is
   * in memory. Unless FLUSH_NORMAL is among the flags everything is written in place as well, and the log is left clean.
   *
   * @throws {Refusal} EIO
   */
  *flush(flags: number, space?: AddressSpace): Task {
    while (this.#isFlushing || this.#isFlushWanted) yield* wait(this.#flushed);
    if (space !== undefined && !hasUncommitted(space)) return;
    yield* this.#alone(() => this.#flushExclusive(flags));
  }

  /**
   * Brings the file data of a space to stable storage: by a flush if what leads there is in memory only, else just to its place. No
   * transaction may allocate or free meanwhile, as that relies on a flush to write the data.
   *
   * @throws {Refusal} EIO
   */
  *flushData(flags: number, space: AddressSpace): Task {
    const isNeeded = (): boolean => space.neededSequence === this.#sequence;
    while (this.#isFlushing || this.#isFlushWanted) yield* wait(this.#flushed);
    if (!isNeeded() && space.dirtyData.size === 0) return;
    yield* this.#alone(() => (isNeeded() ? this.#flushExclusive(flags) : this.#writeDataOf(space)));
  }

  /** Runs a flush when no transaction is open, and holds up those that would begin. @throws {Refusal} EIO */
  *#alone(flush: () => Task): Task {
    if (!this.#isLive) throw new Refusal('EIO');
    this.#isFlushWanted = true;
    try {
      while (this.#openTransactions > 0) yield* wait(this.#ended);
      this.#isFlushing = true;
      yield* flush();
    } finally {
      this.#isFlushing = this.#isFlushWanted = false;
      this.#scheduler.notify(this.#flushed);
      this.#scheduler.notify(this.#roomMade);
    }
  }

  /** Writes committed blocks in place: those of one space, or all (`gfs2_ail1_flush`). @throws {Refusal} EIO */
  *writeBack(space?: AddressSpace): Task {
    while (this.#isWritingBack) yield* wait(this.#writtenBack);
    const buffers = space === undefined ? this.#allCommitted() : [...space.ail].filter(isWritable);
    if (buffers.length === 0) return;
    this.#isWritingBack = true;
    try {
      buffers.sort((a, b) => a.block - b.block);
      const entries = buffers.map((buffer) => buffer.ail);
      const error = yield* this.#cache.write(buffers);
      if (error !== undefined) this.#fail(`error writing metadata in place: ${error}`);
      buffers.forEach((buffer, i) => {
        // Committed again meanwhile: the newer content still has to be written.
        if (buffer.ail === undefined || buffer.ail !== entries[i]) return;
        buffer.isDirty = false;
        buffer.ail.ail1.delete(buffer);
        buffer.ail.ail2.add(buffer);
      });
    } finally {
      this.#isWritingBack = false;
      this.#scheduler.notify(this.#writtenBack);
    }
  }

  /**
   * Makes a space ready for other nodes: committed, in place, and no longer replayable from this journal (`inode_go_sync`,
   * `rgrp_go_sync`, `gfs2_ail_empty_gl`). @throws {Refusal} EIO
   */
  *sync(space: AddressSpace, flags: number): Task {
    yield* this.flush(LOG_HEAD.FLUSH_NORMAL | flags, space);
    yield* this.writeBack(space);
    const transaction = yield* this.#beginRevokes(space);
    if (transaction === undefined) return;
    for (const { block } of this.#takeFromAil(space)) this.addRevoke(space, block);
    this.end(transaction);
    yield* this.flush(LOG_HEAD.FLUSH_NORMAL | LOG_HEAD.LFC_AIL_EMPTY_GL, space);
  }

  /**
   * A transaction for the revokes of what stands in the journal of a space; undefined if there is none. A shutdown that was
   * waited for has left none: the journal ends clean, and nothing of it is replayed.
   *
   * @throws {Refusal} EIO
   */
  *#beginRevokes(space: AddressSpace): Task<Transaction | undefined> {
    if (space.ail.size === 0) return undefined;
    try {
      return yield* this.begin(0, space.ail.size);
    } catch (error) {
      if (space.ail.size > 0) throw error;
      return undefined;
    }
  }

  /** Commits, writes everything in place and closes the journal with a header that says so (`gfs2_log_shutdown`). */
  *shutdown(): Task {
    yield* this.flush(LOG_HEAD.FLUSH_SHUTDOWN | LOG_HEAD.LFC_MAKE_FS_RO);
  }

  get isFrozen(): boolean {
    return this.#isFrozen;
  }

  /** Transactions begin again after a flush with FLUSH_FREEZE. */
  thaw(): void {
    this.#isFrozen = false;
    this.#scheduler.notify(this.#thawed);
  }

  /** Stops using the journal at once, and forgets what was to go there. */
  kill(): void {
    this.#isLive = false;
    this.#metadata.clear();
    this.#journaledData.clear();
    this.#revokes.clear();
    this.#ordered.clear();
    this.#ail = [];
    this.#dirtySince = Infinity;
  }

  get #blocks(): number {
    return this.#map?.blocks ?? 0;
  }

  /** Blocks that the next flush will take for what is in memory. */
  #pending(): number {
    const { geometry } = this.#config;
    const inMemory =
      chunkBlocks(this.#metadata.size, geometry.ldptrs) +
      chunkBlocks(this.#journaledData.size, Math.floor(geometry.ldptrs / 2)) +
      (this.#revokes.size === 0 ? 0 : revokeBlocks(geometry, this.#revokes.size));
    return inMemory === 0 ? 0 : inMemory + 1;
  }

  /** Journal blocks set aside for a transaction (`gfs2_trans_begin`). */
  #reservationOf(blocks: number, revokes: number): number {
    const { geometry } = this.#config;
    const perData = Math.floor(geometry.ldptrs / 2);
    const forBlocks = blocks > 0 ? blocks + 1 + Math.ceil((blocks - 1) / perData) : 0;
    return TABOO + forBlocks + (revokes > 0 ? 1 + Math.ceil(revokes / geometry.inptrs) : 0);
  }

  #hasRoom(reserved: number): boolean {
    return this.used + this.#pending() + this.#reserved + reserved + 2 * TABOO < this.#blocks;
  }

  #touch(): void {
    if (this.#dirtySince !== Infinity) return;
    this.#dirtySince = this.#scheduler.now;
    this.#scheduler.notify(this.daemonSignal);
  }

  #pin(transaction: Transaction, buffer: Buffer, list: Set<Buffer>): void {
    const { space } = buffer;
    const isOpen = this.#openTransactions > 0 && !this.#isFlushing;
    assertBlock(isOpen, buffer, 'is changed outside a transaction');
    assertBlock(space.isExclusive, buffer, 'is changed without its glock');
    if (buffer.isPinned) return;
    transaction.changed += 1;
    assertBlock(transaction.changed <= transaction.blocks, buffer, 'is one more than the transaction has asked for');
    this.#touch();
    buffer.isPinned = true;
    space.pinned += 1;
    list.add(buffer);
    this.removeRevokes(buffer.block, 1);
  }

  #unpin(buffer: Buffer): void {
    buffer.isPinned = false;
    buffer.space.pinned -= 1;
    this.#metadata.delete(buffer);
    this.#journaledData.delete(buffer);
  }

  #removeFromAil(buffer: Buffer): void {
    buffer.ail?.ail1.delete(buffer);
    buffer.ail?.ail2.delete(buffer);
    buffer.ail = undefined;
    buffer.space.ail.delete(buffer);
  }

  #takeFromAil(space: AddressSpace): Buffer[] {
    const buffers = [...space.ail];
    for (const buffer of buffers) {
      assert(!buffer.isPinned && !buffer.isDirty, `block ${buffer.block} would be revoked before it is in place`);
      this.#removeFromAil(buffer);
    }
    return buffers;
  }

  #allCommitted(): Buffer[] {
    const buffers: Buffer[] = [];
    for (const entry of this.#ail) for (const buffer of entry.ail1) if (isWritable(buffer)) buffers.push(buffer);
    return buffers;
  }

  *#flushExclusive(flags: number): Task {
    this.#first = this.#head;
    this.#dirtySince = Infinity;
    yield* this.#writeOrdered();
    const blocks = this.#metadata.size + this.#journaledData.size;
    const revokes = this.#revokes.size;
    if (blocks + revokes > 0) {
      yield* this.#writeChunks();
      yield* this.#writeHeader(flags, blocks, revokes);
    } else if (this.#newTail() !== this.#tail && !this.#isIdle) yield* this.#writeHeader(flags, 0, 0);
    // A late write of a freed block must not hit what is put there next.
    while (this.#mustAwaitWriteBack && this.#isWritingBack) yield* wait(this.#writtenBack);
    if (blocks > 0) yield* this.#config.durable();
    this.#afterCommit();
    // What is committed but not in place goes there at the daemon's next round.
    if (this.#ail.some((entry) => entry.ail1.size > 0)) this.#dirtySince = this.#scheduler.now;
    if ((flags & LOG_HEAD.FLUSH_NORMAL) !== 0) return;
    if (!this.#isIdle) {
      yield* this.writeBack();
      this.#first = this.#head;
      yield* this.#writeHeader(flags, 0, 0);
    }
    if ((flags & (LOG_HEAD.FLUSH_SHUTDOWN | LOG_HEAD.FLUSH_FREEZE)) === 0) return;
    this.#first = this.#head;
    yield* this.#writeHeader(LOG_HEAD.UNMOUNT | LOG_HEAD.LFC_SHUTDOWN, 0, 0);
    if ((flags & LOG_HEAD.FLUSH_FREEZE) !== 0) this.#isFrozen = true;
    else this.#isLive = false;
  }

  /** File data goes before the metadata that makes it visible (`gfs2_ordered_write`). */
  *#writeOrdered(spaces: ReadonlySet<AddressSpace> = this.#ordered): Task {
    if (spaces.size === 0) return;
    const buffers: Buffer[] = [];
    for (const space of [...spaces]) {
      for (const buffer of space.dirtyData) {
        buffer.isDirty = false;
        buffers.push(buffer);
      }
      this.#dirtyData -= space.dirtyData.size;
      space.dirtyData.clear();
      this.#ordered.delete(space);
    }
    const error = yield* this.#cache.write(buffers);
    if (error !== undefined) this.#fail(`error writing data: ${error}`);
  }

  *#writeDataOf(space: AddressSpace): Task {
    yield* this.#writeOrdered(new Set([space]));
    yield* this.#barrier();
  }

  /** Writes data, metadata and revokes of the merged transaction to the journal (`lops_before_commit`). */
  *#writeChunks(): Task {
    const batch = new Batch(this.#scheduler);
    const { geometry } = this.#config;
    const next = (): Uint8Array => {
      const blkno = this.#head % this.#blocks;
      this.#head += 1;
      return this.#writer!.slot(blkno, batch);
    };
    writeBlockChunks(geometry, [...this.#journaledData], true, next);
    writeBlockChunks(geometry, [...this.#metadata], false, next);
    writeRevokeChunk(geometry, [...this.#revokes.keys()], next);
    assert(this.#head - this.#tail <= this.#blocks, 'the journal overran its tail');
    this.#writer!.submit(batch);
    const error = yield* batch.finish();
    if (error !== undefined) this.#fail(`error writing the journal: ${error}`);
  }

  /** Where a replay would have to start: the oldest flush with blocks not in place, else this one (`current_tail`). */
  #newTail(): number {
    for (const entry of this.#ail) if (entry.ail1.size > 0) return entry.first;
    return this.#first;
  }

  /** The header is the commit: all before it is stable first, and it is stable itself when this ends (`log_write_header`). */
  *#writeHeader(flags: number, blocks: number, revokes: number): Task {
    const map = this.#map!;
    const tail = this.#newTail();
    const position = this.#head;
    const blkno = position % map.blocks;
    const { sec, nsec } = this.#config.wall();
    const sequence = this.#sequence;
    const batch = new Batch(this.#scheduler);
    const block = this.#writer!.slot(blkno, batch);
    this.#config.headerCodec.encode(
      {
        jid: map.jid,
        sequence,
        flags,
        tail: tail % map.blocks,
        blkno,
        nsec,
        sec,
        addr: map.addressOf(blkno),
        jinode: map.inode,
        ...this.#config.header(),
      },
      block,
    );
    yield* this.#barrier();
    this.#head += 1;
    this.#sequence += 1;
    const write = this.#disk.nextId;
    const { now } = this.#scheduler;
    this.#config.observe?.({ kind: 'gfs2.log-flush', now, jid: map.jid, write, sequence, flags, blocks, revokes });
    this.#writer!.submit(batch);
    const error = yield* batch.finish();
    if (error !== undefined) this.#fail(`error writing the log header: ${error}`);
    yield* this.#barrier();
    this.#isIdle = tail === position;
    this.#pullTail(tail);
  }

  *#barrier(): Task {
    try {
      yield* this.#disk.flush();
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      this.#fail('error flushing the disk');
    }
  }

  /** What lies before the tail is free, and its blocks need no revoke any more (`gfs2_log_pull_tail`, `ail2_empty`). */
  #pullTail(tail: number): void {
    this.#tail = tail;
    let passed = 0;
    for (const entry of this.#ail) {
      if (entry.first >= tail) break;
      passed += 1;
      for (const buffer of entry.ail2) {
        buffer.ail = undefined;
        buffer.space.ail.delete(buffer);
      }
    }
    this.#ail.splice(0, passed);
  }

  /** The transaction is durable: its blocks may go in place, and freed ones may be used again (`lops_after_commit`). */
  #afterCommit(): void {
    const entry = new AilEntry(this.#first);
    const spaces = new Set<AddressSpace>();
    for (const list of [this.#metadata, this.#journaledData]) {
      for (const buffer of list) {
        this.#removeFromAil(buffer);
        buffer.isPinned = false;
        buffer.isDirty = true;
        buffer.ail = entry;
        buffer.space.pinned -= 1;
        buffer.space.ail.add(buffer);
        entry.ail1.add(buffer);
        spaces.add(buffer.space);
      }
      list.clear();
    }
    if (entry.ail1.size > 0) this.#ail.push(entry);
    for (const space of this.#revokes.values()) space.revokes -= 1;
    this.#revokes.clear();
    for (const space of spaces) this.#config.committed(space);
    this.#mustAwaitWriteBack = this.isRoomWanted = false;
  }

  #fail(text: string): never {
    this.#config.failed(text);
    throw new Refusal('EIO');
  }
}

function isWritable(buffer: Buffer): boolean {
  return buffer.isDirty && !buffer.isPinned;
}

/** Whether a flush would commit something of this space. */
function hasUncommitted(space: AddressSpace): boolean {
  return space.pinned > 0 || space.revokes > 0 || space.dirtyData.size > 0;
}
