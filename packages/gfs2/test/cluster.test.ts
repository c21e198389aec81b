import { MILLISECOND, Prng, SECOND, utf8Bytes, utf8Text } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import type { OpenFlags, Stat } from '../src/calls/operation.js';
import { check } from '../src/check.js';
import type { Dinode } from '../src/ondisk/dinode.js';
import { Volume } from '../src/volume.js';
import { Cluster, type ClusterOptions } from './cluster.js';
import { formattedDisk } from './formatted-disk.js';
import { fsck, hasProgram } from './real-programs.js';

const NODES = [1, 2, 3, 4, 5];
const ERAS = ['rhel6', 'modern'] as const;

const empty = formattedDisk(96, { journals: 5, lockTable: 'my-cluster:storage', rgrpMiB: 32 });

/** Five nodes that have an empty file system mounted. */
function mountedCluster(options: ClusterOptions, nodes: readonly number[] = NODES): Cluster {
  const cluster = new Cluster(empty.fork(), options);
  for (const id of nodes) cluster.boot(id);
  cluster.passUntil(() => nodes.every((id) => cluster.isMounted(id)), 'the mounts');
  return cluster;
}

function open(cluster: Cluster, id: number, path: string, flags: OpenFlags = { create: true, write: true }): number {
  const fd = cluster.run(id, { kind: 'open', path, flags });
  if (typeof fd !== 'number') throw new Error(`open of ${path} on node ${id}: ${fd}`);
  return fd;
}

function read(cluster: Cluster, id: number, path: string): string {
  const fd = open(cluster, id, path, {});
  const bytes = cluster.run(id, { kind: 'pread', fd, offset: 0, length: 1_000_000 });
  cluster.run(id, { kind: 'close', fd });
  return bytes instanceof Uint8Array ? utf8Text(bytes) : String(bytes);
}

function write(cluster: Cluster, id: number, path: string, text: string, isSynced = false): void {
  const fd = open(cluster, id, path, { create: true, write: true, truncate: true });
  expect(cluster.run(id, { kind: 'append', fd, bytes: utf8Bytes(text) })).toBe(text.length);
  if (isSynced) cluster.run(id, { kind: 'fsync', fd });
  cluster.run(id, { kind: 'close', fd });
}

/** Unmounts everywhere; what is left must please everybody who looks. */
function end(cluster: Cluster, isForReal = false): void {
  for (const id of cluster.up) cluster.unmount(id);
  expect(cluster.violations).toEqual([]);
  expect(check(cluster.disk.image)).toEqual([]);
  if (isForReal && hasProgram('fsck.gfs2')) expect(fsck(cluster.disk.image)).toMatchObject({ status: 0 });
}

