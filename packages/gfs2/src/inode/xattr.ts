import { getU64, type Task } from '@quorate/kernel';
import type { FileSystem } from '../filesystem.js';
import { DIF } from '../ondisk/dinode.js';
import { isMetaBlock, META_HEADER_BYTES, META_TYPE } from '../ondisk/meta-header.js';
import { decodeXattr, FIRST_XATTR } from '../ondisk/xattr.js';
import { freeMetaBlocks } from './free-blocks.js';
import type { Inode } from './inode.js';
import { readIndirect } from './tree.js';

/**
 * Frees the blocks that hold an inode's extended attributes (`gfs2_ea_dealloc`). We write none, but files made by Linux have
 * them. The caller holds the glock EX.
 */
export function* freeXattrs(fs: FileSystem, inode: Inode): Task {
  const { eattr, flags } = inode.di;
  if (eattr === 0) return;
  const blocks: number[] = [eattr];
  const eaBlocks: number[] = [];
  if ((flags & DIF.EA_INDIRECT) === 0) eaBlocks.push(eattr);
  else {
    const { view } = yield* readIndirect(fs, inode, eattr);
    for (let at = META_HEADER_BYTES; at < view.byteLength && getU64(view, at) !== 0; at += 8) {
      eaBlocks.push(getU64(view, at));
    }
    blocks.push(...eaBlocks);
  }
  for (const block of eaBlocks) blocks.push(...(yield* valueBlocks(fs, inode, block)));
  yield* freeMetaBlocks(fs, inode, blocks, 0, function* () {
    inode.di.eattr = 0;
    inode.di.flags = (inode.di.flags & ~DIF.EA_INDIRECT) >>> 0;
  });
}

/** Blocks of the values that do not fit into their records. */
function* valueBlocks(fs: FileSystem, inode: Inode, block: number): Task<number[]> {
  const { data } = yield* fs.core.cache.read(inode.glock.space, block);
  if (!isMetaBlock(data, META_TYPE.EA)) return fs.core.inconsistent(`block ${block} holds no extended attributes`);
  const blocks: number[] = [];
  for (let at = FIRST_XATTR; at < data.length; ) {
    const record = decodeXattr(data, at);
    if (record === undefined) return fs.core.inconsistent(`block ${block}: broken extended attribute`);
    blocks.push(...record.pointers);
    if (record.isLast) break;
    at += record.recLen;
  }
  return blocks;
}
