import { bytesEqual, viewOf } from '@quorate/kernel';
import {
  DIRENT_BYTES,
  type Dirent,
  decodeDirent,
  direntHash,
  direntSize,
  encodeDirent,
  type NewDirent,
} from './dirent.js';
import { MAX_NAME_BYTES } from './geometry.js';

// The records of one block of directory entries: of a linear directory (`start` is 232, in its dinode) or of a leaf
// (`start` is 104). They fill the block without a gap. Only the first one may be empty, which deletion leaves behind.
//
// Source: Linux fs/gfs2/dir.c, `gfs2_dirent_scan`, `gfs2_check_dirent`, `do_init_dirent`, `dirent_del`.

/** Makes one empty record of everything from `start` to the end of the block. */
export function initDirents(block: Uint8Array, start: number): void {
  block.fill(0, start);
  viewOf(block).setUint16(start + 20, block.length - start);
}

/** Whether the record holds no entry (`gfs2_dirent_sentinel`). */
export function isEmpty(dirent: Pick<Dirent, 'formalIno' | 'addr'>): boolean {
  return dirent.formalIno === 0 || dirent.addr === 0;
}

/** Why the record at `offset` is not well-formed, or undefined when it is. Reads nothing outside the block. */
export function direntFault(block: Uint8Array, start: number, offset: number): string | undefined {
  if (offset + DIRENT_BYTES > block.length) return `a record starts ${block.length - offset} bytes before the end`;
  const view = viewOf(block);
  const recLen = view.getUint16(offset + 20);
  if (recLen < DIRENT_BYTES) return `a record is ${recLen} bytes long`;
  if (recLen % 8 !== 0) return `a record is ${recLen} bytes long, no multiple of 8`;
  if (offset + recLen > block.length) return `a record reaches ${offset + recLen - block.length} bytes past the end`;
  if (isEmptyAt(view, offset)) return offset === start ? undefined : 'a record other than the first is empty';
  const nameLen = view.getUint16(offset + 22);
  if (nameLen === 0 || nameLen > MAX_NAME_BYTES) return `a name is ${nameLen} bytes long`;
  if (direntSize(nameLen) > recLen) return `a name of ${nameLen} bytes is in a record of ${recLen}`;
  return undefined;
}

/** All records of a block in order, an empty first one included; undefined when one is malformed. Names alias it. */
export function listDirents(block: Uint8Array, start: number): Dirent[] | undefined {
  const dirents: Dirent[] = [];
  for (let at = start; at < block.length; ) {
    if (direntFault(block, start, at) !== undefined) return undefined;
    const dirent = decodeDirent(block, at);
    dirents.push(dirent);
    at += dirent.recLen;
  }
  return dirents;
}

/** The entry with that name, whose hash is `hash`; undefined when there is none. Its name aliases the block. */
export function findDirent(block: Uint8Array, start: number, name: Uint8Array, hash: number): Dirent | undefined {
  const view = viewOf(block);
  for (let at = start; at + DIRENT_BYTES <= block.length; at += view.getUint16(at + 20)) {
    if (view.getUint32(at + 16) === hash && !isEmptyAt(view, at)) {
      const dirent = decodeDirent(block, at);
      if (bytesEqual(dirent.name, name)) return dirent;
    }
    if (view.getUint16(at + 20) < DIRENT_BYTES) return undefined;
  }
  return undefined;
}

/** Whether an entry whose name has that many bytes fits into the block. */
export function canInsert(block: Uint8Array, start: number, nameLength: number): boolean {
  return findSpace(block, start, nameLength) >= 0;
}

/**
 * Puts an entry into the first record with room: an empty record becomes the entry, of a used one it takes the tail.
 * False when no record has room. The caller knows that the name is not there yet.
 */
export function insertDirent(block: Uint8Array, start: number, dirent: NewDirent): boolean {
  const at = findSpace(block, start, dirent.name.length);
  if (at < 0) return false;
  const view = viewOf(block);
  const recLen = view.getUint16(at + 20);
  const used = usedAt(view, at);
  if (used > 0) view.setUint16(at + 20, used);
  encodeDirent(dirent, direntHash(dirent.name), recLen - used, block, at + used);
  return true;
}

/**
 * Deletes the entry whose record is at `offset`: the first record of the block becomes empty and keeps its length, any
 * other is swallowed by the record before it.
 */
export function deleteDirent(block: Uint8Array, start: number, offset: number): void {
  if (offset === start) {
    block.fill(0, offset, offset + 16);
    return;
  }
  const view = viewOf(block);
  let previous = start;
  while (previous + view.getUint16(previous + 20) < offset) previous += view.getUint16(previous + 20);
  view.setUint16(previous + 20, view.getUint16(previous + 20) + view.getUint16(offset + 20));
}

/** Which entry of a hash table of 2^depth leaf pointers a hash belongs to. */
export function hashIndex(hash: number, depth: number): number {
  // ECMAScript shifts by the count modulo 32.
  return depth === 0 ? 0 : hash >>> (32 - depth);
}

/** Offset of the first record with room for a name of that many bytes (`gfs2_dirent_find_space`), or -1. */
function findSpace(block: Uint8Array, start: number, nameLength: number): number {
  const view = viewOf(block);
  const needed = direntSize(nameLength);
  for (let at = start; at + DIRENT_BYTES <= block.length; ) {
    const recLen = view.getUint16(at + 20);
    if (recLen < DIRENT_BYTES) return -1;
    if (recLen - usedAt(view, at) >= needed) return at;
    at += recLen;
  }
  return -1;
}

function isEmptyAt(view: DataView, offset: number): boolean {
  return (
    (view.getUint32(offset) === 0 && view.getUint32(offset + 4) === 0) ||
    (view.getUint32(offset + 8) === 0 && view.getUint32(offset + 12) === 0)
  );
}

/** Bytes that the entry of a record needs; 0 when it is empty. */
function usedAt(view: DataView, offset: number): number {
  return isEmptyAt(view, offset) ? 0 : direntSize(view.getUint16(offset + 22));
}
