import { Opcode } from '../opcode.js';
import { invalidFieldInCdb, LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE, type Sense } from '../sense.js';
import { blocksOf, lbaOf } from './cdb-range.js';
import type { CommandRequest, UnitContext } from './command.js';

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
