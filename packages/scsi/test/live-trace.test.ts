import { cString, hex } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import {
  DISK_SERVICE,
  decodeKeys,
  decodeReservation,
  IMMEDIATE_SERVICE,
  persistentReserveIn,
  ReserveIn,
  ReserveOut,
  read10,
  readCapacity10,
  synchronizeCache10,
  testUnitReady,
  write10,
} from '../src/index.js';
import { Rig } from './rig.js';

const { register, reserve, release, clear, preempt, preemptAndAbort, registerAndIgnoreExistingKey } = ReserveOut;
const [a, b, c] = [1, 2, 3] as const;
const BLOCK = new Uint8Array(512);

/**
 * The trace that the specification took from LIO and tgt with three raw iSCSI initiators, one session each: the column
 * "ours", step by step. Where it differs from LIO the standard is followed (READ CAPACITY and SYNCHRONIZE CACHE under a
 * reservation, the status for unregistered callers, the generation at an unregister).
 */
describe.each([
  ['with latency', DISK_SERVICE],
  ['answered at once', IMMEDIATE_SERVICE],
] as const)('live trace of persistent reservations, %s', (_how, service) => {
  const rig = new Rig({ units: [{ service }] }).login(a, b, c);
  const write = (nexus: number): string => rig.outcome(nexus, write10(0, 1), BLOCK);
  const read = (nexus: number): string => rig.outcome(nexus, read10(0, 1));
  /** `g3 b`: generation and keys. */
  const keys = (): string => {
    const { generation, keys: found } = decodeKeys(rig.readKeys(c))!;
    return `g${generation}${found.map((key) => ` ${key.toString(16)}`).join('')}`;
  };
  const generation = (): number => decodeKeys(rig.readKeys(c))!.generation;

  it('c, unregistered: RESERVE; RELEASE; CLEAR; PREEMPT', () => {
    const outcomes = [reserve, release, clear, preempt].map((action) => rig.reserveOut(c, action, 5, 0xcn, 0xan));
    expect(outcomes).toEqual(['18', '18', '18', '18']);
  });

  it('a, b: REGISTER IGNORE 0xA, 0xB', () => {
    expect(rig.reserveOut(a, registerAndIgnoreExistingKey, 0, 0n, 0xan)).toBe('00');
    expect(rig.reserveOut(b, registerAndIgnoreExistingKey, 0, 0n, 0xbn)).toBe('00');
    expect(keys()).toBe('g2 a b');
  });

  it('a: RESERVE type 5; again; as type 1; b: RESERVE type 5', () => {
    const byA = [5, 5, 1].map((type) => rig.reserveOut(a, reserve, type, 0xan));
    expect([...byA, rig.reserveOut(b, reserve, 5, 0xbn)]).toEqual(['00', '00', '18', '18']);
  });

  it('REPORT CAPABILITIES', () => {
    const { data } = rig.run(c, persistentReserveIn(ReserveIn.reportCapabilities));
    expect(hex(data)).toBe('00081d90ea010000');
  });

  it('c: WRITE; READ; SYNCHRONIZE CACHE; TUR; CLEAR', () => {
    const synchronize = rig.outcome(c, synchronizeCache10());
    const clearing = rig.reserveOut(c, clear, 0, 0xcn);
    expect([write(c), read(c), synchronize, rig.outcome(c, testUnitReady()), clearing]).toEqual([
      '18',
      '00',
      '18',
      '00',
      '18',
    ]);
  });

  it('READ FULL STATUS, 2 registrations', () => {
    const { data } = rig.run(c, persistentReserveIn(ReserveIn.readFullStatus));
    expect(data.length).toBe(136);
    expect(hex(data, 0, 8)).toBe('0000000200000080');
    expect(hex(data, 8, 36)).toBe(
      '000000000000000a' + '00000000' + '0105' + '00000000' + '0001' + '00000028' + '45000024',
    );
    expect(cString(data, 36, 72)).toBe('iqn.2024-01.lab:a,i,0x400000000001');
    expect([data[70], data[71]]).toEqual([0, 0]);
    // the second registers, and holds nothing
    expect(hex(data, 72, 96)).toBe('000000000000000b' + '00000000' + '0000' + '00000000' + '0001' + '00000028');
  });

  it('b: PREEMPT AND ABORT type 5, victim A, the holder; same again', () => {
    expect(rig.reserveOut(b, preemptAndAbort, 5, 0xbn, 0xan)).toBe('00');
    expect(keys()).toBe('g3 b');
    expect(rig.reserveOut(b, preemptAndAbort, 5, 0xbn, 0xan)).toBe('18');
  });

  it('a: WRITE; WRITE; READ', () => {
    expect([write(a), write(a), read(a)]).toEqual(['6/2A/05', '18', '00']);
  });

  it('b, the holder: RELEASE type 1, held is type 5', () => {
    expect(rig.reserveOut(b, release, 1, 0xbn)).toBe('5/26/04');
  });

  it('b, the holder: REGISTER SARK 0', () => {
    expect(rig.reserveOut(b, register, 0, 0xbn, 0n)).toBe('00');
    expect(keys()).toBe('g4');
  });

  it('a, b register key 7 each; no reservation; b: PREEMPT RK 7 SARK 7', () => {
    for (const nexus of [a, b]) expect(rig.reserveOut(nexus, register, 0, 0n, 7n)).toBe('00');
    const before = generation();
    expect(rig.reserveOut(b, preempt, 5, 7n, 7n)).toBe('00');
    expect(keys()).toBe(`g${before + 1}`);
    expect([rig.outcome(a, testUnitReady()), rig.outcome(b, testUnitReady())]).toEqual(['6/2A/05', '00']);
  });

  it('a registers 7 and reserves type 5; b registers 7; b: PREEMPT RK 7 SARK 7 type 5', () => {
    rig.reserveOut(a, register, 0, 0n, 7n);
    rig.reserveOut(a, reserve, 5, 7n);
    rig.reserveOut(b, register, 0, 0n, 7n);
    const before = generation();
    expect(rig.reserveOut(b, preempt, 5, 7n, 7n)).toBe('00');
    expect(keys()).toBe(`g${before + 1} 7`);
    const held = decodeReservation(rig.run(c, persistentReserveIn(ReserveIn.readReservation)).data)!;
    expect(held.reservation).toEqual({ key: 7n, scope: 0, type: 5 });
    expect([rig.outcome(a, testUnitReady()), write(b)]).toEqual(['6/2A/05', '00']);
  });

  it('b: CLEAR', () => {
    const before = generation();
    expect(rig.reserveOut(b, clear, 0, 7n)).toBe('00');
    expect(keys()).toBe(`g${before + 1}`);
  });

  it('a: register 1, RESERVE type 8; c: READ CAPACITY; READ', () => {
    rig.reserveOut(a, register, 0, 0n, 1n);
    rig.reserveOut(a, reserve, 8, 1n);
    expect([rig.outcome(c, readCapacity10()), read(c)]).toEqual(['00', '18']);
  });

  it('b: register 2; PREEMPT SARK 0 type 5, All Registrants held', () => {
    rig.reserveOut(b, register, 0, 0n, 2n);
    expect(rig.reserveOut(b, preempt, 5, 2n, 0n)).toBe('00');
    expect(keys()).toMatch(/ 2$/);
    expect(rig.outcome(a, testUnitReady())).toBe('6/2A/05');
  });

  it('b: PREEMPT SARK 0, type 5 held', () => {
    expect(rig.reserveOut(b, preempt, 5, 2n, 0n)).toBe('5/26/00');
  });
});
