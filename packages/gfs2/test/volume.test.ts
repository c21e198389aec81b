import { utf8Bytes } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import type { Dinode } from '../src/ondisk/dinode.js';
import { Volume } from '../src/volume.js';
import { hasProgram, listing, recordedImage, recordedList } from './real-programs.js';
import { SparseImage } from './sparse-image.js';

describe.skipIf(!hasProgram('xz'))('images of the real kernel (skipped without xz to unpack them)', () => {
  it.each(['tree-5j', 'bs1024'] as const)('%s: the walker sees what the kernel listed', (name) => {
    const volume = Volume.open(recordedImage(name))!;
    expect(listing(volume)).toEqual(recordedList(name));
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
