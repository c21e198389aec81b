import { Checker, type Stamped } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { stackInvariants, type ThrownFact } from '../src/index.js';

function violated(input: string): string[] {
  const checker = new Checker(stackInvariants);
  const thrown = { kind: 'machine.thrown', machine: 'my-vm2', id: 2, input, message: 'out of range' } as const;
  const fact: Stamped<ThrownFact> = { ...thrown, now: 1, node: 0, life: 0, seq: 1, at: 1 };
  checker.observe(fact);
  return checker.violations.map(({ invariant, message, nodes }) => `${invariant} of ${nodes}: ${message}`);
}

it.each(['wake', 'power-off', 'exec'])('a machine that throws on %s violates S32', (input) => {
  expect(violated(input)).toEqual([`S32 of 2: my-vm2 threw on ${input}: out of range`]);
});

it.each(['frame', 'io-done'])('a machine that throws on the bytes of a %s violates S34, too', (input) => {
  const text = `of 2: my-vm2 threw on ${input}: out of range`;
  expect(violated(input)).toEqual([`S34 ${text}`, `S32 ${text}`]);
});
