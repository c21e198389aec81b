import { concatBytes, fromHex, viewOf } from '@quorate/kernel';
import type { ModeParameters } from '../mode-parameters.js';
import { Opcode } from '../opcode.js';
import { invalidFieldInCdb, SAVING_PARAMETERS_NOT_SUPPORTED, type Sense } from '../sense.js';
import type { Command, CommandRequest, UnitContext } from './command.js';
import {
  ALL_PAGES,
  ALL_SUBPAGES,
  concatPages,
  encodeChangeableBits,
  encodeModePage,
  modePagesOf,
  pageAt,
} from './mode-page.js';
import { allocationAt } from './transfer.js';

/** PC, byte 2 bits 7-6: current, changeable, default or saved values. */
const PageControl = { changeable: 1, defaults: 2, saved: 3 } as const;

export const MODE_SENSE_6: Command = {
  name: 'MODE SENSE(6)',
  opcode: Opcode.modeSense6,
  usage: fromHex('1a 08 ff ff ff 00'),
  service: 'other',
  transfer: allocationAt(4, 1),
  runsDuringSanitize: true,
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
  transfer: allocationAt(7, 2),
  runsDuringSanitize: true,
  validate: validatePage,
  execute(unit, { cdb }, reply) {
    reply.give(parameterList10(unit, cdb), viewOf(cdb).getUint16(7));
  },
};

function validatePage({ mode }: UnitContext, { cdb }: CommandRequest): Sense | undefined {
  if (cdb[2]! >> 6 === PageControl.saved) return SAVING_PARAMETERS_NOT_SUPPORTED;
  if (pagesAskedFor(mode, cdb).length > 0) return undefined;
  const hasPage = modePagesOf(mode).some((page) => page >> 8 === (cdb[2]! & 0x3f));
  return hasPage || (cdb[2]! & 0x3f) === ALL_PAGES ? invalidFieldInCdb(3) : invalidFieldInCdb(2, 5);
}

/** Pages 3Fh: all of them, without subpages unless the subpage code is FFh, which means all of a page. */
function pagesAskedFor(mode: ModeParameters, cdb: Uint8Array): ReturnType<typeof modePagesOf> {
  const code = cdb[2]! & 0x3f;
  const subpage = cdb[3]!;
  if (code === ALL_PAGES && subpage !== 0 && subpage !== ALL_SUBPAGES) return [];
  return modePagesOf(mode).filter(
    (page) => (code === ALL_PAGES || page >> 8 === code) && (subpage === ALL_SUBPAGES || (page & 0xff) === subpage),
  );
}

/** Header: length - 1, medium type, WP and DPOFUA, length of the block descriptor. Source: SPC-4, "Mode parameter header(6)". */
function parameterList6(unit: UnitContext, cdb: Uint8Array): Uint8Array {
  const descriptor = blockDescriptor(unit, cdb);
  const pages = modePages(unit, cdb);
  const length = 4 + descriptor.length + pages.length;
  return concatBytes(new Uint8Array([length - 1, 0, deviceFlags(unit), descriptor.length]), descriptor, pages);
}

/** Header: u16 length - 2, medium type, WP and DPOFUA, LONGLBA, 0, u16 length of the block descriptor. */
function parameterList10(unit: UnitContext, cdb: Uint8Array): Uint8Array {
  const descriptor = blockDescriptor(unit, cdb);
  const pages = modePages(unit, cdb);
  const header = new Uint8Array(8);
  const view = viewOf(header);
  view.setUint16(0, 6 + descriptor.length + pages.length);
  header[3] = deviceFlags(unit);
  view.setUint16(6, descriptor.length);
  return concatBytes(header, descriptor, pages);
}

/** Bit 7 WP; bit 4 DPOFUA: DPO and FUA are accepted. */
function deviceFlags(unit: UnitContext): number {
  return (unit.writeProtection !== undefined ? 0x80 : 0) | 0x10;
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

function modePages({ mode }: UnitContext, cdb: Uint8Array): Uint8Array {
  const control = cdb[2]! >> 6;
  const shown = control === PageControl.defaults ? mode.defaults() : mode;
  const encode = control === PageControl.changeable ? encodeChangeableBits : encodeModePage;
  return concatPages(pagesAskedFor(mode, cdb), (page) => encode(page, shown));
}

/** The pages in the answer to MODE SENSE, by page code; subpages and what was cut off are left out. Aliases `bytes`. */
export function decodeModePages(bytes: Uint8Array, form: 6 | 10): Map<number, Uint8Array> {
  const pages = new Map<number, Uint8Array>();
  if (bytes.length < (form === 6 ? 4 : 8)) return pages;
  for (let at = form === 6 ? 4 + bytes[3]! : 8 + viewOf(bytes).getUint16(6); at < bytes.length; ) {
    const header = pageAt(bytes, at);
    if (header === undefined || at + header.length > bytes.length) break;
    if (header.lengthAt === 1) pages.set(header.page >> 8, bytes.subarray(at, at + header.length));
    at += header.length;
  }
  return pages;
}
