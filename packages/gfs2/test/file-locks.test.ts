import { MILLISECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import type { OpenFile } from '../src/calls/descriptors.js';
import { type PlockCall, PosixLocks } from '../src/calls/posix-locks.js';
import type { Refusal } from '../src/refusal.js';
import { Scheduler } from '../src/scheduler.js';
import { Cluster } from './cluster.js';
import { formattedDisk } from './formatted-disk.js';

const empty = formattedDisk(96, { journals: 5, lockTable: 'my-cluster:storage', rgrpMiB: 32 });

function mounted(): Cluster {
  const cluster = new Cluster(empty.fork(), { seed: 1 });
  for (const id of [1, 2]) cluster.boot(id);
  cluster.passUntil(() => [1, 2].every((id) => cluster.isMounted(id)), 'the mounts');
  return cluster;
}

function open(cluster: Cluster, id: number): number {
  return cluster.run(id, { kind: 'open', path: '/lock', flags: { create: true, write: true } }) as number;
}

describe('flock', () => {
  it('is exclusive between nodes: LOCK_NB gives EAGAIN after its tries, and waiting gets it when it is given up', () => {
    const cluster = mounted();
    const [one, two] = [open(cluster, 1), open(cluster, 2)];
    expect(cluster.run(1, { kind: 'flock', fd: one, how: 'exclusive' })).toBeUndefined();
    const before = cluster.now;
    expect(cluster.run(2, { kind: 'flock', fd: two, how: 'exclusive' })).toBe('EAGAIN');
    expect(cluster.now - before).toBeGreaterThanOrEqual(7 * MILLISECOND);
    let result: unknown = 'waits';
    cluster.start(2, { kind: 'flock', fd: two, how: 'shared', isWaiting: true }, (value) => {
      result = value;
    });
    cluster.pass(100 * MILLISECOND);
    expect(result).toBe('waits');
    cluster.run(1, { kind: 'flock', fd: one, how: 'unlock' });
    cluster.passUntil(() => result !== 'waits', 'the lock');
    expect(result).toBeUndefined();
    expect(cluster.run(1, { kind: 'flock', fd: one, how: 'shared' })).toBeUndefined();
  });

  it('one that another node only keeps cached is had without waiting', () => {
    const cluster = mounted();
    const [one, two] = [open(cluster, 1), open(cluster, 2)];
    cluster.run(1, { kind: 'flock', fd: one, how: 'exclusive' });
    cluster.run(1, { kind: 'flock', fd: one, how: 'unlock' });
    expect(cluster.run(2, { kind: 'flock', fd: two, how: 'exclusive' })).toBeUndefined();
  });

  it('belongs to the open file: two of one node exclude each other, and closing gives it up', () => {
    const cluster = mounted();
    const [one, two] = [open(cluster, 1), open(cluster, 1)];
    cluster.run(1, { kind: 'flock', fd: one, how: 'exclusive' });
    expect(cluster.run(1, { kind: 'flock', fd: one, how: 'exclusive' })).toBeUndefined();
    expect(cluster.run(1, { kind: 'flock', fd: two, how: 'shared' })).toBe('EAGAIN');
    cluster.run(1, { kind: 'close', fd: one });
    expect(cluster.run(1, { kind: 'flock', fd: two, how: 'shared' })).toBeUndefined();
  });
});

describe('posix locks', () => {
  const END = 0x7fff_ffff_ffff_ffffn;
  const file = (process: number): OpenFile => ({ inode: { addr: 77 }, process }) as OpenFile;

  /** What is asked of dlm_controld, and what came of each call. */
  function locks() {
    const scheduler = new Scheduler();
    const asked: PlockCall[] = [];
    const posix = new PosixLocks(scheduler, (call) => asked.push(call));
    const results: unknown[] = [];
    const run = (call: Generator<unknown, unknown, unknown>): void => {
      const task = function* () {
        try {
          results.push(yield* call);
        } catch (error) {
          results.push((error as Refusal).errno);
        }
      };
      scheduler.start(task());
      scheduler.drain();
    };
    const done = (result: Parameters<PosixLocks['done']>[0]['result']): void => {
      posix.done({ kind: 'plock-done', id: asked.at(-1)!.id, result });
      scheduler.drain();
    };
    return { posix, asked, results, run, done, scheduler };
  }

  it.each([
    ['a range', { start: 10, length: 5 }, 10n, 14n],
    ['to the end', { start: 10 }, 10n, END],
  ])('%s', (_, range, start, end) => {
    const { posix, asked, run, done, results } = locks();
    run(posix.set(file(5), 'exclusive', range, true));
    expect(asked).toEqual([
      {
        kind: 'plock',
        id: 1,
        op: 'lock',
        number: 77n,
        start,
        end,
        owner: 5n,
        pid: 5,
        isExclusive: true,
        isWaiting: true,
        isClose: false,
      },
    ]);
    done(undefined);
    expect(results).toEqual([undefined]);
  });

  it('what is refused is the result; unlocking nothing is no failure; F_GETLK tells who is in the way', () => {
    const { posix, run, done, results } = locks();
    run(posix.set(file(5), 'shared', { start: 0 }, false));
    done('EAGAIN');
    run(posix.set(file(5), 'unlock', { start: 0 }, false));
    done('ENOENT');
    run(posix.get(file(5), 'shared', { start: 0 }));
    const inTheWay = { start: 0n, end: END, node: 2, pid: 9, isExclusive: true };
    done(inTheWay);
    run(posix.set(file(5), 'shared', { start: 0, length: 0 }, false));
    expect(results).toEqual(['EAGAIN', undefined, inTheWay, 'EINVAL']);
  });

  it('closing any descriptor of a file gives up what the process has there, once; others keep theirs', () => {
    const { posix, asked, run, done } = locks();
    run(posix.set(file(5), 'exclusive', { start: 0 }, false));
    done(undefined);
    posix.closed(file(6));
    expect(asked).toHaveLength(1);
    posix.closed(file(5));
    posix.closed(file(5));
    expect(asked).toHaveLength(2);
    expect(asked[1]).toMatchObject({ op: 'unlock', start: 0n, end: END, owner: 5n, isClose: true });
  });

  it('a process that is killed while it waits takes its request back', () => {
    const { posix, asked, run, results, scheduler } = locks();
    run(posix.set(file(5), 'exclusive', { start: 3 }, true));
    posix.killed(5);
    scheduler.drain();
    expect(asked[1]).toMatchObject({ op: 'unlock', start: 0n, owner: 5n, isClose: true });
    expect(results).toEqual(['EINTR']);
  });
});
