import type { Nanos } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import { INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT, invalidFieldInCdb, miscompareAt, type Sense } from '../sense.js';
import { setRange, setTransferRange, setWriteRange } from './block-range.js';
import { blocksOf } from './cdb-range.js';
import { type Command, type CommandRequest, family, type Reply, type UnitContext } from './command.js';
import { write } from './read-write.js';
import { BLOCKS_OUT, type Transfer } from './transfer.js';

/** BYTCHK, byte 1 bits 2-1. Source: SBC-3, "VERIFY (10) command". */
const ByteCheck = {
  /** The medium is read, and nothing compared. */
  none: 0,
  /** Block by block with the Data-Out. */
  all: 1,
  reserved: 2,
  /** Every block with the one block of the Data-Out. */
  one: 3,
} as const;

const VERIFY_TRANSFER: Transfer = {
  direction: 'out',
  bytes(cdb, blockLength) {
    const check = byteCheckOf(cdb);
    return check === ByteCheck.none ? 0 : (check === ByteCheck.one ? 1 : blocksOf(cdb)) * blockLength;
  },
};

export const VERIFY: readonly Command[] = family(
  { service: 'read', transfer: VERIFY_TRANSFER, needsMedium: true, validate: validateVerify, execute: verify },
  [
    ['VERIFY(10)', Opcode.verify10, '2f 16 ffffffff 1f ffff 00'],
    ['VERIFY(12)', Opcode.verify12, 'af 16 ffffffff ffffffff 1f 00'],
    ['VERIFY(16)', Opcode.verify16, '8f 16 ffffffffffffffff ffffffff 1f 00'],
  ],
);

export const WRITE_AND_VERIFY: readonly Command[] = family(
  {
    service: 'write',
    transfer: BLOCKS_OUT,
    needsMedium: true,
    isTearable: true,
    validate: validateWriteAndVerify,
    execute: writeAndVerify,
  },
  [
    ['WRITE AND VERIFY(10)', Opcode.writeAndVerify10, '2e 16 ffffffff 1f ffff 00'],
    ['WRITE AND VERIFY(12)', Opcode.writeAndVerify12, 'ae 16 ffffffff ffffffff 1f 00'],
    ['WRITE AND VERIFY(16)', Opcode.writeAndVerify16, '8e 16 ffffffffffffffff ffffffff 1f 00'],
  ],
);

function byteCheckOf(cdb: Uint8Array): number {
  return (cdb[1]! >> 1) & 0x03;
}

function validateVerify(unit: UnitContext, request: CommandRequest): Sense | undefined {
  const check = byteCheckOf(request.cdb);
  if (check === ByteCheck.reserved) return invalidFieldInCdb(1, 2);
  const sense = check === ByteCheck.all ? setTransferRange(unit, request) : setRange(unit, request);
  if (sense !== undefined || request.blocks === 0 || check === ByteCheck.none) return sense;
  // A comparison with less than was announced would say more than it knows.
  const expected = check === ByteCheck.one ? 1 : request.blocks;
  const isShort = request.dataOut.length < expected * unit.store.blockLength;
  return isShort ? INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT : undefined;
}

/** The medium is read in pieces, so that its own errors show; what it gives is compared. */
function verify(unit: UnitContext, request: CommandRequest, reply: Reply, _now: Nanos): void {
  const { store } = unit;
  const { blockLength } = store;
  const check = byteCheckOf(request.cdb);
  const atOnce = Math.max(1, Math.floor((256 * 1024) / blockLength));
  const found = new Uint8Array(Math.min(request.blocks, atOnce) * blockLength);
  for (let done = 0; done < request.blocks; done += atOnce) {
    const blocks = Math.min(atOnce, request.blocks - done);
    store.read(request.lba + done, blocks, found);
    if (check === ByteCheck.none) continue;
    const start = check === ByteCheck.all ? done * blockLength : 0;
    const period = check === ByteCheck.all ? found.length : blockLength;
    const at = mismatch(found, blocks * blockLength, request.dataOut, start, period);
    if (at >= 0) return reply.check(miscompareAt(done * blockLength + at));
  }
}

/** First of `length` bytes that differs from those of the Data-Out from `start` on, which repeat after `period`; -1. */
function mismatch(found: Uint8Array, length: number, dataOut: Uint8Array, start: number, period: number): number {
  for (let i = 0; i < length; i++) if (found[i] !== dataOut[start + (i % period)]) return i;
  return -1;
}

/** Only bit 0 of BYTCHK is defined here. */
function validateWriteAndVerify(unit: UnitContext, request: CommandRequest): Sense | undefined {
  return byteCheckOf(request.cdb) > ByteCheck.all ? invalidFieldInCdb(1, 2) : setWriteRange(unit, request);
}

/** What is verified is on the medium, and no more in a cache. */
function writeAndVerify(unit: UnitContext, request: CommandRequest, reply: Reply, now: Nanos): void {
  write(unit, request, reply, now);
  if (request.torn !== undefined) return;
  const { store } = unit;
  store.flush();
  const wanted = request.dataOut.subarray(0, request.blocks * store.blockLength);
  const found = new Uint8Array(Math.ceil(wanted.length / store.blockLength) * store.blockLength);
  store.read(request.lba, found.length / store.blockLength, found);
  if (byteCheckOf(request.cdb) !== ByteCheck.all) return;
  const at = mismatch(found, wanted.length, wanted, 0, wanted.length);
  if (at >= 0) reply.check(miscompareAt(at));
}
