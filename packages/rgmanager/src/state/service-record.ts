import { asciiBytes, ByteReader, ByteWriter, cString } from '@quorate/kernel';

/** States of a service by their wire value. */
export const ServiceState = {
  STOPPED: 110,
  STARTING: 111,
  STARTED: 112,
  STOPPING: 113,
  FAILED: 114,
  /** No record of it in the local cache. */
  UNINITIALIZED: 115,
  CHECK: 116,
  /** Being stopped so that it can be recovered; shown as `recoverable`. */
  ERROR: 117,
  /** Cleanly stopped, about to be recovered; shown as `recovering`. */
  RECOVER: 118,
  DISABLED: 119,
  MIGRATE: 120,
} as const;

const STATE_TEXTS: ReadonlyMap<number, string> = new Map([
  [110, 'stopped'],
  [111, 'starting'],
  [112, 'started'],
  [113, 'stopping'],
  [114, 'failed'],
  [115, 'uninitialized'],
  [116, 'checking'],
  [117, 'recoverable'],
  [118, 'recovering'],
  [119, 'disabled'],
  [120, 'migrating'],
]);

/** As clustat and the log call it; `Unknown` for a number that is no state. */
export function stateText(state: number): string {
  return STATE_TEXTS.get(state) ?? 'Unknown';
}

export const ServiceFlag = {
  FROZEN: 1,
  /** Resources that are not critical were given up. */
  PARTIAL: 2,
} as const;

/** What all nodes know of a service: the replicated record. */
export interface ServiceRecord {
  /** `service:my_service_group`. */
  readonly name: string;
  /** Node id; 0: none. */
  readonly owner: number;
  readonly lastOwner: number;
  /** `ServiceState`. */
  readonly state: number;
  /** Starts out of recovery in a row. */
  readonly restarts: number;
  /** Wall clock second of the last transition; 0: it was never started. */
  readonly transition: number;
  /** `ServiceFlag`s. */
  readonly flags: number;
}

/** The record of a service that nobody has written one for. */
export function freshRecord(name: string, state: number): ServiceRecord {
  return { name, owner: 0, lastOwner: 0, state, restarts: 0, transition: 0, flags: 0 };
}

const RECORD_BYTES = 104;
const NAME_BYTES = 64;

/**
 * A service record as nodes replicate it. Big-endian.
 *
 * offset size field
 *      0   64 name          `type:name`, NUL padded
 *     64    4 id            unused, zero
 *     68    4 magic         unused, zero
 *     72    4 owner         node id; 0: none
 *     76    4 last owner
 *     80    4 state
 *     84    4 restarts
 *     88    8 transition    wall clock second
 *     96    4 flags         1 frozen, 2 partial
 *    100    1 version       zero
 *    101    3 –             zero
 *
 * Source: rgmanager include/resgroup.h, `rg_state_t`.
 */
export function encodeRecord(record: ServiceRecord): Uint8Array<ArrayBuffer> {
  const writer = new ByteWriter(false, RECORD_BYTES);
  writer
    .raw(asciiBytes(record.name).subarray(0, NAME_BYTES - 1), NAME_BYTES)
    .u32(0)
    .u32(0);
  writer.u32(record.owner).u32(record.lastOwner).u32(record.state).u32(record.restarts);
  writer.u64(record.transition).u32(record.flags).u32(0);
  return writer.bytes();
}

/** Undefined when the bytes are too few; what follows the record is not looked at. */
export function decodeRecord(bytes: Uint8Array): ServiceRecord | undefined {
  if (bytes.length < RECORD_BYTES) return undefined;
  const reader = new ByteReader(bytes, false);
  const name = cString(reader.raw(NAME_BYTES));
  reader.skip(8);
  return {
    name,
    owner: reader.u32(),
    lastOwner: reader.u32(),
    state: reader.u32(),
    restarts: reader.u32(),
    transition: reader.u64(),
    flags: reader.u32(),
  };
}
