import { setU64, viewOf } from '@quorate/kernel';
import type { OutCommand } from './cdb.js';
import { Opcode, ServiceActionIn16 } from './opcode.js';

/** The initiator's side of thin units and of conditional writes: CDBs with their Data-Out. Source: SBC-3. */

/** A run of blocks. */
export interface BlockRange {
  readonly lba: number;
  readonly blocks: number;
}

/** UNMAP of any number of ranges; a unit says in VPD page B0h how many it takes. */
export function unmap(ranges: readonly BlockRange[]): OutCommand {
  const data = new Uint8Array(8 + 16 * ranges.length);
  const view = viewOf(data);
  view.setUint16(0, data.length - 2);
  view.setUint16(2, data.length - 8);
  ranges.forEach(({ lba, blocks }, i) => {
    setU64(view, 8 + 16 * i, lba);
    view.setUint32(16 + 16 * i, blocks);
  });
  const cdb = new Uint8Array(10);
  cdb[0] = Opcode.unmap;
  viewOf(cdb).setUint16(7, data.length);
  return { cdb, data };
}

/** WRITE SAME(16): every block of the range becomes `block`; no blocks are all to the end of the unit. */
export function writeSame16(lba: number, blocks: number, block: Uint8Array<ArrayBuffer>): OutCommand {
  return { cdb: range16(Opcode.writeSame16, 0, lba, blocks), data: block };
}

/** WRITE SAME(16) with UNMAP: the range gives its room back and reads as zeros. */
export function unmapSame16(lba: number, blocks: number, blockLength: number): OutCommand {
  return { cdb: range16(Opcode.writeSame16, 0x08, lba, blocks), data: new Uint8Array(blockLength) };
}

/**
 * COMPARE AND WRITE: `written` replaces `expected`, if that is there. Both have the same number of blocks.
 *
 * @throws {RangeError} for different lengths, no whole number of blocks, and more than 255.
 */
export function compareAndWrite(
  lba: number,
  expected: Uint8Array,
  written: Uint8Array,
  blockLength: number,
): OutCommand {
  const blocks = expected.length / blockLength;
  if (expected.length !== written.length || !Number.isInteger(blocks) || blocks > 255) {
    throw new RangeError(`${expected.length} and ${written.length} bytes for blocks of ${blockLength}, at most 255`);
  }
  const cdb = range16(Opcode.compareAndWrite, 0, lba, 0);
  cdb[13] = blocks;
  const data = new Uint8Array(2 * expected.length);
  data.set(expected);
  data.set(written, expected.length);
  return { cdb, data };
}

export function getLbaStatus(lba: number, allocationLength = 4096): Uint8Array<ArrayBuffer> {
  return range16(Opcode.serviceActionIn16, ServiceActionIn16.getLbaStatus, lba, allocationLength);
}

function range16(opcode: number, byte1: number, lba: number, count: number): Uint8Array<ArrayBuffer> {
  const cdb = new Uint8Array(16);
  const view = viewOf(cdb);
  cdb[0] = opcode;
  cdb[1] = byte1;
  setU64(view, 2, lba);
  view.setUint32(10, count);
  return cdb;
}
