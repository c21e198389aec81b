import {
  type ControldInput,
  DAEMON_GROUP,
  DlmControld,
  invariants,
  lockspaceGlobalId,
  lockspaceGroup,
} from '@quorate/dlm';
import { Checker, hex, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { Daemons, type DaemonsOptions } from './daemons.js';

/** Three nodes with the lockspace `ls` running. */
function threeNodes(options?: DaemonsOptions): Daemons {
  const daemons = new Daemons([1, 2, 3], options);
  for (const node of [1, 2, 3]) daemons.online(node, 'ls');
  daemons.take();
  return daemons;
}

describe('joining and leaving', () => {
  it('the first member starts alone; every join stops all and starts all', () => {
    const daemons = new Daemons([1, 2, 3]);
    daemons.online(1, 'ls');
    expect(daemons.take()).toEqual(['1 start ls: 1', '1 joined ls']);
    daemons.online(2, 'ls');
    expect(daemons.take()).toEqual(['1 stop ls', '1 start ls: 1 2', '2 start ls: 1 2', '2 joined ls']);
    daemons.online(3, 'ls');
    const started = ['1 start ls: 1 2 3', '2 start ls: 1 2 3', '3 start ls: 1 2 3', '3 joined ls'];
    expect(daemons.take()).toEqual(['1 stop ls', '2 stop ls', ...started]);
  });

  it('a node that leaves is not fenced, and not called failed', () => {
    const daemons = threeNodes();
    daemons.input(3, { kind: 'offline', lockspace: 'ls' });
    expect(daemons.take()).toEqual(['1 stop ls', '2 stop ls', '3 left ls', '1 start ls: 1 2', '2 start ls: 1 2']);
  });

  it('a node that leaves and joins before the others could start is new to them', () => {
    const daemons = threeNodes();
    daemons.crash(2);
    daemons.newRing();
    daemons.victims([2]);
    daemons.input(3, { kind: 'offline', lockspace: 'ls' });
    daemons.drain();
    daemons.online(3, 'ls');
    daemons.fenced(2);
    expect(daemons.take().filter((line) => line.startsWith('1'))).toEqual(['1 stop ls', '1 start ls: 1 3!, failed 2']);
  });

  it('lockspaces are independent: a member of one does not stop the other', () => {
    const daemons = threeNodes();
    daemons.online(1, 'other');
    expect(daemons.take()).toEqual(['1 start other: 1', '1 joined other']);
  });

  it('a lockspace that is given up while its group is being joined is left as soon as CPG lets one leave', () => {
    const calls: string[] = [];
    const controld = new DlmControld({ nodeId: 7 });
    const step = (input: ControldInput): void =>
      controld.step(0, input, (output) => {
        if (output.kind === 'cpg-mcast') step({ ...output, kind: 'message', from: 7, payload: output.payload.slice() });
        else if ('group' in output || output.kind === 'left') calls.push(output.kind);
      });
    const confchg = { kind: 'confchg', members: [7], joined: [7], left: [] } as const;
    step({ kind: 'start' });
    step({ ...confchg, group: DAEMON_GROUP });
    step({ kind: 'online', lockspace: 'ls' });
    step({ kind: 'offline', lockspace: 'ls' });
    expect(calls).toEqual(['cpg-join', 'cpg-join']);
    step({ ...confchg, group: lockspaceGroup('ls') });
    step({ ...confchg, group: lockspaceGroup('ls'), members: [], joined: [], left: [{ node: 7, reason: 'leave' }] });
    expect(calls).toEqual(['cpg-join', 'cpg-join', 'cpg-leave', 'left']);
  });

  it('SIGTERM ends a daemon without lockspaces only', () => {
    const daemons = threeNodes();
    const said: string[] = [];
    const terminate = (): void =>
      daemons.daemons.get(3)!.controld.step(0, { kind: 'shutdown' }, (output) => {
        said.push(output.kind === 'log' ? output.text : output.kind);
      });
    terminate();
    daemons.input(3, { kind: 'offline', lockspace: 'ls' });
    daemons.drain();
    terminate();
    expect(said).toEqual(['shutdown ignored, active lockspaces', 'exited']);
  });

  it('a lockspace that the kernel has from before makes the node leave the cluster', () => {
    const outputs: unknown[] = [];
    const controld = new DlmControld({ nodeId: 7 });
    controld.step(0, { kind: 'start', uncontrolled: ['old'] }, (output) => outputs.push(output));
    expect(outputs).toContainEqual({ kind: 'kick', node: 7 });
    expect(outputs).not.toContainEqual({ kind: 'cpg-join', group: DAEMON_GROUP });
  });
});

describe('a node dies', () => {
  it('everybody stops at once, and waits for the new ring, then for fencing', () => {
    const daemons = threeNodes();
    daemons.crash(3);
    expect(daemons.take()).toEqual(['1 stop ls', '2 stop ls']);
    expect(daemons.wait('ls', 1)).toBe('ringid');
    daemons.newRing();
    daemons.victims([3]);
    expect(daemons.wait('ls', 1)).toBe('fencing');
    daemons.now = SECOND;
    daemons.fenced(3);
    expect(daemons.take()).toEqual(['1 start ls: 1 2, failed 3', '2 start ls: 1 2, failed 3']);
  });

  // Storms 50 and 112 of swarm shut down without the quorum device.
  it('without quorum a lockspace is left, unless `enable_quorum` asks for it', () => {
    const leave = (enableQuorum: boolean): readonly (string | undefined)[] => {
      const daemons = threeNodes({ enableQuorum });
      daemons.loseQuorum(1);
      daemons.loseQuorum(2);
      daemons.input(3, { kind: 'offline', lockspace: 'ls' });
      daemons.drain();
      return [1, 2].map((node) => daemons.wait('ls', node));
    };
    expect(leave(false)).toEqual([undefined, undefined]);
    expect(leave(true)).toEqual(['quorum', 'quorum']);
  });

  it('with `enable_quorum` it waits, however long, and says so once a second, later once an hour', () => {
    const daemons = threeNodes({ enableQuorum: true });
    daemons.crash(3);
    daemons.crash(2);
    daemons.newRing();
    expect(daemons.wait('ls', 1)).toBe('quorum');
    const { machine } = daemons.daemons.get(1)!;
    const logged: number[] = [];
    while (machine.deadline() < 10_000 * SECOND) {
      daemons.now = machine.deadline();
      machine.step(daemons.now, { kind: 'wake' }, (output) => {
        if (output.kind === 'log' && output.text === 'ls wait for quorum') logged.push(daemons.now / SECOND);
      });
    }
    expect(logged.slice(0, 3)).toEqual([1, 2, 3]);
    expect(logged.slice(-2)).toEqual([3660, 7260]);
  });

  it('quorum that goes while the STARTs of others are waited for does not hold it up', () => {
    const daemons = threeNodes({ enableQuorum: true });
    daemons.crash(3);
    daemons.newRing();
    daemons.take();
    daemons.now = SECOND;
    daemons.input(1, { kind: 'fenced', node: 3, at: SECOND });
    expect(daemons.wait('ls', 1)).toBe('messages');
    daemons.loseQuorum(1);
    daemons.fenced(3);
    expect(daemons.take()).toEqual(['1 start ls: 1 2, failed 3', '2 start ls: 1 2, failed 3']);
  });

  it('fencing that was done before it failed does not count', () => {
    const daemons = threeNodes();
    daemons.fenced(3);
    daemons.now = SECOND;
    daemons.crash(3);
    daemons.newRing();
    expect(daemons.wait('ls', 1)).toBe('fencing');
  });

  it('a victim that was never a member holds it up, too', () => {
    const daemons = new Daemons([1, 2, 3]);
    daemons.victims([9]);
    daemons.online(1, 'ls');
    expect(daemons.wait('ls', 1)).toBe('fencing');
    daemons.victims([]);
    expect(daemons.take()).toEqual(['1 start ls: 1', '1 joined ls']);
  });

  it.each([
    ['after there was a lockspace', ['online', 'register']],
    ['before there was a lockspace', ['register', 'online']],
  ] as const)('a file system that registered %s has to have heard of it', (_, order) => {
    const daemons = new Daemons([1, 2, 3]);
    for (const node of [1, 2, 3]) {
      for (const what of order) {
        if (what === 'online') daemons.online(node, 'ls');
        else daemons.input(node, { kind: 'fs-registered', lockspace: 'ls' });
      }
    }
    daemons.crash(3);
    daemons.newRing();
    daemons.fenced(3);
    expect(daemons.wait('ls', 1)).toBe('fs');
    daemons.take();
    for (const node of [1, 2]) daemons.input(node, { kind: 'fs-notified', lockspace: 'ls', node: 3 });
    expect(daemons.take()).toEqual(['1 start ls: 1 2, failed 3', '2 start ls: 1 2, failed 3']);
  });

  it('what a file system said of a node before it joined is not about its death', () => {
    const daemons = new Daemons([1, 2, 3]);
    for (const node of [1, 2]) {
      daemons.input(node, { kind: 'fs-registered', lockspace: 'ls' });
      daemons.online(node, 'ls');
      daemons.input(node, { kind: 'fs-notified', lockspace: 'ls', node: 3 });
    }
    daemons.online(3, 'ls');
    daemons.crash(3);
    daemons.newRing();
    daemons.fenced(3);
    expect(daemons.wait('ls', 1)).toBe('fs');
  });

  it('only its daemon: the node is expelled, since nobody controls its lockspaces', () => {
    const daemons = threeNodes();
    daemons.crash(3, 'procdown');
    expect(daemons.take()).toEqual(['1 stop ls', '1 kick 3', '2 stop ls', '2 kick 3']);
  });

  it('a second death while the first is dealt with: both are waited for, and one start tells of both', () => {
    const daemons = new Daemons([1, 2, 3, 4, 5]);
    for (const node of [1, 2, 3, 4, 5]) daemons.online(node, 'ls');
    daemons.crash(5);
    daemons.newRing();
    daemons.crash(4);
    daemons.newRing();
    daemons.take();
    daemons.input(1, { kind: 'fenced', node: 5, at: daemons.now });
    expect(daemons.wait('ls', 1)).toBe('fencing');
    for (const node of [4, 5]) daemons.fenced(node);
    expect(daemons.take()).toEqual([1, 2, 3].map((node) => `${node} start ls: 1 2 3, failed 4 5`));
  });
});

describe('partitions', () => {
  it('the side without quorum fences nobody and stands still; after a merge the side with quorum has the other killed', () => {
    const daemons = threeNodes();
    daemons.now = SECOND;
    daemons.split([1, 2], [3]);
    for (const node of [1, 2]) daemons.input(node, { kind: 'victims', nodes: [3] });
    expect(daemons.take().sort()).toEqual(['1 stop ls', '2 stop ls', '3 stop ls']);
    expect([daemons.wait('ls', 1), daemons.wait('ls', 3)]).toEqual(['fencing', 'fencing']);
    daemons.now = 2 * SECOND;
    daemons.merge();
    const lines = daemons.take();
    expect(lines).toContain('1 kick 3');
    expect(lines).toContain('2 kick 3');
    expect(lines).not.toContain('3 kick 1');
    expect(lines.filter((line) => line.includes('start'))).toEqual([]);
  });
});

describe('two changes that look alike', () => {
  /** What nodes started with, when fenced has no victim any more on these. */
  function starts(daemons: Daemons, nodes: readonly number[]): string[] {
    for (const node of nodes) daemons.input(node, { kind: 'victims', nodes: [] });
    return daemons.take().filter((line) => line.includes(' start '));
  }

  function waiting(daemons: Daemons, nodes: readonly number[]): void {
    for (const node of nodes) daemons.input(node, { kind: 'victims', nodes: [9] });
    daemons.drain();
  }

  it('the older one is not refused once more by who has sent a START for one in between', () => {
    const daemons = new Daemons([1, 2, 3, 4]);
    for (const node of [2, 3, 4]) daemons.online(node, 'ls');
    waiting(daemons, [2, 4]);
    daemons.online(1, 'ls');
    daemons.input(3, { kind: 'offline', lockspace: 'ls' });
    daemons.drain();
    starts(daemons, [2]);
    daemons.online(3, 'ls');
    expect(starts(daemons, [4])).toEqual([
      '2 start ls: 1 2 3! 4',
      '4 start ls: 1 2 3! 4',
      '1 start ls: 1 2 3! 4',
      '3 start ls: 1 2 3 4',
    ]);
  });

  it('a newcomer that knows only the newer one takes what refuses the older one for what it is', () => {
    const daemons = new Daemons([1, 2, 3, 4]);
    for (const node of [1, 2, 3]) daemons.online(node, 'ls');
    daemons.take();
    waiting(daemons, [1, 2, 3]);
    daemons.online(4, 'ls');
    daemons.input(1, { kind: 'offline', lockspace: 'ls' });
    daemons.input(1, { kind: 'victims', nodes: [] });
    daemons.drain();
    daemons.online(1, 'ls');
    expect(starts(daemons, [2, 3])).toEqual([
      '2 start ls: 1! 2 3 4',
      '3 start ls: 1! 2 3 4',
      '4 start ls: 1! 2 3 4',
      '1 start ls: 1 2 3 4',
    ]);
  });
});

describe('messages', () => {
  it('START: header, counts of the change, and the ids of its members', () => {
    const daemons = new Daemons([1, 2]);
    daemons.online(1, 'ls');
    const id = lockspaceGlobalId('ls');
    const start = daemons.messages.find(({ group }) => group === lockspaceGroup('ls'))!;
    const [word, half] = [hexOf(4), hexOf(2)];
    expect(hex(start.payload)).toBe(
      [
        [1, 1, 1, 2].map(half),
        // Sender, to all, lockspace, JOINING, first change.
        [1, 0, id, 1, 1, 0, 0, 0].map(word),
        // Sizes, number of ids, started count; members, joined, removed, failed; the ids.
        [32, 4, 1, 0, 1, 1, 0, 0, 1].map(word),
      ]
        .flat()
        .join(''),
    );
  });

  it('PROTOCOL: the highest versions, and zeros for what runs until all have agreed', () => {
    const daemons = new Daemons([1, 2]);
    const half = hexOf(2);
    const protocols = daemons.messages.filter(({ group }) => group === DAEMON_GROUP).map(({ payload }) => hex(payload));
    const header = (node: number): string => [...[0, 0, 0, 1].map(half), hexOf(4)(node), '00'.repeat(28)].join('');
    const version = [1, 1, 1, 0].map(half).join('');
    expect(protocols[0]).toBe(`${header(1)}${version}${version}${'00'.repeat(16)}`);
    expect(protocols.at(-1)).toBe(`${header(2)}${version.repeat(4)}`);
  });

  it.each([
    ['short', new Uint8Array(39)],
    ['wrong-sender', message({ from: 2 })],
    ['wrong-group', message({ type: 1, bodyBytes: 32 })],
    ['wrong-version', message({ major: 9 })],
    ['no-match', message({})],
    ['bad-size', message({ infoBytes: 31 })],
    ['short', message({ ids: 100 })],
  ])('%s: refused, and nothing happens', (reason, payload) => {
    const daemons = threeNodes();
    daemons.input(1, { kind: 'message', group: lockspaceGroup('ls'), from: 3, payload });
    expect(daemons.take()).toEqual([`1 reject ${reason}`]);
  });
});

describe('the invariants', () => {
  it('hold over joins, deaths and leaves', () => {
    const checker = new Checker(invariants);
    const daemons = new Daemons([1, 2, 3], { onFact: (fact) => checker.observe(fact) });
    for (const node of [1, 2, 3]) daemons.online(node, 'ls');
    daemons.crash(3);
    daemons.newRing();
    daemons.fenced(3);
    daemons.input(2, { kind: 'offline', lockspace: 'ls' });
    daemons.drain();
    expect(checker.violations).toEqual([]);
  });
});

/** Little-endian, of that many bytes. */
function hexOf(bytes: number): (value: number) => string {
  return (value) => {
    const view = new DataView(new ArrayBuffer(4));
    view.setUint32(0, value, true);
    return hex(new Uint8Array(view.buffer, 0, bytes));
  };
}

interface Bent {
  readonly from?: number;
  readonly type?: number;
  readonly major?: number;
  readonly infoBytes?: number;
  readonly ids?: number;
  readonly bodyBytes?: number;
}

/** A START of node 3 for a change that nobody has, with one thing changed. */
function message({ from = 3, type = 2, major = 1, infoBytes = 32, ids = 0, bodyBytes = 32 }: Bent): Uint8Array {
  const view = new DataView(new ArrayBuffer(40 + bodyBytes));
  view.setUint16(0, major, true);
  view.setUint16(6, type, true);
  view.setUint32(8, from, true);
  view.setUint32(40, infoBytes, true);
  view.setUint32(44, 4, true);
  view.setUint32(48, ids, true);
  return new Uint8Array(view.buffer);
}
