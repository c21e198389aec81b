import { viewOf } from '@quorate/kernel';
import { decodeTransportId, encodeTransportId, type InitiatorPort } from '../transport-id.js';

/** Answer to READ KEYS: one key per registered nexus, in the order of registration, equal ones included. */
export interface ReservationKeys {
  /** PRGENERATION. */
  readonly generation: number;
  readonly keys: readonly bigint[];
}

/** Answer to READ RESERVATION. */
export interface HeldReservation {
  readonly generation: number;
  /** Undefined when there is no reservation. */
  readonly reservation: { readonly key: bigint; readonly scope: number; readonly type: number } | undefined;
}

/** One registration in the answer to READ FULL STATUS. */
export interface RegistrationStatus {
  readonly key: bigint;
  /** ALL_TG_PT. */
  readonly allTargetPorts: boolean;
  /** R_HOLDER. */
  readonly isHolder: boolean;
  /** Meaningful for a holder. */
  readonly scope: number;
  readonly type: number;
  readonly relativeTargetPort: number;
  /** Undefined when the TransportID is none of an iSCSI port. */
  readonly port: InitiatorPort | undefined;
}

export interface FullStatus {
  readonly generation: number;
  readonly registrations: readonly RegistrationStatus[];
}

/** Answer to REPORT CAPABILITIES. Bits of `types` are those of bytes 4 and 5, byte 4 high. */
export interface ReserveCapabilities {
  readonly replaceLostReservation: boolean;
  /** CRH: RESERVE and RELEASE of SPC-2 are compatible with persistent reservations. */
  readonly compatibleReservationHandling: boolean;
  readonly specifyInitiatorPorts: boolean;
  readonly allTargetPorts: boolean;
  readonly persistThroughPowerLoss: boolean;
  /** PTPL_A: persistence is active. */
  readonly persistThroughPowerLossActivated: boolean;
  readonly allowCommands: number;
  /** The types that can be reserved; undefined when the type mask is not valid. */
  readonly types: readonly number[] | undefined;
}

/** READ KEYS: u32 generation, u32 length of the keys, then keys of 8 bytes. */
export function encodeKeys(answer: ReservationKeys): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8 + 8 * answer.keys.length);
  const view = header(bytes, answer.generation);
  answer.keys.forEach((key, i) => {
    view.setBigUint64(8 + 8 * i, key);
  });
  return bytes;
}

/** Keys beyond the end of a truncated answer are left out. Undefined when not even the header is there. */
export function decodeKeys(bytes: Uint8Array): ReservationKeys | undefined {
  if (bytes.length < 8) return undefined;
  const view = viewOf(bytes);
  const end = Math.min(bytes.length, 8 + view.getUint32(4));
  const keys: bigint[] = [];
  for (let at = 8; at + 8 <= end; at += 8) keys.push(view.getBigUint64(at));
  return { generation: view.getUint32(0), keys };
}

/**
 * READ RESERVATION.
 *
 * offset size field
 *      0    4 PRGENERATION
 *      4    4 length          0 or 16
 *      8    8 key             of the holder; 0 for all-registrants types
 *     21    1 scope 7-4, type 3-0
 *
 * Source: SPC-4, "READ RESERVATION parameter data".
 */
export function encodeReservation(answer: HeldReservation): Uint8Array<ArrayBuffer> {
  const { reservation } = answer;
  const bytes = new Uint8Array(reservation === undefined ? 8 : 24);
  const view = header(bytes, answer.generation);
  if (reservation !== undefined) {
    view.setBigUint64(8, reservation.key);
    bytes[21] = (reservation.scope << 4) | reservation.type;
  }
  return bytes;
}

export function decodeReservation(bytes: Uint8Array): HeldReservation | undefined {
  if (bytes.length < 8) return undefined;
  const view = viewOf(bytes);
  const isHeld = view.getUint32(4) >= 16 && bytes.length >= 24;
  return {
    generation: view.getUint32(0),
    reservation: isHeld ? { key: view.getBigUint64(8), scope: bytes[21]! >> 4, type: bytes[21]! & 0x0f } : undefined,
  };
}

/**
 * READ FULL STATUS: generation, length, and for each registration
 *
 * offset size field
 *      0    8 key
 *     12    1 flags             bit 1 ALL_TG_PT, 0 R_HOLDER
 *     13    1 scope 7-4, type 3-0
 *     18    2 RELATIVE TARGET PORT IDENTIFIER
 *     20    4 length            of the TransportID
 *     24      TransportID
 *
 * Source: SPC-4, "READ FULL STATUS parameter data".
 */
