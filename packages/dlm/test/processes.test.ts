import { type DlmOutput, invariants, Mode } from '@quorate/dlm';
import { Checker } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Cluster, createLockspace } from '../src/conformance/cluster.js';

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
