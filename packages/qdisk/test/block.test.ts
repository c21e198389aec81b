import { bytesEqual, crc32, setU64, viewOf } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HEADER_SECTOR, isSectorSize, MAX_NODES_DISK, openSlot, quorumDiskBytes, statusSector } from '../src/block.js';
import {
  DiskState,
  decodeHeader,
  decodeStatus,
  encodeHeader,
  encodeStatus,
  formatQuorumDisk,
  formattedSectors,
  Message,
  type StatusBlock,
  stateName,
} from '../src/index.js';
import { isInMask, nodesOf, setInMask } from '../src/node-mask.js';
import { recordedImages } from './images.js';

const images = recordedImages();

function sectorSizeOf(image: string): number {
  return image.includes('4096') ? 4096 : 512;
}

function sectorAt(image: string, sector: number): Uint8Array {
  const size = sectorSizeOf(image);
  return images.get(image)!.slice(sector * size, (sector + 1) * size);
}

function statusOf(image: string, nodeId: number): StatusBlock {
  const status = decodeStatus(sectorAt(image, statusSector(nodeId, sectorSizeOf(image))));
  if (typeof status === 'string') throw new Error(`${image}, node ${nodeId}: ${status}`);
  return status;
}

describe('where things stand', () => {
  it.each([
    // sector size, sector of node 1, of node 16, least size
    [512, 8, 128, 73_728],
    [4096, 1, 16, 73_728],
    [8192, 1, 16, 147_456],
  ])('sectors of %i bytes', (size, first, last, bytes) => {
    expect([statusSector(1, size), statusSector(MAX_NODES_DISK, size), quorumDiskBytes(size)]).toEqual([
      first,
      last,
      bytes,
    ]);
  });

  it.each([
    [512, true],
    [4096, true],
    [256, false],
    [520, false],
    [0, false],
  ])('a sector size of %i is possible: %s', (size, isPossible) => {
    expect(isSectorSize(size)).toBe(isPossible);
  });

  it('node n is bit (n-1) & 7 of byte (n-1) >> 3', () => {
    const mask = new Uint8Array(8);
    for (const node of [1, 5, 9, 16, 64]) setInMask(mask, node, true);
    setInMask(mask, 9, false);
    setInMask(mask, 0, true);
    setInMask(mask, 65, true);
    expect([...mask]).toEqual([0x11, 0x80, 0, 0, 0, 0, 0, 0x80]);
    expect(nodesOf(mask)).toEqual([1, 5, 16, 64]);
    expect([isInMask(mask, 0), isInMask(mask, 65)]).toEqual([false, false]);
  });
});

describe('images recorded from the original programs', () => {
  it.each([
    ['01-mkqdisk-ssz512', 512],
    ['02-mkqdisk-ssz4096', 4096],
  ])('%s: formatting gives the same bytes', (name, sectorSize) => {
    const disk = new Uint8Array(73_728);
    formatQuorumDisk({ label: 'myqdisk', host: 'my-vm1', wall: 1_446_127_500, sectorSize }, (sector, bytes) =>
      disk.set(bytes, sector * sectorSize),
    );
    expect(bytesEqual(disk, images.get(name)!)).toBe(true);
  });

  it.each([...images.keys()])('%s: encoding what was decoded gives the same bytes', (name) => {
    const size = sectorSizeOf(name);
    const out = new Uint8Array(size);
    const header = decodeHeader(sectorAt(name, HEADER_SECTOR));
    if (typeof header === 'string') throw new Error(header);
    encodeHeader(out, header);
    expect(bytesEqual(out, sectorAt(name, HEADER_SECTOR))).toBe(true);
    for (let nodeId = 1; nodeId <= MAX_NODES_DISK; nodeId++) {
      encodeStatus(out, statusOf(name, nodeId));
      expect(bytesEqual(out, sectorAt(name, statusSector(nodeId, size)))).toBe(true);
    }
  });

  it('01: the header', () => {
    expect(decodeHeader(sectorAt('01-mkqdisk-ssz512', HEADER_SECTOR))).toEqual({
      magic: 0xeb7a62c2,
      version: 0x389fabc4,
      created: 1_446_127_500,
      host: 'my-vm1',
      label: 'myqdisk',
      sectorSize: 512,
    });
  });

  it.each([
    // image, node, state, update node, message, argument, mask
    ['03-five-nodes-init', 3, DiskState.INIT, 3, Message.NONE, 0, []],
    ['04-node1-bid-acked', 1, DiskState.RUN, 1, Message.BID, 0, [1, 2, 3, 4, 5]],
    ['04-node1-bid-acked', 5, DiskState.RUN, 5, Message.ACK, 1, [1, 2, 3, 4, 5]],
    ['05-node1-master', 1, DiskState.MASTER, 1, Message.NONE, 0, [1, 2, 3, 4, 5]],
    ['06-node1-left-node2-master', 1, DiskState.NONE, 1, Message.NONE, 0, []],
    ['06-node1-left-node2-master', 2, DiskState.MASTER, 2, Message.NONE, 1, [2, 3, 4, 5]],
    ['07-node2-evicted-by-node3', 2, DiskState.EVICT, 3, Message.NONE, 0, []],
    ['08-node5-last-man', 5, DiskState.MASTER, 5, Message.NONE, 3, [5]],
    ['09-paused-node5-evicted', 5, DiskState.EVICT, 1, Message.NONE, 0, []],
  ] as const)('%s, node %i', (image, nodeId, state, updateNode, message, argument, mask) => {
    const status = statusOf(image, nodeId);
    expect(status).toMatchObject({ nodeId, state, updateNode, message, argument });
    expect(nodesOf(status.mask)).toEqual(mask);
  });

  it('05: the votes go to the nodes in the master mask', () => {
    const status = statusOf('05-node1-master', 1);
    expect(nodesOf(status.masterMask)).toEqual([1, 2, 3, 4, 5]);
    expect(status).toMatchObject({ meanWriteMicros: 2000, lastWriteMicros: 10_000, sequence: 2 });
  });

  it('04: an ACK copies the sequence number of the bid', () => {
    expect(statusOf('04-node1-bid-acked', 2).sequence).toBe(statusOf('04-node1-bid-acked', 1).sequence);
  });

  it("07: an eviction notice carries the evictor's incarnation", () => {
    expect(statusOf('07-node2-evicted-by-node3', 2).incarnation).toBe(
      statusOf('07-node2-evicted-by-node3', 3).incarnation,
    );
  });
});

