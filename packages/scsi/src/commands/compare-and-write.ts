import { fromHex, type Nanos } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import { miscompareAt, type Sense } from '../sense.js';
import { setRange, wrongBlocks } from './block-range.js';
import { blocksOf } from './cdb-range.js';
import type { Command, CommandRequest, Reply, UnitContext } from './command.js';
import { flushIfForced } from './force-unit-access.js';

/** The first half of the Data-Out is compared, the second written, in one indivisible step. */
export const COMPARE_AND_WRITE: Command = {
  name: 'COMPARE AND WRITE',
  opcode: Opcode.compareAndWrite,
  usage: fromHex('89 18 ffffffffffffffff 000000 ff 1f 00'),
  service: 'write',
  transfer: { direction: 'out', bytes: (cdb, blockLength) => 2 * blocksOf(cdb) * blockLength },
  needsMedium: true,
  validate,
  execute,
};

function validate(unit: UnitContext, request: CommandRequest): Sense | undefined {
  const sense = setRange(unit, request);
  if (sense !== undefined) return sense;
  const { blocks, dataOut, cdb } = request;
  if (blocks > unit.settings.maxCompareAndWriteBlocks) return wrongBlocks(cdb);
  if (unit.writeProtection !== undefined) return unit.writeProtection;
  return dataOut.length === 2 * blocks * unit.store.blockLength ? undefined : wrongBlocks(cdb);
}

function execute(unit: UnitContext, request: CommandRequest, reply: Reply, now: Nanos): void {
  const { lba, blocks, dataOut } = request;
  if (blocks === 0) return;
  const half = dataOut.length / 2;
  const found = new Uint8Array(half);
  unit.store.read(lba, blocks, found);
  for (let i = 0; i < half; i++) if (found[i] !== dataOut[i]) return reply.check(miscompareAt(i));
  unit.write(now, request, lba, dataOut.subarray(half));
  flushIfForced(unit, request.cdb);
}
