import { LockFlag, Mode, Status } from '@quorate/dlm';
import { SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { DeadlockCycle } from '../src/deadlock/deadlock-cycle.js';
import { deadlockVictims, type GraphLock } from '../src/deadlock/wait-for-graph.js';
import { LOCKSPACE, Nodes } from './nodes.js';

/** `1 holds a EX`, `2 waits for a PR`: transaction, resource, mode. */
function locks(...lines: readonly string[]): GraphLock[] {
  return lines.map((line, i) => {
    const [transaction, resource, mode] = line.replace('waits for', 'waits').split(/ holds | waits | /) as [
      string,
      string,
      string,
    ];
    const isGranted = line.includes('holds');
    const [grmode, rqmode] = [isGranted ? Mode[mode as 'EX'] : Mode.IV, isGranted ? Mode.IV : Mode[mode as 'EX']];
    return { home: 1, lkid: i + 1, transaction, resource, status: isGranted ? 'granted' : 'waiting', grmode, rqmode };
  });
}

describe('the graph of who waits for whom', () => {
  it.each([
    ['nobody waits', ['1 holds a EX', '2 holds b EX'], []],
    ['a chain ends', ['1 holds a EX', '2 waits for a PR', '2 holds b EX', '3 waits for b PR'], []],
    ['a circle of two', ['1 holds a EX', '2 holds b EX', '1 waits for b EX', '2 waits for a EX'], [4]],
    ['shared locks are in nobody’s way', ['1 holds a PR', '2 holds b PR', '1 waits for b PR', '2 waits for a PR'], []],
    [
      'a circle of three, and one who waits for it',
      [
        '1 holds a EX',
        '2 holds b EX',
        '3 holds c EX',
        '1 waits for b EX',
        '2 waits for c EX',
        '3 waits for a EX',
        '4 waits for a EX',
      ],
      [6],
    ],
    [
      'two circles',
      [
        '1 holds a EX',
        '2 holds b EX',
        '1 waits for b EX',
        '2 waits for a EX',
        '3 holds c EX',
        '4 holds d EX',
        '3 waits for d EX',
        '4 waits for c EX',
      ],
      [8, 4],
    ],
    ['who waits for himself only', ['1 holds a EX', '1 waits for a EX'], []],
  ])('%s', (_, lines, victims) => {
    expect(deadlockVictims(locks(...lines)).map(({ lkid }) => lkid)).toEqual(victims);
  });
});

describe('daemons look for deadlocks', () => {
  /** Node 1 holds a and wants b, which node 2 holds, who wants a. */
  function deadlocked(): Nodes {
    const nodes = new Nodes([1, 2, 3], { enableDeadlock: true });
    const lock = (node: number, handle: number, name: string): void => {
      nodes.cluster.input(node, {
        kind: 'lock',
        lockspace: LOCKSPACE,
        handle,
        name,
        mode: Mode.EX,
        flags: LockFlag.VALBLK,
        xid: node,
      });
      nodes.cluster.runTo(nodes.cluster.now + SECOND);
    };
    lock(1, 10, 'a');
    lock(2, 20, 'b');
    lock(1, 11, 'b');
    lock(2, 21, 'a');
    nodes.heard.length = 0;
    return nodes;
  }

  it('when a lock has waited for five seconds: the victim’s call ends with EDEADLK', () => {
    const nodes = deadlocked();
    nodes.cluster.runTo(nodes.cluster.now + 10 * SECOND);
    expect(nodes.run()).toEqual([`2: 21 ${Status.EDEADLK}, value 00000000`]);
    nodes.cluster.input(2, { kind: 'unlock', lockspace: LOCKSPACE, handle: 20, flags: 0 });
    expect(nodes.run()).toEqual([`2: 20 ${Status.EUNLOCK}, value 00000000`, '1: 11 granted, value 00000000']);
    expect(nodes.checker.violations).toEqual([]);
  });

  it('when an administrator asks for it', () => {
    const nodes = deadlocked();
    nodes.daemons.input(3, { kind: 'deadlock-check', lockspace: LOCKSPACE });
    expect(nodes.run()).toEqual([`2: 21 ${Status.EDEADLK}, value 00000000`]);
  });

  it('not without a circle', () => {
    const nodes = deadlocked();
    nodes.cluster.input(2, { kind: 'unlock', lockspace: LOCKSPACE, handle: 21, flags: LockFlag.CANCEL });
    nodes.run();
    nodes.daemons.input(3, { kind: 'deadlock-check', lockspace: LOCKSPACE });
    expect(nodes.run()).toEqual([]);
  });

  it('the next node decides when the lowest one leaves before it could', () => {
    const sent: string[] = [];
    const cycle = new DeadlockCycle(2, {
      cycleStart: () => {},
      cycleEnd: () => sent.push('end'),
      checkpointReady: () => {},
      cancelLock: (node, lkid) => sent.push(`cancel ${node}/${lkid}`),
      section: () => {},
      readLocks: () => {},
      cancel: () => {},
      log: () => {},
    });
    const own = { exflags: 0, flags: 0, process: 0, nodeid: 0, remid: 0 };
    const held = (xid: number, id: number) =>
      ({ ...own, xid, id, status: 'granted', grmode: Mode.EX, rqmode: Mode.IV }) as const;
    const asked = (xid: number, id: number) =>
      ({ ...own, xid, id, status: 'waiting', grmode: Mode.IV, rqmode: Mode.EX }) as const;
    cycle.confchg([1, 2, 3], []);
    cycle.receiveCycleStart(3);
    cycle.receiveSection(2, { resource: 'a', locks: [held(7, 1), asked(8, 2)] });
    cycle.receiveSection(3, { resource: 'b', locks: [held(8, 1), asked(7, 2)] });
    for (const node of [2, 3]) cycle.receiveCheckpointReady(node);
    expect(sent).toEqual([]);
    cycle.confchg([2, 3], [1]);
    expect(sent).toEqual(['cancel 2/2', 'end']);
  });
});
