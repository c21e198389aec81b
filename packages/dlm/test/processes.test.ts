import { type DlmOutput, invariants, LockFlag, Mode, Status, StatusFlag } from '@quorate/dlm';
import { Checker } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Cluster, changeMembers, createLockspace } from '../src/conformance/cluster.js';

const LOCKSPACE = 'ls';
const [HOLDER, WAITER] = [11, 12];

// Found by storms in which clvmd was killed: its unlocks completed, and nobody had told that they had begun.
it.each([
  ['holds locks', HOLDER],
  ['waits for locks', WAITER],
])('a process that %s ends without breaking a rule, and others go on', (_, process) => {
  const checker = new Checker(invariants);
  const granted: number[] = [];
  const onOutput = (_node: number, output: DlmOutput): void => {
    if (output.kind === 'cast') granted.push(output.handle);
  };
  const cluster = new Cluster({ nodes: [1, 2], onOutput, onFact: (fact) => checker.observe(fact) });
  createLockspace(cluster, LOCKSPACE);
  const lock = (name: string, handle: number, by: number): void =>
    cluster.input(1, { kind: 'lock', lockspace: LOCKSPACE, handle, name, mode: Mode.EX, flags: 0, process: by });
  // Some are mastered here, some on the other node.
  const names = Array.from({ length: 8 }, (_each, i) => `r${i}`);
  for (const [i, name] of names.entries()) {
    lock(name, 100 + i, HOLDER);
    lock(name, 200 + i, WAITER);
  }
  cluster.settle();
  expect(granted).toHaveLength(8);
  cluster.input(1, { kind: 'process-exit', lockspace: LOCKSPACE, process });
  cluster.settle();
  for (const [i, name] of names.entries()) lock(name, 300 + i, HOLDER);
  cluster.settle();
  checker.end(cluster.now);
  expect(checker.violations).toEqual([]);
  // Who waited is granted what the dead had, and the next ones queue.
  expect(granted).toHaveLength(process === HOLDER ? 16 : 8);
});

// Found by lock chaos: zeros were the value then, and valid.
it.each([1, 2])(
  'what a process was to be granted when it was killed is given back without a value (on node %i)',
  (node) => {
    const flags: number[] = [];
    const onOutput = (_node: number, output: DlmOutput): void => {
      if (output.kind === 'cast' && output.handle === 1) flags.push(output.flags);
    };
    const cluster = new Cluster({ nodes: [1, 2], onOutput });
    createLockspace(cluster, LOCKSPACE);
    const about = { lockspace: LOCKSPACE, name: 'r', flags: LockFlag.VALBLK };
    const keep = (mode: number, convert = 0): void => {
      const lvb = new Uint8Array(32).fill(5);
      cluster.input(2, { kind: 'lock', ...about, handle: 1, mode, flags: about.flags | convert, lvb, process: HOLDER });
      cluster.settle();
    };
    keep(Mode.EX);
    keep(Mode.NL, LockFlag.CONVERT);
    cluster.input(node, { kind: 'lock', ...about, handle: 2, mode: Mode.EX, process: WAITER });
    cluster.input(node, { kind: 'process-exit', lockspace: LOCKSPACE, process: WAITER });
    cluster.settle();
    keep(Mode.PR, LockFlag.CONVERT);
    expect(flags).toEqual([0, 0, StatusFlag.VALNOTVALID]);
  },
);

// Found by a storm: the packet was numbered here and refused there, and the numbers never met again.
it('what is asked of a node that is no member yet does not stand in the way of its messages later', () => {
  const cast: number[] = [];
  const onOutput = (_node: number, output: DlmOutput): void => {
    if (output.kind === 'cast') cast.push(output.handle);
  };
  const cluster = new Cluster({ nodes: [1, 2], onOutput });
  const create = (node: number): void =>
    cluster.input(node, { kind: 'create', lockspace: LOCKSPACE, lvbLength: 8, isFs: false });
  create(1);
  changeMembers(cluster, LOCKSPACE, [1], []);
  cluster.input(1, { kind: 'purge', lockspace: LOCKSPACE, node: 2, process: HOLDER });
  cluster.settle();
  create(2);
  changeMembers(cluster, LOCKSPACE, [1, 2], []);
  cluster.settle();
  for (const node of [1, 2]) {
    for (let i = 0; i < 8; i++) {
      const about = { lockspace: LOCKSPACE, handle: 10 * node + i, name: `r${i}`, mode: Mode.CR, flags: 0 };
      cluster.input(node, { kind: 'lock', ...about });
    }
  }
  cluster.settle();
  expect(cast).toHaveLength(16);
});

