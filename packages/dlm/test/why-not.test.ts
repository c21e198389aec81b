import { LockFlag, Mode, waitingLocks, whyNot } from '@quorate/dlm';
import { SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { LOCKSPACE, Nodes } from './nodes.js';

/** Why the lock of that node that waits does so, with the nodes that can be asked. */
function why(nodes: Nodes, node: number, reachable: readonly number[] = [1, 2, 3]): readonly string[] {
  nodes.run();
  const views = nodes.views();
  const view = views.get(node)!.dlm.lockspaces[0]!;
  for (const id of [...views.keys()]) if (!reachable.includes(id)) views.delete(id);
  const [lkid = 0x99] = waitingLocks(view);
  return whyNot(views, { lockspace: LOCKSPACE, node, lkid });
}

describe('a lock that waits for other locks', () => {
  it('names the holders with their modes, and who was there first', () => {
    const nodes = new Nodes([1, 2, 3]);
    nodes.lock(1, 10, Mode.PR);
    nodes.run();
    nodes.lock(2, 20, Mode.PR);
    nodes.run();
    nodes.lock(3, 30, Mode.EX);
    nodes.run();
    nodes.lock(1, 11, Mode.PR);
    expect(why(nodes, 1)).toEqual([
      'lock 00000004 of node 1 waits for PR on "r"',
      expect.stringMatching(/^it is number 2 of 2 requests at node \d, the master$/),
      'lock 00000001 of node 3 waits for EX before it',
    ]);
    expect(why(nodes, 3).slice(2).sort()).toEqual([
      'lock 00000001 of node 1 holds PR',
      'lock 00000001 of node 2 holds PR',
    ]);
  });

  it('a conversion says what it has', () => {
    const nodes = new Nodes([1, 2, 3]);
    for (const node of [1, 2]) {
      nodes.lock(node, node, Mode.PR);
      nodes.run();
    }
    nodes.lock(1, 1, Mode.EX, LockFlag.CONVERT);
    const [first, second, third] = why(nodes, 1);
    expect([first, third]).toEqual([
      'lock 00000001 of node 1 waits for EX instead of PR on "r"',
      'lock 00000001 of node 2 holds PR',
    ]);
    expect(second).toContain('number 1 of 1 conversions');
  });

  it('says so when the master cannot be asked', () => {
    const nodes = new Nodes([1, 2, 3]);
    nodes.lock(1, 10, Mode.EX);
    nodes.run();
    nodes.lock(2, 20, Mode.EX);
    nodes.run();
    const master = nodes
      .views()
      .get(2)!
      .dlm.lockspaces[0]!.resources.find(({ name }) => name === 'r')!.master;
    expect(why(nodes, 2, [2])).toEqual(
      master === 2
        ? expect.anything()
        : [
            'lock 00000001 of node 2 waits for EX on "r"',
            `node ${master} is the master of "r"`,
            `node ${master} does not answer`,
          ],
    );
  });

  it('one that is held says so, one that there is not as well', () => {
    const nodes = new Nodes([1]);
    nodes.lock(1, 10, Mode.PW);
    nodes.run();
    const views = nodes.views();
    expect(whyNot(views, { lockspace: LOCKSPACE, node: 1, lkid: 1 })).toEqual([
      'lock 00000001 of node 1 holds PW on "r"',
    ]);
    expect(whyNot(views, { lockspace: LOCKSPACE, node: 1, lkid: 9 })).toEqual([
      'node 1 has no lock 00000009 in lockspace ls',
    ]);
    expect(whyNot(views, { lockspace: LOCKSPACE, node: 4, lkid: 1 })).toEqual(['node 4 does not answer']);
  });
});

describe('a lockspace that stands still', () => {
  /** Node 2 waits for node 1's lock, node 3 dies. */
  function oneDies(): Nodes {
    const nodes = new Nodes([1, 2, 3]);
    nodes.lock(1, 10, Mode.EX);
    nodes.run();
    nodes.lock(2, 20, Mode.EX);
    nodes.run();
    nodes.cluster.runTo(2 * SECOND);
    nodes.run();
    nodes.crash(3);
    return nodes;
  }

  it('complaint 1: a fence that never succeeds is named, with the node that it does not fence', () => {
    const nodes = oneDies();
    nodes.daemons.newRing();
    nodes.daemons.victims([3]);
    nodes.cluster.runTo(nodes.cluster.now + 90 * SECOND);
    nodes.run();
    for (const node of [1, 2]) nodes.daemons.input(node, { kind: 'wake' });
    const [first, second, third] = why(nodes, 2);
    expect(first).toBe('lock 00000001 of node 2 waits for EX on "r"');
    expect(second).toMatch(/^lockspace ls stands still on node 2: change \d waits for fencing of node 3 since 90 s$/);
    expect(third).toMatch(
      /^fenced has not dealt with node 3, which failed 9\d s ago: fence it, or say so with fence_ack_manual$/,
    );
  });

  it('complaint 2: without quorum it says that, and who is left', () => {
    const nodes = new Nodes([1, 2, 3], { enableQuorum: true });
    nodes.lock(2, 20, Mode.EX);
    nodes.run();
    nodes.crash(1);
    nodes.crash(3);
    nodes.daemons.newRing();
    nodes.run();
    expect(why(nodes, 2)).toEqual([
      'node 2 has no lock 00000099 in lockspace ls',
      expect.stringMatching(/^lockspace ls stands still on node 2: change \d waits for quorum since 0 s$/),
      'the cluster is not quorate: of it there is only node 2',
    ]);
  });

  it('a member that waits for another one is asked what that one waits for', () => {
    const nodes = oneDies();
    nodes.daemons.newRing();
    nodes.daemons.input(2, { kind: 'fenced', node: 3, at: nodes.daemons.now });
    nodes.daemons.input(1, { kind: 'victims', nodes: [3] });
    nodes.run();
    const reasons = why(nodes, 2);
    expect(reasons[1]).toMatch(
      /^lockspace ls stands still on node 2: change \d waits for the START of node 1 since 0 s$/,
    );
    expect(reasons[2]).toMatch(
      /^lockspace ls stands still on node 1: change \d waits for fencing of node 3 since \d+ s$/,
    );
    expect(reasons[3]).toMatch(/^fenced has not dealt with node 3/);
    expect(why(nodes, 2, [2])[2]).toBe('node 1 does not answer');
  });

  it('a file system that has not noted the failure is named', () => {
    const nodes = oneDies();
    for (const node of [1, 2]) nodes.daemons.input(node, { kind: 'fs-registered', lockspace: LOCKSPACE });
    nodes.daemons.newRing();
    nodes.fence(3);
    expect(why(nodes, 2)[1]).toMatch(/change \d waits for the file system to note that node 3 failed since \d+ s$/);
  });
});

describe('asking all nodes through their daemons', () => {
  const ASKED = { kind: 'ask-views', id: 9, lockspace: LOCKSPACE, resources: ['r'] } as const;

  /** Node 1 is the master, node 2 holds, node 3 waits. */
  function holderAndWaiter(): Nodes {
    const nodes = new Nodes([1, 2, 3]);
    for (const [node, mode] of [
      [1, Mode.NL],
      [2, Mode.EX],
      [3, Mode.EX],
    ] as const) {
      nodes.lock(node, node, mode);
      nodes.run();
    }
    return nodes;
  }

  it('each shows what it has of the resource, and the sentences name all three', () => {
    const nodes = holderAndWaiter();
    const other = { handle: 99, name: 'other', mode: Mode.NL, flags: LockFlag.VALBLK, lvb: new Uint8Array(8) };
    nodes.cluster.input(1, { kind: 'lock', lockspace: LOCKSPACE, ...other });
    nodes.daemons.input(3, ASKED);
    nodes.run();
    const told = nodes.daemons.told[0]!;
    expect([...told.keys()]).toEqual([1, 2]);
    expect(told.get(1)!.dlm.lockspaces[0]!.resources.map(({ name }) => name)).toEqual(['r']);
    const views = new Map([...told, [3, nodes.views().get(3)!]]);
    expect(whyNot(views, { lockspace: LOCKSPACE, node: 3, lkid: 1 })).toEqual([
      'lock 00000001 of node 3 waits for EX on "r"',
      'it is number 1 of 1 requests at node 1, the master',
      'lock 00000001 of node 2 holds EX',
    ]);
  });

  it('who does not answer within two seconds is left out', () => {
    const nodes = holderAndWaiter();
    nodes.daemons.deaf.add(1);
    nodes.daemons.input(3, ASKED);
    nodes.run();
    expect(nodes.daemons.told).toEqual([]);
    nodes.cluster.runTo(nodes.cluster.now + 2 * SECOND);
    nodes.run();
    nodes.daemons.input(3, { kind: 'wake' });
    nodes.run();
    expect(nodes.daemons.told.map((views) => [...views.keys()])).toEqual([[2]]);
  });

  it('who leaves is not waited for', () => {
    const nodes = holderAndWaiter();
    nodes.daemons.deaf.add(1);
    nodes.daemons.input(3, ASKED);
    nodes.run();
    nodes.crash(1);
    nodes.run();
    expect(nodes.daemons.told.map((views) => [...views.keys()])).toEqual([[2]]);
  });
});
