import { hex } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { itWith } from '../../../tooling/oracle.js';
import { COMMANDS } from '../src/commands/command-set.js';
import {
  compareAndWrite,
  decodeLbaStatus,
  getLbaStatus,
  inquiry,
  modeSense6,
  modeSense10,
  Opcode,
  persistentReserveIn,
  persistentReserveOut,
  ReserveIn,
  ReserveOut,
  read10,
  read16,
  readCapacity10,
  readCapacity16,
  registerAndMove,
  release6,
  reportLuns,
  requestSense,
  reserve6,
  synchronizeCache10,
  synchronizeCache16,
  testUnitReady,
  unmap,
  unmapSame16,
  write10,
  write16,
  writeSame16,
} from '../src/index.js';
import { cdbLengthOf } from '../src/opcode.js';
import { output } from './oracle.js';
import { Rig } from './rig.js';

const BUILT: readonly (readonly [name: string, cdb: Uint8Array, bytes: string])[] = [
  ['TEST UNIT READY', testUnitReady(), '00 00 00 00 00 00'],
  ['REQUEST SENSE', requestSense(18, true), '03 01 00 00 12 00'],
  ['UNMAP', unmap([{ lba: 5, blocks: 3 }]).cdb, '42 00 00000000 00 0018 00'],
  ['WRITE SAME(16)', writeSame16(5, 3, new Uint8Array(512)).cdb, '93 00 0000000000000005 00000003 00 00'],
  ['WRITE SAME(16)', unmapSame16(5, 3, 512).cdb, '93 08 0000000000000005 00000003 00 00'],
  [
    'COMPARE AND WRITE',
    compareAndWrite(5, new Uint8Array(1024), new Uint8Array(1024), 512).cdb,
    '89 00 0000000000000005 000000 02 00 00',
  ],
  ['GET LBA STATUS', getLbaStatus(5, 24), '9e 12 0000000000000005 00000018 00 00'],
  ['INQUIRY', inquiry(), '12 00 00 00 ff 00'],
  ['INQUIRY', inquiry(0x83, 0x1234), '12 01 83 12 34 00'],
  ['RESERVE(6)', reserve6(), '16 00 00 00 00 00'],
  ['RELEASE(6)', release6(), '17 00 00 00 00 00'],
  ['MODE SENSE(6)', modeSense6(0x3f), '1a 00 3f 00 ff 00'],
  ['READ CAPACITY(10)', readCapacity10(), '25 00 00000000 00 00 00 00'],
  ['READ(10)', read10(0x89abcdef, 0x1234), '28 00 89abcdef 00 1234 00'],
  ['WRITE(10)', write10(1, 8), '2a 00 00000001 00 0008 00'],
  ['SYNCHRONIZE CACHE(10)', synchronizeCache10(), '35 00 00000000 00 0000 00'],
  ['MODE SENSE(10)', modeSense10(0x08), '5a 00 08 00 00 00 00 0400 00'],
  ['PERSISTENT RESERVE IN (READ KEYS)', persistentReserveIn(ReserveIn.readKeys), '5e 00 00 00 00 00 00 2000 00'],
  [
    'PERSISTENT RESERVE OUT (PREEMPT AND ABORT)',
    persistentReserveOut(ReserveOut.preemptAndAbort, 5, 1n, 2n).cdb,
    '5f 05 05 00 00 00000018 00',
  ],
  [
    'PERSISTENT RESERVE OUT (REGISTER AND MOVE)',
    registerAndMove({
      key: 1n,
      serviceActionKey: 2n,
      unregister: false,
      aptpl: false,
      relativeTargetPort: 1,
      destination: { name: 'iqn.a', isid: '000000000001' },
    }).cdb,
    '5f 07 00 00 00 00000034 00',
  ],
  ['READ(16)', read16(2 ** 40 + 1, 2 ** 16), '88 00 0000010000000001 00010000 00 00'],
  ['WRITE(16)', write16(2 ** 53 - 1, 1), '8a 00 001fffffffffffff 00000001 00 00'],
  ['SYNCHRONIZE CACHE(16)', synchronizeCache16(5, 6), '91 00 0000000000000005 00000006 00 00'],
  ['READ CAPACITY(16)', readCapacity16(), '9e 10 0000000000000000 00000020 00 00'],
  ['REPORT LUNS', reportLuns(), 'a0 00 00 00 00 00 00002000 00 00'],
];