describe.each(ERAS)('five nodes, %s', (era) => {
  it('lose no line that any of them appends to a shared file, and each reads what the others have written', () => {
    const cluster = mountedCluster({ seed: 1, era });
    const fds = new Map(NODES.map((id) => [id, open(cluster, id, '/log', { create: true, append: true })]));
    const written: string[] = [];
    let pending = 0;
    for (let round = 0; round < 12; round++) {
      for (const id of NODES) {
        const line = `line ${round} of node ${id}\n`;
        pending += 1;
        cluster.start(id, { kind: 'append', fd: fds.get(id)!, bytes: utf8Bytes(line) }, (result) => {
          expect(result).toBe(line.length);
          written.push(line);
          pending -= 1;
        });
      }
      cluster.passUntil(() => pending < 3, 'the appends');
    }
    cluster.passUntil(() => pending === 0, 'the last appends');
    const text = read(cluster, 3, '/log');
    expect(text.split('\n').sort()).toEqual([...written.map((line) => line.trimEnd()), ''].sort());
    for (const id of NODES) expect(read(cluster, id, '/log')).toBe(text);
    for (const [id, fd] of fds) cluster.run(id, { kind: 'close', fd });
    end(cluster, true);
  });

  it('see the names that others make, move and remove in a shared directory', () => {
    const cluster = mountedCluster({ seed: 2, era });
    cluster.run(1, { kind: 'mkdir', path: '/shared' });
    for (const id of NODES) write(cluster, id, `/shared/of-${id}`, `by ${id}`);
    cluster.run(2, { kind: 'rename', from: '/shared/of-1', to: '/shared/of-9' });
    cluster.run(3, { kind: 'unlink', path: '/shared/of-4' });
    for (const id of NODES) {
      const entries = cluster.run(id, { kind: 'readdir', path: '/shared' }) as readonly { name: string }[];
      expect(entries.map(({ name }) => name).sort()).toEqual(['of-2', 'of-3', 'of-5', 'of-9']);
      expect(read(cluster, id, '/shared/of-9')).toBe('by 1');
      expect(cluster.run(id, { kind: 'stat', path: '/shared/of-4' })).toBe('ENOENT');
    }
    end(cluster);
  });

  it('keep what a dead node had synced, and go on when another has replayed its journal', () => {
    const cluster = mountedCluster({ seed: 3, era });
    const big = 'x'.repeat(20_000);
    write(cluster, 2, '/synced', big, true);
    write(cluster, 2, '/seen', 'read by another', false);
    expect(read(cluster, 4, '/seen')).toBe('read by another');
    cluster.kill(2);
    // Nobody gets what node 2 holds before the replay.
    const start = cluster.now;
    expect(read(cluster, 1, '/synced')).toBe(big);
    expect(cluster.now - start).toBeGreaterThan(20 * SECOND);
    expect(read(cluster, 3, '/seen')).toBe('read by another');
    const replays = cluster.log.filter((line) => line.includes('jid=1: Replayed'));
    expect(replays).toHaveLength(1);
    cluster.boot(2);
    cluster.passUntil(() => cluster.isMounted(2), 'the new mount');
    expect(read(cluster, 2, '/synced')).toBe(big);
    end(cluster);
  });

  it.each([
    ['waiting for a resource group', 'node 1: block true', true],
    ['waiting for the figures', 'node 1: block true', false],
    ['while the replay is under way', 'jid=1: Looking at journal...', true],
  ])('let the last one unmount, %s, once it has replayed the journal of the dead one', (_when, begin, isLast) => {
    const cluster = mountedCluster({ seed: 6, era }, [1, 2]);
    write(cluster, 1, '/of-1', 'by the last one');
    write(cluster, 2, '/of-2', 'by the dead one', true);
    cluster.log.length = 0;
    cluster.kill(2);
    cluster.passUntil(() => cluster.log.some((line) => line.includes(begin)), begin);
    expect(cluster.log.some((line) => line.includes('jid=1: Replayed'))).toBe(false);
    cluster.unmount(1, isLast);
    end(cluster);
    expect(cluster.log.filter((line) => line.includes('jid=1: Replayed'))).toHaveLength(1);
  });

  it('keep the figures of one that dies, and of another that dies while it brings its own to the disk', () => {
    const cluster = mountedCluster({ seed: 8, era }, [1, 2]);
    const { addr } = Volume.open(cluster.disk.image)!.systemFile('statfs') as Dinode;
    const figures = (): string => cluster.disk.read(addr, 1).subarray(232, 256).join();
    cluster.pass(20 * SECOND);
    cluster.boot(3);
    cluster.passUntil(() => cluster.isMounted(3), 'the mount');
    write(cluster, 3, '/of-3', 'counted 30 s after the mount');
    cluster.pass(15 * SECOND);
    write(cluster, 2, '/of-2', 'not counted yet', true);
    const before = figures();
    cluster.passUntil(() => figures() !== before, 'the sync of node 3');
    cluster.kill(2);
    cluster.kill(3);
    end(cluster, true);
  });

  it('are not harmed by one that hangs, is fenced and goes on as if nothing had been', () => {
    const cluster = mountedCluster({ seed: 4, era });
    write(cluster, 1, '/file', 'before', true);
    const fd = open(cluster, 1, '/file', { write: true });
    cluster.start(1, { kind: 'pwrite', fd, offset: 0, bytes: utf8Bytes('zombie') }, () => {});
    cluster.pause(1);
    write(cluster, 2, '/file', 'after', true);
    const results: unknown[] = [];
    cluster.resume(1);
    cluster.start(1, { kind: 'fsync', fd }, (result) => results.push(result));
    cluster.pass(40 * SECOND);
    expect(results).toEqual(['EIO']);
    expect(cluster.log.some((line) => line.startsWith('node 1 withdrew'))).toBe(true);
    expect(read(cluster, 3, '/file')).toBe('after');
    end(cluster);
  });

  it('take over from one whose disk refuses it, once it has withdrawn', () => {
    const cluster = mountedCluster({ seed: 5, era });
    write(cluster, 5, '/kept', 'synced', true);
    write(cluster, 5, '/lost', 'not synced');
    cluster.cutDisk(5);
    expect(cluster.run(5, { kind: 'sync' })).toBe('EIO');
    expect(read(cluster, 1, '/kept')).toBe('synced');
    cluster.passUntil(() => !cluster.up.includes(5), 'the withdrawal');
    expect(cluster.run(1, { kind: 'stat', path: '/lost' })).toBe('ENOENT');
    end(cluster);
  });

  it('delete an unlinked file only after its last close, wherever that is', () => {
    const cluster = mountedCluster({ seed: 6, era });
    const before = cluster.run(3, { kind: 'statfs' }) as { dinodes: number };
    write(cluster, 1, '/open', 'x'.repeat(50_000));
    const fd = open(cluster, 3, '/open', {});
    expect(cluster.run(1, { kind: 'unlink', path: '/open' })).toBeUndefined();
    cluster.pass(20 * SECOND);
    const bytes = cluster.run(3, { kind: 'pread', fd, offset: 49_990, length: 100 }) as Uint8Array;
    expect(utf8Text(bytes)).toBe('x'.repeat(10));
    cluster.run(3, { kind: 'close', fd });
    cluster.pass(40 * SECOND);
    for (const id of NODES) cluster.run(id, { kind: 'sync' });
    cluster.pass(40 * SECOND);
    expect(cluster.run(3, { kind: 'statfs' })).toMatchObject({ dinodes: before.dinodes });
    end(cluster);
  });
});

