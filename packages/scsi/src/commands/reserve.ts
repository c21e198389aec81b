import { fromHex } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import type { Command, CommandRequest, UnitContext } from './command.js';
import { NO_TRANSFER } from './transfer.js';

/** RESERVE and RELEASE of SPC-2. Third-party and extent reservations are obsolete and refused by `usage`. */
export const RESERVE_6: Command = {
  name: 'RESERVE(6)',
  opcode: Opcode.reserve6,
  usage: fromHex('16 00 ff ff ff 00'),
  service: 'other',
  transfer: NO_TRANSFER,
  execute: reserve,
};

export const RESERVE_10: Command = {
  name: 'RESERVE(10)',
  opcode: Opcode.reserve10,
  usage: fromHex('56 00 ff ff 00 00 00 ff ff 00'),
  service: 'other',
  transfer: NO_TRANSFER,
  execute: reserve,
};

export const RELEASE_6: Command = {
  name: 'RELEASE(6)',
  opcode: Opcode.release6,
  usage: fromHex('17 00 ff ff ff 00'),
  service: 'other',
  transfer: NO_TRANSFER,
  execute: release,
};

export const RELEASE_10: Command = {
  name: 'RELEASE(10)',
  opcode: Opcode.release10,
  usage: fromHex('57 00 ff ff 00 00 00 ff ff 00'),
  service: 'other',
  transfer: NO_TRANSFER,
  execute: release,
};

/** While registrations exist nothing changes: who may send it already has what it asks for (CRH). */
function reserve(unit: UnitContext, { from }: CommandRequest): void {
  if (!hasRegistrations(unit)) unit.spc2.reserve(from.nexus.id);
}

function release(unit: UnitContext, { from }: CommandRequest): void {
  if (!hasRegistrations(unit)) unit.spc2.release(from.nexus.id);
}

function hasRegistrations(unit: UnitContext): boolean {
  return unit.reservations.size > 0;
}
