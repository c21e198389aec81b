import type { InitiatorPort } from '../transport-id.js';
import type { AptplRecord } from './aptpl-record.js';
import type { PersistentReservations } from './persistent-reservations.js';
import { ReservationType } from './reservation-type.js';

/** What is left of reservations after a power loss: nothing without APTPL. Ports stand for nexuses, whose numbers end. */
export function recordOf(reservations: PersistentReservations, portOf: (nexus: number) => InitiatorPort): AptplRecord {
  if (!reservations.isAptplActive) return { isActive: false, type: ReservationType.none, registrations: [] };
  const registrations = Array.from(reservations.registrations(), ({ nexus, key, allTargetPorts }) => ({
    port: portOf(nexus),
    key,
    allTargetPorts,
    isHolder: reservations.holder === nexus,
  }));
  return { isActive: true, type: reservations.type, registrations };
}

/** Takes a record back; `numberOf` gives the number of the nexus that a port is or will be. */
export function restoreRecord(
  reservations: PersistentReservations,
  record: AptplRecord,
  numberOf: (port: InitiatorPort) => number,
): void {
  const registrations = record.registrations.map(({ port, key, allTargetPorts }) => ({
    nexus: numberOf(port),
    key,
    allTargetPorts,
  }));
  const holder = record.registrations.findIndex((registration) => registration.isHolder);
  reservations.restore({
    registrations,
    type: record.type as ReservationType,
    holder: registrations[holder]?.nexus,
    generation: 0,
    isAptplActive: record.isActive,
  });
}
