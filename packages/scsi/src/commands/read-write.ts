import type { Nanos } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import type { BlockRun } from '../torn-write.js';
import { setTransferRange, setWriteRange } from './block-range.js';
import { type Command, type CommandRequest, family, type Reply, type UnitContext } from './command.js';
import { flushIfForced } from './force-unit-access.js';
import { BLOCKS_IN, BLOCKS_OUT } from './transfer.js';

export const READ: readonly Command[] = family(
  { service: 'read', transfer: BLOCKS_IN, needsMedium: true, validate: setTransferRange, execute: read },
  [
    ['READ(6)', Opcode.read6, '08 1f ffff ff 00'],
    ['READ(10)', Opcode.read10, '28 1e ffffffff 1f ffff 00'],
    ['READ(12)', Opcode.read12, 'a8 1e ffffffff ffffffff 1f 00'],
    ['READ(16)', Opcode.read16, '88 1e ffffffffffffffff ffffffff 1f 00'],
  ],
);

export const WRITE: readonly Command[] = family(
  {
    service: 'write',
    transfer: BLOCKS_OUT,
    needsMedium: true,
    isTearable: true,
    validate: setWriteRange,
    execute: write,
  },
  [
    ['WRITE(6)', Opcode.write6, '0a 1f ffff ff 00'],
    ['WRITE(10)', Opcode.write10, '2a 1a ffffffff 1f ffff 00'],
    ['WRITE(12)', Opcode.write12, 'aa 1a ffffffff ffffffff 1f 00'],
    ['WRITE(16)', Opcode.write16, '8a 1a ffffffffffffffff ffffffff 1f 00'],
  ],
);

function read(unit: UnitContext, request: CommandRequest, reply: Reply, now: Nanos): void {
  const { lba, blocks } = request;
  const { store } = unit;
  const lent = store.lend?.(lba, blocks);
  if (lent !== undefined) reply.data = lent;
  else store.read(lba, blocks, reply.allocate(blocks * store.blockLength));
  unit.wasRead(now, request, reply.data);
}

/** Writes what arrived of the Data-Out, or of that what a crash left. A block that arrived in part keeps its rest. */
export function write(unit: UnitContext, request: CommandRequest, _reply: Reply, now: Nanos): void {
  const { dataOut, blocks, torn } = request;
  if (dataOut.length === 0 || blocks === 0) return;
  if (torn === undefined) writeAll(unit, request, now);
  else for (const run of torn) writeRun(unit, request, run, now);
  flushIfForced(unit, request.cdb);
}

function writeAll(unit: UnitContext, request: CommandRequest, now: Nanos): void {
  const { dataOut, lba, blocks } = request;
  const { blockLength } = unit.store;
  const length = Math.min(dataOut.length, blocks * blockLength);
  const data = length === dataOut.length ? dataOut : dataOut.subarray(0, length);
  unit.write(now, request, lba, length % blockLength === 0 ? data : fillLastBlock(unit, lba, data));
}

function writeRun(unit: UnitContext, request: CommandRequest, { first, blocks }: BlockRun, now: Nanos): void {
  const { blockLength } = unit.store;
  // The initiator may have sent more than the CDB asks for.
  const end = Math.min(first + blocks, request.blocks);
  if (first >= end) return;
  unit.write(now, request, request.lba + first, request.dataOut.subarray(first * blockLength, end * blockLength));
}

function fillLastBlock(unit: UnitContext, lba: number, data: Uint8Array): Uint8Array {
  const { blockLength } = unit.store;
  const whole = Math.floor(data.length / blockLength);
  const filled = new Uint8Array((whole + 1) * blockLength);
  unit.store.read(lba + whole, 1, filled.subarray(whole * blockLength));
  filled.set(data);
  return filled;
}