/** Names that sg3_utils uses where they differ from ours. */
const NAMES_OF_SG3: Readonly<Record<string, string>> = {
  'PERSISTENT RESERVE IN (READ KEYS)': 'Persistent reserve in, read keys',
  'PERSISTENT RESERVE OUT (PREEMPT AND ABORT)': 'Persistent reserve out, preempt and abort',
  'PERSISTENT RESERVE OUT (REGISTER AND MOVE)': 'Persistent reserve out, register and move',
  'GET LBA STATUS': 'Get LBA status(16)',
  'RESERVE(6)': 'Reserve(6)',
  'RELEASE(6)': 'Release(6)',
};

describe('CDBs', () => {
  it.each(BUILT)('%s', (_name, cdb, bytes) => {
    expect(hex(cdb)).toBe(bytes.replaceAll(' ', ''));
  });

  it('a range that does not fit 10 bytes is refused', () => {
    expect(() => read10(2 ** 32, 1)).toThrow(RangeError);
    expect(() => write10(0, 2 ** 16)).toThrow(RangeError);
  });

  it('those of the hot path fill the buffer that they are given', () => {
    const into = new Uint8Array(16).fill(0xee);
    expect(read16(1, 2, into)).toBe(into);
    expect(into).toEqual(read16(1, 2));
  });

  it('every command says as much about its CDB as the CDB is long', () => {
    for (const { name, opcode, serviceAction, usage } of COMMANDS) {
      expect(usage.length, name).toBe(cdbLengthOf(opcode));
      expect(usage[0], name).toBe(opcode);
      // The 6 byte CDBs have the high bits of the LBA there, READ DEFECT DATA(12) its flags.
      const hasField = usage.length > 6 && opcode !== Opcode.readDefectData12;
      expect(hasField && (usage[1]! & 0x1f) === 0x1f, name).toBe(serviceAction !== undefined);
    }
  });

  it('any range that the unit has is read, with 10 and with 16 bytes', () => {
    const rig = new Rig().login(1);
    fc.assert(
      fc.property(fc.nat(2048), fc.nat(32), (lba, blocks) => {
        const isInside = lba + blocks <= 2048;
        expect(rig.outcome(1, read10(lba, blocks))).toBe(isInside ? '00' : '5/21/00');
        expect(rig.outcome(1, read16(lba, blocks))).toBe(isInside ? '00' : '5/21/00');
      }),
      { numRuns: 50 },
    );
  });

  describe('sg_decode_sense knows them by the same name', () => {
    for (const [name, cdb] of BUILT) {
      itWith(['sg_decode_sense'], name, () => {
        const printed = output('sg_decode_sense', '--cdb', '--nospace', hex(cdb));
        expect(printed.trim().toLowerCase()).toBe((NAMES_OF_SG3[name] ?? name).toLowerCase());
      });
    }
  });
});

describe('a thin unit, by the initiator', () => {
  it('is written, compared, unmapped and asked', () => {
    const rig = new Rig({ units: [{ isThin: true }] }).login(1);
    const block = (fill: number, blocks = 1): Uint8Array<ArrayBuffer> => new Uint8Array(512 * blocks).fill(fill);
    expect(rig.outcomeOf(1, writeSame16(0, 24, block(7)))).toBe('00');
    expect(rig.outcomeOf(1, compareAndWrite(4, block(7, 2), block(8, 2), 512))).toBe('00');
    expect(rig.outcomeOf(1, compareAndWrite(4, block(7, 2), block(9, 2), 512))).toBe('E/1D/00');
    expect(rig.outcomeOf(1, unmap([{ lba: 8, blocks: 8 }]))).toBe('00');
    expect(rig.outcomeOf(1, unmapSame16(1024, 8, 512))).toBe('00');
    expect(decodeLbaStatus(rig.run(1, getLbaStatus(0)).data)).toEqual([
      { lba: 0, blocks: 8, isMapped: true },
      { lba: 8, blocks: 8, isMapped: false },
      { lba: 16, blocks: 8, isMapped: true },
      { lba: 24, blocks: 2024, isMapped: false },
    ]);
    expect(rig.run(1, read10(4, 5)).data[0]).toBe(8);
  });

  it('COMPARE AND WRITE needs as much to write as to compare', () => {
    expect(() => compareAndWrite(0, new Uint8Array(512), new Uint8Array(1024), 512)).toThrow(RangeError);
    expect(() => compareAndWrite(0, new Uint8Array(100), new Uint8Array(100), 512)).toThrow(RangeError);
  });
});
