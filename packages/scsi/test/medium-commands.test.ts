import { bytesEqual, hex, setU64, viewOf } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { IMMEDIATE_SERVICE, type LogicalUnitConfig, read10, SparseStore, senseOf } from '../src/index.js';
import { Rig } from './rig.js';

const BLOCKS = 2048;

/** A unit without latency, logged in by initiator 1. */
function rigOf(unit: Partial<LogicalUnitConfig> = {}): Rig {
  return new Rig({ units: [{ service: IMMEDIATE_SERVICE, ...unit }] }).login(1);
}

/** CDB of 16 bytes: opcode, byte 1, LBA, number of blocks. */
function cdb16(opcode: number, flags: number, lba: bigint | number, blocks: number): Uint8Array {
  const cdb = new Uint8Array(16);
  const view = viewOf(cdb);
  cdb[0] = opcode;
  cdb[1] = flags;
  view.setBigUint64(2, BigInt(lba));
  if (opcode === 0x89) cdb[13] = blocks;
  else if (opcode === 0x9c) view.setUint16(12, blocks);
  else view.setUint32(10, blocks);
  return cdb;
}

/** CDB of 6, 10 or 12 bytes. */
function cdbOf(opcode: number, flags: number, lba: number, blocks: number): Uint8Array {
  const group = opcode >> 5;
  if (group === 4) return cdb16(opcode, flags, lba, blocks);
  const cdb = new Uint8Array(group === 0 ? 6 : group === 5 ? 12 : 10);
  const view = viewOf(cdb);
  if (group === 0) {
    view.setUint32(0, lba);
    cdb[4] = blocks;
  } else {
    view.setUint32(2, lba);
    if (group === 5) view.setUint32(6, blocks);
    else view.setUint16(7, blocks);
    cdb[1] = flags;
  }
  cdb[0] = opcode;
  return cdb;
}

function filled(blocks: number, fill: number, blockLength = 512): Uint8Array {
  return new Uint8Array(blocks * blockLength).fill(fill);
}

/** First byte of each block. */
function fills(rig: Rig, lba: number, blocks: number): number[] {
  const { blockLength } = rig.store;
  const bytes = new Uint8Array(blocks * blockLength);
  rig.store.read(lba, blocks, bytes);
  return Array.from({ length: blocks }, (_, i) => bytes[i * blockLength]!);
}

/** Opcodes by what they do, each with the blocks that its Data-Out has for n blocks. */
const READS = { 'READ(6)': 0x08, 'READ(10)': 0x28, 'READ(12)': 0xa8, 'READ(16)': 0x88 };
const WRITES = {
  'WRITE(6)': 0x0a,
  'WRITE(10)': 0x2a,
  'WRITE(12)': 0xaa,
  'WRITE(16)': 0x8a,
  'WRITE AND VERIFY(10)': 0x2e,
  'WRITE AND VERIFY(12)': 0xae,
  'WRITE AND VERIFY(16)': 0x8e,
  'WRITE ATOMIC(16)': 0x9c,
  'ORWRITE(16)': 0x8b,
};
const VERIFIES = { 'VERIFY(10)': 0x2f, 'VERIFY(12)': 0xaf, 'VERIFY(16)': 0x8f };
const OTHERS = {
  'PRE-FETCH(10)': 0x34,
  'PRE-FETCH(16)': 0x90,
  'SYNCHRONIZE CACHE(10)': 0x35,
  'SYNCHRONIZE CACHE(16)': 0x91,
};

