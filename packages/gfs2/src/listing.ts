import { latin1, utf8Bytes } from '@quorate/kernel';
import { isDirectory, isRegular, isSymlink, MODE } from './ondisk/dinode.js';
import type { Volume, VolumeNode } from './volume.js';

const TYPES = new Map<number, string>([
  [MODE.DIRECTORY, 'directory'],
  [MODE.FILE, 'regular file'],
  [MODE.SYMLINK, 'symbolic link'],
  [MODE.BLOCK, 'block special file'],
  [MODE.CHARACTER, 'character special file'],
  [MODE.FIFO, 'fifo'],
  [MODE.SOCKET, 'socket'],
]);

/** Of files up to this size everything is hashed, of larger ones the last `TAIL_BYTES`. */
const WHOLE_BYTES = 32 << 20;
const TAIL_BYTES = 65536;
/** How much of an attribute's value is shown. */
const VALUE_BYTES = 20;

/**
 * What a file system holds, for comparison with another reader: a line `type|octal mode|links|uid|gid|size|blocks of 512
 * bytes|mtime|inode|0:0|path` for each object, then `symlink|path|target`, `sha256|hash  path` or `tail64k|hash  path`, and
 * `xattr|path|name|length|checksum|first bytes`, each part in the order of the paths' bytes. What cannot be read is EIO.
 *
 * `stat` of the real kernel's image, which made the first such listings, prints 0:0 for every device number.
 *
 * @param sha256 the hash of these bytes in hexadecimal digits
 */
export function* volumeListing(volume: Volume, sha256: (bytes: Uint8Array) => string): Generator<string> {
  const nodes = [...volume.tree()]
    .map((node) => ({ ...node, bytes: utf8Bytes(node.path) }))
    .sort((a, b) => compareBytes(a.bytes, b.bytes));
  for (const node of nodes) yield statLine(volume, node);
  for (const node of nodes) {
    if (isSymlink(node.dinode)) yield `symlink|${dotted(node)}|${volume.readlink(node.dinode)}`;
  }
  const files = nodes.filter(({ dinode }) => isRegular(dinode));
  for (const node of files.filter(({ dinode }) => dinode.size <= WHOLE_BYTES)) {
    yield `sha256|${hash(volume.read(node.dinode), sha256)}  ${dotted(node)}`;
  }
  for (const node of files.filter(({ dinode }) => dinode.size > WHOLE_BYTES)) {
    const tail = volume.read(node.dinode, node.dinode.size - TAIL_BYTES, TAIL_BYTES);
    yield `tail64k|${hash(tail, sha256)}  ${dotted(node)}`;
  }
  for (const node of nodes) yield* xattrLines(volume, node);
}

function dotted({ path }: VolumeNode): string {
  return path === '/' ? '.' : `.${path}`;
}

function statLine(volume: Volume, node: VolumeNode): string {
  const { mode, nlink, uid, gid, size, blocks, mtime, addr } = node.dinode;
  const type = TYPES.get(mode & MODE.TYPE) ?? 'weird file';
  const name = type === 'regular file' && size === 0 ? 'regular empty file' : type;
  const bits = (mode & 0o7777).toString(8);
  const sectors = (blocks * volume.geometry.blockSize) / 512;
  return `${name}|${bits}|${nlink}|${uid}|${gid}|${size}|${sectors}|${mtime}|${addr}|0:0|${dotted(node)}`;
}

function hash(bytes: Uint8Array | 'EIO', sha256: (bytes: Uint8Array) => string): string {
  return bytes === 'EIO' ? bytes : sha256(bytes);
}

function* xattrLines(volume: Volume, node: VolumeNode): Generator<string> {
  if (!isRegular(node.dinode) && !isDirectory(node.dinode)) return;
  const xattrs = volume.xattrs(node.dinode);
  if (xattrs === 'EIO') return yield `xattr|${dotted(node)}|EIO`;
  for (const { name, value } of xattrs) {
    let sum = 0;
    for (const byte of value) sum = (Math.imul(sum, 31) + byte) >>> 0;
    const start = latin1(value, 0, Math.min(VALUE_BYTES, value.length));
    yield `xattr|${dotted(node)}|${name}|${value.length}|${sum}|${start}`;
  }
}

function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i++) if (a[i] !== b[i]) return a[i]! - b[i]!;
  return a.length - b.length;
}
