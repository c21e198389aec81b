import { AssertionError, viewOf } from '@quorate/kernel';
import type { Listed } from '../lru-list.js';

/**
 * The blocks that one glock protects, as this node has them cached (`gl_aspace`, `gl_ail_list`).
 *
 * Invalidating the glock empties it. What is dirty or pinned must have been written before.
 */
export class AddressSpace {
  /** Type and number of the glock. */
  readonly type: number;
  readonly number: number;
  readonly buffers: Map<number, Buffer> = new Map();
  /** Blocks whose copy in the live part of this node's journal a replay would put in place (`gl_ail_list`). */
  readonly ail: Set<Buffer> = new Set();
  /** This node has the glock EX: it may change the blocks. */
  isExclusive = false;
  /** Blocks changed by a transaction that is not committed yet. */
  pinned = 0;
  /** Revokes waiting for the next flush (`gl_revokes`). */
  revokes = 0;
  /** File data to be written before the next commit (data=ordered), or at a sync. */
  readonly dirtyData: Set<Buffer> = new Set();
  /** The log header that commits the last change that is needed to read an inode's data back: all but its times. */
  neededSequence = -1;

  constructor(type: number, number: number) {
    this.type = type;
    this.number = number;
  }

  /** Whether anything must reach the disk before another node may have the lock. */
  get isDirty(): boolean {
    return this.pinned > 0 || this.revokes > 0 || this.ail.size > 0 || this.dirtyData.size > 0;
  }
}

/**
 * One cached block.
 *
 * Life of a metadata block: clean; *pinned* once a transaction changes it, when it must not be written in place; after the
 * commit *dirty*, when only the journal has it; clean again once it is in place, but still on the AIL until the journal's
 * tail has passed its copy.
 */
export class Buffer implements Listed<Buffer> {
  readonly block: number;
  readonly space: AddressSpace;
  readonly data: Uint8Array<ArrayBuffer>;
  #view: DataView | undefined = undefined;
  /** Content is as on disk or newer. */
  isUptodate = false;
  /** Changed by a transaction that is not committed. */
  isPinned = false;
  /** Committed, but not yet written in place. For ordered data: changed since it was last written. */
  isDirty = false;
  /** File data that goes through the journal. */
  isJournaledData = false;
  /** File data that goes to its place before the commit. */
  isOrderedData = false;
  /** The commit whose copy in the journal is the newest. */
  ail: AilEntry | undefined = undefined;
  /** Somebody relies on its staying in memory as long as its glock is held. */
  isKept = false;
  /** Used since a sweep of the cache last passed it. */
  isReferenced = true;
  /** Its neighbours among all that are cached. */
  before: Buffer | undefined = undefined;
  behind: Buffer | undefined = undefined;
  isListed = false;

  constructor(space: AddressSpace, block: number, data: Uint8Array<ArrayBuffer>) {
    this.space = space;
    this.block = block;
    this.data = data;
  }

  get view(): DataView {
    this.#view ??= viewOf(this.data);
    return this.#view;
  }

  /** Whether dropping it would lose something. */
  get isBusy(): boolean {
    return this.isKept || this.isPinned || this.isDirty || this.ail !== undefined || !this.isUptodate;
  }
}

/** `assert` about a block, for what is asked so often that a message as a function would be an object too many. */
export function assertBlock(condition: boolean, { block }: Buffer, text: string): asserts condition {
  if (!condition) throw new AssertionError(`block ${block} ${text}`);
}

/** What one log flush put into the journal (`gfs2_trans` on the AIL lists). */
export class AilEntry {
  /** Journal block where the flush starts (`tr_first`). */
  readonly first: number;
  /** Blocks of it not yet written in place (`tr_ail1_list`). */
  readonly ail1: Set<Buffer> = new Set();
  /** Blocks in place whose journal copy is still live (`tr_ail2_list`). */
  readonly ail2: Set<Buffer> = new Set();

  constructor(first: number) {
    this.first = first;
  }
}
