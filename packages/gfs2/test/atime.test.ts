import { SECOND, utf8Bytes } from '@quorate/kernel';
import { expect, it } from 'vitest';
import type { Stat } from '../src/calls/operation.js';
import { DIF } from '../src/ondisk/dinode.js';
import { Cluster } from './cluster.js';
import { formattedDisk } from './formatted-disk.js';
import { NodeDriver, WALL } from './node-driver.js';

/** A node that has read a file and a directory at certain times, in seconds after the start, and what it noted each time. */
function reading(options: string, times: readonly number[], change: (node: NodeDriver, at: number) => void = () => {}) {
  const node = NodeDriver.mounted(formattedDisk(24), {}, options);
  node.run({ kind: 'mkdir', path: '/d' });
  node.run({ kind: 'symlink', path: '/s', target: 'f' });
  const fd = node.run({ kind: 'open', path: '/f', flags: { create: true, write: true } }) as number;
  node.run({ kind: 'append', fd, bytes: utf8Bytes('x') });
  return times.map((at) => {
    node.pass(at * SECOND - node.now);
    change(node, at);
    node.run({ kind: 'pread', fd, offset: 0, length: 1 });
    node.run({ kind: 'readdir', path: '/d' });
    node.run({ kind: 'readlink', path: '/s' });
    return ['/f', '/d', '/s'].map((path) => (node.run({ kind: 'lstat', path }) as Stat).atime - WALL.sec);
  });
}

it('relatime notes the first read after a change, and one a day', () => {
  const [first, again, changed, nextDay] = reading('relatime', [10, 3600, 7200, 7200 + 25 * 3600], (node, at) => {
    if (at !== 7200) return;
    const fd = node.run({ kind: 'open', path: '/f', flags: { write: true } }) as number;
    node.run({ kind: 'append', fd, bytes: utf8Bytes('y') });
    node.run({ kind: 'close', fd });
  });
  expect(first).toEqual([10, 10, 10]);
  expect(again).toEqual([10, 10, 10]);
  expect(changed).toEqual([7200, 10, 10]);
  expect(nextDay).toEqual([97_200, 97_200, 97_200]);
});

it('strictatime notes every read, noatime and what was not asked for none', () => {
  expect(reading('strictatime', [10, 20])).toEqual([
    [10, 10, 10],
    [20, 20, 20],
  ]);
  expect(reading('strictatime,nodiratime', [10])).toEqual([[10, 0, 10]]);
  for (const options of ['noatime', '']) expect(reading(options, [10])).toEqual([[0, 0, 0]]);
});

it('leaves inodes alone that say so, and a file system that is frozen', () => {
  const quiet = { kind: 'setflags', path: '/f', flags: DIF.NOATIME, mask: DIF.NOATIME } as const;
  expect(reading('strictatime', [10], (node) => void node.run(quiet))).toEqual([[0, 10, 10]]);
  expect(reading('strictatime', [10], (node) => void node.run({ kind: 'freeze' }))).toEqual([[0, 0, 0]]);
});

it('other nodes see it', () => {
  const disk = formattedDisk(48, { journals: 2, lockTable: 'my-cluster:storage', rgrpMiB: 32 });
  const cluster = new Cluster(disk, { seed: 2, mountOptions: 'relatime' });
  for (const id of [1, 2]) cluster.boot(id);
  cluster.passUntil(() => cluster.isMounted(1) && cluster.isMounted(2), 'the mounts');
  const fd = cluster.run(1, { kind: 'open', path: '/f', flags: { create: true, write: true } }) as number;
  cluster.run(1, { kind: 'append', fd, bytes: utf8Bytes('x') });
  cluster.pass(3600 * SECOND);
  const before = cluster.now;
  const other = cluster.run(2, { kind: 'open', path: '/f' }) as number;
  cluster.run(2, { kind: 'pread', fd: other, offset: 0, length: 1 });
  const { atime } = cluster.run(1, { kind: 'stat', path: '/f' }) as Stat;
  expect(atime).toBe(WALL.sec + Math.floor(before / SECOND));
  expect(cluster.violations).toEqual([]);
});
