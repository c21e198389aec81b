import { fromHex, getU64, hex, type Nanos, viewOf } from '@quorate/kernel';
import { Opcode } from '../opcode.js';
import {
  COPY_TARGET_DEVICE_NOT_REACHABLE,
  INLINE_DATA_LENGTH_EXCEEDED,
  invalidFieldInParameterList,
  PARAMETER_LIST_LENGTH_ERROR,
  SEGMENT_BEYOND_END,
  type Sense,
  TOO_MANY_SEGMENT_DESCRIPTORS,
  TOO_MANY_TARGET_DESCRIPTORS,
  UNSUPPORTED_SEGMENT_DESCRIPTOR,
  UNSUPPORTED_TARGET_DESCRIPTOR,
} from '../sense.js';
import { StoreError } from '../store/store-error.js';
import type { Command, CommandRequest, Reply, UnitContext } from './command.js';
import type { CopyResult } from './copy-result.js';
import { parameterListAt } from './transfer.js';

/** What one EXTENDED COPY may ask for; RECEIVE COPY RESULTS and VPD page 8Fh tell. */
export const CopyLimits = {
  targetDescriptors: 8,
  segmentDescriptors: 8,
  /** Bytes of both lists of descriptors. */
  descriptorListBytes: 1024,
  /** Bytes that one segment moves. */
  segmentBytes: 16_777_216,
  /** No segment takes inline data. */
  inlineBytes: 0,
} as const;

/** Descriptors that are supported. */
export const CopyDescriptor = {
  /** Segment: blocks of one unit to blocks of another. */
  blockToBlock: 0x02,
  /** Target: a unit by its identification descriptor. */
  identification: 0xe4,
} as const;

const HEADER_BYTES = 16;
const TARGET_BYTES = 32;
const SEGMENT_BYTES = 28;
const CHUNK_BYTES = 1024 * 1024;

/** EXTENDED COPY (LID1): copies blocks between logical units of this target. */
export const EXTENDED_COPY: Command = {
  name: 'EXTENDED COPY',
  opcode: Opcode.extendedCopy,
  serviceAction: 0,
  usage: fromHex('83 1f 0000000000000000 ffffffff 00 00'),
  service: 'write',
  transfer: parameterListAt(10, 4),
  needsMedium: true,
  execute,
};

/**
 * offset size field
 *      0    1 LIST IDENTIFIER
 *      1    1 flags             bits 4-3 LIST ID USAGE: 3 keeps nothing of the copy, and the identifier is 0
 *      2    2 length            of the target descriptors
 *      8    4 length            of the segment descriptors
 *     12    4 length            of inline data
 *     16      target descriptors, segment descriptors, inline data
 *
 * Source: SPC-4, "EXTENDED COPY (LID1) parameter list".
 */
function execute(unit: UnitContext, request: CommandRequest, reply: Reply, now: Nanos): void {
  const length = viewOf(request.cdb).getUint32(10);
  if (length === 0) return;
  const list = request.dataOut.subarray(0, length);
  if (list.length < HEADER_BYTES) return reply.check(PARAMETER_LIST_LENGTH_ERROR);
  const view = viewOf(list);
  const targetBytes = view.getUint16(2);
  const segmentBytes = view.getUint32(8);
  const sense =
    checkIdentifier(list) ??
    checkLengths(list, targetBytes, segmentBytes) ??
    checkCodes(list, targetBytes, segmentBytes);
  if (sense !== undefined) return reply.check(sense);
  const copy = new Copy(unit, request, now, list.subarray(HEADER_BYTES), targetBytes);
  copy.run(segmentBytes / SEGMENT_BYTES);
  if (!isUnnamed(list)) request.from.copyResult = copy.result(list[0]!);
  if (copy.failure !== undefined) reply.check(copy.failure);
}

/** Whether LIST ID USAGE says that RECEIVE COPY RESULTS will not ask for the copy. */
function isUnnamed(list: Uint8Array): boolean {
  return (list[1]! & 0x18) === 0x18;
}

function checkIdentifier(list: Uint8Array): Sense | undefined {
  return isUnnamed(list) && list[0] !== 0 ? invalidFieldInParameterList(0) : undefined;
}

function checkLengths(list: Uint8Array, targetBytes: number, segmentBytes: number): Sense | undefined {
  const descriptorBytes = targetBytes + segmentBytes;
  const inline = viewOf(list).getUint32(12);
  if (HEADER_BYTES + descriptorBytes + inline > list.length) return PARAMETER_LIST_LENGTH_ERROR;
  if (inline > CopyLimits.inlineBytes) return INLINE_DATA_LENGTH_EXCEEDED;
  if (descriptorBytes > CopyLimits.descriptorListBytes) return PARAMETER_LIST_LENGTH_ERROR;
  if (targetBytes % TARGET_BYTES !== 0) return invalidFieldInParameterList(2);
  if (targetBytes / TARGET_BYTES > CopyLimits.targetDescriptors) return TOO_MANY_TARGET_DESCRIPTORS;
  return undefined;
}

