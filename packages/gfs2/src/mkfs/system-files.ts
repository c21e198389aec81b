import { asciiBytes } from '@quorate/kernel';
import {
  encodeInumRange,
  encodeQuota,
  encodeStatfsChange,
  INUM_RANGE_BYTES,
  QUOTA_BYTES,
  STATFS_BYTES,
} from '../ondisk/accounting.js';
import { DIF, MODE, PAYLOAD } from '../ondisk/dinode.js';
import { initMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import { heightFor } from '../ondisk/metadata-tree.js';
import { encodeRindexEntry, RINDEX_ENTRY_BYTES, type RindexEntry } from '../ondisk/rindex.js';
import type { Inum } from '../ondisk/superblock.js';
import type { ImageBuilder } from './image-builder.js';
import type { NewInode } from './new-inode.js';
import type { MkfsPlan } from './options.js';

/** The two directories that the superblock names. */
export interface TopDirectories {
  readonly master: Inum;
  readonly root: Inum;
}

/**
 * Makes master, `jindex`, `per_node` with a file of each kind for each node, `inum`, `statfs`, `rindex`, `quota` and root:
 * in this order, which decides their blocks and formal numbers.
 */
export class SystemFiles {
  readonly #builder: ImageBuilder;
  readonly #plan: Pick<MkfsPlan, 'quotaChangeMiB' | 'isRootJournaled'>;
  readonly #files: NewInode[] = [];

  constructor(builder: ImageBuilder, plan: Pick<MkfsPlan, 'quotaChangeMiB' | 'isRootJournaled'>) {
    this.#builder = builder;
    this.#plan = plan;
  }

  make(journals: readonly Inum[], rgrps: readonly RindexEntry[]): TopDirectories {
    const master = this.#add(this.#builder.newInode(MODE.DIRECTORY | 0o755, DIF.SYSTEM));
    this.#makeJindex(master, journals);
    this.#makePerNode(master, journals.length);
    const inum = this.#file(master, 'inum');
    const statfs = this.#file(master, 'statfs');
    this.#makeRindex(master, rgrps);
    this.#makeQuota(master);
    const rootFlags = this.#plan.isRootJournaled ? DIF.INHERIT_JDATA : 0;
    const root = this.#add(this.#builder.newInode(MODE.DIRECTORY | 0o755, rootFlags));
    // Only now is it known what they count.
    this.#builder.setContent(inum, inumContent(this.#builder.nextFormal));
    this.#builder.setContent(statfs, statfsContent(this.#builder.counts));
    for (const inode of this.#files) this.#builder.writeInode(inode);
    return { master: master.di, root: root.di };
  }

  #makeJindex(master: NewInode, journals: readonly Inum[]): void {
    const jindex = this.#directory(master, 'jindex');
    for (const [i, journal] of journals.entries()) {
      this.#builder.link(jindex, asciiBytes(`journal${i}`), journal, MODE.FILE | 0o600);
    }
  }

  #makePerNode(master: NewInode, nodes: number): void {
    const perNode = this.#directory(master, 'per_node');
    for (let j = 0; j < nodes; j++) {
      this.#builder.setContent(this.#file(perNode, `inum_range${j}`), new Uint8Array(INUM_RANGE_BYTES));
      this.#builder.setContent(this.#file(perNode, `statfs_change${j}`), new Uint8Array(STATFS_BYTES));
      this.#makeQuotaChange(perNode, j);
    }
  }

  #makeQuotaChange(perNode: NewInode, j: number): void {
    const { blockSize } = this.#builder.geometry;
    const file = this.#file(perNode, `quota_change${j}`, DIF.SYSTEM);
    const block = new Uint8Array(blockSize);
    initMetaBlock(block, META_TYPE.QC);
    file.di.size = this.#plan.quotaChangeMiB << 20;
    // The real program prepares for one block more.
    this.#builder.growTo(file, heightFor(this.#builder.geometry, file.di.size + blockSize));
    for (let lblock = 0; lblock * blockSize < file.di.size; lblock++) {
      this.#builder.write(this.#builder.mapBlock(file, lblock), block);
    }
  }

  #makeRindex(master: NewInode, rgrps: readonly RindexEntry[]): void {
    const content = new Uint8Array(rgrps.length * RINDEX_ENTRY_BYTES);
    for (const [i, entry] of rgrps.entries()) encodeRindexEntry(entry, content, i * RINDEX_ENTRY_BYTES);
    const rindex = this.#file(master, 'rindex');
    rindex.di.payloadFormat = PAYLOAD.RINDEX;
    // mkfs.gfs2 writes one record of zeros behind the end, which can take the file out of the dinode or take a block.
    this.#builder.setContent(rindex, content, content.length + RINDEX_ENTRY_BYTES);
  }

  #makeQuota(master: NewInode): void {
    const content = new Uint8Array(2 * QUOTA_BYTES);
    encodeQuota({ limit: 0, warn: 0, value: 1 }, content, 0);
    encodeQuota({ limit: 0, warn: 0, value: 1 }, content, QUOTA_BYTES);
    const quota = this.#file(master, 'quota');
    quota.di.payloadFormat = PAYLOAD.QUOTA;
    this.#builder.setContent(quota, content);
  }

  #directory(parent: NewInode, name: string): NewInode {
    const mode = MODE.DIRECTORY | 0o700;
    const dir = this.#add(this.#builder.newInode(mode, DIF.SYSTEM, parent.di));
    this.#builder.link(parent, asciiBytes(name), dir.di, mode);
    return dir;
  }

  #file(parent: NewInode, name: string, flags: number = DIF.SYSTEM | DIF.JDATA): NewInode {
    const mode = MODE.FILE | 0o600;
    const file = this.#add(this.#builder.newInode(mode, flags));
    this.#builder.link(parent, asciiBytes(name), file.di, mode);
    return file;
  }

  #add(inode: NewInode): NewInode {
    this.#files.push(inode);
    return inode;
  }
}

function inumContent(next: number): Uint8Array {
  const bytes = new Uint8Array(INUM_RANGE_BYTES);
  encodeInumRange({ start: next, length: 0 }, bytes);
  return bytes.subarray(0, 8);
}

function statfsContent(counts: { total: number; free: number; dinodes: number }): Uint8Array {
  const bytes = new Uint8Array(STATFS_BYTES);
  encodeStatfsChange(counts, bytes);
  return bytes;
}
