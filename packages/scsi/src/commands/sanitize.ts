import { fromHex, type Nanos, viewOf } from '@quorate/kernel';
import { Opcode, Sanitize } from '../opcode.js';
import { invalidFieldInCdb, type Sense } from '../sense.js';
import type { Command, CommandRequest, Reply, UnitContext } from './command.js';
import { parameterListAt } from './transfer.js';
import { fillBlocks } from './write-same.js';

const IMMED = 0x80;
const HEADER_BYTES = 4;

/**
 * SANITIZE: the whole medium loses its content, by a pattern or by zeros. Until the operation is over the unit is not
 * ready for most commands, and neither an abort nor a reset ends it.
 *
 * Source: SBC-3, "SANITIZE command". Errors in its parameter list are INVALID FIELD IN CDB, as libiscsi's suite has it.
 */
export const SANITIZE: readonly Command[] = [
  action('OVERWRITE', Sanitize.overwrite, checkOverwrite, (unit, request, now) => {
    const { dataOut } = request;
    const pattern = dataOut.slice(HEADER_BYTES, HEADER_BYTES + viewOf(dataOut).getUint16(2));
    const { blocks, blockLength } = unit.store;
    fillBlocks(blocks, pattern, blockLength, (at, bytes) => unit.write(now, request, at, bytes));
  }),
  action('BLOCK ERASE', Sanitize.blockErase, checkNoList, erase),
  action('CRYPTOGRAPHIC ERASE', Sanitize.cryptographicErase, checkNoList, erase),
  action('EXIT FAILURE MODE', Sanitize.exitFailureMode, checkNoList, undefined),
];

type Wipe = (unit: UnitContext, request: CommandRequest, now: Nanos) => void;

function action(
  name: string,
  serviceAction: number,
  check: (unit: UnitContext, request: CommandRequest) => Sense | undefined,
  wipe: Wipe | undefined,
): Command {
  return {
    name: `SANITIZE (${name})`,
    opcode: Opcode.sanitize,
    serviceAction,
    usage: fromHex('48 bf 0000000000 ffff 00'),
    service: 'write',
    transfer: parameterListAt(7, 2),
    needsMedium: true,
    takesLong: true,
    validate: (unit, request) => unit.writeProtection ?? check(unit, request),
    execute(unit, request, reply, now) {
      if (wipe === undefined) return;
      wipe(unit, request, now);
      begin(unit, request, reply, now);
    },
  };
}

/** With IMMED the answer does not wait for the end. */
function begin({ medium, settings }: UnitContext, { cdb }: CommandRequest, reply: Reply, now: Nanos): void {
  medium.beginSanitize(now, settings.sanitizeTime);
  if ((cdb[1]! & IMMED) === 0) reply.waitUntil = now + settings.sanitizeTime;
}

function erase(unit: UnitContext, request: CommandRequest, now: Nanos): void {
  const { store } = unit;
  if (store.unmap !== undefined) return unit.unmap(now, request, 0, store.blocks);
  const zeros = new Uint8Array(store.blockLength);
  fillBlocks(store.blocks, zeros, store.blockLength, (at, bytes) => unit.write(now, request, at, bytes));
}

/**
 * offset size field
 *      0    1 flags    bits 4-0 OVERWRITE COUNT, at least 1
 *      2    2 length   of the initialization pattern, 1 to the block length
 *      4      initialization pattern
 */
function checkOverwrite({ store }: UnitContext, { cdb, dataOut }: CommandRequest): Sense | undefined {
  const length = viewOf(cdb).getUint16(7);
  if (length <= HEADER_BYTES || length > HEADER_BYTES + store.blockLength) return invalidFieldInCdb(7);
  if (dataOut.length < length || (dataOut[0]! & 0x1f) === 0) return invalidFieldInCdb(7);
  const pattern = viewOf(dataOut).getUint16(2);
  return pattern >= 1 && pattern <= length - HEADER_BYTES ? undefined : invalidFieldInCdb(7);
}

function checkNoList(_unit: UnitContext, { cdb }: CommandRequest): Sense | undefined {
  return viewOf(cdb).getUint16(7) === 0 ? undefined : invalidFieldInCdb(7);
}
