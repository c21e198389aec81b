import { createHash } from 'node:crypto';
import { latin1, utf8Bytes } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { type Dinode, isDirectory, isRegular, isSymlink, MODE } from '../src/ondisk/dinode.js';
import { Volume, type VolumeNode } from '../src/volume.js';
import { hasProgram, recordedImage, recordedList } from './real-programs.js';
import { SparseImage } from './sparse-image.js';

const TYPES = new Map<number, string>([
  [MODE.DIRECTORY, 'directory'],
  [MODE.FILE, 'regular file'],
  [MODE.SYMLINK, 'symbolic link'],
  [MODE.BLOCK, 'block special file'],
  [MODE.CHARACTER, 'character special file'],
  [MODE.FIFO, 'fifo'],
]);

/** The lines that `list.sh` printed in the real kernel, made from what we read. */
function listing(volume: Volume): string[] {
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

describe.skipIf(!hasProgram('xz'))('images of the real kernel (skipped without xz to unpack them)', () => {
  it.each(['tree-5j', 'bs1024'] as const)('%s: the walker sees what the kernel listed', (name) => {
    const volume = Volume.open(recordedImage(name))!;
    expect(listing(volume).sort()).toEqual(recordedList(name).sort());
  });

  it('device nodes have the numbers that mknod gave them', () => {
    const volume = Volume.open(recordedImage('tree-5j'))!;
    expect(volume.lookup('/a/null')).toMatchObject({ major: 1, minor: 3 });
    expect(volume.lookup('/a/blk')).toMatchObject({ major: 8, minor: 1 });
  });

  it('system files are found from master', () => {
    const volume = Volume.open(recordedImage('tree-5j'))!;
    const rindex = volume.rindex();
    expect(rindex).toHaveLength(6);
    expect(volume.systemFile('jindex/journal4')).toMatchObject({ size: 8 << 20, height: 2 });
    expect(volume.systemFile('per_node/quota_change5')).toBe('ENOENT');
    expect(volume.systemFile('rindex/x')).toBe('ENOTDIR');
  });

  it('a damaged block is EIO where it is needed, and nowhere else', () => {
    const image = recordedImage('tree-5j').fork();
    const big = Volume.open(image)!.lookup('/big') as Dinode;
    image.patch(4096, big.addr, (_, view) => view.setUint16(146, 30));
    const volume = Volume.open(image)!;
    expect(volume.readdir(volume.lookup('/big') as Dinode)).toBe('EIO');
    expect(volume.lookup('/big/entry-number-1')).toBe('EIO');
    expect(volume.lookup('/a/hello.txt')).toMatchObject({ size: 41 });
  });
});

describe('what is no file system', () => {
  it('zeros have no superblock', () => {
    expect(Volume.open(new SparseImage(1 << 20))).toBeUndefined();
    expect(Volume.open(new SparseImage(4096))).toBeUndefined();
  });

  it('a superblock whose block size and shift disagree is none', () => {
    const image = new SparseImage(1 << 20);
    image.patch(4096, 16, (bytes, view) => {
      view.setUint32(0, 0x01161970);
      view.setUint32(4, 1);
      view.setUint32(16, 100);
      view.setUint32(36, 4096);
      view.setUint32(40, 11);
      bytes.set(utf8Bytes('lock_dlm'), 96);
    });
    expect(Volume.open(image)).toBeUndefined();
  });
});
