import { fromHex, type Nanos } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import { invalidFieldInCdb, LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE, type Sense, WRITE_PROTECTED } from '../sense.js';
import type { Command, CommandRequest, Reply, UnitContext } from './command.js';

export const READ_10: Command = {
  name: 'READ(10)',
  opcode: Opcode.read10,
  usage: fromHex('28 1e ffffffff 1f ffff 00'),
  service: 'read',
  validate: validateRead,
  execute: read,
};

export const READ_16: Command = {
  name: 'READ(16)',
  opcode: Opcode.read16,
  usage: fromHex('88 1e ffffffffffffffff ffffffff 1f 00'),
  service: 'read',
  validate: validateRead,
  execute: read,
};

export const WRITE_10: Command = {
  name: 'WRITE(10)',
  opcode: Opcode.write10,
  usage: fromHex('2a 1a ffffffff 1f ffff 00'),
  service: 'write',
  validate: validateWrite,
  execute: write,
};

export const WRITE_16: Command = {
  name: 'WRITE(16)',
  opcode: Opcode.write16,
  usage: fromHex('8a 1a ffffffffffffffff ffffffff 1f 00'),
  service: 'write',
  validate: validateWrite,
  execute: write,
};

/** Write-through: when GOOD is sent the medium has it. So a flush has only the store to push. */
export const SYNCHRONIZE_CACHE_10: Command = {
  name: 'SYNCHRONIZE CACHE(10)',
  opcode: Opcode.synchronizeCache10,
  usage: fromHex('35 06 ffffffff 1f ffff 00'),
  service: 'flush',
  validate: setRange,
  execute: synchronize,
};

export const SYNCHRONIZE_CACHE_16: Command = {
  name: 'SYNCHRONIZE CACHE(16)',
  opcode: Opcode.synchronizeCache16,
  usage: fromHex('91 06 ffffffffffffffff ffffffff 1f 00'),
  service: 'flush',
  validate: setRange,
  execute: synchronize,
};

/**
 * Reads LBA and number of blocks of a 10 or 16 byte CDB and checks that the unit has them.
 *
 * Exact over all 64 bits without BigInt: a unit has at most 2^53 - 1 blocks, so a larger LBA is out of range before its
 * low bits matter, and the end is never computed. No blocks at the very end is in range.
 */
function setRange(unit: UnitContext, request: CommandRequest): Sense | undefined {
  const { cdb } = request;
  const is16 = cdb[0]! >= 0x80;
  const lba = is16 ? u32(cdb, 2) * 0x1_0000_0000 + u32(cdb, 6) : u32(cdb, 2);
  const blocks = is16 ? u32(cdb, 10) : (cdb[7]! << 8) | cdb[8]!;
  const size = unit.store.blocks;
  if (lba > size || blocks > size - lba) return LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE;
  request.lba = lba;
  request.blocks = blocks;
  return undefined;
}

function u32(bytes: Uint8Array, at: number): number {
  return ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0;
}

function validateRead(unit: UnitContext, request: CommandRequest): Sense | undefined {
  const sense = setRange(unit, request);
  if (sense !== undefined) return sense;
  return request.blocks > unit.settings.maxTransferBlocks ? tooLong(request) : undefined;
}

function validateWrite(unit: UnitContext, request: CommandRequest): Sense | undefined {
  const sense = validateRead(unit, request);
  if (sense !== undefined) return sense;
  return unit.settings.isWriteProtected ? WRITE_PROTECTED : undefined;
}

function tooLong({ cdb }: CommandRequest): Sense {
  return invalidFieldInCdb(cdb[0]! >= 0x80 ? 10 : 7);
}

function read(unit: UnitContext, { lba, blocks }: CommandRequest, reply: Reply): void {
  const { store } = unit;
  const lent = store.lend?.(lba, blocks);
  if (lent !== undefined) reply.data = lent;
  else store.read(lba, blocks, reply.allocate(blocks * store.blockLength));
}

/** Writes what arrived of the Data-Out, and of that what a crash left. A block that arrived in part keeps its rest. */
function write(unit: UnitContext, request: CommandRequest, _reply: Reply, now: Nanos): void {
  const { blockLength } = unit.store;
  const blocks = request.tornAfter < 0 ? request.blocks : request.tornAfter;
  const length = Math.min(request.dataOut.length, blocks * blockLength);
  if (length === 0) return;
  const data = length === request.dataOut.length ? request.dataOut : request.dataOut.subarray(0, length);
  unit.write(now, request, request.lba, length % blockLength === 0 ? data : fillLastBlock(unit, request.lba, data));
}

function fillLastBlock(unit: UnitContext, lba: number, data: Uint8Array): Uint8Array {
  const { blockLength } = unit.store;
  const whole = Math.floor(data.length / blockLength);
  const filled = new Uint8Array((whole + 1) * blockLength);
  unit.store.read(lba + whole, 1, filled.subarray(whole * blockLength));
  filled.set(data);
  return filled;
}

function synchronize(unit: UnitContext): void {
  unit.store.flush();
}
