import { hex } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import {
  decodeCapacity10,
  decodeCapacity16,
  decodeLuns,
  decodeModePages,
  modeSense6,
  modeSense10,
  read10,
  read16,
  readCapacity10,
  readCapacity16,
  reportLuns,
  requestSense,
  SparseStore,
  senseOf,
  senseText,
  synchronizeCache10,
  synchronizeCache16,
  testUnitReady,
  write10,
  write16,
} from '../src/index.js';
import { Rig } from './rig.js';

const BLOCKS = 2048;

/** READ(16), WRITE(16) or SYNCHRONIZE CACHE(16) of any 64-bit LBA. */
function cdb16(opcode: number, lba: bigint, blocks: number): Uint8Array {
  const cdb = new Uint8Array(16);
  const view = new DataView(cdb.buffer);
  cdb[0] = opcode;
  view.setBigUint64(2, lba);
  view.setUint32(10, blocks);
  return cdb;
}

function filled(blocks: number, fill: number): Uint8Array {
  return new Uint8Array(512 * blocks).fill(fill);
}

describe('READ and WRITE', () => {
  it('what is written is read, by 10 and by 16 bytes', () => {
    const rig = new Rig().login(1);
    expect(rig.outcome(1, write10(7, 3), filled(3, 0x5a))).toBe('00');
    expect(rig.outcome(1, write16(8, 1), filled(1, 0xa5))).toBe('00');
    const { data } = rig.run(1, read10(6, 5));
    expect([0, 1, 2, 3, 4].map((i) => data[512 * i])).toEqual([0, 0x5a, 0xa5, 0x5a, 0]);
    expect(rig.run(1, read16(6, 5)).data).toEqual(data);
  });

  it.each([
    // name                       lba                    blocks  outcome
    ['all of it', 0n, BLOCKS, '00'],
    ['the last block', 2047n, 1, '00'],
    ['one beyond', 2048n, 1, '5/21/00'],
    ['across the end', 2047n, 2, '5/21/00'],
    ['nothing at the end', 2048n, 0, '00'],
    ['nothing beyond the end', 2049n, 0, '5/21/00'],
    ['LBA 2^31', 2n ** 31n, 1, '5/21/00'],
    ['LBA 2^32 - 1', 2n ** 32n - 1n, 1, '5/21/00'],
    ['LBA 2^53', 2n ** 53n, 1, '5/21/00'],
    ['LBA 2^63', 2n ** 63n, 0, '5/21/00'],
    ['LBA 2^64 - 1', 2n ** 64n - 1n, 1, '5/21/00'],
    ['LBA 2^64 - 1, 2^32 - 1 blocks', 2n ** 64n - 1n, 0xffff_ffff, '5/21/00'],
  ])('%s', (_name, lba, blocks, expected) => {
    const rig = new Rig().login(1);
    expect(rig.outcome(1, cdb16(0x88, lba, blocks))).toBe(expected);
    expect(rig.outcome(1, cdb16(0x8a, lba, blocks), filled(Math.min(blocks, BLOCKS), 1))).toBe(expected);
    expect(rig.outcome(1, cdb16(0x91, lba, blocks))).toBe(expected);
  });

  it('more than the announced maximum is refused', () => {
    const rig = new Rig({ units: [{ maxTransferBlocks: 8 }] }).login(1);
    expect(rig.outcome(1, read10(0, 8))).toBe('00');
    expect(rig.outcome(1, read10(0, 9))).toBe('5/24/00');
    expect(rig.outcome(1, write16(0, 9), filled(9, 1))).toBe('5/24/00');
  });

  it('protection information is not supported, DPO and FUA are accepted', () => {
    const rig = new Rig().login(1);
    const withByte1 = (cdb: Uint8Array, bits: number): Uint8Array => cdb.fill(bits, 1, 2);
    expect(rig.outcome(1, withByte1(read10(0, 1), 0x18))).toBe('00');
    expect(rig.outcome(1, withByte1(write10(0, 1), 0x18), filled(1, 1))).toBe('00');
    for (let protect = 1; protect < 8; protect++) {
      expect(rig.outcome(1, withByte1(read10(0, 1), protect << 5))).toBe('5/24/00');
      expect(rig.outcome(1, withByte1(write10(0, 1), protect << 5), filled(1, 1))).toBe('5/24/00');
    }
  });

  it('a write-protected unit is read and not written', () => {
    const rig = new Rig({ units: [{ isWriteProtected: true }] }).login(1);
    expect(rig.outcome(1, read10(0, 1))).toBe('00');
    expect(rig.outcome(1, write10(0, 1), filled(1, 1))).toBe('7/27/00');
    expect(rig.store.allocatedPages).toBe(0);
  });

  it('of a write whose data came short, what came is written', () => {
    const rig = new Rig().login(1);
    rig.store.write(0, filled(3, 0xee));
    expect(rig.outcome(1, write10(0, 3), filled(3, 1).subarray(0, 700))).toBe('00');
    const { data } = rig.run(1, read10(0, 3));
    expect([data[0], data[699], data[700], data[1024]]).toEqual([1, 1, 0xee, 0xee]);
  });

  it('of a write with too much data, what the CDB says is written', () => {
    const rig = new Rig().login(1);
    expect(rig.outcome(1, write10(0, 1), filled(2, 1))).toBe('00');
    expect(rig.run(1, read10(1, 1)).data[0]).toBe(0);
  });

  it('Data-Out of a READ is thrown away', () => {
    const rig = new Rig().login(1);
    expect(rig.outcome(1, read10(0, 1), filled(1, 1))).toBe('00');
    expect(rig.store.allocatedPages).toBe(0);
  });

  it('4096 bytes a block', () => {
    const store = new SparseStore({ blocks: 16, blockLength: 4096 });
    const rig = new Rig({ units: [{ store }] }).login(1);
    expect(rig.outcome(1, write10(15, 1), new Uint8Array(4096).fill(3))).toBe('00');
    expect(rig.run(1, read10(15, 1)).data.every((byte) => byte === 3)).toBe(true);
    expect(rig.outcome(1, read10(16, 1))).toBe('5/21/00');
  });

  it('a lent buffer may be reused as soon as the step is over', () => {
    const rig = new Rig().login(1);
    const cdb = new Uint8Array(10);
    const data = new Uint8Array(512);
    for (let lba = 0; lba < 4; lba++) rig.send(1, write10(lba, 1, cdb), data.fill(lba + 1));
    rig.advance();
    expect([0, 1, 2, 3].map((lba) => rig.run(1, read10(lba, 1)).data[0])).toEqual([1, 2, 3, 4]);
  });
});

