import { Dlm, type DlmInput, LockFlag, Mode } from '@quorate/dlm';
import { describe, expect, it } from 'vitest';
import { LOCKSPACE, Nodes } from './nodes.js';

describe('lock managers that dlm_controld starts and stops', () => {
  it('a lockspace is created on one node after the other', () => {
    const nodes = new Nodes([1, 2, 3]);
    expect(nodes.run()).toEqual(['1: created', '2: created', '3: created']);
    const views = [1, 2, 3].map((node) => nodes.cluster.nodes.get(node)!.dlm.inspect().lockspaces[0]!);
    expect(views.map(({ members, isRunning }) => ({ members, isRunning }))).toEqual(
      Array(3).fill({ members: [1, 2, 3], isRunning: true }),
    );
    expect(new Set(views.map(({ generation }) => generation)).size).toBe(1);
  });

  it('the lock of a dead node is given away when it is fenced, and what it may have written is not valid', () => {
    const nodes = new Nodes([1, 2, 3]);
    nodes.lock(1, 10, Mode.EX);
    nodes.run();
    nodes.lock(1, 10, Mode.NL, LockFlag.CONVERT);
    nodes.lock(3, 30, Mode.EX);
    nodes.run();
    nodes.lock(1, 10, Mode.PR, LockFlag.CONVERT);
    expect(nodes.run()).toEqual(['3: 30 is in the way of 3']);
    nodes.crash(3);
    nodes.daemons.newRing();
    nodes.lock(2, 20, Mode.CR);
    expect(nodes.run()).toEqual([]);
    nodes.fence(3);
    expect(nodes.run().sort()).toEqual([
      '1: 10 granted, value not valid',
      '1: 3 is gone from slot 3',
      '2: 20 granted, value not valid',
      '2: 3 is gone from slot 3',
    ]);
    expect(nodes.checker.violations).toEqual([]);
  });

  it('without quorum nobody is fenced, and no call comes back, not even an unlock', () => {
    const nodes = new Nodes([1, 2, 3]);
    nodes.lock(1, 10, Mode.EX);
    nodes.run();
    for (const node of [2, 3]) nodes.crash(node);
    nodes.daemons.newRing();
    nodes.cluster.input(1, { kind: 'unlock', lockspace: LOCKSPACE, handle: 10, flags: 0 });
    expect(nodes.run()).toEqual([]);
    expect(nodes.daemons.wait(LOCKSPACE, 1)).toBe('fencing');
    expect(nodes.checker.violations).toEqual([]);
  });

  it('a node leaves and comes back; its peers go on with the same values', () => {
    const nodes = new Nodes([1, 2]);
    nodes.lock(1, 10, Mode.EX);
    nodes.run();
    nodes.lock(1, 10, Mode.CR, LockFlag.CONVERT);
    nodes.run();
    nodes.cluster.input(2, { kind: 'release', lockspace: LOCKSPACE });
    expect(nodes.run()).toEqual(['2: released']);
    nodes.create(2);
    nodes.lock(2, 20, Mode.PR);
    expect(nodes.run()).toEqual(['2: created', '2: 20 granted, value 77777777']);
    expect(nodes.checker.violations).toEqual([]);
  });

  it('a lockspace that still waits for connections of an earlier one to end is released at once', () => {
    const kinds: string[] = [];
    const dlm = new Dlm({ nodeId: 1 });
    const step = (input: DlmInput): void => dlm.step(0, input, ({ kind }) => kinds.push(kind));
    const create = { kind: 'create', lockspace: LOCKSPACE, lvbLength: 8, isFs: false } as const;
    step(create);
    step({ kind: 'start', lockspace: LOCKSPACE, members: [{ node: 1 }, { node: 2 }] });
    step({ kind: 'release', lockspace: LOCKSPACE });
    step({ kind: 'left', lockspace: LOCKSPACE });
    kinds.length = 0;
    step(create);
    expect(kinds).toEqual([]);
    step({ kind: 'release', lockspace: LOCKSPACE });
    expect(kinds).toEqual(['released']);
  });
});
