import type { Buffer } from '../buffer/buffer.js';
import type { Geometry } from '../ondisk/geometry.js';
import { encodeLogDescriptor, LOG_DESC, revokeBlocks, setLogTag, setRevoke } from '../ondisk/log-descriptor.js';
import { GFS2_MAGIC, initMetaBlock, META_TYPE } from '../ondisk/meta-header.js';

/** Journal blocks that `count` logged blocks take when a descriptor describes `per` of them. */
export function chunkBlocks(count: number, per: number): number {
  return count + Math.ceil(count / per);
}

/**
 * Writes descriptors with the blocks they describe, sorted by block number (`gfs2_before_commit`). `next` gives the next
 * journal block, zeroed.
 *
 * A block of journaled data that begins with the magic number is written without it and marked, so that nobody takes it for
 * metadata of the journal.
 */
export function writeBlockChunks(geometry: Geometry, buffers: Buffer[], isData: boolean, next: () => Uint8Array): void {
  buffers.sort((a, b) => a.block - b.block);
  const per = isData ? Math.floor(geometry.ldptrs / 2) : geometry.ldptrs;
  for (let start = 0; start < buffers.length; start += per) {
    const chunk = buffers.slice(start, start + per);
    const descriptor = next();
    const type = isData ? LOG_DESC.JDATA : LOG_DESC.METADATA;
    encodeLogDescriptor({ type, length: chunk.length + 1, tags: chunk.length }, descriptor);
    chunk.forEach((buffer, i) => {
      setLogTag(descriptor, isData ? 2 * i : i, buffer.block);
      if (isData && isEscaped(buffer)) setLogTag(descriptor, 2 * i + 1, 1);
    });
    for (const buffer of chunk) {
      const copy = next();
      copy.set(buffer.data);
      if (isData && isEscaped(buffer)) copy.fill(0, 0, 4);
    }
  }
}

/** Writes the revokes: a descriptor with the first of them, then continuation blocks (`revoke_lo_before_commit`). */
export function writeRevokeChunk(geometry: Geometry, revokes: number[], next: () => Uint8Array): void {
  if (revokes.length === 0) return;
  revokes.sort((a, b) => a - b);
  const first = Math.min(revokes.length, geometry.ldptrs);
  const descriptor = next();
  const length = revokeBlocks(geometry, revokes.length);
  encodeLogDescriptor({ type: LOG_DESC.REVOKE, length, tags: revokes.length }, descriptor);
  for (let i = 0; i < first; i++) setLogTag(descriptor, i, revokes[i]!);
  for (let start = first; start < revokes.length; start += geometry.inptrs) {
    const block = next();
    initMetaBlock(block, META_TYPE.LB);
    for (let i = 0; i < geometry.inptrs && start + i < revokes.length; i++) setRevoke(block, i, revokes[start + i]!);
  }
}

function isEscaped(buffer: Buffer): boolean {
  return buffer.view.getUint32(0) === GFS2_MAGIC;
}