it.each([0, 1, 2, 6])(
  'an unmount ends, though another node has asked %i ms before for a file just written',
  (before) => {
    const cluster = mountedCluster({ seed: 1 }, [1, 2]);
    write(cluster, 1, '/file', 'x'.repeat(5000));
    let size = 0;
    cluster.start(2, { kind: 'stat', path: '/file' }, (found) => {
      size = (found as Stat).size;
    });
    cluster.pass(before * MILLISECOND);
    cluster.unmount(1);
    cluster.passUntil(() => size > 0, 'the stat');
    expect(size).toBe(5000);
    end(cluster);
  },
);

it.each(['reads', 'disk'] as const)('an unmount ends though its %s fail while the figures are synced', (what) => {
  const cluster = mountedCluster({ seed: 2 }, [1, 2]);
  write(cluster, 1, '/one', 'text', true);
  // What this node has of the figures is older than what the other one tells.
  write(cluster, 2, '/two', 'text', true);
  cluster.run(2, { kind: 'sync' });
  cluster.pass(60 * SECOND);
  if (what === 'disk') cluster.cutDisk(1);
  else cluster.failReads(1, true);
  cluster.unmount(1);
  expect(cluster.log.some((line) => line.startsWith('node 1 withdrew'))).toBe(what === 'disk');
  expect(read(cluster, 2, '/one')).toBe('text');
  end(cluster);
});

