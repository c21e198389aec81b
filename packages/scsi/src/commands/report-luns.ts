import { fromHex, viewOf } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import { invalidFieldInCdb, REPORTED_LUNS_DATA_HAS_CHANGED, type Sense } from '../sense.js';
import type { Command } from './command.js';
import { allocationAt } from './transfer.js';

/** SELECT REPORT: 0 and 2 list all logical units, 1 the well known ones, of which there are none. */
export const REPORT_LUNS: Command = {
  name: 'REPORT LUNS',
  opcode: Opcode.reportLuns,
  usage: fromHex('a0 00 ff 00 00 00 ff ff ff ff 00 00'),
  service: 'other',
  transfer: allocationAt(6, 4),
  runsDuringSanitize: true,
  passesUnitAttention: true,
  validate: (_unit, { cdb }) => checkReportLuns(cdb),
  execute(unit, { cdb, from }, reply) {
    from.attentions.drop(REPORTED_LUNS_DATA_HAS_CHANGED);
    reply.give(reportedLuns(cdb, unit.target.luns), viewOf(cdb).getUint32(6));
  },
};

/** What is wrong with the CDB, or undefined. */
export function checkReportLuns(cdb: Uint8Array): Sense | undefined {
  if (cdb[2]! > 2) return invalidFieldInCdb(2);
  return viewOf(cdb).getUint32(6) < 16 ? invalidFieldInCdb(6) : undefined;
}

/** The answer to that CDB, not yet cut to the allocation length. */
export function reportedLuns(cdb: Uint8Array, luns: readonly number[]): Uint8Array<ArrayBuffer> {
  return encodeLuns(cdb[2] === 1 ? [] : luns);
}

/**
 * REPORT LUNS: u32 length of the list, 4 bytes 0, then 8 bytes for each LUN: its number in the first two, by peripheral
 * device addressing up to 255 and by flat space addressing (01b in bits 7-6) above.
 *
 * Source: SPC-4, "REPORT LUNS parameter data"; SAM-5, "Logical unit number".
 */
export function encodeLuns(luns: readonly number[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + 8 * luns.length);
  const view = viewOf(bytes);
  view.setUint32(0, 8 * luns.length);
  luns.forEach((lun, i) => {
    view.setUint16(8 + 8 * i, lun < 256 ? lun : 0x4000 | lun);
  });
  return bytes;
}

/** LUNs of other than one level, and what truncation cut off, are left out. */
export function decodeLuns(bytes: Uint8Array): number[] {
  const luns: number[] = [];
  if (bytes.length < 8) return luns;
  const view = viewOf(bytes);
  const end = Math.min(bytes.length, 8 + view.getUint32(0));
  for (let at = 8; at + 8 <= end; at += 8) {
    const first = view.getUint16(at);
    const isOneLevel = view.getUint16(at + 2) === 0 && view.getUint32(at + 4) === 0;
    if (isOneLevel && (first < 256 || first >> 14 === 1)) luns.push(first & 0x3fff);
  }
  return luns;
}