describe('every command with a range', () => {
  it.each(Object.entries({ ...READS, ...WRITES, ...VERIFIES, ...OTHERS }))(
    '%s ends at the end of the unit',
    (_name, opcode) => {
      const rig = rigOf();
      const isOut = Object.values(WRITES).includes(opcode);
      const outcome = (lba: number, blocks: number): string =>
        rig.outcome(1, cdbOf(opcode, 0, lba, blocks), isOut ? filled(blocks, 1) : undefined);
      expect(outcome(BLOCKS - 3, 3)).toBe('00');
      expect(outcome(BLOCKS - 3, 4)).toBe('5/21/00');
      expect(outcome(BLOCKS, 1)).toBe('5/21/00');
      expect(outcome(BLOCKS + 1, 0)).toBe('5/21/00');
      if (opcode >= 0x20) expect(outcome(BLOCKS, 0)).toBe('00');
    },
  );

  it.each(
    [...Object.values(READS), ...Object.values(WRITES), ...Object.values(VERIFIES)].filter((opcode) => opcode >= 0x20),
  )('opcode %i: protection information is refused, DPO is not', (opcode) => {
    const rig = rigOf();
    for (let protect = 1; protect < 8; protect++) {
      expect(rig.outcome(1, cdbOf(opcode, protect << 5, 0, 1), filled(1, 1))).toBe('5/24/00');
    }
    expect(rig.outcome(1, cdbOf(opcode, 0x10, 0, 1), filled(1, 1))).toBe('00');
  });

  it.each([2n ** 31n, 2n ** 32n - 1n, 2n ** 53n, 2n ** 63n, 2n ** 64n - 1n])('LBA %i is beyond the end', (lba) => {
    const rig = rigOf({ isThin: true });
    for (const opcode of [0x88, 0x8a, 0x8b, 0x8e, 0x8f, 0x89, 0x93, 0x90, 0x91, 0x9c]) {
      expect(rig.outcome(1, cdb16(opcode, 0, lba, 1), filled(2, 1)), opcode.toString(16)).toBe('5/21/00');
    }
    const status = cdb16(0x9e, 0x12, lba, 24);
    expect(rig.outcome(1, status)).toBe('5/21/00');
  });
});

describe('reads and writes', () => {
  it.each(Object.entries(READS))('%s reads', (_name, opcode) => {
    const rig = rigOf();
    rig.store.write(7, filled(2, 9));
    const { data } = rig.run(1, cdbOf(opcode, 0, 6, 3));
    expect([data.length, data[0], data[512], data[1024]]).toEqual([1536, 0, 9, 9]);
  });

  it.each(Object.entries(WRITES))('%s writes', (_name, opcode) => {
    const rig = rigOf();
    expect(rig.outcome(1, cdbOf(opcode, 0, 6, 2), filled(2, 9))).toBe('00');
    expect(fills(rig, 5, 4)).toEqual([0, 9, 9, 0]);
  });

  it('no blocks in a CDB of 6 bytes are 256', () => {
    const rig = rigOf();
    expect(rig.outcome(1, cdbOf(0x0a, 0, 0, 0), filled(256, 3))).toBe('00');
    expect(rig.run(1, cdbOf(0x08, 0, 0, 0)).data.length).toBe(256 * 512);
    expect(fills(rig, 255, 2)).toEqual([3, 0]);
  });

  it.each(Object.entries(WRITES))('%s of fewer bytes than announced writes those', (_name, opcode) => {
    const rig = rigOf();
    expect(rig.outcome(1, cdbOf(opcode, 0, 0, 3), filled(3, 7).subarray(0, 700))).toBe('00');
    const bytes = new Uint8Array(1536);
    rig.store.read(0, 3, bytes);
    expect([bytes[511], bytes[699], bytes[700], bytes[1024]]).toEqual([7, 7, 0, 0]);
  });

  it('more bytes than announced are left alone', () => {
    const rig = rigOf();
    expect(rig.outcome(1, cdbOf(0x2a, 0, 0, 1), filled(3, 7))).toBe('00');
    expect(fills(rig, 0, 2)).toEqual([7, 0]);
  });

  it('a READ with a Data-Out is a READ', () => {
    const rig = rigOf();
    expect(rig.run(1, read10(0, 1), filled(1, 5)).data.length).toBe(512);
    expect(fills(rig, 0, 1)).toEqual([0]);
  });

  it('blocks of 4096 bytes', () => {
    const rig = new Rig({ units: [{ store: new SparseStore({ blocks: 64, blockLength: 4096 }) }] }).login(1);
    expect(rig.outcome(1, cdbOf(0x2a, 0, 3, 2), filled(2, 8, 4096))).toBe('00');
    expect(fills(rig, 2, 4)).toEqual([0, 8, 8, 0]);
  });

  it('FUA flushes the store', () => {
    let flushes = 0;
    const store = new SparseStore({ blocks: 64 });
    store.flush = () => {
      flushes += 1;
    };
    const rig = rigOf({ store });
    rig.outcome(1, cdbOf(0x2a, 0, 0, 1), filled(1, 1));
    expect(flushes).toBe(0);
    rig.outcome(1, cdbOf(0x2a, 0x08, 0, 1), filled(1, 1));
    expect(flushes).toBe(1);
  });
});

