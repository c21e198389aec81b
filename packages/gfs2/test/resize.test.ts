import { utf8Bytes } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import type { OperationResult } from '../src/calls/operation.js';
import { check } from '../src/check.js';
import { planGrowth } from '../src/mkfs/rgrp-plan.js';
import { geometryOf } from '../src/ondisk/geometry.js';
import { Volume } from '../src/volume.js';
import { Cluster } from './cluster.js';
import { formattedDisk } from './formatted-disk.js';
import { MemoryDisk } from './memory-disk.js';
import { NodeDriver } from './node-driver.js';
import { fsck, hasProgram } from './real-programs.js';
import type { SparseImage } from './sparse-image.js';

/** The same disk with more behind it. */
function enlarged(disk: MemoryDisk, mib: number): MemoryDisk {
  return new MemoryDisk(disk.blockSize, disk.image.resized(mib << 20));
}

function expectClean(image: SparseImage): void {
  expect(check(image)).toEqual([]);
  if (hasProgram('fsck.gfs2')) expect(fsck(image)).toMatchObject({ status: 0, complaints: [] });
}

/** Writes until the disk is full. */
function fill(node: NodeDriver): void {
  const fd = node.run({ kind: 'open', path: '/full', flags: { create: true, write: true } }) as number;
  for (let size = 1 << 22; size >= 4096; ) {
    const written = node.run({ kind: 'append', fd, bytes: new Uint8Array(size) });
    if (written !== size) size >>= 1;
  }
  for (let i = 0; node.run({ kind: 'mkdir', path: `/d${i}` }) === undefined; i++);
  node.run({ kind: 'close', fd });
}

describe('a file system on a device that has become larger', () => {
  it.each([512, 4096])('takes what was added, blocks of %i bytes', (blockSize) => {
    const disk = enlarged(formattedDisk(48, { blockSize, rgrpMiB: 32 }), 120);
    const node = NodeDriver.mounted(disk);
    const before = node.run({ kind: 'statfs' }) as { blocks: number; free: number };
    const deviceBlocks = disk.image.sizeBytes / blockSize;
    const growth = node.run({ kind: 'grow', deviceBlocks });
    expect(growth).toMatchObject({ rgrps: 1 });
    const after = node.run({ kind: 'statfs' }) as { blocks: number; free: number };
    expect(after.blocks - before.blocks).toBeGreaterThan((70 << 20) / blockSize);
    const fd = node.run({ kind: 'open', path: '/large', flags: { create: true, write: true } }) as number;
    const chunk = new Uint8Array(1 << 20).fill(7);
    for (let i = 0; i < 40; i++) expect(node.run({ kind: 'append', fd, bytes: chunk })).toBe(chunk.length);
    node.run({ kind: 'close', fd });
    // A second time there is nothing to take.
    expect(node.run({ kind: 'grow', deviceBlocks })).toMatchObject({ rgrps: 0 });
    node.unmount();
    expectClean(disk.image);
  });

  it('grows even when not one block is free', () => {
    let disk = formattedDisk(48, { rgrpMiB: 32 });
    const full = NodeDriver.mounted(disk);
    fill(full);
    expect(full.run({ kind: 'statfs' })).toMatchObject({ free: 0 });
    full.unmount();
    // Again and again: each time leaves room for the record of the next.
    for (let mib = 84; mib <= 120; mib += 36) {
      disk = enlarged(disk, mib);
      const node = NodeDriver.mounted(disk);
      const growth = node.run({ kind: 'grow', deviceBlocks: disk.image.sizeBytes / 4096 });
      expect(growth).toMatchObject({ rgrps: 1 });
      fill(node);
      node.unmount();
      expectClean(disk.image);
    }
  });

  it('is left alone where the device has less than 32 MiB more', () => {
    const geometry = geometryOf(4096);
    expect(planGrowth(geometry, 10_000, 10_001 + 8191)).toEqual([]);
    expect(planGrowth(geometry, 10_000, 10_001 + 8194)).toHaveLength(1);
    expect(planGrowth(geometry, 10_000, 5_000)).toEqual([]);
    expect(planGrowth(geometry, 10_000, 10_001 + 3 * 524_288)).toHaveLength(3);
  });
});

