import type { UnitContext } from './command.js';

/** FUA, byte 1 bit 3 of the CDBs of READ, WRITE, WRITE ATOMIC, ORWRITE and COMPARE AND WRITE, but for those of 6 bytes. */
const FORCE_UNIT_ACCESS = 0x08;

/** With FUA what was written is durable before the command ends. */
export function flushIfForced({ store }: UnitContext, cdb: Uint8Array): void {
  if (cdb[0]! >= 0x20 && (cdb[1]! & FORCE_UNIT_ACCESS) !== 0) store.flush();
}
