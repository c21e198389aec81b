import { getU64, setU64, viewOf } from '@quorate/kernel';
import type { StoreError } from './store/store-error.js';

/** Why a command ended with CHECK CONDITION, or what REQUEST SENSE found: sense key, ASC, ASCQ and what belongs to them. */
export interface Sense {
  readonly key: number;
  readonly asc: number;
  readonly ascq: number;
  /** INFORMATION: a first bad LBA or an offset, at most 2^53 - 1. */
  readonly information?: number;
  /** ILLEGAL REQUEST: the field in error, and the highest of its wrong bits where one can be named. */
  readonly field?: SenseField;
  /** NOT READY: how much of an operation is done, in 65 536ths. */
  readonly progress?: number;
}

export interface SenseField {
  readonly in: 'cdb' | 'data';
  readonly byte: number;
  readonly bit?: number;
}

/** Sense keys. Source: SPC-4, "Sense key". */
export const SenseKey = {
  noSense: 0x0,
  recoveredError: 0x1,
  notReady: 0x2,
  mediumError: 0x3,
  hardwareError: 0x4,
  illegalRequest: 0x5,
  unitAttention: 0x6,
  dataProtect: 0x7,
  copyAborted: 0xa,
  abortedCommand: 0xb,
  miscompare: 0xe,
} as const;

export type SenseFormat = 'fixed' | 'descriptor';

function illegalRequest(asc: number, ascq: number): Sense {
  return { key: SenseKey.illegalRequest, asc, ascq };
}

function unitAttention(asc: number, ascq: number): Sense {
  return { key: SenseKey.unitAttention, asc, ascq };
}

export const NO_SENSE: Sense = { key: SenseKey.noSense, asc: 0, ascq: 0 };

export const INVALID_COMMAND_OPERATION_CODE: Sense = illegalRequest(0x20, 0x00);
export const LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE: Sense = illegalRequest(0x21, 0x00);
const INVALID_FIELD_IN_CDB: Sense = illegalRequest(0x24, 0x00);
export const LOGICAL_UNIT_NOT_SUPPORTED: Sense = illegalRequest(0x25, 0x00);
const INVALID_FIELD_IN_PARAMETER_LIST: Sense = illegalRequest(0x26, 0x00);
export const INVALID_RELEASE_OF_PERSISTENT_RESERVATION: Sense = illegalRequest(0x26, 0x04);
export const PARAMETER_LIST_LENGTH_ERROR: Sense = illegalRequest(0x1a, 0x00);
export const SAVING_PARAMETERS_NOT_SUPPORTED: Sense = illegalRequest(0x39, 0x00);
export const INSUFFICIENT_REGISTRATION_RESOURCES: Sense = illegalRequest(0x55, 0x04);
export const MEDIUM_REMOVAL_PREVENTED: Sense = illegalRequest(0x53, 0x02);
export const TOO_MANY_TARGET_DESCRIPTORS: Sense = illegalRequest(0x26, 0x06);
export const UNSUPPORTED_TARGET_DESCRIPTOR: Sense = illegalRequest(0x26, 0x07);
export const TOO_MANY_SEGMENT_DESCRIPTORS: Sense = illegalRequest(0x26, 0x08);
export const UNSUPPORTED_SEGMENT_DESCRIPTOR: Sense = illegalRequest(0x26, 0x09);
export const INLINE_DATA_LENGTH_EXCEEDED: Sense = illegalRequest(0x26, 0x0b);

export const WRITE_PROTECTED: Sense = { key: SenseKey.dataProtect, asc: 0x27, ascq: 0x00 };
export const SOFTWARE_WRITE_PROTECTED: Sense = { key: SenseKey.dataProtect, asc: 0x27, ascq: 0x02 };
const SPACE_ALLOCATION_FAILED: Sense = { key: SenseKey.dataProtect, asc: 0x27, ascq: 0x07 };
const UNRECOVERED_READ_ERROR: Sense = { key: SenseKey.mediumError, asc: 0x11, ascq: 0x00 };
const WRITE_ERROR: Sense = { key: SenseKey.mediumError, asc: 0x0c, ascq: 0x00 };
export const MEDIUM_NOT_PRESENT: Sense = { key: SenseKey.notReady, asc: 0x3a, ascq: 0x00 };
const SANITIZE_IN_PROGRESS: Sense = { key: SenseKey.notReady, asc: 0x04, ascq: 0x1b };
const MISCOMPARE_DURING_VERIFY: Sense = { key: SenseKey.miscompare, asc: 0x1d, ascq: 0x00 };
export const INTERNAL_TARGET_FAILURE: Sense = { key: SenseKey.hardwareError, asc: 0x44, ascq: 0x00 };
export const INVALID_FIELD_IN_COMMAND_INFORMATION_UNIT: Sense = {
  key: SenseKey.abortedCommand,
  asc: 0x0e,
  ascq: 0x03,
};
export const SEGMENT_BEYOND_END: Sense = { key: SenseKey.copyAborted, asc: 0x00, ascq: 0x00 };
export const COPY_TARGET_DEVICE_NOT_REACHABLE: Sense = { key: SenseKey.copyAborted, asc: 0x0d, ascq: 0x02 };

