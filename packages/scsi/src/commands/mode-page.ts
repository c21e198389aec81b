import { concatBytes, fromHex, viewOf } from '@quorate/kernel';
import { isReportingMethod } from '../informational-exceptions.js';
import type { ModeParameters } from '../mode-parameters.js';
import { changeableThresholdBits, wrongThreshold } from '../provisioning-thresholds.js';

/** Mode pages that a unit may have: page code in the high byte, subpage code in the low one. */
export const ModePage = {
  errorRecovery: 0x0100,
  disconnectReconnect: 0x0200,
  caching: 0x0800,
  control: 0x0a00,
  informationalExceptions: 0x1c00,
  logicalBlockProvisioning: 0x1c02,
} as const;

type ModePage = (typeof ModePage)[keyof typeof ModePage];

/** Page and subpage code of a MODE SENSE that stand for all there are. */
export const ALL_PAGES = 0x3f;
export const ALL_SUBPAGES = 0xff;

/** LBPERE of the read-write error recovery mode page. */
const LBPERE = 0x80;

/** WCE of the caching mode page. */
const WRITE_CACHE_ENABLE = 0x04;

/** Bits of the control mode page, by byte. */
const Control = { dSense: 0x04, swp: 0x08, tas: 0x40 } as const;

/** Bits of the informational exceptions control mode page, by byte. */
const Exceptions = { dexcpt: 0x08, test: 0x04, mrie: 0x0f } as const;

/** The pages of a unit, in ascending order. */
export function modePagesOf(mode: ModeParameters): readonly ModePage[] {
  const pages = Object.values(ModePage);
  return mode.thresholds === undefined ? pages.filter((page) => page !== ModePage.logicalBlockProvisioning) : pages;
}

/**
 * Mode pages: page code, length of the rest, then
 *
 * page  bytes
 * 01    [7] bit 7 LBPERE: thresholds are reported; otherwise nothing set: no automatic reallocation, no retries
 * 02    nothing set: no limits of the transport
 * 08    [2] bit 2 WCE: the store has a write cache
 * 0A    [2] bit 2 D_SENSE, 1 GLTSD; [3] bits 7-4 QAM 1: SIMPLE commands may be reordered; [4] bit 3 SWP; [5] bit 6 TAS;
 *       [8-9] busy timeout FFFFh: unlimited
 * 1C    [2] bit 3 DEXCPT: exceptions are not reported, 2 TEST; [3] bits 3-0 MRIE
 * 1C/02 see `ProvisioningThresholds`
 *
 * Source: SPC-4 and SBC-3, "Mode parameters".
 */
export function encodeModePage(page: ModePage, mode: ModeParameters): Uint8Array<ArrayBuffer> {
  switch (page) {
    case ModePage.errorRecovery: {
      const bytes = fromHex('01 0a 00 00 00 00 00 00 00 00 00 00');
      if (mode.thresholds?.isReporting === true) bytes[7]! |= LBPERE;
      return bytes;
    }
    case ModePage.disconnectReconnect:
      return fromHex('02 0e 00 00 00 00 00 00 00 00 00 00 00 00 00 00');
    case ModePage.caching: {
      const bytes = fromHex('08 12 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00');
      if (mode.hasWriteCache) bytes[2]! |= WRITE_CACHE_ENABLE;
      return bytes;
    }
    case ModePage.control: {
      const bytes = fromHex('0a 0a 02 10 00 00 00 00 ff ff 00 00');
      if (mode.senseFormat === 'descriptor') bytes[2]! |= Control.dSense;
      if (mode.isSoftwareWriteProtected) bytes[4]! |= Control.swp;
      if (mode.hasTaskAbortedStatus) bytes[5]! |= Control.tas;
      return bytes;
    }
    case ModePage.informationalExceptions: {
      const bytes = fromHex('1c 0a 00 00 00 00 00 00 00 00 00 00');
      if (mode.exceptions.isDisabled) bytes[2]! |= Exceptions.dexcpt;
      if (mode.exceptions.isTest) bytes[2]! |= Exceptions.test;
      bytes[3] = mode.exceptions.method;
      return bytes;
    }
    case ModePage.logicalBlockProvisioning:
      return mode.thresholds!.page.slice();
  }
}