describe('SYNCHRONIZE CACHE', () => {
  it('flushes the store', () => {
    let flushes = 0;
    const store = new SparseStore({ blocks: BLOCKS });
    store.flush = () => {
      flushes += 1;
    };
    const rig = new Rig({ units: [{ store }] }).login(1);
    expect(rig.outcome(1, synchronizeCache10())).toBe('00');
    expect(rig.outcome(1, synchronizeCache16(0, BLOCKS))).toBe('00');
    expect(rig.outcome(1, synchronizeCache10(BLOCKS, 1))).toBe('5/21/00');
    expect(flushes).toBe(2);
  });
});

describe('READ CAPACITY', () => {
  it('10: last LBA and block length', () => {
    const { data } = new Rig().login(1).run(1, readCapacity10());
    expect(hex(data)).toBe('000007ff00000200');
    expect(decodeCapacity10(data)).toEqual({ blocks: BLOCKS, blockLength: 512 });
  });

  it('10: FFFFFFFFh for a unit that is too large, 16: its size', () => {
    const blocks = 3 * 2 ** 32;
    const rig = new Rig({ units: [{ store: new SparseStore({ blocks }) }] }).login(1);
    const small = rig.run(1, readCapacity10()).data;
    expect(hex(small)).toBe('ffffffff00000200');
    expect(decodeCapacity10(small)).toBeUndefined();
    expect(decodeCapacity16(rig.run(1, readCapacity16()).data)).toEqual({ blocks, blockLength: 512 });
  });

  it('16: eight logical blocks per physical one, no provisioning, no protection', () => {
    const rig = new Rig().login(1);
    expect(hex(rig.run(1, readCapacity16()).data)).toBe(`00000000000007ff00000200000300000${'0'.repeat(31)}`);
    expect(rig.run(1, readCapacity16(12)).data.length).toBe(12);
    expect(rig.outcome(1, readCapacity16(0))).toBe('00');
  });

  it('an LBA without PMI is refused', () => {
    const cdb = readCapacity10();
    cdb[5] = 1;
    expect(new Rig().login(1).outcome(1, cdb)).toBe('5/24/00');
  });
});

