import { fromHex, type Nanos } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import { setWriteRange } from './block-range.js';
import type { Command, CommandRequest, Reply, UnitContext } from './command.js';
import { flushIfForced } from './force-unit-access.js';
import { BLOCKS_OUT } from './transfer.js';

/** What is stored, OR the Data-Out, as far as that arrived: one indivisible step. */
export const ORWRITE: Command = {
  name: 'ORWRITE(16)',
  opcode: Opcode.orWrite16,
  usage: fromHex('8b 1a ffffffffffffffff ffffffff 1f 00'),
  service: 'write',
  transfer: BLOCKS_OUT,
  needsMedium: true,
  validate: setWriteRange,
  execute,
};

function execute(unit: UnitContext, request: CommandRequest, _reply: Reply, now: Nanos): void {
  const { blockLength } = unit.store;
  const length = Math.min(request.dataOut.length, request.blocks * blockLength);
  if (length === 0) return;
  const bytes = new Uint8Array(Math.ceil(length / blockLength) * blockLength);
  unit.store.read(request.lba, bytes.length / blockLength, bytes);
  for (let i = 0; i < length; i++) bytes[i]! |= request.dataOut[i]!;
  unit.write(now, request, request.lba, bytes);
  flushIfForced(unit, request.cdb);
}