describe('VERIFY', () => {
  it.each(Object.entries(VERIFIES))('%s compares as BYTCHK says', (_name, opcode) => {
    const rig = rigOf();
    rig.store.write(0, filled(4, 6));
    const wrong = filled(4, 6);
    wrong[3 * 512 + 17] = 0;
    expect(rig.outcome(1, cdbOf(opcode, 0x00, 0, 4))).toBe('00');
    expect(rig.outcome(1, cdbOf(opcode, 0x02, 0, 4), filled(4, 6))).toBe('00');
    expect(rig.outcome(1, cdbOf(opcode, 0x02, 0, 4), wrong)).toBe('E/1D/00');
    expect(senseOf(rig.ended.at(-1)!.sense)!.information).toBe(3 * 512 + 17);
    expect(rig.outcome(1, cdbOf(opcode, 0x06, 0, 4), filled(1, 6))).toBe('00');
    expect(rig.outcome(1, cdbOf(opcode, 0x06, 0, 5), filled(1, 6))).toBe('E/1D/00');
    expect(senseOf(rig.ended.at(-1)!.sense)!.information).toBe(4 * 512);
    expect(rig.outcome(1, cdbOf(opcode, 0x04, 0, 4), filled(4, 6))).toBe('5/24/00');
  });

  it('a comparison needs all of its Data-Out', () => {
    const rig = rigOf();
    expect(rig.outcome(1, cdbOf(0x2f, 0x02, 0, 2), filled(1, 0))).toBe('B/0E/03');
    expect(rig.outcome(1, cdbOf(0x2f, 0x06, 0, 2), filled(1, 0).subarray(1))).toBe('B/0E/03');
    expect(rig.outcome(1, cdbOf(0x2f, 0x02, 0, 0))).toBe('00');
  });

  it('WRITE AND VERIFY takes one bit of BYTCHK', () => {
    const rig = rigOf();
    expect(rig.outcome(1, cdbOf(0x2e, 0x02, 0, 1), filled(1, 4))).toBe('00');
    expect(rig.outcome(1, cdbOf(0x2e, 0x04, 0, 1), filled(1, 4))).toBe('5/24/00');
    expect(rig.outcome(1, cdbOf(0x2e, 0x06, 0, 1), filled(1, 4))).toBe('5/24/00');
  });
});

describe('indivisible changes', () => {
  it('COMPARE AND WRITE writes the second half when the first is there', () => {
    const rig = rigOf();
    const both = new Uint8Array([...filled(2, 0), ...filled(2, 5)]);
    expect(rig.outcome(1, cdb16(0x89, 0, 4, 2), both)).toBe('00');
    expect(fills(rig, 4, 2)).toEqual([5, 5]);
    expect(rig.outcome(1, cdb16(0x89, 0, 4, 2), both)).toBe('E/1D/00');
    expect(senseOf(rig.ended.at(-1)!.sense)!.information).toBe(0);
    expect(fills(rig, 4, 2)).toEqual([5, 5]);
  });

  it.each([
    [1, 4],
    [3, 4],
    [2, 0],
  ])('COMPARE AND WRITE of %i blocks with %i of data is refused', (blocks, of) => {
    expect(rigOf().outcome(1, cdb16(0x89, 0, 0, blocks), filled(of, 0))).toBe('5/24/00');
  });

  it('COMPARE AND WRITE of no blocks, and of more than the maximum', () => {
    const rig = rigOf({ maxTransferBlocks: 8 });
    expect(rig.outcome(1, cdb16(0x89, 0, 0, 0))).toBe('00');
    expect(rig.outcome(1, cdb16(0x89, 0, 0, 8), filled(16, 0))).toBe('00');
    expect(rig.outcome(1, cdb16(0x89, 0, 0, 9), filled(18, 0))).toBe('5/24/00');
  });

  it('ORWRITE: A5h and then 5Ah are FFh', () => {
    const rig = rigOf();
    rig.outcome(1, cdb16(0x8b, 0, 0, 2), filled(2, 0xa5));
    rig.outcome(1, cdb16(0x8b, 0, 1, 2), filled(2, 0x5a));
    expect(fills(rig, 0, 3)).toEqual([0xa5, 0xff, 0x5a]);
  });

  it('WRITE ATOMIC: up to its maximum, without a boundary', () => {
    const rig = rigOf();
    expect(rig.outcome(1, cdb16(0x9c, 0, 0, 2048), filled(2048, 1))).toBe('00');
    const small = rigOf({ maxTransferBlocks: 16 });
    expect(small.outcome(1, cdb16(0x9c, 0, 0, 17), filled(17, 1))).toBe('5/24/00');
    const boundary = cdb16(0x9c, 0, 0, 8);
    boundary[11] = 8;
    expect(rig.outcome(1, boundary, filled(8, 1))).toBe('5/24/00');
  });
});