describe('a slot that cannot be used', () => {
  const good = (): Uint8Array => sectorAt('05-node1-master', 8);
  /** Repairs the header CRC, so that the next check is reached. */
  const withHeaderCrc = (sector: Uint8Array): Uint8Array => {
    viewOf(sector).setUint32(4, 0, true);
    viewOf(sector).setUint32(4, crc32(sector, 0, 32), true);
    return sector;
  };
  const changed = (offset: number, value: number): Uint8Array => {
    const sector = good();
    viewOf(sector).setUint32(offset, value, true);
    return sector;
  };
  it.each([
    ['nothing', new Uint8Array(0), 'short'],
    ['zeros', new Uint8Array(512), 'bad-header-crc'],
    ['a flipped header', changed(16, 1), 'bad-header-crc'],
    ['another magic', withHeaderCrc(changed(0, 0x00debb1f)), 'bad-magic'],
    ['more data than the sector holds', withHeaderCrc(changed(12, 481)), 'bad-length'],
    ['flipped data', changed(40, 99), 'bad-data-crc'],
  ] as const)('%s', (_, sector, defect) => {
    expect(openSlot(sector)).toBe(defect);
    expect(decodeStatus(sector)).toBe(defect);
    expect(decodeHeader(sector)).toBe(defect);
  });

  it('a record that is shorter than a status block counts as filled up with zeros', () => {
    const sector = good();
    setU64(viewOf(sector), 24, 0, true);
    viewOf(sector).setUint32(12, 32, true);
    viewOf(sector).setUint32(8, crc32(sector, 32, 64), true);
    expect(decodeStatus(withHeaderCrc(sector))).toMatchObject({
      nodeId: 1,
      incarnation: '0000000000000000',
      sequence: 0,
    });
  });
});

describe('codecs', () => {
  const mask = fc.uint8Array({ minLength: 8, maxLength: 8 });
  const u16 = fc.integer({ min: 0, max: 0xffff });
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const span = fc.tuple(u32, fc.nat(999_999)).map(([sec, usec]) => sec * 1_000_000 + usec);
  const status: fc.Arbitrary<StatusBlock> = fc.record({
    updateNode: u32,
    timestamp: fc.maxSafeNat(),
    nodeId: u32,
    state: fc.integer({ min: 0, max: 255 }),
    flags: u16,
    score: u16,
    scoreMax: u16,
    meanWriteMicros: span,
    lastWriteMicros: span,
    incarnation: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex')),
    message: u16,
    sequence: u16,
    argument: u32,
    mask,
    masterMask: mask,
  });

  it('a status block comes back as it was written', () => {
    const sector = new Uint8Array(512);
    fc.assert(
      fc.property(status, (block) => {
        if (encodeStatus(sector, block)) expect(decodeStatus(sector)).toEqual(block);
      }),
    );
  });

  it('a header comes back as it was written, as long as its texts fit', () => {
    const sector = new Uint8Array(512);
    const text = (max: number): fc.Arbitrary<string> =>
      fc.string({ maxLength: max }).map((t) => t.replaceAll('\0', ''));
    const header = fc.record({
      magic: u32,
      version: u32,
      created: fc.maxSafeNat(),
      host: text(100),
      label: text(100),
      sectorSize: u32,
    });
    fc.assert(
      fc.property(header, (written) => {
        if (encodeHeader(sector, written)) expect(decodeHeader(sector)).toEqual(written);
      }),
    );
  });

  it('arbitrary bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        decodeStatus(bytes);
        decodeHeader(bytes);
      }),
    );
  });

  it('a label is cut to 118 bytes, a host name to 127', () => {
    const sector = new Uint8Array(512);
    encodeHeader(sector, {
      magic: 1,
      version: 1,
      created: 0,
      host: 'h'.repeat(200),
      label: 'l'.repeat(200),
      sectorSize: 512,
    });
    expect(decodeHeader(sector)).toMatchObject({ host: 'h'.repeat(127), label: 'l'.repeat(118) });
  });

  it.each([
    [DiskState.NONE, 'None'],
    [DiskState.EVICT, 'Evicted'],
    [DiskState.INIT, 'Initializing'],
    [DiskState.RUN, 'Running'],
    [DiskState.MASTER, 'Master'],
    [DiskState.EXIT, 'ILLEGAL'],
    [3, 'ILLEGAL'],
  ])('state %i is printed as %s', (state, name) => {
    expect(stateName(state)).toBe(name);
  });

  it('an impossible sector size is refused', () => {
    expect(() => [...formattedSectors({ label: 'l', host: 'h', wall: 0, sectorSize: 520 })]).toThrow(RangeError);
  });
});