/** Unit attentions that this target raises. Source: SPC-4, "ASC and ASCQ assignments". */
export const POWER_ON_OR_RESET: Sense = unitAttention(0x29, 0x00);
export const BUS_DEVICE_RESET_FUNCTION: Sense = unitAttention(0x29, 0x03);
export const I_T_NEXUS_LOSS: Sense = unitAttention(0x29, 0x07);
export const MODE_PARAMETERS_CHANGED: Sense = unitAttention(0x2a, 0x01);
export const RESERVATIONS_PREEMPTED: Sense = unitAttention(0x2a, 0x03);
export const RESERVATIONS_RELEASED: Sense = unitAttention(0x2a, 0x04);
export const REGISTRATIONS_PREEMPTED: Sense = unitAttention(0x2a, 0x05);
export const CAPACITY_DATA_HAS_CHANGED: Sense = unitAttention(0x2a, 0x09);
export const COMMANDS_CLEARED_BY_ANOTHER_INITIATOR: Sense = unitAttention(0x2f, 0x00);
export const THIN_PROVISIONING_SOFT_THRESHOLD_REACHED: Sense = unitAttention(0x38, 0x07);
export const REPORTED_LUNS_DATA_HAS_CHANGED: Sense = unitAttention(0x3f, 0x0e);
export const FAILURE_PREDICTION_FALSE: Sense = unitAttention(0x5d, 0xff);

/** INVALID FIELD IN CDB with the field pointer at that byte, and at that bit where given. */
export function invalidFieldInCdb(byte: number, bit?: number): Sense {
  return { ...INVALID_FIELD_IN_CDB, field: bit === undefined ? { in: 'cdb', byte } : { in: 'cdb', byte, bit } };
}

/** INVALID FIELD IN PARAMETER LIST with the field pointer at that byte. */
export function invalidFieldInParameterList(byte: number): Sense {
  return { ...INVALID_FIELD_IN_PARAMETER_LIST, field: { in: 'data', byte } };
}

/** A comparison failed: INFORMATION is the offset of the first byte that differs. */
export function miscompareAt(offset: number): Sense {
  return { ...MISCOMPARE_DURING_VERIFY, information: offset };
}

/** A sanitize operation runs, and so much of it is done, in 65 536ths. */
export function sanitizeInProgress(progress: number): Sense {
  return { ...SANITIZE_IN_PROGRESS, progress };
}

/** What a store could not do, with the LBA of the first block that failed. */
export function senseOfStoreError({ failure, offset }: StoreError, blockLength: number): Sense {
  const information = Math.floor(offset / blockLength);
  switch (failure) {
    case 'unreadable':
      return { ...UNRECOVERED_READ_ERROR, information };
    case 'unwritable':
      return { ...WRITE_ERROR, information };
    case 'no-space':
      return { ...SPACE_ALLOCATION_FAILED, information };
  }
}

/** Whether two sense values have the same key, ASC and ASCQ. */
export function isSameSense(a: Sense, b: Sense): boolean {
  return a.key === b.key && a.asc === b.asc && a.ascq === b.ascq;
}

/** Key, ASC and ASCQ as people write them: `6/2A/05`. */
export function senseText(sense: Sense): string {
  return `${sense.key.toString(16).toUpperCase()}/${hex2(sense.asc)}/${hex2(sense.ascq)}`;
}

function hex2(value: number): string {
  return value.toString(16).toUpperCase().padStart(2, '0');
}

/** Bytes that `encodeSense` may need. */
export const MAX_SENSE_BYTES = 28;

/** Writes current sense data in the format given and returns its length: 18 bytes fixed, 8 to 28 by descriptors. */
export function encodeSense(sense: Sense, format: SenseFormat, into: Uint8Array): number {
  return format === 'fixed' ? encodeFixed(sense, into) : encodeDescriptors(sense, into);
}

/**
 * Sense data, fixed format.
 *
 * offset size field
 *      0    1 response code   70h current, bit 7 VALID: INFORMATION holds a value
 *      2    1 sense key       bits 3-0
 *      3    4 INFORMATION     VALID is 0 when the value needs more than 32 bits
 *      7    1 length          of what follows, 0Ah
 *     12    1 ASC
 *     13    1 ASCQ
 *     15    3 key specific    bit 7 SKSV, 6 C/D (1: CDB), 3 BPV, 2-0 bit pointer; u16 field pointer. NOT READY: SKSV,
 *                           u16 progress
 *
 * Source: SPC-4, "Fixed format sense data".
 */