describe('MODE SENSE', () => {
  const HEADER_6 = '4b001008' + '00000800' + '00000200';

  it('6, all pages: header, block descriptor, pages in ascending order', () => {
    const data = new Rig().login(1).run(1, modeSense6(0x3f)).data;
    expect(hex(data.subarray(0, 12))).toBe(HEADER_6.replace('4b', hex(Uint8Array.of(data.length - 1))));
    expect([...decodeModePages(data, 6).keys()]).toEqual([0x01, 0x02, 0x08, 0x0a, 0x1c]);
  });

  it.each([
    [0x01, '010a00000000000000000000'],
    [0x08, `0812${'00'.repeat(18)}`],
    [0x0a, '0a0a021000000000ffff0000'],
    [0x1c, '1c0a08000000000000000000'],
  ])('page %i, alone as among all', (page, bytes) => {
    const rig = new Rig().login(1);
    for (const [cdb, form] of [
      [modeSense6(page), 6],
      [modeSense6(0x3f), 6],
      [modeSense10(page), 10],
      [modeSense10(0x3f), 10],
    ] as const) {
      expect(hex(decodeModePages(rig.run(1, cdb).data, form).get(page)!)).toBe(bytes);
    }
  });

  it('10: longer header', () => {
    const data = new Rig().login(1).run(1, modeSense10(0x08)).data;
    expect(hex(data.subarray(0, 16))).toBe('002200100000000800000800' + '00000200');
  });

  it('DBD leaves the block descriptor out', () => {
    const cdb = modeSense6(0x08);
    cdb[1] = 0x08;
    expect(hex(new Rig().login(1).run(1, cdb).data.subarray(0, 6))).toBe('170010000812');
  });

  it('shows write protection, D_SENSE and TAS', () => {
    const unit = { isWriteProtected: true, hasDescriptorSense: true, hasTaskAbortedStatus: true };
    const data = new Rig({ units: [unit] }).login(1).run(1, modeSense6(0x0a)).data;
    expect(data[2]).toBe(0x90);
    expect(hex(decodeModePages(data, 6).get(0x0a)!)).toBe('0a0a061000400000ffff0000');
  });

  it.each([
    ['changeable values: D_SENSE, SWP, TAS', 0x4a, '00', '0a0a04000840000000000000'],
    ['default values: the current ones', 0x8a, '00', '0a0a021000000000ffff0000'],
    ['saved values: not supported', 0xca, '5/39/00', undefined],
    ['a page that is not there', 0x05, '5/24/00', undefined],
  ])('%s', (_what, byte2, outcome, bytes) => {
    const rig = new Rig().login(1);
    const cdb = modeSense6(0);
    cdb[2] = byte2;
    expect(rig.outcome(1, cdb)).toBe(outcome);
    if (bytes !== undefined) expect(hex(rig.run(1, cdb).data.subarray(12))).toBe(bytes);
  });

  it.each([
    // page, subpage, of a thin unit, page codes and subpage codes that come
    [0x3f, 0x00, true, '01 02 08 0a 1c'],
    [0x3f, 0xff, true, '01 02 08 0a 1c 1c/02'],
    [0x3f, 0xff, false, '01 02 08 0a 1c'],
    [0x1c, 0x00, true, '1c'],
    [0x1c, 0x02, true, '1c/02'],
    [0x1c, 0xff, true, '1c 1c/02'],
    [0x08, 0xff, true, '08'],
    [0x1c, 0x02, false, '5/24/00 at byte 3'],
    [0x3f, 0x01, true, '5/24/00 at byte 3'],
    [0x08, 0x01, true, '5/24/00 at byte 3'],
    [0x05, 0xff, true, '5/24/00 at byte 2'],
  ])('page %i, subpage %i, thin %s: %s', (page, subpage, isThin, expected) => {
    const rig = new Rig({ units: [{ isThin }] }).login(1);
    const cdb = modeSense6(page);
    cdb[3] = subpage;
    const { data, sense } = rig.run(1, cdb);
    const refused = senseOf(sense);
    if (refused !== undefined) {
      expect(`${senseText(refused)} at byte ${refused.field?.byte}`).toBe(expected);
      return;
    }
    const found: string[] = [];
    for (let at = 12; at < data.length; ) {
      const code = hex(Uint8Array.of(data[at]! & 0x3f));
      const hasSubpage = (data[at]! & 0x40) !== 0;
      found.push(hasSubpage ? `${code}/${hex(data.subarray(at + 1, at + 2))}` : code);
      at += hasSubpage ? 4 + data[at + 3]! : 2 + data[at + 1]!;
    }
    expect(found.join(' ')).toBe(expected);
  });

  it('is cut to the allocation length, which changes nothing inside', () => {
    const rig = new Rig().login(1);
    const whole = rig.run(1, modeSense6(0x3f)).data;
    expect(rig.run(1, modeSense6(0x3f, 4)).data).toEqual(whole.subarray(0, 4));
  });
});