function checkCodes(list: Uint8Array, targetBytes: number, segmentBytes: number): Sense | undefined {
  for (let at = HEADER_BYTES; at < HEADER_BYTES + targetBytes; at += TARGET_BYTES) {
    if (list[at] !== CopyDescriptor.identification) return UNSUPPORTED_TARGET_DESCRIPTOR;
  }
  const end = HEADER_BYTES + targetBytes + segmentBytes;
  let count = 0;
  for (let at = HEADER_BYTES + targetBytes; at < end; at += SEGMENT_BYTES) {
    if (list[at] !== CopyDescriptor.blockToBlock) return UNSUPPORTED_SEGMENT_DESCRIPTOR;
    if (at + SEGMENT_BYTES > end) return PARAMETER_LIST_LENGTH_ERROR;
    count += 1;
  }
  return count > CopyLimits.segmentDescriptors ? TOO_MANY_SEGMENT_DESCRIPTORS : undefined;
}

/** One EXTENDED COPY that is being carried out, segment after segment, up to the first that fails. */
class Copy {
  failure: Sense | undefined;
  readonly #unit: UnitContext;
  readonly #request: CommandRequest;
  readonly #now: Nanos;
  /** Target descriptors, then segment descriptors. */
  readonly #descriptors: Uint8Array;
  readonly #targetBytes: number;
  #segments = 0;
  #bytes = 0;

  constructor(unit: UnitContext, request: CommandRequest, now: Nanos, descriptors: Uint8Array, targetBytes: number) {
    this.#unit = unit;
    this.#request = request;
    this.#now = now;
    this.#descriptors = descriptors;
    this.#targetBytes = targetBytes;
  }

  result(listId: number): CopyResult {
    return { listId, isGood: this.failure === undefined, segments: this.#segments, bytes: this.#bytes };
  }

  run(segments: number): void {
    for (let i = 0; i < segments && this.failure === undefined; i++) {
      this.failure = this.#copySegment(this.#targetBytes + SEGMENT_BYTES * i);
      if (this.failure === undefined) this.#segments += 1;
    }
  }

  /**
   * offset size field
   *      0    1 descriptor type    02h
   *      1    1 flags              bit 1 DC, 0 CAT
   *      2    2 length             18h
   *      4    2 source index       of the target descriptors
   *      6    2 destination index
   *     10    2 blocks             of the source
   *     12    8 source LBA
   *     20    8 destination LBA
   *
   * Source: SPC-4, "Block device to block device operations".
   */
  #copySegment(at: number): Sense | undefined {
    const view = viewOf(this.#descriptors);
    const source = this.#unitAt(view.getUint16(at + 4));
    const destination = this.#unitAt(view.getUint16(at + 6));
    if (source === undefined || destination === undefined) return COPY_TARGET_DEVICE_NOT_REACHABLE;
    const blocks = view.getUint16(at + 10);
    const from = getU64(view, at + 12);
    const to = getU64(view, at + 20);
    const isSameLength = source.store.blockLength === destination.store.blockLength;
    if (!isSameLength || blocks * source.store.blockLength > CopyLimits.segmentBytes) {
      return COPY_TARGET_DEVICE_NOT_REACHABLE;
    }
    if (!hasRange(source, from, blocks) || !hasRange(destination, to, blocks)) return SEGMENT_BEYOND_END;
    return (
      this.#refusal(source, 'read') ??
      this.#refusal(destination, 'write') ??
      this.#move(source, from, destination, to, blocks)
    );
  }

  /** The unit that a target descriptor names by its NAA identifier: bytes 8 to 27, of the length in byte 7. */
  #unitAt(index: number): UnitContext | undefined {
    const at = TARGET_BYTES * index;
    if (at >= this.#targetBytes) return undefined;
    const length = this.#descriptors[at + 7]!;
    return this.#unit.target.unitOf(hex(this.#descriptors, at + 8, at + 8 + Math.min(length, 20)));
  }

  /** The copy is done with the rights of who asked for it, on every unit. */
  #refusal(unit: UnitContext, access: 'read' | 'write'): Sense | undefined {
    const isFree = unit.mayAccess(this.#now, this.#request.from.nexus.id, access);
    return isFree ? undefined : COPY_TARGET_DEVICE_NOT_REACHABLE;
  }

  #move(source: UnitContext, from: number, destination: UnitContext, to: number, blocks: number): Sense | undefined {
    const { blockLength } = source.store;
    const atOnce = CHUNK_BYTES / blockLength;
    // All is read before anything is written: the ranges may overlap.
    const bytes = new Uint8Array(blocks * blockLength);
    try {
      source.store.read(from, blocks, bytes);
      for (let done = 0; done < blocks; done += atOnce) {
        const count = Math.min(atOnce, blocks - done);
        const piece = bytes.subarray(done * blockLength, (done + count) * blockLength);
        destination.write(this.#now, this.#request, to + done, piece);
        this.#bytes += piece.length;
      }
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return COPY_TARGET_DEVICE_NOT_REACHABLE;
    }
    return undefined;
  }
}

function hasRange({ store }: UnitContext, lba: number, blocks: number): boolean {
  return lba <= store.blocks && blocks <= store.blocks - lba;
}
