import { fromHex, type Nanos, viewOf } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import {
  invalidFieldInCdb,
  invalidFieldInParameterList,
  MODE_PARAMETERS_CHANGED,
  PARAMETER_LIST_LENGTH_ERROR,
  type Sense,
} from '../sense.js';
import type { Command, CommandRequest, Reply, UnitContext } from './command.js';
import {
  applyModePage,
  encodeChangeableBits,
  encodeModePage,
  ModePage,
  modePagesOf,
  pageAt,
  wrongField,
} from './mode-page.js';
import { parameterListAt } from './transfer.js';

export const MODE_SELECT: readonly Command[] = [
  selecting('MODE SELECT(6)', Opcode.modeSelect6, '15 11 0000 ff 00', 4),
  selecting('MODE SELECT(10)', Opcode.modeSelect10, '55 11 0000000000 ffff 00', 8),
];

const DESCRIPTOR_BYTES = 8;

function selecting(name: string, opcode: number, usage: string, headerBytes: 4 | 8): Command {
  return {
    name,
    opcode,
    usage: fromHex(usage),
    service: 'other',
    transfer: headerBytes === 4 ? parameterListAt(4, 1) : parameterListAt(7, 2),
    validate: validateCdb,
    execute(unit, request, reply, _now: Nanos) {
      select(unit, request, headerBytes, reply);
    },
  };
}

/** PF must be 1: pages as the standard has them. SP must be 0: nothing is saved. */
function validateCdb(_unit: UnitContext, { cdb }: CommandRequest): Sense | undefined {
  if ((cdb[1]! & 0x01) !== 0) return invalidFieldInCdb(1, 0);
  return (cdb[1]! & 0x10) === 0 ? invalidFieldInCdb(1, 4) : undefined;
}

/** The whole list is checked before anything changes. Mode data length, WP and DPOFUA of the header are ignored. */
function select(unit: UnitContext, request: CommandRequest, headerBytes: 4 | 8, reply: Reply): void {
  const { cdb, dataOut, from } = request;
  const length = headerBytes === 4 ? cdb[4]! : viewOf(cdb).getUint16(7);
  if (length === 0) return;
  const list = dataOut.subarray(0, length);
  if (list.length < length || length < headerBytes) return reply.check(PARAMETER_LIST_LENGTH_ERROR);
  const descriptors = headerBytes === 4 ? list[3]! : viewOf(list).getUint16(6);
  const sense =
    checkDescriptor(unit, list, headerBytes, descriptors) ?? checkPages(unit, list, headerBytes + descriptors);
  if (sense !== undefined) return reply.check(sense);
  const changed = applyPages(unit, list, headerBytes + descriptors);
  if (changed.length === 0) return;
  unit.tellOthers(from.nexus.id, MODE_PARAMETERS_CHANGED);
  const { mode, store } = unit;
  if (changed.includes(ModePage.errorRecovery) || changed.includes(ModePage.logicalBlockProvisioning)) {
    mode.thresholds?.arm(store.mappedBlocks ?? 0, store.blocks);
  }
  const attention = changed.includes(ModePage.informationalExceptions) ? mode.exceptions.attention : undefined;
  if (attention !== undefined) unit.tellAll(attention);
}

/** Takes all pages over; those in which something changed. */
function applyPages({ mode }: UnitContext, list: Uint8Array, start: number): number[] {
  const changed: number[] = [];
  for (let at = start; at < list.length; ) {
    const { page: code, length } = pageAt(list, at)!;
    const page = modePagesOf(mode).find((each) => each === code)!;
    if (applyModePage(page, list.subarray(at, at + length), mode)) changed.push(page);
    at += length;
  }
  return changed;
}

/** No descriptor, or one with the size that the unit has: u32 blocks (0 leaves them), u24 block length. */
function checkDescriptor(
  { store }: UnitContext,
  list: Uint8Array,
  headerBytes: number,
  length: number,
): Sense | undefined {
  if (length === 0) return undefined;
  if (length !== DESCRIPTOR_BYTES) return invalidFieldInParameterList(headerBytes - 1);
  if (list.length < headerBytes + length) return PARAMETER_LIST_LENGTH_ERROR;
  const view = viewOf(list);
  const blocks = view.getUint32(headerBytes);
  const isSameSize = blocks === 0 || blocks === Math.min(store.blocks, 0xffff_ffff);
  if (!isSameSize) return invalidFieldInParameterList(headerBytes);
  const blockLength = view.getUint32(headerBytes + 4) & 0xff_ffff;
  return blockLength === store.blockLength ? undefined : invalidFieldInParameterList(headerBytes + 5);
}

function checkPages({ mode }: UnitContext, list: Uint8Array, start: number): Sense | undefined {
  for (let at = start; at < list.length; ) {
    const header = pageAt(list, at);
    if (header === undefined) return PARAMETER_LIST_LENGTH_ERROR;
    const page = modePagesOf(mode).find((each) => each === header.page);
    if (page === undefined) return invalidFieldInParameterList(at);
    const current = encodeModePage(page, mode);
    if (header.length !== current.length) return invalidFieldInParameterList(at + header.lengthAt);
    const bytes = list.subarray(at, at + current.length);
    if (bytes.length < current.length) return PARAMETER_LIST_LENGTH_ERROR;
    const field = wrongByte(bytes, current, encodeChangeableBits(page, mode)) ?? wrongField(page, bytes);
    if (field !== undefined) return invalidFieldInParameterList(at + field);
    at += current.length;
  }
  return undefined;
}

/** The first byte with a bit that differs and cannot be changed. */
function wrongByte(bytes: Uint8Array, current: Uint8Array, changeable: Uint8Array): number | undefined {
  for (let i = 2; i < current.length; i++) {
    if (((bytes[i]! ^ current[i]!) & ~changeable[i]!) !== 0) return i;
  }
  return undefined;
}
