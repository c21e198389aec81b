import { expect, it } from 'vitest';
import { ProcessTable } from '../src/cpg/process-table.js';

it.each([
  // processes by node and pid            the order in which a client's iteration finds them
  [
    ['a1', 'a2', 'a3'],
    ['a1', 'a3', 'a2'],
  ],
  [
    ['a1', 'b2', 'c3'],
    ['c3', 'b2', 'a1'],
  ],
  [
    ['a1', 'b2', 'a3', 'b4', 'a5'],
    ['b2', 'b4', 'a1', 'a5', 'a3'],
  ],
] as const)('%j are iterated as %j', (processes, expected) => {
  const table = new ProcessTable();
  for (const each of processes) table.add({ node: 1, pid: Number(each[1]), group: each[0]! });
  expect(table.grouped().map(({ group, pid }) => `${group}${pid}`)).toEqual(expected);
});
