import { Prng, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import type { Caller } from '../src/calls/caller.js';
import type { Operation } from '../src/calls/operation.js';
import { check } from '../src/check.js';
import { Cluster } from './cluster.js';
import { formattedDisk } from './formatted-disk.js';
import { MemoryDisk } from './memory-disk.js';
import { NodeDriver } from './node-driver.js';
import { fsck, hasProgram } from './real-programs.js';
import type { SparseImage } from './sparse-image.js';

const ALICE = { uid: 500, gid: 500 };
const BOB = { uid: 501, gid: 500 };
const BLOCK = 4096;

function expectCounted(image: SparseImage): void {
  expect(check(image, { hasQuotas: true })).toEqual([]);
  if (hasProgram('fsck.gfs2')) expect(fsck(image)).toMatchObject({ status: 0, complaints: [] });
}

/** A disk with a directory in which everybody may do what they like. */
function shared(options: string): { disk: MemoryDisk; node: NodeDriver } {
  const disk = formattedDisk(48, { rgrpMiB: 32 });
  const node = NodeDriver.mounted(disk, {}, options);
  node.run({ kind: 'mkdir', path: '/d' });
  node.run({ kind: 'chmod', path: '/d', mode: 0o777 });
  return { disk, node };
}

/** Something that somebody may do in a directory of many files. */
function randomCall(prng: Prng): { operation: Operation; caller: Caller } {
  const caller = [{ uid: 0, gid: 0 }, ALICE, BOB, { uid: 70_000, gid: 9 }][prng.below(4)]!;
  const path = `/d/f${prng.below(12)}`;
  const operations: Operation[] = [
    { kind: 'mkdir', path: `/d/d${prng.below(6)}`, mode: 0o777 },
    { kind: 'rmdir', path: `/d/d${prng.below(6)}` },
    { kind: 'symlink', path, target: 'x' },
    { kind: 'unlink', path },
    { kind: 'unlink', path },
    { kind: 'rename', from: path, to: `/d/f${prng.below(12)}` },
    { kind: 'link', from: path, to: `/d/f${prng.below(12)}` },
    { kind: 'chown', path, uid: 500 + prng.below(3), gid: 500 + prng.below(2) },
    { kind: 'setxattr', path, name: 'user.x', bytes: new Uint8Array(prng.below(9000)) },
    { kind: 'removexattr', path, name: 'user.x' },
    { kind: 'syncquota' },
  ];
  return { operation: operations[prng.below(operations.length)]!, caller };
}

function writeSomething(node: NodeDriver, prng: Prng, caller: Caller): void {
  const path = `/d/f${prng.below(12)}`;
  const fd = node.run({ kind: 'open', path, flags: { create: true, write: true }, mode: 0o666 }, caller);
  if (typeof fd !== 'number') return;
  const offset = prng.below(20) * BLOCK;
  node.run({ kind: 'pwrite', fd, offset, bytes: new Uint8Array(1 + prng.below(12 * BLOCK)) }, caller);
  if (prng.below(3) === 0) node.run({ kind: 'ftruncate', fd, size: prng.below(10 * BLOCK) }, caller);
  if (prng.below(3) === 0) node.run({ kind: 'fallocate', fd, offset, length: 1 + prng.below(9 * BLOCK) }, caller);
  if (prng.below(4) === 0) {
    node.run({ kind: 'fallocate', fd, offset, length: 4 * BLOCK, how: 'punch-hole' }, caller);
  }
  node.run({ kind: 'close', fd }, caller);
}

function runProgram(node: NodeDriver, seed: number, steps: number): void {
  const prng = Prng.derive({ hi: 0, lo: seed }, 'quota');
  for (let i = 0; i < steps; i++) {
    const { operation, caller } = randomCall(prng);
    node.run(operation, caller);
    writeSomething(node, prng, caller);
  }
}

describe('quotas', () => {
  it.each([1, 2])('count what users and groups have, whatever happens, seed %i', (seed) => {
    const { disk, node } = shared('quota=account');
    runProgram(node, seed, 80);
    node.unmount();
    expectCounted(disk.image);
  });

  it('are told apart from what was never counted', () => {
    const { disk, node } = shared('noquota');
    node.unmount();
    expect(check(disk.image, { hasQuotas: true }).map(({ rule, text }) => `${rule}: ${text}`)).toEqual([
      'quota: the quota of user 0 says 1 blocks, 2 are right',
      'quota: the quota of group 0 says 1 blocks, 2 are right',
    ]);
  });

  it('survive power cuts with all else that a transaction did', () => {
    const { disk, node } = shared('quota=account');
    node.unmount();
    const before = disk.image.fork();
    disk.history = [];
    const worker = NodeDriver.mounted(disk, {}, 'quota=account,quota_quantum=1');
    const prng = Prng.derive({ hi: 0, lo: 9 }, 'quota');
    for (let i = 0; i < 40; i++) {
      const { operation, caller } = randomCall(prng);
      worker.run(operation, caller);
      writeSomething(worker, prng, caller);
      if (i % 5 === 0) worker.run({ kind: 'sync' });
      worker.pass(SECOND / 5);
    }
    const events = disk.history;
    for (let i = 0; i < 4; i++) {
      const image = before.fork();
      const cut = prng.below(events.length);
      for (const event of events.slice(0, cut)) if (event !== 'flush') image.write(BLOCK * event.block, event.data);
      NodeDriver.mounted(new MemoryDisk(BLOCK, image), {}, 'quota=on').unmount();
      expectCounted(image);
    }
  });

  it('refuse what is beyond a limit, to all but root', () => {
    const { disk, node } = shared('quota=on');
    expect(node.run({ kind: 'setquota', of: 'user', id: 500, limit: 20, warn: 10 })).toBeUndefined();
    const open = { kind: 'open', path: '/d/a', flags: { create: true, write: true }, mode: 0o666 } as const;
    const fd = node.run(open, ALICE) as number;
    const bytes = new Uint8Array(30 * BLOCK);
    const written = node.run({ kind: 'pwrite', fd, offset: 0, bytes }, ALICE) as number;
    expect(written).toBeGreaterThan(8 * BLOCK);
    expect(written).toBeLessThan(20 * BLOCK);
    expect(node.run({ kind: 'pwrite', fd, offset: 40 * BLOCK, bytes }, ALICE)).toBe('EDQUOT');
    expect(node.run({ kind: 'getquota', of: 'user', id: 500 }, ALICE)).toMatchObject({ limit: 20, warn: 10 });
    expect(node.run({ kind: 'getquota', of: 'user', id: 500 }, BOB)).toBe('EPERM');
    expect(node.run({ kind: 'setquota', of: 'user', id: 500, limit: 0 }, ALICE)).toBe('EPERM');
    // Somebody else's file of the same group, and root's, are not hers.
    const other = node.run({ ...open, path: '/d/b' }, BOB) as number;
    expect(node.run({ kind: 'pwrite', fd: other, offset: 0, bytes }, BOB)).toBe(bytes.length);
    expect(node.run({ kind: 'setquota', of: 'group', id: 500, limit: 40 })).toBeUndefined();
    expect(node.run({ kind: 'pwrite', fd: other, offset: 40 * BLOCK, bytes }, BOB)).toBe('EDQUOT');
    expect(node.run({ kind: 'chown', path: '/d/b', gid: 9 }, { ...BOB, groups: [9] })).toBeUndefined();
    // What she frees is hers again.
    expect(node.run({ kind: 'mkdir', path: '/d/root' })).toBeUndefined();
    node.run({ kind: 'ftruncate', fd, size: 0 }, ALICE);
    expect(node.run({ kind: 'pwrite', fd, offset: 0, bytes: bytes.subarray(0, 8 * BLOCK) }, ALICE)).toBe(8 * BLOCK);
    for (const each of [fd, other]) node.run({ kind: 'close', fd: each });
    node.unmount();
    expectCounted(disk.image);
  });

  it('hold for what several nodes allocate together, and what a dead one had not told is not lost', () => {
    const disk = formattedDisk(64, { journals: 2, lockTable: 'my-cluster:storage', rgrpMiB: 32 });
    const cluster = new Cluster(disk, { seed: 5, mountOptions: 'quota=on' });
    for (const id of [1, 2]) cluster.boot(id);
    cluster.passUntil(() => cluster.isMounted(1) && cluster.isMounted(2), 'the mounts');
    cluster.run(1, { kind: 'mkdir', path: '/d' });
    cluster.run(1, { kind: 'chmod', path: '/d', mode: 0o777 });
    cluster.run(1, { kind: 'setquota', of: 'user', id: 500, limit: 200 });
    const fds = [1, 2].map((id) => {
      const open = { kind: 'open', path: `/d/f${id}`, flags: { create: true, write: true }, mode: 0o666 } as const;
      return cluster.run(id, open, ALICE) as number;
    });
    const bytes = new Uint8Array(16 * BLOCK);
    let written = 0;
    for (let round = 0; round < 10; round++) {
      for (const id of [1, 2]) {
        const result = cluster.run(id, { kind: 'append', fd: fds[id - 1]!, bytes }, ALICE);
        if (typeof result === 'number') written += result / BLOCK;
      }
    }
    expect(written).toBeGreaterThan(150);
    expect(written).toBeLessThan(240);
    cluster.run(2, { kind: 'sync' });
    cluster.kill(2);
    cluster.pass(30 * SECOND);
    cluster.boot(2);
    cluster.passUntil(() => cluster.isMounted(2), 'the mount');
    cluster.run(1, { kind: 'close', fd: fds[0]! });
    for (const id of [1, 2]) cluster.unmount(id);
    expect(cluster.violations).toEqual([]);
    expectCounted(disk.image);
  });
});
