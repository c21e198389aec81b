import { concatBytes, fromHex, viewOf } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import { invalidFieldInCdb, SAVING_PARAMETERS_NOT_SUPPORTED, type Sense } from '../sense.js';
import type { UnitSettings } from '../unit-config.js';
import type { Command, CommandRequest, UnitContext } from './command.js';

/** Mode pages that this target has. Source: SPC-4 and SBC-3, "Mode parameters". */
export const ModePage = {
  errorRecovery: 0x01,
  caching: 0x08,
  control: 0x0a,
  informationalExceptions: 0x1c,
  all: 0x3f,
} as const;

const PAGES: readonly number[] = [0x01, 0x08, 0x0a, 0x1c];
const ALL_SUBPAGES = 0xff;

/** PC, byte 2 bits 7-6: current, changeable, default or saved values. */
const PageControl = { changeable: 1, saved: 3 } as const;

export const MODE_SENSE_6: Command = {
  name: 'MODE SENSE(6)',
  opcode: Opcode.modeSense6,
  usage: fromHex('1a 08 ff ff ff 00'),
  service: 'other',
  validate: validatePage,
  execute(unit, { cdb }, reply) {
    reply.give(parameterList6(unit, cdb), cdb[4]!);
  },
};

export const MODE_SENSE_10: Command = {
  name: 'MODE SENSE(10)',
  opcode: Opcode.modeSense10,
  usage: fromHex('5a 18 ff ff 00 00 00 ff ff 00'),
  service: 'other',
  validate: validatePage,
  execute(unit, { cdb }, reply) {
    reply.give(parameterList10(unit, cdb), viewOf(cdb).getUint16(7));
  },
};

function validatePage(_unit: UnitContext, { cdb }: CommandRequest): Sense | undefined {
  const page = cdb[2]! & 0x3f;
  if (cdb[2]! >> 6 === PageControl.saved) return SAVING_PARAMETERS_NOT_SUPPORTED;
  if (page !== ModePage.all && !PAGES.includes(page)) return invalidFieldInCdb(2, 5);
  const hasSubpage = cdb[3] === 0 || (page === ModePage.all && cdb[3] === ALL_SUBPAGES);
  return hasSubpage ? undefined : invalidFieldInCdb(3);
}

/** Header: length - 1, medium type, WP and DPOFUA, length of the block descriptor. Source: SPC-4, "Mode parameter header(6)". */
function parameterList6(unit: UnitContext, cdb: Uint8Array): Uint8Array {
  const descriptor = blockDescriptor(unit, cdb);
  const pages = modePages(unit.settings, cdb);
  const length = 4 + descriptor.length + pages.length;
  return concatBytes(new Uint8Array([length - 1, 0, deviceFlags(unit), descriptor.length]), descriptor, pages);
}

/** Header: u16 length - 2, medium type, WP and DPOFUA, LONGLBA, 0, u16 length of the block descriptor. */
function parameterList10(unit: UnitContext, cdb: Uint8Array): Uint8Array {
  const descriptor = blockDescriptor(unit, cdb);
  const pages = modePages(unit.settings, cdb);
  const header = new Uint8Array(8);
  const view = viewOf(header);
  view.setUint16(0, 6 + descriptor.length + pages.length);
  header[3] = deviceFlags(unit);
  view.setUint16(6, descriptor.length);
  return concatBytes(header, descriptor, pages);
}

/** Bit 7 WP; bit 4 DPOFUA: DPO and FUA are accepted, as every write goes through to the medium. */
function deviceFlags(unit: UnitContext): number {
  return (unit.settings.isWriteProtected ? 0x80 : 0) | 0x10;
}

/** u32 blocks, FFFFFFFFh when they do not fit, and u24 block length after one byte 0; nothing when DBD is set. */
function blockDescriptor(unit: UnitContext, cdb: Uint8Array): Uint8Array {
  if ((cdb[1]! & 0x08) !== 0) return new Uint8Array(0);
  const bytes = new Uint8Array(8);
  const view = viewOf(bytes);
  view.setUint32(0, Math.min(unit.store.blocks, 0xffff_ffff));
  view.setUint32(4, unit.store.blockLength);
  return bytes;
}

function modePages(settings: UnitSettings, cdb: Uint8Array): Uint8Array {
  const wanted = cdb[2]! & 0x3f;
  const pages = wanted === ModePage.all ? PAGES : [wanted];
  const isChangeable = cdb[2]! >> 6 === PageControl.changeable;
  return concatBytes(...pages.map((page) => (isChangeable ? nothingChangeable : modePage)(settings, page)));
}

/** There is no MODE SELECT, so no bit can be changed. */
function nothingChangeable(settings: UnitSettings, page: number): Uint8Array {
  const bytes = modePage(settings, page);
  return bytes.fill(0, 2);
}

/**
 * Mode pages: page code, length of the rest, then
 *
 * page  bytes
 * 01    nothing set: no automatic reallocation, no retries
 * 08    nothing set: WCE 0, the cache writes through
 * 0A    [2] bit 2 D_SENSE, 1 GLTSD; [3] bits 7-4 QAM 1: SIMPLE commands may be reordered; [5] bit 6 TAS;
 *       [8-9] busy timeout FFFFh: unlimited
 * 1C    [2] bit 3 DEXCPT: exceptions are not reported
 *
 * Source: SPC-4 and SBC-3, "Mode parameters".
 */
function modePage(settings: UnitSettings, page: number): Uint8Array {
  switch (page) {
    case ModePage.errorRecovery:
      return fromHex('01 0a 00 00 00 00 00 00 00 00 00 00');
    case ModePage.caching:
      return fromHex('08 12 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00');
    case ModePage.control: {
      const bytes = fromHex('0a 0a 02 10 00 00 00 00 ff ff 00 00');
      if (settings.senseFormat === 'descriptor') bytes[2]! |= 0x04;
      if (settings.hasTaskAbortedStatus) bytes[5]! |= 0x40;
      return bytes;
    }
    default:
      return fromHex('1c 0a 08 00 00 00 00 00 00 00 00 00');
  }
}

/** The pages in the answer to MODE SENSE, by page code; subpages and what truncation cut off are left out. Aliases `bytes`. */
export function decodeModePages(bytes: Uint8Array, form: 6 | 10): Map<number, Uint8Array> {
  const pages = new Map<number, Uint8Array>();
  if (bytes.length < (form === 6 ? 4 : 8)) return pages;
  const descriptors = form === 6 ? 4 + bytes[3]! : 8 + viewOf(bytes).getUint16(6);
  for (let at = descriptors; at + 2 <= bytes.length; at += 2 + bytes[at + 1]!) {
    const isSubpage = (bytes[at]! & 0x40) !== 0;
    const end = at + 2 + bytes[at + 1]!;
    if (isSubpage || end > bytes.length) break;
    pages.set(bytes[at]! & 0x3f, bytes.subarray(at, end));
  }
  return pages;
}