it('five idle mounts do less than one thing a second, all together', () => {
  const cluster = mountedCluster({ seed: 10 });
  write(cluster, 1, '/file', 'text');
  cluster.pass(120 * SECOND);
  const before = cluster.events;
  cluster.pass(600 * SECOND);
  expect(cluster.events - before).toBeLessThan(600);
  end(cluster);
});

describe('found by random histories', () => {
  it('a file is made in a block whose lock the node that freed it still has', () => {
    const cluster = mountedCluster({ seed: 7 }, [1, 2]);
    for (let round = 0; round < 8; round++) {
      write(cluster, 1, '/a', `round ${round}`);
      expect(read(cluster, 2, '/a')).toBe(`round ${round}`);
      expect(cluster.run(2, { kind: 'unlink', path: '/a' })).toBeUndefined();
      cluster.pass(round * SECOND);
      cluster.run(1, { kind: 'sync' });
    }
    end(cluster);
  });

  it('an orphan that several nodes closed at once is reclaimed by the last one to unmount', () => {
    const cluster = mountedCluster({ seed: 9 });
    write(cluster, 1, '/orphan', 'x'.repeat(9000));
    const fds = NODES.map((id) => open(cluster, id, '/orphan', {}));
    cluster.run(1, { kind: 'unlink', path: '/orphan' });
    cluster.pass(SECOND);
    for (const id of NODES) cluster.start(id, { kind: 'close', fd: fds[id - 1]! }, () => {});
    cluster.pass(20 * SECOND);
    end(cluster);
  });
});

/** What one random node does next. */
function randomCall(prng: Prng): Parameters<Cluster['start']>[1] {
  const path = (): string => `/${'de'[prng.below(2)]}/${'abcd'[prng.below(4)]}`;
  switch (prng.below(6)) {
    case 0:
      return { kind: 'unlink', path: path() };
    case 1:
      return { kind: 'rename', from: path(), to: path() };
    case 2:
      return { kind: 'link', from: path(), to: path() };
    case 3:
      return { kind: 'mkdir', path: path() };
    case 4:
      return { kind: 'rmdir', path: path() };
    default:
      return { kind: 'readdir', path: `/${'de'[prng.below(2)]}` };
  }
}

/** Opens, writes, and closes now or later. */
function writeSometime(cluster: Cluster, id: number, path: string, prng: Prng): void {
  cluster.start(id, { kind: 'open', path, flags: { create: true, write: true } }, (fd) => {
    if (typeof fd !== 'number') return;
    const bytes = new Uint8Array(1 + prng.below(30_000)).fill(66);
    const close = (): void => {
      if (cluster.up.includes(id)) cluster.start(id, { kind: 'close', fd }, () => {});
    };
    cluster.start(id, { kind: 'append', fd, bytes }, () => cluster.after(prng.below(9) * SECOND, close));
  });
}

describe('storms', () => {
  it.each([
    ['rhel6', 'kill'],
    ['modern', 'kill'],
    ['rhel6', 'isolate'],
    ['modern', 'isolate'],
  ] as const)('%s: random calls on all nodes and one that is lost (%s) leave a clean image', (era, loss) => {
    const cluster = mountedCluster({ seed: 8, era });
    const prng = new Prng(8, 1, 2, 3);
    for (const path of ['/d', '/e']) cluster.run(1, { kind: 'mkdir', path });
    for (let step = 0; step < 120; step++) {
      const id = cluster.up[prng.below(cluster.up.length)]!;
      if (prng.below(2) === 0) cluster.start(id, randomCall(prng), () => {});
      else writeSometime(cluster, id, `/${'de'[prng.below(2)]}/${'abcd'[prng.below(4)]}`, prng);
      cluster.pass(prng.below(30) * MILLISECOND);
      if (step === 60) cluster[loss](cluster.up[1]!);
    }
    cluster.pass(90 * SECOND);
    end(cluster, loss === 'kill');
  });
});
