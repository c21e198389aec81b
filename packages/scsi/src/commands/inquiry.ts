import { asciiBytes, concatBytes, cString, fromHex, viewOf } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import { invalidFieldInCdb } from '../sense.js';
import type { Identity } from '../unit-config.js';
import type { Command, UnitContext } from './command.js';

/** Vital product data pages that this target has. Source: SPC-4 and SBC-3, "Vital product data parameters". */
export const VpdPage = {
  supportedPages: 0x00,
  unitSerialNumber: 0x80,
  deviceIdentification: 0x83,
  blockLimits: 0xb0,
} as const;

const VPD_PAGES: readonly number[] = [0x00, 0x80, 0x83, 0xb0];

/** Qualifier 011b, type 1Fh: there is no logical unit with that number. */
const NO_SUCH_UNIT = 0x7f;

export const INQUIRY: Command = {
  name: 'INQUIRY',
  opcode: Opcode.inquiry,
  usage: fromHex('12 01 ff ff ff 00'),
  service: 'other',
  passesUnitAttention: true,
  validate(_unit, { cdb }) {
    const hasEvpd = (cdb[1]! & 1) !== 0;
    if (hasEvpd ? VPD_PAGES.includes(cdb[2]!) : cdb[2] === 0) return undefined;
    return invalidFieldInCdb(2);
  },
  execute(unit, { cdb }, reply) {
    const hasEvpd = (cdb[1]! & 1) !== 0;
    const data = hasEvpd ? vpdPage(unit, cdb[2]!) : encodeInquiry(unit.settings.identity);
    reply.give(data, viewOf(cdb).getUint16(3));
  },
};

/** The answer of a logical unit that does not exist, to standard INQUIRY and to any page. */
export function inquiryOfMissingUnit(cdb: Uint8Array): Uint8Array {
  if ((cdb[1]! & 1) !== 0) return new Uint8Array([NO_SUCH_UNIT, cdb[2]!, 0, 0]);
  const data = encodeInquiry({ vendor: '', product: '', revision: '', serial: '', naa: '' });
  data[0] = NO_SUCH_UNIT;
  return data;
}

/**
 * Standard INQUIRY data, 96 bytes.
 *
 * offset size field
 *      0    1 qualifier 7-5, type 4-0  0: a disk that is there
 *      1    1 flags                    bit 7 RMB: the medium is not removable
 *      2    1 version                  06h SPC-4
 *      3    1 flags, format            bit 4 HISUP, 3-0 format 2
 *      4    1 additional length        91
 *      5    3 flags                    byte 7 bit 1 CMDQUE
 *      8    8 vendor                   ASCII, padded with blanks, like the next two
 *     16   16 product
 *     32    4 revision
 *     58   16 version descriptors      SAM-5 00A0h, SPC-4 0460h, SBC-3 04C0h, iSCSI 0960h
 *
 * Source: SPC-4, "Standard INQUIRY data".
 */
function encodeInquiry(identity: Identity): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(96);
  const view = viewOf(bytes);
  bytes[2] = 0x06;
  bytes[3] = 0x12;
  bytes[4] = 91;
  bytes[7] = 0x02;
  bytes.set(asciiBytes(identity.vendor.padEnd(8)), 8);
  bytes.set(asciiBytes(identity.product.padEnd(16)), 16);
  bytes.set(asciiBytes(identity.revision.padEnd(4)), 32);
  [0x00a0, 0x0460, 0x04c0, 0x0960].forEach((version, i) => {
    view.setUint16(58 + 2 * i, version);
  });
  return bytes;
}

/** What standard INQUIRY data say. */
export interface InquiryData {
  readonly qualifier: number;
  /** Peripheral device type: 0 for a disk, 1Fh when there is no logical unit. */
  readonly type: number;
  readonly isRemovable: boolean;
  readonly version: number;
  /** Without the blanks at the end, like the next two. */
  readonly vendor: string;
  readonly product: string;
  readonly revision: string;
}

/** Undefined for less than the 36 bytes that every device has. */
export function decodeInquiry(bytes: Uint8Array): InquiryData | undefined {
  if (bytes.length < 36) return undefined;
  return {
    qualifier: bytes[0]! >> 5,
    type: bytes[0]! & 0x1f,
    isRemovable: (bytes[1]! & 0x80) !== 0,
    version: bytes[2]!,
    vendor: cString(bytes, 8, 16).trimEnd(),
    product: cString(bytes, 16, 32).trimEnd(),
    revision: cString(bytes, 32, 36).trimEnd(),
  };
}