describe('journals that are added', () => {
  it('can be mounted with', () => {
    const disk = formattedDisk(96, { blockSize: 2048, rgrpMiB: 32 });
    const node = NodeDriver.mounted(disk);
    const counts = node.run({ kind: 'add-journals', count: 2, journalMiB: 8, quotaChangeMiB: 1 });
    expect(counts).toEqual({ before: 1, after: 3 });
    node.unmount();
    expectClean(disk.image);
    expect(Volume.open(disk.image)!.systemFile('jindex/journal2')).toMatchObject({ size: 8 << 20 });
    const other = NodeDriver.mounted(disk, {}, '', 2);
    expect(other.run({ kind: 'mkdir', path: '/from-the-third' })).toBeUndefined();
    other.unmount();
    expectClean(disk.image);
  });

  it('are refused when they do not fit, and nothing has changed', () => {
    const disk = formattedDisk(48, { rgrpMiB: 32 });
    const node = NodeDriver.mounted(disk);
    const refused = node.run({ kind: 'add-journals', count: 1, journalMiB: 128, quotaChangeMiB: 1 });
    expect(refused).toBe('ENOSPC');
    expect(node.run({ kind: 'add-journals', count: 0, journalMiB: 8, quotaChangeMiB: 1 })).toBe('EINVAL');
    const caller = { uid: 7, gid: 7 };
    expect(node.run({ kind: 'add-journals', count: 1, journalMiB: 8, quotaChangeMiB: 1 }, caller)).toBe('EPERM');
    expect(node.run({ kind: 'grow', deviceBlocks: 1e6 }, caller)).toBe('EPERM');
    node.unmount();
    expectClean(disk.image);
  });

  it('are made again when somebody was interrupted', () => {
    const disk = formattedDisk(96, { rgrpMiB: 32 });
    disk.history = [];
    const before = disk.image.fork();
    const node = NodeDriver.mounted(disk);
    node.run({ kind: 'add-journals', count: 1, journalMiB: 8, quotaChangeMiB: 1 });
    node.unmount();
    const events = disk.history;
    disk.history = undefined;
    const cuts = [...events.keys()].filter((at) => events[at] === 'flush').filter((_, i) => i % 3 === 0);
    const afters: unknown[] = [];
    for (const cut of cuts) {
      const image = before.fork();
      for (const event of events.slice(0, cut)) if (event !== 'flush') image.write(4096 * event.block, event.data);
      const survivor = new MemoryDisk(4096, image);
      const again = NodeDriver.mounted(survivor);
      const counts = again.run({ kind: 'add-journals', count: 1, journalMiB: 8, quotaChangeMiB: 1 });
      afters.push((counts as { after: number }).after);
      again.run({ kind: 'open', path: '/x', flags: { create: true, write: true } });
      again.run({ kind: 'append', fd: 3, bytes: utf8Bytes('x') });
      again.run({ kind: 'close', fd: 3 });
      again.unmount();
      expectClean(image);
    }
    expect(new Set(afters)).toEqual(new Set([2, 3]));
  });
});

describe('several nodes', () => {
  const nodes = [1, 2, 3];
  const small = formattedDisk(64, { journals: 3, lockTable: 'my-cluster:storage', rgrpMiB: 32 });

  function mounted(disk: MemoryDisk): Cluster {
    const cluster = new Cluster(disk, { seed: 7 });
    for (const id of nodes) cluster.boot(id);
    cluster.passUntil(() => nodes.every((id) => cluster.isMounted(id)), 'the mounts');
    return cluster;
  }

  function write(cluster: Cluster, id: number, path: string, bytes: Uint8Array): OperationResult {
    const fd = cluster.run(id, { kind: 'open', path, flags: { create: true, write: true } }) as number;
    const written = cluster.run(id, { kind: 'append', fd, bytes });
    cluster.run(id, { kind: 'close', fd });
    return written;
  }

  function end(cluster: Cluster): void {
    for (const id of cluster.up) cluster.unmount(id);
    expect(cluster.violations).toEqual([]);
    expectClean(cluster.disk.image);
  }

  it('allocate in what one of them has added, and free what others have allocated there', () => {
    const cluster = mounted(enlarged(small, 140));
    const chunk = new Uint8Array(12 << 20).fill(3);
    expect(cluster.run(2, { kind: 'grow', deviceBlocks: cluster.disk.image.sizeBytes / 4096 })).toMatchObject({
      rgrps: 1,
    });
    for (const id of nodes) expect(write(cluster, id, `/file${id}`, chunk)).toBe(chunk.length);
    for (const id of nodes) expect(cluster.run(id, { kind: 'unlink', path: `/file${(id % 3) + 1}` })).toBeUndefined();
    end(cluster);
  });

  it('replay a journal that was added while they were mounted', () => {
    const cluster = mounted(enlarged(small, 140));
    cluster.run(1, { kind: 'grow', deviceBlocks: cluster.disk.image.sizeBytes / 4096 });
    const counts = cluster.run(1, { kind: 'add-journals', count: 1, journalMiB: 8, quotaChangeMiB: 1 });
    expect(counts).toEqual({ before: 3, after: 4 });
    cluster.boot(4);
    cluster.passUntil(() => cluster.isMounted(4), 'the mount of the fourth');
    write(cluster, 4, '/of-the-fourth', utf8Bytes('kept'));
    cluster.run(4, { kind: 'sync' });
    cluster.kill(4);
    expect(cluster.run(3, { kind: 'stat', path: '/of-the-fourth' })).toMatchObject({ size: 4 });
    end(cluster);
  });
});