function encodeFixed(sense: Sense, into: Uint8Array): number {
  into.fill(0, 0, 18);
  const view = viewOf(into);
  into[0] = 0x70;
  into[2] = sense.key;
  if (sense.information !== undefined && sense.information <= 0xffff_ffff) {
    into[0] = 0xf0;
    view.setUint32(3, sense.information);
  }
  into[7] = 0x0a;
  into[12] = sense.asc;
  into[13] = sense.ascq;
  encodeKeySpecific(sense, view, 15);
  return 18;
}

/**
 * Sense data, descriptor format.
 *
 * offset size field
 *      0    1 response code   72h current
 *      1    1 sense key       bits 3-0
 *      2    1 ASC
 *      3    1 ASCQ
 *      7    1 length          of the descriptors
 *      8      descriptors     INFORMATION: 00 0A, bit 7 VALID, 0, u64
 *                             sense key specific: 02 06 0 0, the 3 bytes of the fixed format, 0
 *
 * Source: SPC-4, "Descriptor format sense data".
 */
function encodeDescriptors(sense: Sense, into: Uint8Array): number {
  into.fill(0, 0, MAX_SENSE_BYTES);
  const view = viewOf(into);
  into[0] = 0x72;
  into[1] = sense.key;
  into[2] = sense.asc;
  into[3] = sense.ascq;
  let at = 8;
  if (sense.information !== undefined) {
    into[at + 1] = 0x0a;
    into[at + 2] = 0x80;
    setU64(view, at + 4, sense.information);
    at += 12;
  }
  if (sense.field !== undefined || sense.progress !== undefined) {
    into[at] = 0x02;
    into[at + 1] = 0x06;
    encodeKeySpecific(sense, view, at + 4);
    at += 8;
  }
  into[7] = at - 8;
  return at;
}

/** Sense key specific bytes: a field pointer, or the progress of an operation. Zeros when there is neither. */
function encodeKeySpecific({ field, progress }: Sense, view: DataView, at: number): void {
  if (field !== undefined) encodeField(field, view, at);
  if (progress === undefined) return;
  view.setUint8(at, 0x80);
  view.setUint16(at + 1, progress);
}

function encodeField(field: SenseField, view: DataView, at: number): void {
  const bit = field.bit === undefined ? 0 : 0x08 | field.bit;
  view.setUint8(at, 0x80 | (field.in === 'cdb' ? 0x40 : 0) | bit);
  view.setUint16(at + 1, field.byte);
}

/**
 * Reads sense data of either format, current or deferred; undefined when the bytes are no sense data.
 *
 * Sense data may be cut anywhere: fields that are missing are absent or 0.
 */
export function senseOf(bytes: Uint8Array): Sense | undefined {
  if (bytes.length === 0) return undefined;
  const code = bytes[0]! & 0x7f;
  if (code === 0x70 || code === 0x71) return decodeFixed(bytes);
  if (code === 0x72 || code === 0x73) return decodeDescriptors(bytes);
  return undefined;
}

function decodeFixed(bytes: Uint8Array): Sense {
  const view = viewOf(bytes);
  const key = (bytes[2] ?? 0) & 0x0f;
  const hasInformation = (bytes[0]! & 0x80) !== 0 && bytes.length >= 7;
  return {
    key,
    asc: bytes[12] ?? 0,
    ascq: bytes[13] ?? 0,
    ...(hasInformation ? { information: view.getUint32(3) } : undefined),
    ...(bytes.length >= 18 ? decodeKeySpecific(key, view, 15) : undefined),
  };
}

function decodeDescriptors(bytes: Uint8Array): Sense {
  const view = viewOf(bytes);
  const key = (bytes[1] ?? 0) & 0x0f;
  let sense: Sense = { key, asc: bytes[2] ?? 0, ascq: bytes[3] ?? 0 };
  const end = Math.min(bytes.length, 8 + (bytes[7] ?? 0));
  for (let at = 8; at + 2 <= end; at += 2 + bytes[at + 1]!) {
    const length = bytes[at + 1]!;
    if (at + 2 + length > end) break;
    if (bytes[at] === 0x00 && length === 0x0a && (bytes[at + 2]! & 0x80) !== 0) {
      sense = { ...sense, information: getU64(view, at + 4) };
    } else if (bytes[at] === 0x02 && length === 0x06) {
      sense = { ...sense, ...decodeKeySpecific(key, view, at + 4) };
    }
  }
  return sense;
}

function decodeKeySpecific(key: number, view: DataView, at: number): Partial<Sense> | undefined {
  const flags = view.getUint8(at);
  if ((flags & 0x80) === 0) return undefined;
  if (key === SenseKey.notReady) return { progress: view.getUint16(at + 1) };
  if (key !== SenseKey.illegalRequest) return undefined;
  const field: SenseField = { in: (flags & 0x40) !== 0 ? 'cdb' : 'data', byte: view.getUint16(at + 1) };
  return { field: (flags & 0x08) !== 0 ? { ...field, bit: flags & 0x07 } : field };
}
