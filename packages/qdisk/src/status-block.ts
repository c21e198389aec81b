import { fromHex, getU64, hex, setU64, viewOf } from '@quorate/kernel';
import { openSlot, SLOT_DATA_OFFSET, type SlotDefect, sealSlot } from './block.js';
import { emptyMask, type NodeMask } from './node-mask.js';

/** State of a node in its status block. `EVICT` and below: it may be fenced; `INIT` and above: it runs. */
export const DiskState = {
  /** Off, or its score is too low. */
  NONE: 0,
  /** Voted out. */
  EVICT: 1,
  INIT: 2,
  RUN: 5,
  MASTER: 6,
  /** A master that asks for an election before it leaves; in master-wins mode only. */
  EXIT: 7,
} as const;
/** One of `DiskState`, or whatever number another program wrote. */
export type DiskState = number;

export const Message = { NONE: 0, BID: 1, ACK: 2, NACK: 3 } as const;

const STATUS_MAGIC = 0x47bacef8;
export const STATUS_BYTES = 80;

/**
 * Status record, 80 bytes, integers big-endian unless said otherwise.
 *
 * offset size field
 *      0    4 magic         0x47bacef8; written, never checked
 *      4    4 update node   id of the writer; 0 after mkqdisk
 *      8    8 timestamp     second of the write: a change of it is the heartbeat
 *     16    4 node id       owner of the slot
 *     20    4 –             zero
 *     24    1 state         `DiskState`
 *     25    1 –             zero
 *     26    2 flags         zero
 *     28    2 score         zero
 *     30    2 score max     zero
 *     32    8 mean write time: seconds u32, microseconds u32
 *     40    8 last write time: seconds u32, microseconds u32
 *     48    8 incarnation   in the writer's byte order, never swapped: good for equality only
 *     56    2 message       `Message`
 *     58    2 sequence      own counter; an ACK copies the bidder's
 *     60    4 argument      ACK: the bidder's id
 *     64    8 mask          nodes that the writer sees up
 *     72    8 master mask   nodes that the master grants the votes to; garbage unless state is MASTER
 *
 * Source: cluster.git cman/qdisk/disk.h, `status_block_t`.
 */
export interface StatusBlock {
  readonly updateNode: number;
  readonly timestamp: number;
  readonly nodeId: number;
  readonly state: DiskState;
  readonly flags: number;
  readonly score: number;
  readonly scoreMax: number;
  readonly meanWriteMicros: number;
  readonly lastWriteMicros: number;
  /** The eight bytes as they stand on disk, as 16 hex digits. */
  readonly incarnation: string;
  readonly message: number;
  readonly sequence: number;
  readonly argument: number;
  readonly mask: NodeMask;
  readonly masterMask: NodeMask;
}

export const NO_INCARNATION = '0000000000000000';

/** The block of a node that has never run, as of that second. */
export function blankStatus(nodeId: number, timestamp: number): StatusBlock {
  return {
    updateNode: 0,
    timestamp,
    nodeId,
    state: DiskState.NONE,
    flags: 0,
    score: 0,
    scoreMax: 0,
    meanWriteMicros: 0,
    lastWriteMicros: 0,
    incarnation: NO_INCARNATION,
    message: Message.NONE,
    sequence: 0,
    argument: 0,
    mask: emptyMask(),
    masterMask: emptyMask(),
  };
}

/** Writes a status block into `sector`, all of it. Returns false when it must not be written (see `sealSlot`). */
export function encodeStatus(sector: Uint8Array, block: StatusBlock): boolean {
  const data = sector.subarray(SLOT_DATA_OFFSET);
  const view = viewOf(data);
  sector.fill(0);
  view.setUint32(0, STATUS_MAGIC);
  view.setUint32(4, block.updateNode);
  setU64(view, 8, block.timestamp);
  view.setUint32(16, block.nodeId);
  view.setUint8(24, block.state);
  view.setUint16(26, block.flags);
  view.setUint16(28, block.score);
  view.setUint16(30, block.scoreMax);
  setSpan(view, 32, block.meanWriteMicros);
  setSpan(view, 40, block.lastWriteMicros);
  data.set(fromHex(block.incarnation), 48);
  view.setUint16(56, block.message);
  view.setUint16(58, block.sequence);
  view.setUint32(60, block.argument);
  data.set(block.mask, 64);
  data.set(block.masterMask, 72);
  return sealSlot(sector, STATUS_BYTES, block.timestamp);
}

/**
 * Reads the status block of a sector; a record shorter than 80 bytes counts as filled up with zeros.
 *
 * The result is a copy and keeps nothing of `sector`.
 */
export function decodeStatus(sector: Uint8Array): StatusBlock | SlotDefect {
  const record = openSlot(sector);
  if (typeof record === 'string') return record;
  const data = record.length < STATUS_BYTES ? filledUp(record) : record;
  const view = viewOf(data);
  return {
    updateNode: view.getUint32(4),
    timestamp: getU64(view, 8),
    nodeId: view.getUint32(16),
    state: view.getUint8(24),
    flags: view.getUint16(26),
    score: view.getUint16(28),
    scoreMax: view.getUint16(30),
    meanWriteMicros: getSpan(view, 32),
    lastWriteMicros: getSpan(view, 40),
    incarnation: hex(data, 48, 56),
    message: view.getUint16(56),
    sequence: view.getUint16(58),
    argument: view.getUint32(60),
    mask: data.slice(64, 72),
    masterMask: data.slice(72, 80),
  };
}

function filledUp(record: Uint8Array): Uint8Array {
  const data = new Uint8Array(STATUS_BYTES);
  data.set(record);
  return data;
}

function setSpan(view: DataView, offset: number, micros: number): void {
  view.setUint32(offset, Math.floor(micros / 1_000_000));
  view.setUint32(offset + 4, micros % 1_000_000);
}

function getSpan(view: DataView, offset: number): number {
  return view.getUint32(offset) * 1_000_000 + view.getUint32(offset + 4);
}

/** Whether a node in this state takes part: initialising, running or master. */
export function isRunning(state: DiskState): boolean {
  return state >= DiskState.INIT;
}

/** A state's name as `mkqdisk -L` and the status file print it; EXIT has none there. */
export function stateName(state: DiskState): string {
  switch (state) {
    case DiskState.NONE:
      return 'None';
    case DiskState.EVICT:
      return 'Evicted';
    case DiskState.INIT:
      return 'Initializing';
    case DiskState.RUN:
      return 'Running';
    case DiskState.MASTER:
      return 'Master';
    default:
      return 'ILLEGAL';
  }
}
