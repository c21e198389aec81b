import type { Nanos } from '@quorate/kernel';
import type { Command, CommandRequest, UnitContext } from './commands/command.js';
import { Opcode } from './opcode.js';
import type { Refusal } from './refusal.js';
import { conflictsWithReservation } from './reservation/conflict.js';
import { admitsRegistrants } from './reservation/reservation-type.js';
import { INVALID_COMMAND_OPERATION_CODE, invalidFieldInCdb, type Sense } from './sense.js';
import { Status } from './status.js';

const CONFLICT: Refusal = { status: Status.reservationConflict, sense: undefined };

function check(sense: Sense): Refusal {
  return { status: Status.checkCondition, sense };
}

/**
 * The checks of a command whose logical unit exists, in their order: unit attention, opcode and service action,
 * reservations, medium, CDB. Sets the range of a command that addresses the medium; takes the unit attention that it reports.
 *
 * Reservations come after unit attentions, the order of LIO: a preempted initiator learns first what happened to it.
 */
export function refusalOf(
  now: Nanos,
  unit: UnitContext,
  request: CommandRequest,
  command: Command | undefined,
  cdbLength: number,
): Refusal | undefined {
  const { cdb, from } = request;
  if (command?.passesUnitAttention !== true) {
    const attention = from.attentions.take();
    if (attention !== undefined) return check(attention);
  }
  if (command === undefined || cdbLength === 0) {
    return check(
      cdbLength > 0 && unit.commands.isKnownOpcode(cdb[0]!) ? invalidFieldInCdb(1, 4) : INVALID_COMMAND_OPERATION_CODE,
    );
  }
  if (conflicts(unit, request)) return CONFLICT;
  const sense =
    unit.medium.refusalOf(now, command) ??
    reservedBits(cdb, cdbLength, command.usage) ??
    command.validate?.(unit, request);
  return sense === undefined ? undefined : check(sense);
}

function conflicts(unit: UnitContext, { cdb, from }: CommandRequest): boolean {
  const nexus = from.nexus.id;
  const { reservations, spc2 } = unit;
  if (reservations.size === 0) return spc2.conflicts(cdb, nexus);
  if (isReserveOrRelease(cdb[0]!)) return !mayReserveBesideRegistrations(unit, nexus);
  return conflictsWithReservation(cdb, reservations.standing(nexus), reservations.isRegistered(nexus));
}

function isReserveOrRelease(opcode: number): boolean {
  return (
    opcode === Opcode.reserve6 ||
    opcode === Opcode.release6 ||
    opcode === Opcode.reserve10 ||
    opcode === Opcode.release10
  );
}

/** RESERVE and RELEASE of SPC-2 beside persistent reservations (CRH). Source: SPC-4, "Exceptions to SPC-2 RESERVE". */
function mayReserveBesideRegistrations({ reservations }: UnitContext, nexus: number): boolean {
  return reservations.isHolder(nexus) || (reservations.isRegistered(nexus) && admitsRegistrants(reservations.type));
}

/** The first byte with a bit that this target does not know, or that the CDB lacks. */
function reservedBits(cdb: Uint8Array, cdbLength: number, usage: Uint8Array): Sense | undefined {
  if (cdbLength < usage.length) return invalidFieldInCdb(cdbLength);
  for (let i = 1; i < usage.length; i++) {
    const wrong = cdb[i]! & ~usage[i]!;
    if (wrong !== 0) return invalidFieldInCdb(i, 31 - Math.clz32(wrong));
  }
  return undefined;
}
