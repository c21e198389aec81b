import { asciiBytes, cString, fromHex, viewOf } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import { invalidFieldInCdb } from '../sense.js';
import type { Identity } from '../unit-config.js';
import type { Command } from './command.js';
import { allocationAt } from './transfer.js';
import { VPD_PAGES, vpdPage } from './vital-product-data.js';

/** Qualifier 011b, type 1Fh: there is no logical unit with that number. */
const NO_SUCH_UNIT = 0x7f;

export const INQUIRY: Command = {
  name: 'INQUIRY',
  opcode: Opcode.inquiry,
  usage: fromHex('12 01 ff ff ff 00'),
  service: 'other',
  transfer: allocationAt(3, 2),
  runsDuringSanitize: true,
  passesUnitAttention: true,
  validate(_unit, { cdb }) {
    const hasEvpd = (cdb[1]! & 1) !== 0;
    if (hasEvpd ? VPD_PAGES.includes(cdb[2]!) : cdb[2] === 0) return undefined;
    return invalidFieldInCdb(2);
  },
  execute(unit, { cdb }, reply) {
    const hasEvpd = (cdb[1]! & 1) !== 0;
    const data = hasEvpd ? vpdPage(unit, cdb[2]!) : encodeInquiry(unit.settings.identity, unit.settings.isRemovable);
    reply.give(data, viewOf(cdb).getUint16(3));
  },
};

/** The answer of a logical unit that does not exist, to standard INQUIRY and to any page. */
export function inquiryOfMissingUnit(cdb: Uint8Array): Uint8Array {
  if ((cdb[1]! & 1) !== 0) return new Uint8Array([NO_SUCH_UNIT, cdb[2]!, 0, 0]);
  const data = encodeInquiry({ vendor: '', product: '', revision: '', serial: '', naa: '' }, false);
  data[0] = NO_SUCH_UNIT;
  return data;
}

/**
 * Standard INQUIRY data, 96 bytes.
 *
 * offset size field
 *      0    1 qualifier 7-5, type 4-0  0: a disk that is there
 *      1    1 flags                    bit 7 RMB: the medium is removable
 *      2    1 version                  06h SPC-4
 *      3    1 flags, format            bit 4 HISUP, 3-0 format 2
 *      4    1 additional length        91
 *      5    3 flags                    byte 5 bits 5-4 TPGS 1: implicit access states, bit 3 3PC: EXTENDED COPY;
 *                                    byte 7 bit 1 CMDQUE
 *      8    8 vendor                   ASCII, padded with blanks, like the next two
 *     16   16 product
 *     32    4 revision
 *     58   16 version descriptors      SAM-5 00A0h, SPC-4 0460h, SBC-3 04C0h, iSCSI 0960h
 *
 * Source: SPC-4, "Standard INQUIRY data".
 */
function encodeInquiry(identity: Identity, isRemovable: boolean): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(96);
  const view = viewOf(bytes);
  if (isRemovable) bytes[1] = 0x80;
  bytes[2] = 0x06;
  bytes[3] = 0x12;
  bytes[4] = 91;
  bytes[5] = 0x18;
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
