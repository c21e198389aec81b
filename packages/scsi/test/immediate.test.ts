import { bytesEqual, SeededWorld } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { IMMEDIATE_SERVICE, ReserveOut, read10, testUnitReady, write10 } from '../src/index.js';
import { Rig } from './rig.js';

const UNITS = [{ service: IMMEDIATE_SERVICE }];
const DATA = new Uint8Array(4096).fill(0x5a);

describe('IMMEDIATE_SERVICE', () => {
  it('a command is carried out and answered within the step that brought it', () => {
    const rig = new Rig({ units: UNITS, world: new SeededWorld({ hi: 0, lo: 1 }) }).login(1);
    for (const [cdb, data] of [[write10(3, 8), DATA] as const, [read10(3, 8), undefined] as const]) {
      const tag = rig.send(1, cdb, data);
      expect(rig.responseTo(1, tag)).toMatchObject({ status: 0, at: 0 });
      expect(rig.machine.deadline()).toBe(Infinity);
    }
    expect(bytesEqual(rig.ended.at(-1)!.data, DATA)).toBe(true);
  });

  it('refusals are answered at once as well', () => {
    const rig = new Rig({ units: UNITS });
    rig.step({ kind: 'login', nexus: 1, port: { name: 'iqn.x', isid: '000000000001' } });
    expect(rig.outcome(1, testUnitReady())).toBe('6/29/00');
    expect(rig.outcome(1, read10(4000, 1))).toBe('5/21/00');
  });

  it('facts are those of any other service', () => {
    const kinds = (service: object): string[] => {
      const rig = new Rig({ units: [service] }).login(1);
      rig.outcome(1, write10(3, 8), DATA);
      return rig.facts.map((fact) => fact.kind);
    };
    expect(kinds({ service: IMMEDIATE_SERVICE })).toEqual(kinds({}));
  });

  it('a hung nexus waits, others do not, and PREEMPT AND ABORT ends what waits', () => {
    const rig = new Rig({ units: UNITS }).login(1, 2);
    for (const nexus of [1, 2]) rig.reserveOut(nexus, ReserveOut.register, 0, 0n, BigInt(nexus));
    rig.step({ kind: 'impair', nexus: 2, impairment: { hungUntil: 1000 } });
    const late = rig.send(2, write10(0, 1), DATA.subarray(0, 512));
    expect(rig.machine.deadline()).toBe(1000);
    const other = rig.send(1, read10(0, 1));
    expect(rig.responseTo(1, other)).toMatchObject({ status: 0, at: 0 });
    expect(rig.reserveOut(1, ReserveOut.preemptAndAbort, 5, 1n, 2n)).toBe('00');
    rig.advance();
    expect(rig.responseTo(2, late)).toBeUndefined();
    expect([...rig.store.pages()]).toEqual([]);
  });

  it('ORDERED waits for what hangs, and is answered with it', () => {
    const rig = new Rig({ units: UNITS }).login(1, 2);
    rig.step({ kind: 'impair', nexus: 2, impairment: { hungUntil: 1000 } });
    rig.send(2, read10(0, 1));
    const ordered = rig.send(1, read10(0, 1), undefined, 0, 'ordered');
    expect(rig.responseTo(1, ordered)).toBeUndefined();
    rig.advance();
    expect(rig.responseTo(1, ordered)).toMatchObject({ status: 0, at: 1000 });
  });
});

describe('lent reads', () => {
  it('bytes of one page are lent, others copied: the same content', () => {
    const rig = new Rig({ units: UNITS }).login(1);
    const bytes = Uint8Array.from({ length: 8192 }, (_, i) => i * 7 + (i >> 8));
    rig.outcome(1, write10(0, 16), bytes);
    for (const [lba, blocks] of [
      [0, 8],
      [8, 8],
      [3, 2],
      [4, 8],
      [0, 16],
      [7, 1],
    ] as const) {
      const { data } = rig.run(1, read10(lba, blocks));
      expect(bytesEqual(data, bytes.subarray(512 * lba, 512 * (lba + blocks)))).toBe(true);
    }
    expect(rig.store.lend(2048, 1)).toBeUndefined();
    expect(rig.store.lend(7, 2)).toBeUndefined();
  });
});
