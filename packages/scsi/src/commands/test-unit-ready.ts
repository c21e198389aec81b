import { fromHex } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import type { Command } from './command.js';
import { NO_TRANSFER } from './transfer.js';

/** GOOD: what there is to report, a unit attention or a medium that is not ready, is reported before. */
export const TEST_UNIT_READY: Command = {
  name: 'TEST UNIT READY',
  opcode: Opcode.testUnitReady,
  usage: fromHex('00 00 00 00 00 00'),
  service: 'other',
  transfer: NO_TRANSFER,
  needsMedium: true,
  execute() {},
};
