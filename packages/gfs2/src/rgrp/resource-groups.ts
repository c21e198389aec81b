import { assert, type Task } from '@quorate/kernel';
import type { AddressSpace, Buffer } from '../buffer/buffer.js';
import type { Core } from '../core.js';
import { type Glock, type Holder, HolderFlag } from '../glock/glock.js';
import { GlockType } from '../glock/glock-name.js';
import type { Inode } from '../inode/inode.js';
import type { Transaction } from '../log/log.js';
import { type BitmapSpan, bitmapSpans } from '../ondisk/bitmap-layout.js';
import { isMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import { decodeRgrpHeader, encodeRgrpHeader, type RgrpHeader } from '../ondisk/rgrp-header.js';
import type { RindexEntry } from '../ondisk/rindex.js';
import { Refusal } from '../refusal.js';
import { ShimBits } from '../shim/allocator.js';
import type { Statfs } from './statfs.js';

export class Rgrp {
  readonly rindex: RindexEntry;
  readonly addr: number;
  readonly spans: readonly BitmapSpan[];
  readonly glock: Glock;
  header: RgrpHeader | undefined = undefined;
  bits: ShimBits | undefined = undefined;
  buffers: Buffer[] = [];
  freeClone = 0;
  reserved = 0;
  lastAlloc = 0;

  constructor(rindex: RindexEntry, spans: readonly BitmapSpan[], glock: Glock) {
    this.rindex = rindex;
    this.addr = rindex.addr;
    this.spans = spans;
    this.glock = glock;
  }
}

export interface Grant {
  readonly rgrp: Rgrp;
  readonly holder: Holder;
  left: number;
}

export interface ReserveOptions {
  readonly isDinode?: boolean;
  readonly isDirectory?: boolean;
}
export const BlockState = { free: 0, used: 1, unlinked: 2, dinode: 3 } as const;

export class ResourceGroups {
  readonly #core: Core;
  readonly #statfs: Statfs;
  #rgrps: Rgrp[] = [];

  constructor(core: Core, statfs: Statfs) {
    this.#core = core;
    this.#statfs = statfs;
  }

  setIndex(entries: readonly RindexEntry[]): void {
    const { locks, geometry } = this.#core;
    this.#rgrps = entries.map((entry) => {
      const spans = bitmapSpans(geometry, entry);
      if (spans === undefined) this.#core.inconsistent(`resource group ${entry.addr}: length ${entry.length}`);
      const glock = locks.get(GlockType.rgrp, entry.addr);
      glock.references += 1;
      return new Rgrp(entry, spans, glock);
    });
  }

  get all(): readonly Rgrp[] {
    return this.#rgrps;
  }

  find(block: number): Rgrp | undefined {
    return this.#rgrps.find(({ rindex }) => block >= rindex.data0 && block < rindex.data0 + rindex.data);
  }

  split(block: number, count: number): { rgrp: Rgrp; block: number; count: number }[] {
    const rgrp = this.find(block);
    if (rgrp === undefined || block + count > rgrp.rindex.data0 + rgrp.rindex.data)
      this.#core.inconsistent(`block ${block}`);
    return [{ rgrp, block, count }];
  }

  *hold(rgrp: Rgrp): Task<Holder> {
    return yield* this.#lock(rgrp, 'EX', HolderFlag.NODE_SCOPE);
  }

  *holdShared(rgrp: Rgrp): Task<Holder> {
    return yield* this.#lock(rgrp, 'SH', 0);
  }

  *#lock(rgrp: Rgrp, state: 'EX' | 'SH', flags: number): Task<Holder> {
    const holder = yield* this.#core.locks.acquire(rgrp.glock, state, flags);
    let isDone = false;
    try {
      if (rgrp.glock.isInstantiateNeeded) yield* this.#read(rgrp);
      isDone = true;
    } finally {
      if (!isDone) this.#core.locks.release(holder);
    }
    return holder;
  }

  *#read(rgrp: Rgrp): Task {
    const { cache } = this.#core;
    cache.readAhead(rgrp.glock.space, rgrp.addr, rgrp.rindex.length);
    const buffers: Buffer[] = [];
    for (let i = 0; i < rgrp.rindex.length; i++) buffers.push(yield* cache.read(rgrp.glock.space, rgrp.addr + i));
    if (!rgrp.glock.isInstantiateNeeded) return;
    const header = decodeRgrpHeader(buffers[0]!.data);
    if (header === undefined || !buffers.slice(1).every(({ data }) => isMetaBlock(data, META_TYPE.RB))) {
      this.#core.inconsistent(`resource group ${rgrp.addr}`);
    }
    rgrp.header = header;
    rgrp.bits = new ShimBits(rgrp.spans, buffers);
    rgrp.buffers = buffers;
    for (const buffer of buffers) buffer.isKept = true;
    rgrp.freeClone = header.free;
    rgrp.glock.isInstantiateNeeded = false;
  }

  *reserve(inode: Inode, target: number, _options: ReserveOptions): Task<Grant> {
    const start = Math.max(
      0,
      this.#rgrps.findIndex((r) => r === this.find(inode.di.goalMeta)),
    );
    for (let loop = 0; loop < 2; loop++) {
      for (let i = 0; i < this.#rgrps.length; i++) {
        const rgrp = this.#rgrps[(start + i) % this.#rgrps.length]!;
        const holder = yield* this.hold(rgrp);
        if (rgrp.freeClone - rgrp.reserved >= target) {
          rgrp.reserved += target;
          return { rgrp, holder, left: target };
        }
        this.#core.locks.release(holder);
      }
      if (loop === 0) yield* this.#core.log.flush(2);
    }
    throw new Refusal('ENOSPC');
  }

  /** Runs `body` with that many blocks promised to it; with none, without a resource group. */
  *using<T>(
    inode: Inode,
    target: number,
    body: (grant: Grant | undefined) => Task<T>,
    options: ReserveOptions = {},
  ): Task<T> {
    if (target === 0) return yield* body(undefined);
    const grant = yield* this.reserve(inode, target, options);
    try {
      return yield* body(grant);
    } finally {
      this.release(inode, grant);
    }
  }

  release(_inode: Inode, grant: Grant): void {
    grant.rgrp.reserved -= grant.left;
    grant.left = 0;
    this.#core.locks.release(grant.holder);
  }

  alloc(
    transaction: Transaction,
    grant: Grant | undefined,
    inode: Inode,
    want: number,
  ): { block: number; count: number } {
    assert(grant !== undefined, 'blocks are allocated that nobody reserved');
    const { rgrp } = grant;
    const result = this.#take(transaction, grant, inode.di.goalMeta - rgrp.rindex.data0, want, 1);
    inode.di.goalMeta = inode.di.goalData = result.block + result.count - 1;
    this.#core.log.removeRevokes(result.block, 0);
    this.#statfs.change(transaction, 0, -result.count, 0);
    return result;
  }

  allocDinode(transaction: Transaction, grant: Grant): { block: number; generation: number } {
    const { rgrp } = grant;
    const { block } = this.#take(transaction, grant, rgrp.lastAlloc, 1, 3);
    const header = rgrp.header!;
    header.dinodes += 1;
    if (header.igeneration === 0) header.igeneration = 1;
    const generation = header.igeneration++;
    this.#writeHeader(transaction, rgrp);
    this.#statfs.change(transaction, 0, -1, 1);
    return { block, generation };
  }

  #take(
    transaction: Transaction,
    grant: Grant,
    goal: number,
    want: number,
    state: number,
  ): { block: number; count: number } {
    const { rgrp } = grant;
    const bits = rgrp.bits!;
    const from = goal >= 0 && goal < rgrp.rindex.data ? goal : rgrp.lastAlloc;
    const first = bits.find(from, rgrp.rindex.data);
    assert(first >= 0 && grant.left >= 1, 'nothing to allocate');
    let count = 0;
    while (
      count < Math.min(want, grant.left) &&
      first + count < rgrp.rindex.data &&
      bits.getClone(first + count) === 0
    ) {
      const buffer = bits.bufferOf(first + count);
      this.#core.log.addMeta(transaction, buffer);
      bits.set(first + count, state);
      count += 1;
    }
    rgrp.lastAlloc = first;
    grant.left -= count;
    rgrp.reserved -= count;
    rgrp.freeClone -= count;
    rgrp.header!.free -= count;
    this.#writeHeader(transaction, rgrp);
    return { block: rgrp.rindex.data0 + first, count };
  }

  free(transaction: Transaction, rgrp: Rgrp, block: number, count: number): void {
    for (let i = 0; i < count; i++) this.#set(transaction, rgrp, block + i, 1, 0);
    rgrp.header!.free += count;
    this.#writeHeader(transaction, rgrp);
    this.#statfs.change(transaction, 0, count, 0);
  }

  unlinkDinode(transaction: Transaction, rgrp: Rgrp, block: number): void {
    this.#set(transaction, rgrp, block, 3, 2);
    this.#writeHeader(transaction, rgrp);
  }

  freeDinode(transaction: Transaction, rgrp: Rgrp, block: number): void {
    this.#set(transaction, rgrp, block, 2, 0);
    rgrp.header!.free += 1;
    rgrp.header!.dinodes -= 1;
    this.#writeHeader(transaction, rgrp);
    this.#statfs.change(transaction, 0, 1, -1);
  }

  freeNewDinode(transaction: Transaction, rgrp: Rgrp, block: number): void {
    this.#set(transaction, rgrp, block, 3, 0);
    rgrp.header!.free += 1;
    rgrp.header!.dinodes -= 1;
    this.#writeHeader(transaction, rgrp);
    this.#statfs.change(transaction, 0, 1, -1);
  }

  blocksInState(rgrp: Rgrp, state: number): number[] {
    const blocks: number[] = [];
    for (let i = 0; i < rgrp.rindex.data; i++) if (rgrp.bits!.get(i) === state) blocks.push(rgrp.rindex.data0 + i);
    return blocks;
  }

  clear(): void {
    for (const { glock } of this.#rgrps) glock.references -= 1;
    this.#rgrps = [];
  }

  stateOf(rgrp: Rgrp, block: number): number {
    return rgrp.bits!.get(block - rgrp.rindex.data0);
  }

  #set(transaction: Transaction, rgrp: Rgrp, block: number, from: number, to: number): void {
    const offset = block - rgrp.rindex.data0;
    const bits = rgrp.bits!;
    if (bits.get(offset) !== from)
      this.#core.inconsistent(`block ${block} is in state ${bits.get(offset)}, not ${from}`);
    this.#core.log.addMeta(transaction, bits.bufferOf(offset));
    bits.set(offset, to);
  }

  #writeHeader(transaction: Transaction, rgrp: Rgrp): void {
    this.#core.log.addMeta(transaction, rgrp.buffers[0]!);
    encodeRgrpHeader(rgrp.header!, rgrp.rindex, rgrp.buffers[0]!.data);
  }

  bitmapBlocks(grant: Grant | undefined, count: number): number {
    return grant === undefined ? 0 : this.bitmapBlocksOf(grant.rgrp, count);
  }

  bitmapBlocksOf(rgrp: Rgrp, count: number): number {
    return Math.min(count + 1, rgrp.rindex.length);
  }

  committed(space: AddressSpace): void {
    const rgrp = this.#rgrps.find(({ addr }) => addr === space.number);
    rgrp?.bits?.clones.clear();
    if (rgrp?.header !== undefined) rgrp.freeClone = rgrp.header.free;
  }

  invalidated(number: number): void {
    const rgrp = this.#rgrps.find(({ addr }) => addr === number);
    if (rgrp === undefined) return;
    rgrp.bits = undefined;
    rgrp.header = undefined;
    rgrp.buffers = [];
  }
}
