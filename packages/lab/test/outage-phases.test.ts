import { SECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { type AnyFact, phasesOf } from '../src/index.js';

let seq = 0;
function fact(at: number, kind: string, fields = {}): AnyFact {
  seq += 1;
  return { kind, now: at * SECOND, at: at * SECOND, node: 1, life: 1, seq, ...fields } as AnyFact;
}

const FACTS = [
  fact(9, 'rg.agent-ended', { action: 'start' }),
  fact(31, 'totem.configuration', { type: 'transitional', left: [2] }),
  fact(32, 'fenced.fenced', { victim: 2 }),
  fact(33, 'totem.configuration', { type: 'transitional', left: [] }),
  fact(35, 'rg.agent-ended', { action: 'start' }),
];

it.each([
  ['an outage that is over adds up to its length', 37, true, { detection: 21, fencing: 1, start: 3, ARP: 2 }],
  ['one that goes on has the stretches that are over', 34, false, { detection: 21, fencing: 1 }],
  ['one of which nothing has ended has none', 20, false, {}],
] as const)('%s', (_what, to, isOver, expected) => {
  const phases = phasesOf({ from: 10 * SECOND, to: to * SECOND }, FACTS, isOver);
  expect(Object.fromEntries(phases.map(({ name, seconds }) => [name, seconds]))).toEqual(expected);
});