describe('WRITE SAME', () => {
  it.each([0x41, 0x93])('opcode %i fills blocks', (opcode) => {
    const rig = rigOf();
    expect(rig.outcome(1, cdbOf(opcode, 0, 10, 5), filled(1, 9))).toBe('00');
    expect(fills(rig, 9, 7)).toEqual([0, 9, 9, 9, 9, 9, 0]);
  });

  it.each([0x41, 0x93])('opcode %i: no blocks are all to the end', (opcode) => {
    const rig = rigOf();
    expect(rig.outcome(1, cdbOf(opcode, 0, BLOCKS - 2, 0), filled(1, 9))).toBe('00');
    expect(fills(rig, BLOCKS - 3, 3)).toEqual([0, 9, 9]);
  });

  it('no more than the maximum', () => {
    const rig = rigOf({ store: new SparseStore({ blocks: 70_000 }) });
    expect(rig.outcome(1, cdbOf(0x93, 0, 0, 65_535), filled(1, 2))).toBe('00');
    expect(rig.outcome(1, cdbOf(0x93, 0, 0, 65_536), filled(1, 2))).toBe('5/24/00');
    expect(rig.outcome(1, cdbOf(0x93, 0, 0, 0), filled(1, 2))).toBe('5/24/00');
    expect(rig.outcome(1, cdbOf(0x93, 0, 70_000 - 65_535, 0), filled(1, 2))).toBe('00');
    expect(fills(rig, 69_998, 2)).toEqual([2, 2]);
  });

  it.each([
    ['data of two blocks', 0x00, 2, '5/24/00'],
    ['no data', 0x00, 0, '5/24/00'],
    ['NDOB and no data', 0x01, 0, '00'],
    ['NDOB and data', 0x01, 1, '5/24/00'],
    ['ANCHOR', 0x18, 1, '5/24/00'],
    ['UNMAP on a thick unit', 0x08, 1, '5/24/00'],
  ])('%s', (_what, flags, of, outcome) => {
    const rig = rigOf();
    rig.store.write(0, filled(1, 3));
    expect(rig.outcome(1, cdb16(0x93, flags, 0, 1), filled(of, 1))).toBe(outcome);
    expect(fills(rig, 0, 1)).toEqual([outcome === '00' ? 0 : 3]);
  });

  it('UNMAP on a thin unit gives the room back', () => {
    const rig = rigOf({ isThin: true });
    rig.store.write(0, filled(32, 3));
    expect(rig.outcome(1, cdb16(0x93, 0x08, 8, 16), filled(1, 0))).toBe('00');
    expect([rig.store.allocatedPages, ...fills(rig, 7, 2)]).toEqual([2, 3, 0]);
  });
});

/** UNMAP with its descriptors. */
function unmap(...descriptors: readonly (readonly [lba: number, blocks: number])[]): [Uint8Array, Uint8Array] {
  const list = new Uint8Array(8 + 16 * descriptors.length);
  const view = viewOf(list);
  view.setUint16(0, list.length - 2);
  view.setUint16(2, list.length - 8);
  descriptors.forEach(([lba, blocks], i) => {
    setU64(view, 8 + 16 * i, lba);
    view.setUint32(16 + 16 * i, blocks);
  });
  const cdb = new Uint8Array(10);
  cdb[0] = 0x42;
  viewOf(cdb).setUint16(7, list.length);
  return [cdb, list];
}