/** The page with ones in the bits that MODE SELECT changes. */
export function encodeChangeableBits(page: ModePage, mode: ModeParameters): Uint8Array<ArrayBuffer> {
  if (page === ModePage.logicalBlockProvisioning) return changeableThresholdBits();
  const bytes = encodeModePage(page, mode).fill(0, 2);
  if (page === ModePage.errorRecovery && mode.thresholds !== undefined) bytes[7] = LBPERE;
  if (page === ModePage.control) {
    bytes[2] = Control.dSense;
    bytes[4] = Control.swp;
    bytes[5] = Control.tas;
  }
  if (page === ModePage.informationalExceptions) {
    bytes[2] = Exceptions.dexcpt | Exceptions.test;
    bytes[3] = Exceptions.mrie;
  }
  return bytes;
}

/** Offset of a field that has a value there is not, in a page in which nothing but changeable bits differ. */
export function wrongField(page: ModePage, bytes: Uint8Array): number | undefined {
  if (page === ModePage.logicalBlockProvisioning) return wrongThreshold(bytes);
  if (page !== ModePage.informationalExceptions) return undefined;
  const both = Exceptions.dexcpt | Exceptions.test;
  if ((bytes[2]! & both) === both) return 2;
  return isReportingMethod(bytes[3]!) ? undefined : 3;
}

/** Takes over a page in which nothing but changeable bits differ. Whether something changed. */
export function applyModePage(page: ModePage, bytes: Uint8Array, mode: ModeParameters): boolean {
  const before = encodeModePage(page, mode);
  switch (page) {
    case ModePage.errorRecovery:
      if (mode.thresholds !== undefined) mode.thresholds.isReporting = (bytes[7]! & LBPERE) !== 0;
      break;
    case ModePage.control:
      mode.senseFormat = (bytes[2]! & Control.dSense) !== 0 ? 'descriptor' : 'fixed';
      mode.isSoftwareWriteProtected = (bytes[4]! & Control.swp) !== 0;
      mode.hasTaskAbortedStatus = (bytes[5]! & Control.tas) !== 0;
      break;
    case ModePage.informationalExceptions: {
      const { exceptions } = mode;
      const method = bytes[3]!;
      exceptions.isDisabled = (bytes[2]! & Exceptions.dexcpt) !== 0;
      exceptions.isTest = (bytes[2]! & Exceptions.test) !== 0;
      if (isReportingMethod(method)) exceptions.method = method;
      break;
    }
    case ModePage.logicalBlockProvisioning:
      mode.thresholds!.page.set(bytes.subarray(4), 4);
      break;
    case ModePage.disconnectReconnect:
    case ModePage.caching:
      break;
  }
  return encodeModePage(page, mode).some((byte, i) => byte !== before[i]);
}

/** The header of a page in a list. */
export interface PageAt {
  /** Code and subpage code, as in `ModePage`. */
  readonly page: number;
  /** Offset of its page length. */
  readonly lengthAt: 1 | 2;
  /** Of the whole page. */
  readonly length: number;
}

/** What a page's header says; undefined when it is cut off. */
export function pageAt(list: Uint8Array, at: number): PageAt | undefined {
  const hasSubpage = (list[at]! & 0x40) !== 0;
  if (at + (hasSubpage ? 4 : 2) > list.length) return undefined;
  const code = (list[at]! & 0x3f) << 8;
  if (!hasSubpage) return { page: code, lengthAt: 1, length: 2 + list[at + 1]! };
  return { page: code | list[at + 1]!, lengthAt: 2, length: 4 + viewOf(list).getUint16(at + 2) };
}

export function concatPages(
  pages: readonly ModePage[],
  encode: (page: ModePage) => Uint8Array,
): Uint8Array<ArrayBuffer> {
  return concatBytes(...pages.map(encode));
}
