import { SECOND, utf8Bytes } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import type { OpenFlags } from '../src/calls/operation.js';
import { check } from '../src/check.js';
import { DIF } from '../src/ondisk/dinode.js';
import { formattedDisk } from './formatted-disk.js';
import { MemoryDisk } from './memory-disk.js';
import { NodeDriver } from './node-driver.js';

const BLOCK = 4096;
const PATH = '/f';

/** A node that counts its log flushes, with a file of four blocks and one in its dinode that are on the disk. */
function nodeWithFile(flags: OpenFlags, options = 'noatime') {
  const disk = formattedDisk(24);
  let flushes = 0;
  const observe = ({ kind }: { readonly kind: string }): void => {
    if (kind === 'gfs2.log-flush') flushes += 1;
  };
  const node = NodeDriver.mounted(disk, { observe }, options);
  for (const [path, size] of [
    [PATH, 4 * BLOCK],
    ['/small', 100],
  ] as const) {
    const fd = node.run({ kind: 'open', path, flags: { create: true, write: true } }) as number;
    node.run({ kind: 'append', fd, bytes: new Uint8Array(size).fill(0x61) });
    node.run({ kind: 'close', fd });
  }
  node.run({ kind: 'sync' });
  const fd = node.run({ kind: 'open', path: PATH, flags: { write: true, ...flags } }) as number;
  const flushesOf = (work: () => void): number => {
    const before = flushes;
    work();
    return flushes - before;
  };
  const write = (offset: number, text: string): number =>
    flushesOf(() => node.run({ kind: 'pwrite', fd, offset, bytes: utf8Bytes(text) }));
  return { disk, node, fd, write, flushesOf };
}

/** What the file has after the power was cut now, and when it was last changed. */
function afterPowerCut(disk: MemoryDisk, offset: number, length: number) {
  const node = NodeDriver.mounted(new MemoryDisk(BLOCK, disk.image.fork()));
  const fd = node.run({ kind: 'open', path: PATH }) as number;
  const bytes = node.run({ kind: 'pread', fd, offset, length }) as Uint8Array;
  const { mtime } = node.run({ kind: 'stat', path: PATH }) as { mtime: number };
  node.run({ kind: 'close', fd });
  node.unmount();
  expect(check(node.disk.image)).toEqual([]);
  return { text: String.fromCharCode(...bytes), mtime };
}

describe('O_DSYNC', () => {
  it('writes data in its old place without a flush of the log, and leaves the times behind', () => {
    const { disk, node, write } = nodeWithFile({ dsync: true });
    const { mtime } = afterPowerCut(disk, 0, 1);
    node.pass(5 * SECOND);
    disk.history = [];
    expect(write(BLOCK, 'here')).toBe(0);
    expect(disk.history.map((event) => (event === 'flush' ? 'flush' : 'write'))).toEqual(['write', 'flush']);
    expect(afterPowerCut(disk, BLOCK, 4)).toEqual({ text: 'here', mtime });
    node.run({ kind: 'sync' });
    expect(afterPowerCut(disk, BLOCK, 4).mtime).toBe(mtime + 5);
  });

  it('flushes what leads to the data: blocks, a size, and what was in memory before', () => {
    const { disk, node, write } = nodeWithFile({ dsync: true });
    expect(write(9 * BLOCK, 'far')).toBe(1);
    expect(afterPowerCut(disk, 9 * BLOCK, 9).text).toBe('far');
    expect(write(9 * BLOCK + 3, 'ther')).toBe(1);
    expect(afterPowerCut(disk, 9 * BLOCK, 9).text).toBe('farther');
    const fd = node.run({ kind: 'open', path: PATH, flags: { write: true } }) as number;
    node.run({ kind: 'pwrite', fd, offset: 20 * BLOCK, bytes: utf8Bytes('later') });
    node.run({ kind: 'close', fd });
    expect(write(20 * BLOCK, 'L')).toBe(1);
    expect(afterPowerCut(disk, 20 * BLOCK, 5).text).toBe('Later');
    expect(write(20 * BLOCK, 'L')).toBe(0);
  });

  it('flushes for data in the dinode or in the journal', () => {
    const { node, flushesOf } = nodeWithFile({});
    const small = node.run({ kind: 'open', path: '/small', flags: { write: true, dsync: true } }) as number;
    expect(flushesOf(() => node.run({ kind: 'pwrite', fd: small, offset: 0, bytes: utf8Bytes('x') }))).toBe(1);
    node.run({ kind: 'setflags', path: PATH, flags: DIF.JDATA, mask: DIF.JDATA });
    node.run({ kind: 'sync' });
    const journaled = node.run({ kind: 'open', path: PATH, flags: { write: true, dsync: true } }) as number;
    expect(flushesOf(() => node.run({ kind: 'pwrite', fd: journaled, offset: 0, bytes: utf8Bytes('x') }))).toBe(1);
  });
});

it('O_SYNC flushes the log for the times too, and so does fsync; fdatasync and chattr +S do as O_DSYNC', () => {
  const { disk, node, write, fd, flushesOf } = nodeWithFile({ sync: true });
  node.pass(5 * SECOND);
  expect(write(BLOCK, 'here')).toBe(1);
  expect(afterPowerCut(disk, BLOCK, 4).text).toBe('here');
  const plain = nodeWithFile({});
  expect(plain.write(BLOCK, 'here')).toBe(0);
  expect(afterPowerCut(plain.disk, BLOCK, 4).text).toBe('aaaa');
  expect(plain.flushesOf(() => plain.node.run({ kind: 'fdatasync', fd: plain.fd }))).toBe(0);
  expect(afterPowerCut(plain.disk, BLOCK, 4).text).toBe('here');
  expect(plain.flushesOf(() => plain.node.run({ kind: 'fsync', fd: plain.fd }))).toBe(1);
  node.run({ kind: 'close', fd });
  node.run({ kind: 'setflags', path: PATH, flags: DIF.SYNC, mask: DIF.SYNC });
  node.run({ kind: 'sync' });
  const marked = node.run({ kind: 'open', path: PATH, flags: { write: true } }) as number;
  expect(flushesOf(() => node.run({ kind: 'pwrite', fd: marked, offset: 0, bytes: utf8Bytes('x') }))).toBe(0);
  expect(afterPowerCut(disk, 0, 1).text).toBe('x');
});
