import { fromHex, viewOf } from '@quorate/kernel';
import { Opcode, ReserveIn } from '../opcode.js';
import type { Registration } from '../reservation/persistent-reservations.js';
import { isAllRegistrants, ReservationType } from '../reservation/reservation-type.js';
import {
  encodeCapabilities,
  encodeFullStatus,
  encodeKeys,
  encodeReservation,
  type RegistrationStatus,
} from '../reservation/reserve-in-data.js';
import type { InitiatorPort } from '../transport-id.js';
import type { Command, UnitContext } from './command.js';
import { allocationAt } from './transfer.js';

/** Types that can be reserved: all six. */
const TYPES: readonly number[] = [1, 3, 5, 6, 7, 8];

/** Allowed to everybody, registered or not (P19). */
export const PERSISTENT_RESERVE_IN: readonly Command[] = [
  action('READ KEYS', ReserveIn.readKeys, readKeys),
  action('READ RESERVATION', ReserveIn.readReservation, readReservation),
  action('REPORT CAPABILITIES', ReserveIn.reportCapabilities, reportCapabilities),
  action('READ FULL STATUS', ReserveIn.readFullStatus, readFullStatus),
];

function action(name: string, serviceAction: ReserveIn, answer: (unit: UnitContext) => Uint8Array): Command {
  return {
    name: `PERSISTENT RESERVE IN (${name})`,
    opcode: Opcode.persistentReserveIn,
    serviceAction,
    usage: fromHex('5e 1f 00 00 00 00 00 ff ff 00'),
    service: 'other',
    transfer: allocationAt(7, 2),
    runsDuringSanitize: true,
    execute(unit, { cdb }, reply) {
      reply.give(answer(unit), viewOf(cdb).getUint16(7));
    },
  };
}

function readKeys({ reservations }: UnitContext): Uint8Array {
  const keys = Array.from(reservations.registrations(), (registration) => registration.key);
  return encodeKeys({ generation: reservations.generation, keys });
}

function readReservation({ reservations }: UnitContext): Uint8Array {
  const { generation, type, holder } = reservations;
  if (type === ReservationType.none) return encodeReservation({ generation, reservation: undefined });
  const key = holder === undefined ? 0n : reservations.registrationOf(holder)!.key;
  return encodeReservation({ generation, reservation: { key, scope: 0, type } });
}

function reportCapabilities({ reservations }: UnitContext): Uint8Array {
  return encodeCapabilities({
    replaceLostReservation: false,
    compatibleReservationHandling: true,
    specifyInitiatorPorts: true,
    allTargetPorts: true,
    persistThroughPowerLoss: true,
    persistThroughPowerLossActivated: reservations.isAptplActive,
    allowCommands: 1,
    types: TYPES,
  });
}

function readFullStatus(unit: UnitContext): Uint8Array {
  const { reservations } = unit;
  const registrations = Array.from(reservations.registrations(), (registration) => statusOf(unit, registration));
  return encodeFullStatus(reservations.generation, registrations);
}

function statusOf(
  { reservations, target }: UnitContext,
  { nexus, key, allTargetPorts }: Registration,
): RegistrationStatus & { readonly port: InitiatorPort } {
  const { type } = reservations;
  const isHolder = isAllRegistrants(type) || reservations.isHolder(nexus);
  const relativeTargetPort = target.relativePort;
  return { key, allTargetPorts, isHolder, scope: 0, type, relativeTargetPort, port: target.portOf(nexus) };
}
