import { fromHex, type Nanos } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import type { Sense } from '../sense.js';
import { setWriteRange, wrongBlocks } from './block-range.js';
import type { Command, CommandRequest, Reply, UnitContext } from './command.js';
import { write } from './read-write.js';
import { BLOCKS_OUT } from './transfer.js';

/**
 * All blocks or none, also when the initiator crashes or the task is aborted. Any alignment and any number of blocks up to
 * the announced maximum; an atomic boundary is not supported. Source: SBC-4, "WRITE ATOMIC (16) command".
 */
export const WRITE_ATOMIC: Command = {
  name: 'WRITE ATOMIC(16)',
  opcode: Opcode.writeAtomic16,
  usage: fromHex('9c 18 ffffffffffffffff 0000 ffff 1f 00'),
  service: 'write',
  transfer: BLOCKS_OUT,
  needsMedium: true,
  validate,
  execute,
};

function validate(unit: UnitContext, request: CommandRequest): Sense | undefined {
  const sense = setWriteRange(unit, request);
  if (sense !== undefined) return sense;
  return request.blocks > unit.settings.maxAtomicBlocks ? wrongBlocks(request.cdb) : undefined;
}

function execute(unit: UnitContext, request: CommandRequest, reply: Reply, now: Nanos): void {
  write(unit, request, reply, now);
}