it('a conversion that was demoted while it waited says so when it is canceled', () => {
  const heard: string[] = [];
  const onOutput = (_node: number, output: DlmOutput): void => {
    if (output.kind === 'cast') heard.push(`${output.handle}: ${output.status} ${output.mode} ${output.flags}`);
  };
  const cluster = new Cluster({ nodes: [1], onOutput });
  createLockspace(cluster, LOCKSPACE);
  const lock = (handle: number, mode: number, flags: number): void =>
    cluster.input(1, { kind: 'lock', lockspace: LOCKSPACE, handle, name: 'r', mode, flags });
  for (const handle of [1, 2, 3]) lock(handle, Mode.CR, 0);
  for (const handle of [1, 2]) lock(handle, Mode.EX, LockFlag.CONVERT | LockFlag.CONVDEADLK);
  heard.length = 0;
  cluster.input(1, { kind: 'unlock', lockspace: LOCKSPACE, handle: 2, flags: LockFlag.CANCEL });
  expect(heard).toEqual([`2: ${Status.ECANCEL} ${Mode.NL} ${StatusFlag.DEMOTED}`]);
});

// Found by a storm: the fact of its end said that it had lost its mode for nothing.
it('a conversion that was demoted while it waited says so when its process has left it behind', () => {
  const checker = new Checker(invariants);
  const cluster = new Cluster({ nodes: [1], onFact: (fact) => checker.observe(fact) });
  createLockspace(cluster, LOCKSPACE);
  const lock = (handle: number, mode: number, flags: number): void => {
    const process = handle === 2 ? HOLDER : WAITER;
    cluster.input(1, { kind: 'lock', lockspace: LOCKSPACE, handle, name: 'r', mode, flags, process });
  };
  for (const handle of [1, 2, 3]) lock(handle, Mode.CR, LockFlag.PERSISTENT);
  for (const handle of [1, 2]) lock(handle, Mode.EX, LockFlag.CONVERT | LockFlag.CONVDEADLK | LockFlag.PERSISTENT);
  cluster.input(1, { kind: 'process-exit', lockspace: LOCKSPACE, process: HOLDER });
  expect(checker.violations).toEqual([]);
});

// Found by lock chaos, and only where the master is elsewhere: the cancel, which had been sent before, took the flag away again.
it('a conversion is demoted after its owner has canceled it, and says so', () => {
  const heard: string[] = [];
  const checker = new Checker(invariants);
  const onOutput = (node: number, output: DlmOutput): void => {
    if (node === 2 && output.kind === 'cast') heard.push(`${output.status} ${output.mode} ${output.flags}`);
  };
  const cluster = new Cluster({ nodes: [1, 2], onOutput, onFact: (fact) => checker.observe(fact) });
  createLockspace(cluster, LOCKSPACE);
  const lock = (node: number, handle: number, mode: number, flags: number): void => {
    cluster.input(node, { kind: 'lock', lockspace: LOCKSPACE, handle, name: 'r', mode, flags });
  };
  lock(1, 1, Mode.PR, 0);
  cluster.settle();
  lock(2, 2, Mode.PR, 0);
  cluster.settle();
  lock(1, 1, Mode.EX, LockFlag.CONVERT);
  lock(1, 3, Mode.CR, 0);
  cluster.settle();
  heard.length = 0;
  lock(2, 2, Mode.EX, LockFlag.CONVERT | LockFlag.CONVDEADLK);
  cluster.input(2, { kind: 'unlock', lockspace: LOCKSPACE, handle: 2, flags: LockFlag.CANCEL });
  cluster.settle();
  expect(heard).toEqual([`${Status.ECANCEL} ${Mode.NL} ${StatusFlag.DEMOTED}`]);
  expect(checker.violations).toEqual([]);
});

// It stayed on its queue, and was granted once more: no mode.
it('a queued conversion whose alternate mode is the one that it has leaves its queue when it is granted', () => {
  const heard: string[] = [];
  const onOutput = (_node: number, output: DlmOutput): void => {
    if (output.kind === 'cast') heard.push(`${output.handle}: ${output.status} ${output.mode} ${output.flags}`);
  };
  const cluster = new Cluster({ nodes: [1], onOutput });
  createLockspace(cluster, LOCKSPACE);
  const lock = (handle: number, mode: number, flags: number): void =>
    cluster.input(1, { kind: 'lock', lockspace: LOCKSPACE, handle, name: 'r', mode, flags });
  for (const handle of [1, 2]) lock(handle, Mode.PR, 0);
  lock(2, Mode.EX, LockFlag.CONVERT);
  lock(1, Mode.EX, LockFlag.CONVERT | LockFlag.ALTPR | LockFlag.NODLCKWT);
  heard.length = 0;
  cluster.input(1, { kind: 'unlock', lockspace: LOCKSPACE, handle: 2, flags: LockFlag.CANCEL });
  expect(heard).toEqual([`2: ${Status.ECANCEL} ${Mode.PR} 0`, `1: ${Status.granted} ${Mode.PR} ${StatusFlag.ALTMODE}`]);
  lock(1, Mode.EX, LockFlag.CONVERT | LockFlag.NOQUEUE);
  expect(heard.at(-1)).toBe(`1: ${Status.EAGAIN} ${Mode.PR} 0`);
});