export function encodeFullStatus(
  generation: number,
  registrations: readonly (RegistrationStatus & { readonly port: InitiatorPort })[],
): Uint8Array<ArrayBuffer> {
  const ids = registrations.map((registration) => encodeTransportId(registration.port));
  const bytes = new Uint8Array(ids.reduce((length, id) => length + 24 + id.length, 8));
  const view = header(bytes, generation);
  let at = 8;
  registrations.forEach((registration, i) => {
    const id = ids[i]!;
    view.setBigUint64(at, registration.key);
    bytes[at + 12] = (registration.allTargetPorts ? 0x02 : 0) | (registration.isHolder ? 0x01 : 0);
    if (registration.isHolder) bytes[at + 13] = (registration.scope << 4) | registration.type;
    view.setUint16(at + 18, registration.relativeTargetPort);
    view.setUint32(at + 20, id.length);
    bytes.set(id, at + 24);
    at += 24 + id.length;
  });
  return bytes;
}

/** Registrations cut off by truncation are left out. */
export function decodeFullStatus(bytes: Uint8Array): FullStatus | undefined {
  if (bytes.length < 8) return undefined;
  const view = viewOf(bytes);
  const end = Math.min(bytes.length, 8 + view.getUint32(4));
  const registrations: RegistrationStatus[] = [];
  for (let at = 8; at + 24 <= end; ) {
    const next = at + 24 + view.getUint32(at + 20);
    if (next > end) break;
    registrations.push({
      key: view.getBigUint64(at),
      allTargetPorts: (bytes[at + 12]! & 0x02) !== 0,
      isHolder: (bytes[at + 12]! & 0x01) !== 0,
      scope: bytes[at + 13]! >> 4,
      type: bytes[at + 13]! & 0x0f,
      relativeTargetPort: view.getUint16(at + 18),
      port: decodeTransportId(bytes.subarray(at + 24, next)),
    });
    at = next;
  }
  return { generation: view.getUint32(0), registrations };
}

/** Bit of the type mask for each type; byte 4 is the high one. */
const TYPE_BITS: readonly (readonly [type: number, bit: number])[] = [
  [1, 0x0200],
  [3, 0x0800],
  [5, 0x2000],
  [6, 0x4000],
  [7, 0x8000],
  [8, 0x0001],
];

/**
 * REPORT CAPABILITIES, 8 bytes.
 *
 * offset size field
 *      0    2 length    8
 *      2    1 flags     bit 7 RLR_C, 4 CRH, 3 SIP_C, 2 ATP_C, 0 PTPL_C
 *      3    1 flags     bit 7 TMV, 6-4 ALLOW COMMANDS, 0 PTPL_A
 *      4    2 type mask byte 4: 7 WEAR, 6 EARO, 5 WERO, 3 EA, 1 WE; byte 5: 0 EAAR
 *
 * Source: SPC-4, "REPORT CAPABILITIES parameter data".
 */
export function encodeCapabilities(capabilities: ReserveCapabilities): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(8);
  bytes[1] = 8;
  bytes[2] =
    (capabilities.replaceLostReservation ? 0x80 : 0) |
    (capabilities.compatibleReservationHandling ? 0x10 : 0) |
    (capabilities.specifyInitiatorPorts ? 0x08 : 0) |
    (capabilities.allTargetPorts ? 0x04 : 0) |
    (capabilities.persistThroughPowerLoss ? 0x01 : 0);
  bytes[3] =
    (capabilities.types === undefined ? 0 : 0x80) |
    (capabilities.allowCommands << 4) |
    (capabilities.persistThroughPowerLossActivated ? 0x01 : 0);
  for (const [type, bit] of TYPE_BITS) {
    if (capabilities.types?.includes(type) !== true) continue;
    bytes[4]! |= bit >> 8;
    bytes[5]! |= bit;
  }
  return bytes;
}

export function decodeCapabilities(bytes: Uint8Array): ReserveCapabilities | undefined {
  if (bytes.length < 8) return undefined;
  const first = bytes[2]!;
  const second = bytes[3]!;
  const mask = (bytes[4]! << 8) | bytes[5]!;
  return {
    replaceLostReservation: (first & 0x80) !== 0,
    compatibleReservationHandling: (first & 0x10) !== 0,
    specifyInitiatorPorts: (first & 0x08) !== 0,
    allTargetPorts: (first & 0x04) !== 0,
    persistThroughPowerLoss: (first & 0x01) !== 0,
    persistThroughPowerLossActivated: (second & 0x01) !== 0,
    allowCommands: (second >> 4) & 0x07,
    types: (second & 0x80) === 0 ? undefined : TYPE_BITS.filter(([, bit]) => (mask & bit) !== 0).map(([type]) => type),
  };
}

function header(bytes: Uint8Array, generation: number): DataView {
  const view = viewOf(bytes);
  view.setUint32(0, generation);
  view.setUint32(4, bytes.length - 8);
  return view;
}
