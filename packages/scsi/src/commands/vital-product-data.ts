import { asciiBytes, concatBytes, fromHex, setU64, viewOf } from '@quorate/kernel';
import { Opcode, ReceiveCopyResults } from '../opcode.js';
import type { UnitContext } from './command.js';
import { CopyDescriptor, CopyLimits } from './extended-copy.js';

/** Vital product data pages that this target has. Source: SPC-4 and SBC-3, "Vital product data parameters". */
export const VpdPage = {
  supportedPages: 0x00,
  unitSerialNumber: 0x80,
  deviceIdentification: 0x83,
  extendedInquiry: 0x86,
  thirdPartyCopy: 0x8f,
  blockLimits: 0xb0,
  blockDeviceCharacteristics: 0xb1,
  logicalBlockProvisioning: 0xb2,
} as const;

/** In ascending order. */
export const VPD_PAGES: readonly number[] = Object.values(VpdPage);

/** Every page: type, page code, u16 length, then what belongs to the page. */
export function vpdPage(unit: UnitContext, page: number): Uint8Array<ArrayBuffer> {
  const body = vpdBody(unit, page);
  return concatBytes(new Uint8Array([0, page, body.length >> 8, body.length]), body);
}

function vpdBody(unit: UnitContext, page: number): Uint8Array {
  switch (page) {
    case VpdPage.unitSerialNumber:
      return asciiBytes(unit.settings.identity.serial);
    case VpdPage.deviceIdentification:
      return designators(unit);
    case VpdPage.extendedInquiry:
      return extendedInquiry(unit);
    case VpdPage.thirdPartyCopy:
      return thirdPartyCopy();
    case VpdPage.blockLimits:
      return blockLimits(unit);
    case VpdPage.blockDeviceCharacteristics:
      return blockDeviceCharacteristics();
    case VpdPage.logicalBlockProvisioning:
      return logicalBlockProvisioning(unit);
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
  const { relativePort, portGroup, name } = unit.target;
  const t10 = asciiBytes(identity.vendor.padEnd(8) + identity.product.padEnd(16) + identity.serial);
  const port = asciiBytes(`${name},t,0x${relativePort.toString(16).padStart(4, '0')}`);
  const portName = new Uint8Array((port.length + 4) & ~3);
  portName.set(port);
  return concatBytes(
    designator(0x01, 0x03, fromHex(identity.naa)),
    designator(0x02, 0x01, t10),
    designator(0x51, 0x94, Uint8Array.of(0, 0, relativePort >> 8, relativePort)),
    designator(0x51, 0x95, Uint8Array.of(0, 0, portGroup >> 8, portGroup)),
    designator(0x53, 0x98, portName),
  );
}

function designator(codeSet: number, type: number, value: Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(new Uint8Array([codeSet, type, 0, value.length]), value);
}

/**
 * Extended INQUIRY data, 60 bytes after the header: byte 5 bits 2 HEADSUP, 1 ORDSUP, 0 SIMPSUP; byte 7 bit 0 LUICLR: unit
 * attentions of resets clear others. Source: SPC-4, "Extended INQUIRY Data VPD page".
 */
function extendedInquiry({ settings }: UnitContext): Uint8Array {
  const page = new Uint8Array(64);
  page[5] = 0x07;
  if (settings.hasWriteCache) page[6] = 0x01;
  page[7] = 0x01;
  return page.subarray(4);
}

/**
 * Third-party copy: descriptors, each u16 type, u16 length of the rest, in multiples of 4 bytes
 *
 * type  content
 * 0001h supported commands: length, then opcode, number of service actions, service actions
 * 0004h u16 at 8 target descriptors, u16 at 10 segment descriptors, u32 at 12 bytes of both, u32 at 16 inline data
 * 0008h supported descriptors: length, then codes
 * 8001h u32 at 4 concurrent copies, u32 at 8 of them identified, u32 at 12 bytes of a segment, 16 and 17 granularities
 *
 * Source: SPC-4, "Third-party Copy VPD page".
 */
function thirdPartyCopy(): Uint8Array {
  const results = Object.values(ReceiveCopyResults);
  const commands = [Opcode.extendedCopy, 1, 0, Opcode.receiveCopyResults, results.length, ...results];
  const limits = new Uint8Array(28);
  const limitsView = viewOf(limits);
  limitsView.setUint16(4, CopyLimits.targetDescriptors);
  limitsView.setUint16(6, CopyLimits.segmentDescriptors);
  limitsView.setUint32(8, CopyLimits.descriptorListBytes);
  limitsView.setUint32(12, CopyLimits.inlineBytes);
  const codes = Object.values(CopyDescriptor);
  const general = new Uint8Array(32);
  const generalView = viewOf(general);
  generalView.setUint32(0, 1);
  generalView.setUint32(4, 1);
  generalView.setUint32(8, CopyLimits.segmentBytes);
  general[12] = 9;
  return concatBytes(
    copyDescriptor(0x0001, Uint8Array.of(commands.length, ...commands)),
    copyDescriptor(0x0004, limits),
    copyDescriptor(0x0008, Uint8Array.of(codes.length, ...codes)),
    copyDescriptor(0x8001, general),
  );
}

function copyDescriptor(type: number, content: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(4 + ((content.length + 3) & ~3));
  const view = viewOf(bytes);
  view.setUint16(0, type);
  view.setUint16(2, bytes.length - 4);
  bytes.set(content, 4);
  return bytes;
}

/**
 * Block limits, 64 bytes with the header. Numbers are logical blocks.
 *
 * offset size field
 *      4    1 WSNZ                               0: WRITE SAME of no blocks goes to the end
 *      5    1 MAXIMUM COMPARE AND WRITE LENGTH
 *      6    2 OPTIMAL TRANSFER LENGTH GRANULARITY
 *      8    4 MAXIMUM TRANSFER LENGTH
 *     12    4 OPTIMAL TRANSFER LENGTH
 *     20    4 MAXIMUM UNMAP LBA COUNT            0 for thick units, like the next two
 *     24    4 MAXIMUM UNMAP BLOCK DESCRIPTOR COUNT
 *     28    4 OPTIMAL UNMAP GRANULARITY          a physical block
 *     36    8 MAXIMUM WRITE SAME LENGTH
 *     44    4 MAXIMUM ATOMIC TRANSFER LENGTH     without alignment, granularity and boundary
 *
 * Source: SBC-3 and SBC-4, "Block Limits VPD page".
 */
function blockLimits(unit: UnitContext): Uint8Array {
  const page = new Uint8Array(64);
  const view = viewOf(page);
  const { settings, store } = unit;
  const physicalBlocks = 2 ** settings.physicalBlockExponent;
  page[5] = settings.maxCompareAndWriteBlocks;
  view.setUint16(6, physicalBlocks);
  view.setUint32(8, settings.maxTransferBlocks);
  view.setUint32(12, Math.min(settings.maxTransferBlocks, (1024 * 1024) / store.blockLength));
  view.setUint32(20, settings.maxUnmapBlocks);
  view.setUint32(24, settings.maxUnmapDescriptors);
  view.setUint32(28, settings.isThin ? physicalBlocks : 0);
  setU64(view, 36, settings.maxWriteSameBlocks);
  view.setUint32(44, settings.maxAtomicBlocks);
  return page.subarray(4);
}

/**
 * Block device characteristics, 60 bytes after the header: u16 medium rotation rate 1, nothing turns; byte 7 bits 7-6
 * WABEREQ, 5-4 WACEREQ 1: what was erased is read without an error. Source: SBC-3.
 */
function blockDeviceCharacteristics(): Uint8Array {
  const body = new Uint8Array(60);
  body[1] = 1;
  body[3] = 0x50;
  return body;
}

/**
 * Logical block provisioning, 4 bytes after the header: threshold exponent, a threshold set as a power of two of blocks, 0
 * for a unit without thresholds; byte 5 bit 7 LBPU, 6 LBPWS, 5 LBPWS10, 4-2
 * LBPRZ 1; byte 6 bits 2-0 2 thin. Source: SBC-3, "Logical Block Provisioning VPD page".
 */
function logicalBlockProvisioning({ settings }: UnitContext): Uint8Array {
  return settings.isThin ? Uint8Array.of(settings.thresholdExponent, 0xe4, 0x02, 0) : new Uint8Array(4);
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
