import { concatBytes, fromHex } from '@quorate/kernel';
import type { ModeParameters } from '../mode-parameters.js';

/** Mode pages that this target has. Source: SPC-4 and SBC-3, "Mode parameters". */
export const ModePage = {
  errorRecovery: 0x01,
  disconnectReconnect: 0x02,
  caching: 0x08,
  control: 0x0a,
  informationalExceptions: 0x1c,
  all: 0x3f,
} as const;

export const MODE_PAGES: readonly number[] = [0x01, 0x02, 0x08, 0x0a, 0x1c];

/** WCE of the caching mode page. */
const WRITE_CACHE_ENABLE = 0x04;

/** Bits of the control mode page, by byte. */
const Control = { dSense: 0x04, swp: 0x08, tas: 0x40 } as const;

/**
 * Mode pages: page code, length of the rest, then
 *
 * page  bytes
 * 01    nothing set: no automatic reallocation, no retries
 * 02    nothing set: no limits of the transport
 * 08    [2] bit 2 WCE: the store has a write cache
 * 0A    [2] bit 2 D_SENSE, 1 GLTSD; [3] bits 7-4 QAM 1: SIMPLE commands may be reordered; [4] bit 3 SWP; [5] bit 6 TAS;
 *       [8-9] busy timeout FFFFh: unlimited
 * 1C    [2] bit 3 DEXCPT: exceptions are not reported
 *
 * Source: SPC-4 and SBC-3, "Mode parameters".
 */
export function encodeModePage(page: number, mode: ModeParameters): Uint8Array<ArrayBuffer> {
  switch (page) {
    case ModePage.errorRecovery:
      return fromHex('01 0a 00 00 00 00 00 00 00 00 00 00');
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
    default:
      return fromHex('1c 0a 08 00 00 00 00 00 00 00 00 00');
  }
}

/** The page with ones in the bits that MODE SELECT changes: D_SENSE, SWP and TAS of the control mode page. */
export function encodeChangeableBits(page: number, mode: ModeParameters): Uint8Array<ArrayBuffer> {
  const bytes = encodeModePage(page, mode).fill(0, 2);
  if (page !== ModePage.control) return bytes;
  bytes[2] = Control.dSense;
  bytes[4] = Control.swp;
  bytes[5] = Control.tas;
  return bytes;
}

/** Takes over a control mode page in which nothing but changeable bits differ. Whether something changed. */
export function applyControlPage(bytes: Uint8Array, mode: ModeParameters): boolean {
  const before = encodeModePage(ModePage.control, mode);
  mode.senseFormat = (bytes[2]! & Control.dSense) !== 0 ? 'descriptor' : 'fixed';
  mode.isSoftwareWriteProtected = (bytes[4]! & Control.swp) !== 0;
  mode.hasTaskAbortedStatus = (bytes[5]! & Control.tas) !== 0;
  return encodeModePage(ModePage.control, mode).some((byte, i) => byte !== before[i]);
}

/** All pages in ascending order, or the one asked for. */
export function concatPages(page: number, encode: (page: number) => Uint8Array): Uint8Array<ArrayBuffer> {
  return concatBytes(...(page === ModePage.all ? MODE_PAGES : [page]).map(encode));
}
