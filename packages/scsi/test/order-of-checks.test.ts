import { hex } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import {
  inquiry,
  ReserveOut,
  read10,
  reportLuns,
  requestSense,
  senseOf,
  senseText,
  testUnitReady,
  write10,
} from '../src/index.js';
import { portOf, Rig } from './rig.js';

const UNKNOWN = Uint8Array.of(0xc0, 0, 0, 0, 0, 0);
const BLOCK = new Uint8Array(512);

/** Initiator 1 holds Write Exclusive, initiator 2 is a stranger with a unit attention pending. */
function underReservation(): Rig {
  const rig = new Rig().login(1);
  rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
  rig.reserveOut(1, ReserveOut.reserve, 1, 1n);
  rig.step({ kind: 'login', nexus: 2, port: portOf(2) });
  return rig;
}

describe('the order of checks', () => {
  it('1: a logical unit that does not exist', () => {
    const rig = new Rig().login(1);
    expect(rig.outcome(1, testUnitReady(), undefined, 5)).toBe('5/25/00');
    expect(rig.outcome(1, UNKNOWN, undefined, 5)).toBe('5/25/00');
    expect(rig.run(1, inquiry(), undefined, 5).data[0]).toBe(0x7f);
    expect(hex(rig.run(1, reportLuns(), undefined, 5).data)).toBe('00000008000000000000000000000000');
    const { status, data } = rig.run(1, requestSense(), undefined, 5);
    expect([status, senseText(senseOf(data)!)]).toEqual([0, '5/25/00']);
  });

  it('2: a unit attention before an unknown opcode, a conflict and a wrong range', () => {
    for (const cdb of [UNKNOWN, write10(0, 1), read10(4000, 1)]) {
      const rig = underReservation();
      expect(rig.outcome(2, cdb, BLOCK)).toBe('6/29/00');
    }
  });

  it('2: INQUIRY and REPORT LUNS run and leave it, REQUEST SENSE takes it as data', () => {
    const rig = underReservation();
    expect([rig.outcome(2, inquiry()), rig.outcome(2, reportLuns())]).toEqual(['00', '00']);
    const { status, data } = rig.run(2, requestSense());
    expect([status, senseText(senseOf(data)!)]).toEqual([0, '6/29/00']);
    expect(rig.outcome(2, testUnitReady())).toBe('00');
  });

  it('3: an unknown opcode or service action before a conflict', () => {
    const rig = underReservation().login(2);
    expect(rig.outcome(2, UNKNOWN)).toBe('5/20/00');
    expect(rig.outcome(2, Uint8Array.of(0x5f, 0x09, 0, 0, 0, 0, 0, 0, 24, 0), new Uint8Array(24))).toBe('5/24/00');
  });

  it('4: a conflict before reserved bits, range and write protection', () => {
    const rig = underReservation().login(2);
    const reserved = write10(0, 1);
    reserved[6] = 0xe0;
    expect(rig.outcome(2, reserved, BLOCK)).toBe('18');
    expect(rig.outcome(2, write10(4000, 1), BLOCK)).toBe('18');
  });

  it('6: reserved bits before the range, the range before the length, the length before write protection', () => {
    const rig = new Rig({ units: [{ isWriteProtected: true, maxTransferBlocks: 4 }] }).login(1);
    const both = write10(4000, 5);
    both[6] = 0xe0;
    expect(hex(rig.run(1, both, BLOCK).sense.subarray(12))).toBe('240000cf0006');
    expect(rig.outcome(1, write10(4000, 5), BLOCK)).toBe('5/21/00');
    expect(rig.outcome(1, write10(0, 5), BLOCK)).toBe('5/24/00');
    expect(rig.outcome(1, write10(0, 4), BLOCK)).toBe('7/27/00');
  });
});