describe('REPORT LUNS', () => {
  const units = [{ lun: 0 }, { lun: 300 }, { lun: 1 }];

  it('lists the units in ascending order', () => {
    const rig = new Rig({ units });
    rig.step({ kind: 'login', nexus: 1, port: { name: 'iqn.x', isid: '000000000001' } });
    expect(decodeLuns(rig.run(1, reportLuns()).data)).toEqual([0, 1, 300]);
  });

  it.each([
    [0, 16, '00'],
    [1, 16, '00'],
    [2, 16, '00'],
    [3, 16, '5/24/00'],
    [0, 15, '5/24/00'],
  ])('select %i, allocation length %i: %s', (select, length, outcome) => {
    const cdb = reportLuns(length);
    cdb[2] = select;
    const rig = new Rig().login(1);
    expect(rig.outcome(1, cdb)).toBe(outcome);
    if (select === 1) expect(hex(rig.run(1, cdb).data)).toBe('0000000000000000');
  });
});

describe('REQUEST SENSE', () => {
  it('has nothing to say', () => {
    const rig = new Rig().login(1);
    expect(hex(rig.run(1, requestSense()).data)).toBe(`700000000000000a${'00'.repeat(10)}`);
    expect(hex(rig.run(1, requestSense(252, true)).data)).toBe('7200000000000000');
    expect(rig.run(1, requestSense(4)).data.length).toBe(4);
  });
});

describe('a CDB that is wrong', () => {
  it.each([
    ['unknown opcode', 'c0 00 00 00 00 00', '5/20/00'],
    ['UNMAP of a thick unit', '42 00 00 00 00 00 00 00 00 00', '5/20/00'],
    ['unknown service action of SERVICE ACTION IN(16)', `9e 13 ${'00'.repeat(14)}`, '5/24/00'],
    ['unknown service action of PERSISTENT RESERVE IN', '5e 04 00 00 00 00 00 00 08 00', '5/24/00'],
    ['unknown service action of PERSISTENT RESERVE OUT', '5f 08 00 00 00 00 00 00 18 00', '5/24/00'],
    ['a reserved bit', '00 00 00 01 00 00', '5/24/00'],
    ['NACA', '00 00 00 00 00 04', '5/24/00'],
    ['cut off', '28 00 00 00', '5/24/00'],
    ['empty', '', '5/20/00'],
  ])('%s', (_what, bytes, outcome) => {
    const cdb = Uint8Array.from(bytes.replaceAll(' ', '').match(/../g) ?? [], (byte) => Number.parseInt(byte, 16));
    expect(new Rig().login(1).outcome(1, cdb)).toBe(outcome);
  });

  it('the field pointer names byte and highest wrong bit', () => {
    const rig = new Rig().login(1);
    expect(hex(rig.run(1, Uint8Array.of(0, 0, 0, 0x21, 0, 0)).sense.subarray(15))).toBe('cd0003');
  });

  it('sense data are by descriptors when D_SENSE is set', () => {
    const rig = new Rig({ units: [{ hasDescriptorSense: true }] }).login(1);
    expect(hex(rig.run(1, Uint8Array.of(0xc0, 0, 0, 0, 0, 0)).sense)).toBe('7205200000000000');
  });

  it('a longer one is cut at 16 bytes', () => {
    const cdb = new Uint8Array(20);
    cdb.set(read16(0, 1));
    expect(new Rig().login(1).outcome(1, cdb)).toBe('00');
  });
});

it('an initiator that is not logged in is not answered', () => {
  const rig = new Rig().login(1);
  rig.send(2, testUnitReady());
  expect(rig.other).toEqual([{ kind: 'reject', reason: 'not-logged-in', nexus: 2 }]);
  expect(rig.target.inspect()).toMatchObject({ rejects: 1 });
});
