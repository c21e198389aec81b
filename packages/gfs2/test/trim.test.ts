import { bytesEqual, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { check } from '../src/check.js';
import { decodeRgrpHeader, RGF } from '../src/ondisk/rgrp-header.js';
import { Volume } from '../src/volume.js';
import { Cluster } from './cluster.js';
import { formattedDisk } from './formatted-disk.js';
import type { MemoryDisk } from './memory-disk.js';
import { NodeDriver } from './node-driver.js';
import { fsck, hasProgram } from './real-programs.js';

const SIZE = 1 << 20;
const content = (seed: number): Uint8Array => new Uint8Array(SIZE).fill(seed);

function write(node: NodeDriver, path: string, bytes: Uint8Array): void {
  const fd = node.run({ kind: 'open', path, flags: { create: true, write: true } }) as number;
  expect(node.run({ kind: 'append', fd, bytes })).toBe(bytes.length);
  node.run({ kind: 'close', fd });
}

function holds(node: NodeDriver, path: string, expected: Uint8Array): boolean {
  const fd = node.run({ kind: 'open', path }) as number;
  const bytes = node.run({ kind: 'pread', fd, offset: 0, length: SIZE });
  node.run({ kind: 'close', fd });
  return bytes instanceof Uint8Array && bytesEqual(bytes, expected);
}

function flags(disk: MemoryDisk): number[] {
  const rindex = Volume.open(disk.image)!.rindex();
  if (typeof rindex === 'string') throw new Error(rindex);
  return rindex.map(({ addr }) => decodeRgrpHeader(disk.read(addr, 1))!.flags & RGF.TRIMMED);
}

/** A file system with nine files, of which every third was removed, and that is so on the disk. */
function withHoles(): { disk: MemoryDisk; node: NodeDriver } {
  const disk = formattedDisk(64, { rgrpMiB: 32 });
  const node = NodeDriver.mounted(disk);
  for (let i = 1; i <= 9; i++) write(node, `/f${i}`, content(i));
  for (const i of [1, 4, 7]) node.run({ kind: 'unlink', path: `/f${i}` });
  node.run({ kind: 'sync' });
  return { disk, node };
}

describe('fstrim', () => {
  it('discards what is free, leaves what is not, and passes by what it has trimmed', () => {
    const { disk, node } = withHoles();
    const { free } = node.run({ kind: 'statfs' }) as { free: number };
    let discarded = 0;
    const discard = disk.discard.bind(disk);
    disk.discard = (block, count) => {
      discarded += count;
      discard(block, count);
    };
    expect(node.run({ kind: 'trim' })).toBe(4096 * free);
    expect(discarded).toBe(free);
    expect(node.run({ kind: 'trim' })).toBe(0);
    node.run({ kind: 'sync' });
    for (const i of [2, 3, 5, 6, 8, 9]) expect(holds(node, `/f${i}`, content(i))).toBe(true);
    // What is freed is trimmed the next time, with all else that is free in its group.
    node.run({ kind: 'unlink', path: '/f2' });
    node.run({ kind: 'sync' });
    const again = node.run({ kind: 'trim' }) as number;
    expect(again).toBeGreaterThanOrEqual(SIZE);
    node.unmount();
    expect(new Set(flags(disk))).toEqual(new Set([RGF.TRIMMED]));
    expect(check(disk.image)).toEqual([]);
    if (hasProgram('fsck.gfs2')) expect(fsck(disk.image)).toMatchObject({ status: 0 });
  });

  it('leaves short runs and other resource groups alone', () => {
    const { node } = withHoles();
    const all = 4096 * (node.run({ kind: 'statfs' }) as { free: number }).free;
    // The group of the journal is as large as the journal, and full but for the system files.
    expect(node.run({ kind: 'trim', start: 0, length: 8 << 20 })).toBeLessThan(1 << 20);
    const large = node.run({ kind: 'trim', minLength: 2 * SIZE }) as number;
    expect(large).toBeGreaterThan(all / 2);
    expect(large).toBeLessThan(all - 3 * SIZE);
    expect(node.run({ kind: 'trim', start: 1 << 30 })).toBe('EINVAL');
    expect(node.run({ kind: 'trim', length: 0 })).toBe('EINVAL');
    expect(node.run({ kind: 'trim' }, { uid: 7, gid: 7 })).toBe('EPERM');
  });

  it('does not touch what a replay may bring back', () => {
    const { disk, node } = withHoles();
    node.run({ kind: 'unlink', path: '/f2' });
    expect(node.run({ kind: 'trim' })).toBeGreaterThan(0);
    // The power goes before the removal is committed.
    const next = NodeDriver.mounted(disk.fork());
    expect(holds(next, '/f2', content(2))).toBe(true);
  });

  it('is refused where the disk cannot, and the group counts as not trimmed', () => {
    const { node } = withHoles();
    node.fault = ({ kind }) => (kind === 'discard' ? 'EOPNOTSUPP' : undefined);
    expect(node.run({ kind: 'trim' })).toBe('EOPNOTSUPP');
    node.fault = () => undefined;
    expect(node.run({ kind: 'trim' })).toBeGreaterThan(0);
  });

  it('harms nobody who writes meanwhile', () => {
    const disk = formattedDisk(64, { journals: 2, lockTable: 'my-cluster:storage', rgrpMiB: 32 });
    const cluster = new Cluster(disk, { seed: 3 });
    for (const id of [1, 2]) cluster.boot(id);
    cluster.passUntil(() => cluster.isMounted(1) && cluster.isMounted(2), 'the mounts');
    const fds = [1, 2].map(
      (id) => cluster.run(id, { kind: 'open', path: `/f${id}`, flags: { create: true, write: true } }) as number,
    );
    let pending = 0;
    const start = (id: number, operation: Parameters<Cluster['start']>[1]): void => {
      pending += 1;
      cluster.start(id, operation, (result) => {
        expect(typeof result).not.toBe('string');
        pending -= 1;
      });
    };
    for (let round = 0; round < 10; round++) {
      for (const id of [1, 2]) {
        start(id, { kind: 'append', fd: fds[id - 1]!, bytes: new Uint8Array(65_536).fill(10 * round + id) });
        start(id, { kind: 'trim' });
      }
      cluster.passUntil(() => pending === 0, 'a round');
    }
    for (const id of [1, 2]) {
      const bytes = cluster.run(3 - id, { kind: 'open', path: `/f${id}` }) as number;
      const text = cluster.run(3 - id, { kind: 'pread', fd: bytes, offset: 0, length: SIZE }) as Uint8Array;
      for (let round = 0; round < 10; round++) {
        expect(text.subarray(65_536 * round, 65_536 * (round + 1)).every((byte) => byte === 10 * round + id)).toBe(
          true,
        );
      }
      cluster.run(3 - id, { kind: 'close', fd: bytes });
      cluster.run(id, { kind: 'close', fd: fds[id - 1]! });
    }
    for (const id of [1, 2]) cluster.unmount(id);
    expect(cluster.violations).toEqual([]);
    expect(check(disk.image)).toEqual([]);
  });
});

describe('the mount option discard', () => {
  /** A file system with three files, and what is discarded on it from now on. */
  const mounted = (options: string) => {
    const disk = formattedDisk(64, { rgrpMiB: 32 });
    const node = NodeDriver.mounted(disk, {}, options);
    for (const i of [1, 2, 3]) write(node, `/f${i}`, content(i));
    node.run({ kind: 'sync' });
    const discarded: number[] = [];
    const discard = disk.discard.bind(disk);
    disk.discard = (block, count) => {
      for (let at = block; at < block + count; at++) discarded.push(at);
      discard(block, count);
    };
    const blocksOf = (path: string): number[] => {
      const volume = Volume.open(disk.image)!;
      const extents = [...volume.extents(volume.lookup(path) as never)];
      return extents.flatMap(({ block, count }) => Array.from({ length: count }, (_, i) => block + i));
    };
    return { disk, node, discarded, blocksOf };
  };

  it('tells the disk what was freed once that is durable, and nothing else', () => {
    const { disk, node, discarded, blocksOf } = mounted('discard');
    // Until it is in place.
    node.pass(60 * SECOND);
    const freed = blocksOf('/f2');
    expect(freed).toHaveLength(SIZE / 4096);
    node.run({ kind: 'unlink', path: '/f2' });
    expect(discarded).toEqual([]);
    node.run({ kind: 'sync' });
    expect(discarded).toEqual(expect.arrayContaining(freed));
    // The dinode goes too.
    expect(discarded).toHaveLength(freed.length + 1);
    const { length } = discarded;
    node.run({ kind: 'sync' });
    write(node, '/f4', content(4));
    for (const i of [1, 3, 4]) expect(holds(node, `/f${i}`, content(i))).toBe(true);
    node.unmount();
    expect(discarded).toHaveLength(length);
    expect(check(disk.image)).toEqual([]);
    if (hasProgram('fsck.gfs2')) expect(fsck(disk.image)).toMatchObject({ status: 0 });
  });

  it('is off unless it is said, and may be taken back', () => {
    for (const options of ['', 'discard,nodiscard']) {
      const { node, discarded } = mounted(options);
      node.run({ kind: 'unlink', path: '/f2' });
      node.run({ kind: 'sync' });
      expect(discarded).toEqual([]);
    }
  });

  it('leaves what could not be committed', () => {
    const { disk, node, discarded } = mounted('discard');
    node.fault = ({ kind }) => (kind === 'flush' ? 'EIO' : undefined);
    node.run({ kind: 'unlink', path: '/f2' });
    node.run({ kind: 'sync' });
    expect(discarded).toEqual([]);
    expect(holds(NodeDriver.mounted(disk.fork()), '/f2', content(2))).toBe(true);
  });

  it('is given up where the disk cannot', () => {
    const { node, discarded } = mounted('discard');
    node.fault = ({ kind }) => (kind === 'discard' ? 'EOPNOTSUPP' : undefined);
    node.run({ kind: 'unlink', path: '/f2' });
    node.run({ kind: 'sync' });
    expect(node.log.filter((line) => line.includes('discard'))).toEqual([
      'gfs2: fsid=my-cluster:vol.0: error -95 on discard request, turning discards off for this filesystem',
    ]);
    node.fault = () => undefined;
    node.run({ kind: 'unlink', path: '/f3' });
    node.run({ kind: 'sync' });
    expect(discarded).toEqual([]);
    node.unmount();
  });
});
