import { concatBytes, viewOf } from '@quorate/kernel';
import { ReserveOut } from '../opcode.js';
import { invalidFieldInParameterList, PARAMETER_LIST_LENGTH_ERROR, type Sense } from '../sense.js';
import { decodeTransportId, encodeTransportId, type InitiatorPort, transportIdLength } from '../transport-id.js';

/** The parameter list of PERSISTENT RESERVE OUT. Keys are opaque 64-bit values. */
export interface ReserveOutParameters {
  readonly key: bigint;
  readonly serviceActionKey: bigint;
  /** Activate persistence through power loss. */
  readonly aptpl: boolean;
  /** ALL_TG_PT: register with every target port. */
  readonly allTargetPorts: boolean;
  /** SPEC_I_PT: register these initiator ports too; undefined when the bit is 0. */
  readonly initiatorPorts: readonly InitiatorPort[] | undefined;
}

/** The parameter list of REGISTER AND MOVE. */
export interface RegisterAndMoveParameters {
  readonly key: bigint;
  readonly serviceActionKey: bigint;
  /** UNREG: unregister the caller when the reservation has moved. */
  readonly unregister: boolean;
  readonly aptpl: boolean;
  readonly relativeTargetPort: number;
  readonly destination: InitiatorPort;
}

/** Either the list, or why it is refused. */
export type Decoded<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly sense: Sense };

function refuse(sense: Sense): { readonly ok: false; readonly sense: Sense } {
  return { ok: false, sense };
}

const SPEC_I_PT = 0x08;
const ALL_TG_PT = 0x04;
const APTPL = 0x01;

/**
 * Parameter list of all actions but REGISTER AND MOVE.
 *
 * offset size field
 *      0    8 RESERVATION KEY
 *      8    8 SERVICE ACTION RESERVATION KEY
 *     16    4 –                obsolete
 *     20    1 flags            bit 3 SPEC_I_PT, 2 ALL_TG_PT, 0 APTPL
 *     24    4 length           of the TransportIDs, with SPEC_I_PT only
 *     28      TransportIDs
 *
 * Source: SPC-4, "PERSISTENT RESERVE OUT parameter list".
 */
export function encodeReserveOutList(parameters: ReserveOutParameters): Uint8Array<ArrayBuffer> {
  const ports = parameters.initiatorPorts;
  const ids = concatBytes(...(ports ?? []).map(encodeTransportId));
  const bytes = new Uint8Array(ports === undefined ? 24 : 28 + ids.length);
  const view = viewOf(bytes);
  view.setBigUint64(0, parameters.key);
  view.setBigUint64(8, parameters.serviceActionKey);
  bytes[20] =
    (ports === undefined ? 0 : SPEC_I_PT) |
    (parameters.allTargetPorts ? ALL_TG_PT : 0) |
    (parameters.aptpl ? APTPL : 0);
  if (ports !== undefined) {
    view.setUint32(24, ids.length);
    bytes.set(ids, 28);
  }
  return bytes;
}

/**
 * Reads that list: `length` bytes by the CDB, of which `bytes` arrived.
 *
 * Refused with 5/1A/00 when shorter than 24 bytes, or not 24 without SPEC_I_PT; with 5/26/00 for SPEC_I_PT with another
 * action than REGISTER, and for TransportIDs that are no initiator ports.
 */
export function decodeReserveOutList(
  action: ReserveOut,
  length: number,
  bytes: Uint8Array,
): Decoded<ReserveOutParameters> {
  if (length < 24 || bytes.length < length) return refuse(PARAMETER_LIST_LENGTH_ERROR);
  const flags = bytes[20]!;
  const hasPorts = (flags & SPEC_I_PT) !== 0;
  if (hasPorts && action !== ReserveOut.register) return refuse(invalidFieldInParameterList(20));
  if (!hasPorts && length !== 24) return refuse(PARAMETER_LIST_LENGTH_ERROR);
  const ports = hasPorts ? decodePorts(bytes.subarray(0, length)) : undefined;
  if (hasPorts && ports === undefined) return refuse(invalidFieldInParameterList(24));
  const view = viewOf(bytes);
  return {
    ok: true,
    value: {
      key: view.getBigUint64(0),
      serviceActionKey: view.getBigUint64(8),
      aptpl: (flags & APTPL) !== 0,
      allTargetPorts: (flags & ALL_TG_PT) !== 0,
      initiatorPorts: ports,
    },
  };
}

function decodePorts(bytes: Uint8Array): readonly InitiatorPort[] | undefined {
  if (bytes.length < 28 || viewOf(bytes).getUint32(24) !== bytes.length - 28) return undefined;
  const ports: InitiatorPort[] = [];
  for (let at = 28; at < bytes.length; ) {
    const length = transportIdLength(bytes, at);
    const port = decodeTransportId(bytes.subarray(at, at + length));
    if (port === undefined) return undefined;
    ports.push(port);
    at += length;
  }
  return ports;
}

/**
 * Parameter list of REGISTER AND MOVE.
 *
 * offset size field
 *      0    8 RESERVATION KEY
 *      8    8 SERVICE ACTION RESERVATION KEY  for the destination
 *     17    1 flags                           bit 1 UNREG, 0 APTPL
 *     18    2 RELATIVE TARGET PORT IDENTIFIER of the destination
 *     20    4 length                          of the TransportID
 *     24      TransportID                     of the destination
 *
 * Source: SPC-4, "PERSISTENT RESERVE OUT command with REGISTER AND MOVE service action parameter list".
 */
export function encodeRegisterAndMoveList(parameters: RegisterAndMoveParameters): Uint8Array<ArrayBuffer> {
  const id = encodeTransportId(parameters.destination);
  const bytes = new Uint8Array(24 + id.length);
  const view = viewOf(bytes);
  view.setBigUint64(0, parameters.key);
  view.setBigUint64(8, parameters.serviceActionKey);
  bytes[17] = (parameters.unregister ? 0x02 : 0) | (parameters.aptpl ? APTPL : 0);
  view.setUint16(18, parameters.relativeTargetPort);
  view.setUint32(20, id.length);
  bytes.set(id, 24);
  return bytes;
}

/** Reads that list: refused with 5/1A/00 when it is too short, with 5/26/00 when the TransportID is no initiator port. */
export function decodeRegisterAndMoveList(length: number, bytes: Uint8Array): Decoded<RegisterAndMoveParameters> {
  if (length < 24 || bytes.length < length) return refuse(PARAMETER_LIST_LENGTH_ERROR);
  const view = viewOf(bytes);
  if (view.getUint32(20) !== length - 24) return refuse(invalidFieldInParameterList(20));
  const destination = decodeTransportId(bytes.subarray(24, length));
  if (destination === undefined) return refuse(invalidFieldInParameterList(24));
  return {
    ok: true,
    value: {
      key: view.getBigUint64(0),
      serviceActionKey: view.getBigUint64(8),
      unregister: (bytes[17]! & 0x02) !== 0,
      aptpl: (bytes[17]! & APTPL) !== 0,
      relativeTargetPort: view.getUint16(18),
      destination,
    },
  };
}
