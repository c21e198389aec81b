import { createHash } from 'node:crypto';
import { latin1 } from '@quorate/kernel';
import { isDirectory, isRegular, isSymlink, MODE } from '../src/ondisk/dinode.js';
import type { Volume, VolumeNode } from '../src/volume.js';

const TYPES = new Map<number, string>([
  [MODE.DIRECTORY, 'directory'],
  [MODE.FILE, 'regular file'],
  [MODE.SYMLINK, 'symbolic link'],
  [MODE.BLOCK, 'block special file'],
  [MODE.CHARACTER, 'character special file'],
  [MODE.FIFO, 'fifo'],
]);

/** The lines that `list.sh` printed in the real kernel, made from what we read. */
export function listing(volume: Volume): string[] {
  const nodes = [...volume.tree()];
  const files = nodes.filter(({ dinode }) => isRegular(dinode));
  return [
    ...nodes.map((node) => statLine(volume, node)),
    ...nodes
      .filter(({ dinode }) => isSymlink(dinode))
      .map((node) => `symlink|${dotted(node)}|${volume.readlink(node.dinode)}`),
    ...files.map((node) => hashLine(volume, node)),
    ...nodes.filter(({ path }) => path.includes('xattr')).flatMap((node) => xattrLines(volume, node)),
  ];
}

function dotted({ path }: VolumeNode): string {
  return path === '/' ? '.' : `.${path}`;
}

function statLine(volume: Volume, node: VolumeNode): string {
  const { mode, nlink, uid, gid, size, blocks, mtime, addr } = node.dinode;
  const type = TYPES.get(mode & MODE.TYPE);
  const name = type === 'regular file' && size === 0 ? 'regular empty file' : type;
  const bits = (mode & 0o7777).toString(8);
  const sectors = (blocks * volume.geometry.blockSize) / 512;
  // The `stat` of the recording printed 0:0 for all device numbers.
  return `${name}|${bits}|${nlink}|${uid}|${gid}|${size}|${sectors}|${mtime}|${addr}|0:0|${dotted(node)}`;
}

function sha256(bytes: Uint8Array | 'EIO'): string {
  return bytes === 'EIO' ? bytes : createHash('sha256').update(bytes).digest('hex');
}

function hashLine(volume: Volume, node: VolumeNode): string {
  const { dinode } = node;
  if (dinode.size <= 65536 * 512) return `sha256|${sha256(volume.read(dinode))}  ${dotted(node)}`;
  return `tail64k|${sha256(volume.read(dinode, dinode.size - 65536, 65536))}  ${dotted(node)}`;
}

function xattrLines(volume: Volume, node: VolumeNode): string[] {
  if (!isRegular(node.dinode) && !isDirectory(node.dinode)) return [];
  const xattrs = volume.xattrs(node.dinode);
  if (xattrs === 'EIO') return ['EIO'];
  return xattrs.map(({ name, value }) => {
    let sum = 0;
    for (const byte of value) sum = (Math.imul(sum, 31) + byte) >>> 0;
    return `xattr|${dotted(node)}|${name}|${value.length}|${sum}|${latin1(value, 0, Math.min(20, value.length))}`;
  });
}
