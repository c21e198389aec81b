import { bytesEqual, setU64, viewOf } from '@quorate/kernel';
import { type Dirent, decodeDirent, direntHash, direntSize, encodeDirent, type NewDirent } from '../ondisk/dirent.js';

export function listDirents(block: Uint8Array, start: number): Dirent[] | undefined {
  const all: Dirent[] = [];
  for (let at = start; at < block.length; ) {
    if (at + 40 > block.length) return undefined;
    const d = decodeDirent(block, at);
    if (d.recLen < 40 || d.recLen % 8 !== 0 || at + d.recLen > block.length || direntSize(d.name.length) > d.recLen)
      return undefined;
    all.push(d);
    at += d.recLen;
  }
  return all;
}
export function isEmpty(d: Dirent): boolean {
  return d.addr === 0 || d.formalIno === 0;
}
export function findDirent(block: Uint8Array, start: number, name: Uint8Array, hash: number): Dirent | undefined {
  const view = viewOf(block);
  for (let at = start; at + 40 <= block.length; ) {
    const len = view.getUint16(at + 20);
    if (len < 40) return undefined;
    if (view.getUint32(at + 16) === hash && view.getUint16(at + 22) === name.length) {
      const d = decodeDirent(block, at);
      if (!isEmpty(d) && bytesEqual(d.name, name)) return d;
    }
    at += len;
  }
  return undefined;
}
function place(block: Uint8Array, start: number, need: number): Dirent | undefined {
  for (const d of listDirents(block, start) ?? []) {
    if (isEmpty(d) ? d.recLen >= need : d.recLen - direntSize(d.name.length) >= need) return d;
  }
  return undefined;
}
export function canInsert(block: Uint8Array, start: number, nameLength: number): boolean {
  return place(block, start, direntSize(nameLength)) !== undefined;
}
export function insertDirent(block: Uint8Array, start: number, dirent: NewDirent): boolean {
  const d = place(block, start, direntSize(dirent.name.length));
  if (d === undefined) return false;
  const hash = direntHash(dirent.name);
  if (isEmpty(d)) {
    encodeDirent(dirent, hash, d.recLen, block, d.offset);
    return true;
  }
  const used = direntSize(d.name.length);
  viewOf(block).setUint16(d.offset + 20, used);
  encodeDirent(dirent, hash, d.recLen - used, block, d.offset + used);
  return true;
}
export function deleteDirent(block: Uint8Array, start: number, offset: number): void {
  const view = viewOf(block);
  if (offset === start) {
    setU64(view, offset, 0);
    setU64(view, offset + 8, 0);
    return;
  }
  let previous = start;
  while (previous + view.getUint16(previous + 20) !== offset) previous += view.getUint16(previous + 20);
  view.setUint16(previous + 20, view.getUint16(previous + 20) + view.getUint16(offset + 20));
}
