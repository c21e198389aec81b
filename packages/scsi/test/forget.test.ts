import { expect, it } from 'vitest';
import { ReserveOut, testUnitReady, write10 } from '../src/index.js';
import { portOf, Rig } from './rig.js';

/** Nexuses that the target says it has forgotten. */
function forgotten(rig: Rig): readonly number[] {
  return rig.other.flatMap((output) => (output.kind === 'forgotten' ? [output.nexus] : []));
}

it('a nexus that left is forgotten: its port may come back under another number, and is new', () => {
  const rig = new Rig().login(1);
  rig.step({ kind: 'forget', nexus: 1 });
  expect(forgotten(rig)).toEqual([]);
  rig.step({ kind: 'logout', nexus: 1 });
  rig.step({ kind: 'forget', nexus: 1 });
  rig.step({ kind: 'forget', nexus: 1 });
  expect(forgotten(rig)).toEqual([1]);
  expect(rig.target.inspect().nexuses).toEqual([]);
  rig.step({ kind: 'login', nexus: 9, port: portOf(1) });
  expect(rig.outcome(9, testUnitReady())).toBe('6/29/00');
});

it('a nexus with a registration is not forgotten', () => {
  const rig = new Rig().login(1);
  rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
  rig.step({ kind: 'logout', nexus: 1 });
  rig.step({ kind: 'forget', nexus: 1 });
  expect(forgotten(rig)).toEqual([]);
});

it('a nexus whose commands are still carried out is not forgotten yet', () => {
  const rig = new Rig().login(1);
  rig.send(1, write10(0, 1), new Uint8Array(512));
  rig.step({ kind: 'nexus-lost', nexus: 1 });
  rig.step({ kind: 'forget', nexus: 1 });
  expect(forgotten(rig)).toEqual([]);
  rig.advance();
  rig.step({ kind: 'forget', nexus: 1 });
  expect(forgotten(rig)).toEqual([1]);
});
