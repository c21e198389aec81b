import type { Prng } from '@quorate/kernel';
import { DIF, MODE } from '../ondisk/dinode.js';
import type { Geometry } from '../ondisk/geometry.js';
import { LOG_HEAD, type LogHeader, LogHeaderCodec } from '../ondisk/log-header.js';
import { initMetaBlock, META_TYPE } from '../ondisk/meta-header.js';
import { findMetapath, heightFor, indirectBlocksFor, pointerArea, setPointer } from '../ondisk/metadata-tree.js';
import type { Inum } from '../ondisk/superblock.js';
import type { ImageBuilder } from './image-builder.js';

/** Blocks of a journal with that many data blocks: dinode, indirect blocks and data (`lgfs2_space_for_data`). */
export function journalBlocks(geometry: Geometry, dataBlocks: number): number {
  const height = heightFor(geometry, dataBlocks * geometry.blockSize);
  return 1 + indirectBlocksFor(geometry, dataBlocks, height) + dataBlocks;
}

/** Writes clean journals. Keeps one buffer of many blocks, for the bulk of a new file system is this. */
export class JournalWriter {
  readonly #builder: ImageBuilder;
  readonly #dataBlocks: number;
  readonly #codec: LogHeaderCodec;
  readonly #chunk: readonly Uint8Array[];
  readonly #buffer: Uint8Array;

  constructor(builder: ImageBuilder, dataBlocks: number) {
    const { blockSize } = builder.geometry;
    const chunkBlocks = Math.min(dataBlocks, Math.max(1, CHUNK_BYTES / blockSize));
    this.#builder = builder;
    this.#dataBlocks = dataBlocks;
    this.#codec = new LogHeaderCodec(blockSize);
    this.#buffer = new Uint8Array(chunkBlocks * blockSize);
    this.#chunk = Array.from({ length: chunkBlocks }, (_, i) =>
      this.#buffer.subarray(i * blockSize, (i + 1) * blockSize),
    );
  }

  /** Makes a journal that fills the resource group from its start. */
  place(rgrp: number, prng: Prng): Inum {
    const { geometry } = this.#builder;
    const inum = this.#builder.takeExtent(rgrp, journalBlocks(geometry, this.#dataBlocks));
    const firstData = this.#writeTree(inum);
    this.#writeHeaders(inum.addr, firstData, prng.below(this.#dataBlocks));
    return inum;
  }

  /** Dinode, then each level of indirect blocks, then the data, one behind the other (`lgfs2_write_filemeta`). */
  #writeTree(inum: Inum): number {
    const { geometry } = this.#builder;
    const dataBlocks = this.#dataBlocks;
    const inode = this.#builder.inodeAt(inum, MODE.FILE | 0o600, DIF.SYSTEM);
    const { di } = inode;
    di.size = dataBlocks * geometry.blockSize;
    di.height = heightFor(geometry, di.size);
    di.blocks = journalBlocks(geometry, dataBlocks);
    di.goalData = inum.addr + di.blocks - 1;
    di.goalMeta = di.goalData - dataBlocks;
    const last = findMetapath(geometry, di.height, dataBlocks - 1, []);
    let target = inum.addr + 1;
    // Pointers at each level: those of full blocks above, and what the path of the last block needs.
    let pointers = 1;
    for (let level = 0; level < di.height; level++) {
      pointers = (pointers - 1) * geometry.inptrs + last[level]! + 1;
      const above = level === 0 ? inum.addr : target - Math.ceil(pointers / geometry.inptrs);
      for (let done = 0; done < pointers; ) {
        const { count } = pointerArea(geometry, level);
        const block = level === 0 ? inode.block : this.#chunk[0]!;
        if (level > 0) initMetaBlock(block, META_TYPE.IN);
        const here = Math.min(count, pointers - done);
        for (let i = 0; i < here; i++) setPointer(block, level, i, target + done + i);
        if (level > 0) this.#builder.write(above + done / count, block);
        done += here;
      }
      target += pointers;
    }
    this.#builder.writeInode(inode);
    this.#buffer.fill(0);
    return target - dataBlocks;
  }

  /** A log header in every block, each saying that there is nothing to replay (`lgfs2_write_journal_data`). */
  #writeHeaders(jinode: number, firstData: number, firstSequence: number): void {
    const dataBlocks = this.#dataBlocks;
    // One object for all of them: a new one spread from what they share costs more than its block.
    const header = { ...CLEAN_HEADER, jinode };
    for (let start = 0; start < dataBlocks; start += this.#chunk.length) {
      const count = Math.min(this.#chunk.length, dataBlocks - start);
      for (let i = 0; i < count; i++) {
        header.blkno = start + i;
        header.sequence = (firstSequence + header.blkno) % dataBlocks;
        header.addr = firstData + header.blkno;
        this.#codec.encode(header, this.#chunk[i]!);
      }
      this.#builder.write(firstData + start, this.#buffer.subarray(0, count * this.#builder.geometry.blockSize));
    }
  }
}

/** A header that says there is nothing to replay, before it has its place. */
export const CLEAN_HEADER: LogHeader = {
  jid: 0,
  sequence: 0,
  flags: (LOG_HEAD.UNMOUNT | LOG_HEAD.USERSPACE) >>> 0,
  tail: 0,
  blkno: 0,
  nsec: 0,
  sec: 0,
  addr: 0,
  jinode: 0,
  statfsAddr: 0,
  quotaAddr: 0,
  localTotal: 0,
  localFree: 0,
  localDinodes: 0,
};

/** Bytes written at once. */
const CHUNK_BYTES = 1 << 18;
