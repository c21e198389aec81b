import { concatBytes, fromHex, viewOf } from '@quorate/kernel';
import { MaintenanceIn, Opcode } from '../opcode.js';
import { invalidFieldInCdb, type Sense } from '../sense.js';
import type { Command, CommandRequest, UnitContext } from './command.js';
import { allocationAt } from './transfer.js';

/** REPORTING OPTIONS, byte 2 bits 2-0. */
const Option = { all: 0, opcode: 1, serviceAction: 2, either: 3 } as const;

const RCTD = 0x80;

/** REPORT SUPPORTED OPERATION CODES: every command of the unit, or what it knows of one. */
export const REPORT_SUPPORTED_OPERATION_CODES: Command = {
  name: 'REPORT SUPPORTED OPERATION CODES',
  opcode: Opcode.maintenanceIn,
  serviceAction: MaintenanceIn.reportSupportedOperationCodes,
  usage: fromHex('a3 1f 87 ff ffff ffffffff 00 00'),
  service: 'other',
  transfer: allocationAt(6, 4),
  runsDuringSanitize: true,
  validate,
  execute(unit, { cdb }, reply) {
    const hasTimeouts = (cdb[2]! & RCTD) !== 0;
    const isAll = (cdb[2]! & 0x07) === Option.all;
    const data = isAll ? encodeAll(unit.commands.all, hasTimeouts) : encodeOne(commandAsked(unit, cdb), hasTimeouts);
    reply.give(data, viewOf(cdb).getUint32(6));
  },
};

/**
 * REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS, 4 bytes: byte 0 bit 7 ATS, 6 ATSS, 5 CACAS, 4 CTSS, 3 LURS, 2 QTS, 1 TRS,
 * 0 WAKES; byte 1 bits 2-0 QAES, QTSS, ITNRS. Source: SPC-4.
 */
export const REPORT_SUPPORTED_TASK_MANAGEMENT_FUNCTIONS: Command = {
  name: 'REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS',
  opcode: Opcode.maintenanceIn,
  serviceAction: MaintenanceIn.reportSupportedTaskManagementFunctions,
  usage: fromHex('a3 1f 00 00 0000 ffffffff 00 00'),
  service: 'other',
  transfer: allocationAt(6, 4),
  runsDuringSanitize: true,
  execute(_unit, { cdb }, reply) {
    reply.give(fromHex('fa 00 00 00'), viewOf(cdb).getUint32(6));
  },
};

/** An opcode with service actions is asked for with one, another without. */
function validate({ commands }: UnitContext, { cdb }: CommandRequest): Sense | undefined {
  const option = cdb[2]! & 0x07;
  const opcode = cdb[3]!;
  if (option > Option.either) return invalidFieldInCdb(2, 2);
  if (option === Option.opcode && commands.hasServiceActions(opcode)) return invalidFieldInCdb(2, 2);
  const isWithout = commands.isKnownOpcode(opcode) && !commands.hasServiceActions(opcode);
  return option === Option.serviceAction && isWithout ? invalidFieldInCdb(2, 2) : undefined;
}

function commandAsked({ commands }: UnitContext, cdb: Uint8Array): Command | undefined {
  return commands.find(cdb[3]!, viewOf(cdb).getUint16(4));
}

/**
 * All: u32 length, then 8 bytes for each command
 *
 * offset size field
 *      0    1 opcode
 *      2    2 service action  0 for opcodes without
 *      5    1 flags           bit 1 CTDP: a timeouts descriptor follows; 0 SERVACTV
 *      6    2 CDB length
 *
 * Source: SPC-4, "All_commands parameter data format".
 */
function encodeAll(commands: readonly Command[], hasTimeouts: boolean): Uint8Array {
  const parts = commands.map(({ opcode, serviceAction, usage }) => {
    const flags = (hasTimeouts ? 0x02 : 0) | (serviceAction === undefined ? 0 : 0x01);
    const descriptor = Uint8Array.of(opcode, 0, 0, serviceAction ?? 0, 0, flags, 0, usage.length);
    return hasTimeouts ? concatBytes(descriptor, noTimeouts()) : descriptor;
  });
  const header = new Uint8Array(4);
  viewOf(header).setUint32(0, parts.length * (hasTimeouts ? 20 : 8));
  return concatBytes(header, ...parts);
}

/**
 * One: byte 1 bit 7 CTDP, 2-0 SUPPORT (1 no, 3 as the standard has it), u16 CDB length, then the CDB with ones in the bits
 * that are evaluated; opcode and service action stand there themselves. Source: SPC-4, "One_command parameter data format".
 */
function encodeOne(command: Command | undefined, hasTimeouts: boolean): Uint8Array {
  if (command === undefined) return Uint8Array.of(0, 0x01, 0, 0);
  const { opcode, serviceAction } = command;
  const usage = command.usage.slice();
  usage[0] = opcode;
  if (serviceAction !== undefined) usage[1] = (usage[1]! & ~0x1f) | serviceAction;
  const header = Uint8Array.of(0, (hasTimeouts ? 0x80 : 0) | 0x03, 0, usage.length);
  return concatBytes(header, usage, hasTimeouts ? noTimeouts() : new Uint8Array(0));
}

/** Timeouts descriptor, 12 bytes: length of the rest, and no timeout is named. */
function noTimeouts(): Uint8Array {
  return fromHex('000a 00 00 00000000 00000000');
}
