import { fromHex } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import { invalidFieldInCdb, MEDIUM_REMOVAL_PREVENTED } from '../sense.js';
import type { Command } from './command.js';
import { NO_TRANSFER } from './transfer.js';

const LOEJ = 0x02;
const START = 0x01;

/**
 * Loads and ejects a removable medium. Nothing turns here: START without LOEJ, and every power condition, is accepted and
 * changes nothing. Source: SBC-3, "START STOP UNIT command".
 */
export const START_STOP_UNIT: Command = {
  name: 'START STOP UNIT',
  opcode: Opcode.startStopUnit,
  usage: fromHex('1b 01 00 0f f7 00'),
  service: 'other',
  transfer: NO_TRANSFER,
  validate({ settings, medium }, { cdb }) {
    const hasPowerCondition = cdb[4]! >> 4 !== 0;
    if (hasPowerCondition || (cdb[4]! & LOEJ) === 0) return undefined;
    if (!settings.isRemovable) return invalidFieldInCdb(4, 1);
    return medium.isRemovalPrevented ? MEDIUM_REMOVAL_PREVENTED : undefined;
  },
  execute({ medium, store }, { cdb }) {
    const hasPowerCondition = cdb[4]! >> 4 !== 0;
    if (hasPowerCondition || (cdb[4]! & LOEJ) === 0) return;
    medium.isLoaded = (cdb[4]! & START) !== 0;
    if (!medium.isLoaded) store.flush();
  },
};

/** Locks the medium into the unit, nexus by nexus: it can be removed when all allow it. Source: SBC-3. */
export const PREVENT_ALLOW_MEDIUM_REMOVAL: Command = {
  name: 'PREVENT ALLOW MEDIUM REMOVAL',
  opcode: Opcode.preventAllowMediumRemoval,
  usage: fromHex('1e 00 00 00 03 00'),
  service: 'other',
  transfer: NO_TRANSFER,
  validate: (_unit, { cdb }) => ((cdb[4]! & 0x02) !== 0 ? invalidFieldInCdb(4, 1) : undefined),
  execute({ medium }, { cdb, from }) {
    if ((cdb[4]! & 0x01) !== 0) medium.prevent(from.nexus.id);
    else medium.allow(from.nexus.id);
  },
};
