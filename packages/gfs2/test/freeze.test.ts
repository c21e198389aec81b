import { SECOND, utf8Bytes, utf8Text } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import type { OperationResult } from '../src/calls/operation.js';
import { check } from '../src/check.js';
import { DIF } from '../src/ondisk/dinode.js';
import { Cluster } from './cluster.js';
import { formattedDisk } from './formatted-disk.js';
import { NodeDriver } from './node-driver.js';
import { fsck, hasProgram } from './real-programs.js';

const NODES = [1, 2, 3];
const empty = formattedDisk(64, { journals: 3, lockTable: 'my-cluster:storage', rgrpMiB: 32 });

/** Three nodes that have it mounted, each with a file that it has written to. */
function working(): { cluster: Cluster; fds: Map<number, number> } {
  const cluster = new Cluster(empty.fork(), { seed: 11 });
  for (const id of NODES) cluster.boot(id);
  cluster.passUntil(() => NODES.every((id) => cluster.isMounted(id)), 'the mounts');
  const fds = new Map<number, number>();
  for (const id of NODES) {
    const fd = cluster.run(id, { kind: 'open', path: `/f${id}`, flags: { create: true, write: true } }) as number;
    cluster.run(id, { kind: 'append', fd, bytes: utf8Bytes('before ') });
    fds.set(id, fd);
  }
  return { cluster, fds };
}

function read(cluster: Cluster, id: number, path: string): string {
  const fd = cluster.run(id, { kind: 'open', path }) as number;
  const bytes = cluster.run(id, { kind: 'pread', fd, offset: 0, length: 100 });
  cluster.run(id, { kind: 'close', fd });
  return bytes instanceof Uint8Array ? utf8Text(bytes) : String(bytes);
}

function end(cluster: Cluster, fds: ReadonlyMap<number, number>): void {
  for (const id of cluster.up) cluster.run(id, { kind: 'close', fd: fds.get(id)! });
  for (const id of cluster.up) cluster.unmount(id);
  expect(cluster.violations).toEqual([]);
  expect(check(cluster.disk.image)).toEqual([]);
  if (hasProgram('fsck.gfs2')) expect(fsck(cluster.disk.image)).toMatchObject({ status: 0 });
}

describe('a frozen file system', () => {
  it('lets nobody change it on any node, is clean on the disk, and goes on when it thaws', () => {
    const { cluster, fds } = working();
    expect(cluster.run(2, { kind: 'freeze' })).toBeUndefined();
    const results: OperationResult[] = [];
    for (const [id, fd] of fds) {
      cluster.start(id, { kind: 'append', fd, bytes: utf8Bytes('after') }, (result) => results.push(result));
      cluster.start(id, { kind: 'open', path: `/new${id}`, flags: { create: true, write: true } }, () => {});
    }
    const frozen = cluster.disk.fork();
    cluster.pass(40 * SECOND);
    expect(results).toEqual([]);
    // Byte for byte, for who takes a copy of the disk now.
    expect(check(cluster.disk.image, { mayHaveUnsyncedStatfs: true })).toEqual([]);
    for (let block = 0; block < frozen.image.sizeBytes / 65_536; block++) {
      expect(Buffer.compare(frozen.read(16 * block, 16), cluster.disk.read(16 * block, 16))).toBe(0);
    }
    expect(read(cluster, 3, '/f1')).toBe('before ');
    expect(cluster.run(2, { kind: 'freeze' })).toBe('EBUSY');
    expect(cluster.run(1, { kind: 'freeze' })).toBe('EBUSY');
    expect(cluster.run(1, { kind: 'thaw' })).toBe('EINVAL');
    expect(cluster.run(2, { kind: 'thaw' })).toBeUndefined();
    cluster.passUntil(() => results.length === 3, 'the writes');
    expect(results).toEqual([5, 5, 5]);
    cluster.pass(SECOND);
    for (const id of NODES) expect(read(cluster, 1 + (id % 3), `/f${id}`)).toBe('before after');
    expect(cluster.run(2, { kind: 'thaw' })).toBe('EINVAL');
    // The journal goes on behind the header that closed it: what comes after is replayed.
    cluster.run(3, { kind: 'fsync', fd: fds.get(3)! });
    cluster.kill(3);
    cluster.pass(30 * SECOND);
    expect(read(cluster, 1, '/f3')).toBe('before after');
    for (const id of [1, 2]) cluster.run(id, { kind: 'close', fd: 4 });
    end(cluster, fds);
  });

  it('thaws when the node that froze it is gone', () => {
    const { cluster, fds } = working();
    cluster.run(2, { kind: 'freeze' });
    let result: OperationResult = 'EAGAIN';
    cluster.start(1, { kind: 'append', fd: fds.get(1)!, bytes: utf8Bytes('after') }, (value) => {
      result = value;
    });
    cluster.kill(2);
    cluster.passUntil(() => result !== 'EAGAIN', 'the write');
    expect(result).toBe(5);
    end(cluster, fds);
  });

  it('freezes again at once, elsewhere, and with a mount under way', () => {
    const { cluster, fds } = working();
    for (let round = 0; round < 4; round++) {
      for (const id of NODES) {
        expect(cluster.run(id, { kind: 'freeze' })).toBeUndefined();
        expect(cluster.run(id, { kind: 'thaw' })).toBeUndefined();
        expect(cluster.run(id, { kind: 'mkdir', path: `/d${round}-${id}` })).toBeUndefined();
      }
    }
    cluster.run(3, { kind: 'close', fd: fds.get(3)! });
    cluster.unmount(3);
    cluster.boot(3);
    expect(cluster.run(1, { kind: 'freeze' })).toBeUndefined();
    expect(cluster.run(1, { kind: 'thaw' })).toBeUndefined();
    cluster.passUntil(() => cluster.isMounted(3), 'the mount');
    const fd = cluster.run(3, { kind: 'open', path: '/f3', flags: { write: true } }) as number;
    end(cluster, new Map([...fds, [3, fd]]));
  });
});

describe('a write that is to be synchronous', () => {
  const mounted = () => {
    const disk = formattedDisk(48, { rgrpMiB: 32 });
    return { disk, node: NodeDriver.mounted(disk) };
  };
  const contentAfterPowerCut = (disk: ReturnType<typeof mounted>['disk']): string => {
    const node = NodeDriver.mounted(disk.fork());
    const fd = node.run({ kind: 'open', path: '/f' });
    if (typeof fd !== 'number') return String(fd);
    return utf8Text(node.run({ kind: 'pread', fd, offset: 0, length: 10 }) as Uint8Array);
  };

  it('survives a power cut when the descriptor has O_SYNC, or the inode the flag', () => {
    const { disk, node } = mounted();
    const fd = node.run({ kind: 'open', path: '/f', flags: { create: true, write: true, sync: true } }) as number;
    expect(node.run({ kind: 'pwrite', fd, offset: 0, bytes: utf8Bytes('one') })).toBe(3);
    expect(contentAfterPowerCut(disk)).toBe('one');
    node.run({ kind: 'close', fd });
    const lazy = node.run({ kind: 'open', path: '/f', flags: { write: true } }) as number;
    node.run({ kind: 'append', fd: lazy, bytes: utf8Bytes('two') });
    expect(contentAfterPowerCut(disk)).toBe('one');
    node.run({ kind: 'setflags', path: '/f', flags: DIF.SYNC, mask: DIF.SYNC });
    node.run({ kind: 'append', fd: lazy, bytes: utf8Bytes('3') });
    expect(contentAfterPowerCut(disk)).toBe('onetwo3');
  });
});
