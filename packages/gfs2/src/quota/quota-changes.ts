import type { Buffer } from '../buffer/buffer.js';
import type { Core } from '../core.js';
import type { Transaction } from '../log/log.js';
import { decodeQuotaChange, encodeQuotaChange } from '../ondisk/accounting.js';
import { DIF, type Dinode } from '../ondisk/dinode.js';

/** Whose blocks they are. System inodes are nobody's. */
export type Owner = Pick<Dinode, 'uid' | 'gid' | 'flags'>;

/** What this node has not yet added to the `quota` file for a user or a group. */
interface Pending {
  readonly slot: number;
  change: number;
}

/** Most blocks of `quota_change` that one transaction changes: of two owners, each a user and a group. */
const MOST_CHANGED = 4;

/** The numbers of an owner's two records: a user has 2 * id, a group 2 * id + 1. */
export function quotaNumbersOf({ uid, gid, flags }: Owner): readonly number[] {
  return (flags & DIF.SYSTEM) === 0 ? [2 * uid, 2 * gid + 1] : [];
}

/**
 * This node's `quota_change` file: what each user and each group got or lost here, noted in the transactions in which they did,
 * until it is added to the `quota` file.
 *
 * Source: Linux fs/gfs2/quota.c.
 */
export class QuotaChanges {
  readonly #core: Core;
  readonly #pending = new Map<number, Pending>();
  readonly #taken = new Set<number>();
  /** The blocks of the file; none while quotas are off. */
  #blocks: readonly Buffer[] = [];

  constructor(core: Core) {
    this.#core = core;
  }

  get isInUse(): boolean {
    return this.#blocks.length > 0;
  }

  /** Whether there are slots for one more transaction. */
  get hasRoom(): boolean {
    return this.#taken.size + 2 * MOST_CHANGED <= this.#blocks.length * this.#core.geometry.quotaChangesPerBlock;
  }

  /** Users and groups with changes, in order. */
  get numbers(): readonly number[] {
    return [...this.#pending.keys()].sort((a, b) => a - b);
  }

  /** Begins with what is left of this journal's last mount; the blocks are this node's alone from now on. */
  open(blocks: readonly Buffer[]): void {
    blocks.forEach(({ data }, index) => {
      this.#readBlock(data, index);
    });
    this.#blocks = blocks;
    this.#core.log.extraBlocks = MOST_CHANGED;
  }

  #readBlock(block: Uint8Array, index: number): void {
    const { quotaChangesPerBlock } = this.#core.geometry;
    for (let i = 0; i < quotaChangesPerBlock; i++) {
      const { change, isUser, id } = decodeQuotaChange(block, i);
      const slot = index * quotaChangesPerBlock + i;
      if (change === 0) continue;
      this.#taken.add(slot);
      this.#pending.set(2 * id + (isUser ? 0 : 1), { slot, change });
    }
  }

  /** What a user or group got or lost here, in blocks. */
  of(number: number): number {
    return this.#pending.get(number)?.change ?? 0;
  }

  /** Counts blocks that an owner got or lost, in the transaction in which it did (`gfs2_quota_change`). */
  change(transaction: Transaction, owner: Owner, blocks: number): void {
    if (!this.isInUse) return;
    for (const number of quotaNumbersOf(owner)) this.add(transaction, number, blocks);
  }

  /** The same for one user or group; it may get back what has been told of it. */
  add(transaction: Transaction, number: number, blocks: number): void {
    const pending = this.#pending.get(number) ?? { slot: this.#freeSlot(), change: 0 };
    const { quotaChangesPerBlock } = this.#core.geometry;
    const buffer = this.#blocks[Math.floor(pending.slot / quotaChangesPerBlock)]!;
    this.#core.log.addMeta(transaction, buffer);
    pending.change += blocks;
    const isLeft = pending.change !== 0;
    const slot = {
      change: pending.change,
      isUser: isLeft && number % 2 === 0,
      id: isLeft ? Math.floor(number / 2) : 0,
    };
    encodeQuotaChange(slot, buffer.data, pending.slot % quotaChangesPerBlock);
    if (isLeft) {
      this.#pending.set(number, pending);
      this.#taken.add(pending.slot);
    } else {
      this.#pending.delete(number);
      this.#taken.delete(pending.slot);
    }
  }

  /** There is one: who begins a transaction sees to it (`hasRoom`). */
  #freeSlot(): number {
    let slot = 0;
    while (this.#taken.has(slot)) slot += 1;
    return slot;
  }
}
