import { setU64, viewOf } from '@quorate/kernel';
import { Opcode, type ReserveIn, ReserveOut, ServiceActionIn16 } from './opcode.js';
import {
  encodeRegisterAndMoveList,
  encodeReserveOutList,
  type RegisterAndMoveParameters,
} from './reservation/parameter-list.js';
import type { InitiatorPort } from './transport-id.js';

/**
 * The initiator's side: builds CDBs, one function per command, with lengths and flags in the order of the standard.
 *
 * Those of the hot path write into a buffer of the caller's when one is given, and return it. Source: SPC-4, SBC-3.
 */

export function testUnitReady(): Uint8Array<ArrayBuffer> {
  return new Uint8Array(6);
}

/** Sense data by descriptors with `DESC`, of at most `allocationLength` bytes (up to 255). */
export function requestSense(allocationLength = 252, hasDescriptors = false): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(Opcode.requestSense, hasDescriptors ? 1 : 0, 0, 0, allocationLength, 0);
}

/** Standard INQUIRY, or one page of vital product data. */
export function inquiry(page?: number, allocationLength = 255): Uint8Array<ArrayBuffer> {
  const evpd = page === undefined ? 0 : 1;
  return Uint8Array.of(Opcode.inquiry, evpd, page ?? 0, allocationLength >> 8, allocationLength, 0);
}

export function readCapacity10(): Uint8Array<ArrayBuffer> {
  const cdb = new Uint8Array(10);
  cdb[0] = Opcode.readCapacity10;
  return cdb;
}

export function readCapacity16(allocationLength = 32): Uint8Array<ArrayBuffer> {
  const cdb = new Uint8Array(16);
  cdb[0] = Opcode.serviceActionIn16;
  cdb[1] = ServiceActionIn16.readCapacity16;
  viewOf(cdb).setUint32(10, allocationLength);
  return cdb;
}

export function read10(lba: number, blocks: number, into: Uint8Array = new Uint8Array(10)): Uint8Array {
  return range10(Opcode.read10, lba, blocks, into);
}

export function read16(lba: number, blocks: number, into: Uint8Array = new Uint8Array(16)): Uint8Array {
  return range16(Opcode.read16, lba, blocks, into);
}

export function write10(lba: number, blocks: number, into: Uint8Array = new Uint8Array(10)): Uint8Array {
  return range10(Opcode.write10, lba, blocks, into);
}

export function write16(lba: number, blocks: number, into: Uint8Array = new Uint8Array(16)): Uint8Array {
  return range16(Opcode.write16, lba, blocks, into);
}

/** All blocks from `lba` to the end of the unit when `blocks` is 0. */
export function synchronizeCache10(lba = 0, blocks = 0, into: Uint8Array = new Uint8Array(10)): Uint8Array {
  return range10(Opcode.synchronizeCache10, lba, blocks, into);
}

export function synchronizeCache16(lba = 0, blocks = 0, into: Uint8Array = new Uint8Array(16)): Uint8Array {
  return range16(Opcode.synchronizeCache16, lba, blocks, into);
}

/** Current values, with the block descriptor; `page` 3Fh asks for all. */
export function modeSense6(page: number, allocationLength = 255): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(Opcode.modeSense6, 0, page, 0, allocationLength, 0);
}

export function modeSense10(page: number, allocationLength = 1024): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(Opcode.modeSense10, 0, page, 0, 0, 0, 0, allocationLength >> 8, allocationLength, 0);
}

export function reportLuns(allocationLength = 8192): Uint8Array<ArrayBuffer> {
  const cdb = new Uint8Array(12);
  cdb[0] = Opcode.reportLuns;
  viewOf(cdb).setUint32(6, allocationLength);
  return cdb;
}

export function reserve6(): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(Opcode.reserve6, 0, 0, 0, 0, 0);
}

export function release6(): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(Opcode.release6, 0, 0, 0, 0, 0);
}

export function persistentReserveIn(action: ReserveIn, allocationLength = 8192): Uint8Array<ArrayBuffer> {
  return Uint8Array.of(Opcode.persistentReserveIn, action, 0, 0, 0, 0, 0, allocationLength >> 8, allocationLength, 0);
}

/** A command with its Data-Out. */
export interface OutCommand {
  readonly cdb: Uint8Array<ArrayBuffer>;
  readonly data: Uint8Array<ArrayBuffer>;
}

export interface ReserveOutOptions {
  /** Activate persistence through power loss. */
  readonly aptpl?: boolean;
  readonly allTargetPorts?: boolean;
  /** SPEC_I_PT: other initiator ports to register; REGISTER only. */
  readonly initiatorPorts?: readonly InitiatorPort[];
}

/**
 * PERSISTENT RESERVE OUT, all actions but REGISTER AND MOVE, with the scope of the whole logical unit.
 *
 * `type` is that of the reservation, 0 for actions that ignore it. Keys that an action ignores are 0.
 */
export function persistentReserveOut(
  action: ReserveOut,
  type: number,
  key: bigint,
  serviceActionKey: bigint,
  options: ReserveOutOptions = {},
): OutCommand {
  const data = encodeReserveOutList({
    key,
    serviceActionKey,
    aptpl: options.aptpl ?? false,
    allTargetPorts: options.allTargetPorts ?? false,
    initiatorPorts: options.initiatorPorts,
  });
  return { cdb: reserveOut(action, type, data.length), data };
}

/** PERSISTENT RESERVE OUT with REGISTER AND MOVE; the reservation keeps its type. */
export function registerAndMove(parameters: RegisterAndMoveParameters): OutCommand {
  const data = encodeRegisterAndMoveList(parameters);
  return { cdb: reserveOut(ReserveOut.registerAndMove, 0, data.length), data };
}

function reserveOut(action: ReserveOut, type: number, length: number): Uint8Array<ArrayBuffer> {
  const cdb = new Uint8Array(10);
  cdb[0] = Opcode.persistentReserveOut;
  cdb[1] = action;
  cdb[2] = type;
  viewOf(cdb).setUint32(5, length);
  return cdb;
}

/** @throws {RangeError} when the range does not fit the CDB: those of 16 bytes reach further. */
function range10(opcode: number, lba: number, blocks: number, into: Uint8Array): Uint8Array {
  if (lba > 0xffff_ffff || blocks > 0xffff) throw new RangeError(`blocks ${lba} + ${blocks} in a CDB of 10 bytes`);
  into[0] = opcode;
  into[1] = 0;
  into[2] = lba >>> 24;
  into[3] = lba >>> 16;
  into[4] = lba >>> 8;
  into[5] = lba;
  into[6] = 0;
  into[7] = blocks >>> 8;
  into[8] = blocks;
  into[9] = 0;
  return into;
}

function range16(opcode: number, lba: number, blocks: number, into: Uint8Array): Uint8Array {
  const view = viewOf(into);
  into[0] = opcode;
  into[1] = 0;
  setU64(view, 2, lba);
  view.setUint32(10, blocks);
  into[14] = 0;
  into[15] = 0;
  return into;
}