/** Every page: type, page code, u16 length, then what belongs to the page. */
function vpdPage(unit: UnitContext, page: number): Uint8Array<ArrayBuffer> {
  const body = vpdBody(unit, page);
  return concatBytes(new Uint8Array([0, page, body.length >> 8, body.length]), body);
}

function vpdBody(unit: UnitContext, page: number): Uint8Array {
  switch (page) {
    case VpdPage.unitSerialNumber:
      return asciiBytes(unit.settings.identity.serial);
    case VpdPage.deviceIdentification:
      return designators(unit);
    case VpdPage.blockLimits:
      return blockLimits(unit);
    default:
      return new Uint8Array(VPD_PAGES);
  }
}

/**
 * Device identification: designators, each
 *
 * offset size field
 *      0    1 protocol 7-4, code set 3-0     protocol 5 iSCSI; code set 1 binary, 2 ASCII, 3 UTF-8
 *      1    1 PIV 7, association 5-4, type   association 0 logical unit, 1 target port
 *      3    1 length
 *      4      designator
 *
 * Source: SPC-4, "Device Identification VPD page".
 */
function designators(unit: UnitContext): Uint8Array<ArrayBuffer> {
  const { identity } = unit.settings;
  const { relativePort, name } = unit.target;
  const t10 = asciiBytes(identity.vendor.padEnd(8) + identity.product.padEnd(16) + identity.serial);
  const port = asciiBytes(`${name},t,0x${relativePort.toString(16).padStart(4, '0')}`);
  const portName = new Uint8Array((port.length + 4) & ~3);
  portName.set(port);
  const portId = new Uint8Array([0, 0, relativePort >> 8, relativePort]);
  return concatBytes(
    designator(0x01, 0x03, fromHex(identity.naa)),
    designator(0x02, 0x01, t10),
    designator(0x51, 0x94, portId),
    designator(0x51, 0x95, portId),
    designator(0x53, 0x98, portName),
  );
}

function designator(codeSet: number, type: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(new Uint8Array([codeSet, type, 0, value.length]), value);
}

/**
 * Block limits, 60 bytes after the header: MAXIMUM TRANSFER LENGTH at 8 and OPTIMAL TRANSFER LENGTH at 12, in blocks;
 * everything about commands that are not there is 0.
 *
 * Source: SBC-3, "Block Limits VPD page".
 */
function blockLimits(unit: UnitContext): Uint8Array {
  const page = new Uint8Array(64);
  const view = viewOf(page);
  const { maxTransferBlocks } = unit.settings;
  view.setUint32(8, maxTransferBlocks);
  view.setUint32(12, Math.min(maxTransferBlocks, (1024 * 1024) / unit.store.blockLength));
  return page.subarray(4);
}

/** A designator of the device identification page. */
export interface Designator {
  readonly codeSet: number;
  /** 0 logical unit, 1 target port, 2 target device. */
  readonly association: number;
  /** 1 T10 vendor, 3 NAA, 4 relative target port, 5 target port group, 8 SCSI name. */
  readonly type: number;
  /** Aliases the page. */
  readonly value: Uint8Array;
}

/** What a page says: its code and its body, which aliases `bytes`. Undefined for less than a header. */
export function decodeVpd(bytes: Uint8Array): { readonly page: number; readonly body: Uint8Array } | undefined {
  if (bytes.length < 4) return undefined;
  return { page: bytes[1]!, body: bytes.subarray(4, 4 + viewOf(bytes).getUint16(2)) };
}

/** Reads the body of page 83h; a designator that is cut off ends the list. */
export function decodeDesignators(body: Uint8Array): Designator[] {
  const found: Designator[] = [];
  for (let at = 0; at + 4 <= body.length; ) {
    const end = at + 4 + body[at + 3]!;
    if (end > body.length) break;
    found.push({
      codeSet: body[at]! & 0x0f,
      association: (body[at + 1]! >> 4) & 0x03,
      type: body[at + 1]! & 0x0f,
      value: body.subarray(at + 4, end),
    });
    at = end;
  }
  return found;
}
