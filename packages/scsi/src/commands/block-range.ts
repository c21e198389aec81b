import { Opcode } from '../opcode.js';
import { invalidFieldInCdb, LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE, type Sense } from '../sense.js';
import type { CommandRequest, UnitContext } from './command.js';

/**
 * LBA and number of blocks in the CDB of a command that addresses the medium, by the group of its opcode.
 *
 * bytes LBA   blocks
 *     6 1-3   4              21 bits; 0 blocks are 256
 *    10 2-5   7-8
 *    12 2-5   6-9
 *    16 2-9   10-13          13 for COMPARE AND WRITE, 12-13 for WRITE ATOMIC
 *
 * Source: SBC-3, "Commands for direct access block devices".
 */
function lbaOf(cdb: Uint8Array): number {
  switch (cdb[0]! >> 5) {
    case 0:
      return ((cdb[1]! & 0x1f) << 16) | (cdb[2]! << 8) | cdb[3]!;
    case 4:
      return u32(cdb, 2) * 0x1_0000_0000 + u32(cdb, 6);
    default:
      return u32(cdb, 2);
  }
}

export function blocksOf(cdb: Uint8Array): number {
  switch (cdb[0]! >> 5) {
    case 0:
      return cdb[4] === 0 ? 256 : cdb[4]!;
    case 4:
      if (cdb[0] === Opcode.compareAndWrite) return cdb[13]!;
      return cdb[0] === Opcode.writeAtomic16 ? (cdb[12]! << 8) | cdb[13]! : u32(cdb, 10);
    case 5:
      return u32(cdb, 6);
    default:
      return (cdb[7]! << 8) | cdb[8]!;
  }
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

/**
 * Takes the range out of the CDB and checks that the unit has it.
 *
 * Exact over all 64 bits without BigInt: a unit has at most 2^53 - 1 blocks, so a larger LBA is out of range before its
 * low bits matter, and the end is never computed. No blocks at the very end is in range.
 */
export function setRange(unit: UnitContext, request: CommandRequest): Sense | undefined {
  const lba = lbaOf(request.cdb);
  const blocks = blocksOf(request.cdb);
  const size = unit.store.blocks;
  if (lba > size || blocks > size - lba) return LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE;
  request.lba = lba;
  request.blocks = blocks;
  return undefined;
}

/** The range, and no more blocks than one command may move: MAXIMUM TRANSFER LENGTH. */
export function setTransferRange(unit: UnitContext, request: CommandRequest): Sense | undefined {
  const sense = setRange(unit, request);
  if (sense !== undefined) return sense;
  return request.blocks > unit.settings.maxTransferBlocks ? wrongBlocks(request.cdb) : undefined;
}

/** That range of a command that writes. */
export function setWriteRange(unit: UnitContext, request: CommandRequest): Sense | undefined {
  return setTransferRange(unit, request) ?? unit.writeProtection;
}

/** INVALID FIELD IN CDB at the number of blocks. */
export function wrongBlocks(cdb: Uint8Array): Sense {
  switch (cdb[0]! >> 5) {
    case 0:
      return invalidFieldInCdb(4);
    case 4:
      return invalidFieldInCdb(cdb[0] === Opcode.compareAndWrite ? 13 : cdb[0] === Opcode.writeAtomic16 ? 12 : 10);
    case 5:
      return invalidFieldInCdb(6);
    default:
      return invalidFieldInCdb(7);
  }
}