describe('UNMAP and GET LBA STATUS', () => {
  const thin = (): Rig => {
    const rig = rigOf({ isThin: true });
    rig.store.write(0, filled(64, 3));
    return rig;
  };

  it('unmapped blocks read as zeros and are told', () => {
    const rig = thin();
    expect(rig.outcome(1, ...unmap([8, 8], [24, 3]))).toBe('00');
    expect(fills(rig, 7, 10)).toEqual([3, 0, 0, 0, 0, 0, 0, 0, 0, 3]);
    const { data } = rig.run(1, cdb16(0x9e, 0x12, 4, 512));
    expect(hex(data, 0, 8)).toBe(`000000${(4 + 16 * 6).toString(16)}00000000`);
    const found = Array.from({ length: 6 }, (_, i) => {
      const view = viewOf(data);
      return [view.getUint32(12 + 16 * i), view.getUint32(16 + 16 * i), data[20 + 16 * i]];
    });
    expect(found).toEqual([
      [4, 4, 0],
      [8, 8, 1],
      [16, 8, 0],
      [24, 3, 1],
      [27, 37, 0],
      [64, BLOCKS - 64, 1],
    ]);
  });

  it('an answer is as long as there is room, with one descriptor at least', () => {
    const rig = thin();
    expect(rig.run(1, cdb16(0x9e, 0x12, 4, 24)).data.length).toBe(24);
    expect(rig.run(1, cdb16(0x9e, 0x12, 4, 9)).data.length).toBe(9);
    expect(rig.outcome(1, cdb16(0x9e, 0x12, BLOCKS, 24))).toBe('5/21/00');
  });

  it('a thick unit is mapped all over', () => {
    expect(hex(rigOf({ store: plainStore() }).run(1, cdb16(0x9e, 0x12, 1, 24)).data)).toBe(
      '0000001400000000' + '0000000000000001' + '0000003f' + '00000000',
    );
  });

  it.each([
    ['no blocks at the end', [[BLOCKS, 0]], '00'],
    ['beyond the end', [[BLOCKS - 1, 2]], '5/21/00'],
    ['too many blocks', [[0, 65_537]], '5/21/00'],
    ['nothing', [], '00'],
  ] as const)('%s', (_what, descriptors, outcome) => {
    const rig = thin();
    expect(rig.outcome(1, ...unmap([0, 8], ...descriptors))).toBe(outcome);
    // nothing is unmapped when one descriptor is wrong
    expect(fills(rig, 0, 1)).toEqual([outcome === '00' ? 0 : 3]);
  });

  it('more descriptors or blocks than announced are refused', () => {
    const rig = rigOf({ isThin: true, store: new SparseStore({ blocks: 200_000 }) });
    const many = Array.from({ length: 257 }, (_, i) => [i, 1] as const);
    expect(rig.outcome(1, ...unmap(...many.slice(1)))).toBe('00');
    expect(rig.outcome(1, ...unmap(...many))).toBe('5/26/00');
    expect(rig.outcome(1, ...unmap([0, 65_536]))).toBe('00');
    expect(rig.outcome(1, ...unmap([0, 65_536], [70_000, 1]))).toBe('5/26/00');
  });

  it('a list that is too short, none at all, and an incomplete descriptor', () => {
    const rig = thin();
    const [cdb, list] = unmap([0, 8]);
    const withLength = (length: number): Uint8Array => {
      const copy = cdb.slice();
      viewOf(copy).setUint16(7, length);
      return copy;
    };
    expect(rig.outcome(1, withLength(0))).toBe('00');
    expect(rig.outcome(1, withLength(7), list)).toBe('5/1A/00');
    expect(rig.outcome(1, withLength(23), list)).toBe('00');
    expect(fills(rig, 0, 1)).toEqual([3]);
    cdb[1] = 1;
    expect(rig.outcome(1, cdb, list)).toBe('5/24/00');
  });

  it('READ CAPACITY(16) tells that a unit is thin', () => {
    expect(rigOf({ isThin: true }).run(1, cdb16(0x9e, 0x10, 0, 32)).data[14]).toBe(0xc0);
    expect(rigOf().run(1, cdb16(0x9e, 0x10, 0, 32)).data[14]).toBe(0);
  });

  it('a thin unit needs a store that can unmap', () => {
    expect(() => rigOf({ isThin: true, store: plainStore() })).toThrow('a store with unmap and extentAt');
  });
});

/** A store that cannot unmap. */
function plainStore() {
  const { blocks, blockLength, read, write, flush } = new SparseStore({ blocks: 64 });
  return { blocks, blockLength, read, write, flush };
}

describe('write protection', () => {
  it('all that writes is refused', () => {
    const rig = rigOf({ isWriteProtected: true, isThin: true });
    for (const opcode of [...Object.values(WRITES), 0x41, 0x93, 0x89]) {
      expect(rig.outcome(1, cdbOf(opcode, 0, 0, 1), filled(2, 1)), opcode.toString(16)).toBe('7/27/00');
    }
    expect(rig.outcome(1, ...unmap([0, 1]))).toBe('7/27/00');
    expect(rig.outcome(1, cdbOf(0x28, 0, 0, 1))).toBe('00');
    expect(rig.outcome(1, cdbOf(0x2f, 0, 0, 1))).toBe('00');
  });
});

it('bytes come back as they were written, by every pair of commands', () => {
  const rig = rigOf();
  const bytes = Uint8Array.from({ length: 1024 }, (_, i) => (i * 31) ^ (i >> 3));
  for (const writing of Object.values(WRITES)) {
    rig.store.unmap(0, BLOCKS);
    rig.outcome(1, cdbOf(writing, 0, 3, 2), bytes);
    for (const reading of Object.values(READS)) {
      expect(bytesEqual(rig.run(1, cdbOf(reading, 0, 3, 2)).data, bytes)).toBe(true);
    }
  }
});
