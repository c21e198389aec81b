import { ByteReader, type ByteWriter } from '@quorate/kernel';
import type { PlockOwner, PlockRange } from './plock-table.js';

/** `DLM_PLOCK_OP_*`; 0 in the messages about owners, which are no operation. */
const OPS = ['none', 'lock', 'unlock', 'get'] as const;

type PlockOp = (typeof OPS)[number];

const FLAG_CLOSE = 1;

/** Of the record of an operation; zeros in the others. */
const VERSION = [1, 2, 0] as const;

const PLOCK_RECORD_BYTES = 64;

/**
 * What the kernel asks of dlm_controld, and the daemons of each other, 64 bytes. Little-endian on the wire.
 *
 * offset size field
 *      0   12 version   three u32: 1, 2, 0
 *     12    1 optype    0 none, 1 lock, 2 unlock, 3 get
 *     13    1 ex        1 write lock, 0 read lock
 *     14    1 wait      1 F_SETLKW
 *     15    1 flags     1 CLOSE
 *     16    4 pid
 *     20    4 nodeid    of the lock; in OWN the new owner, 0 none
 *     24    4 rv        signed
 *     28    4 fsid      the lockspace's global id
 *     32    8 number    of the inode
 *     40    8 start     in bytes
 *     48    8 end       the last byte; 2^63 - 1: to the end of the file
 *     56    8 owner     the kernel's table of open files
 *
 * Source: Linux include/uapi/linux/dlm_plock.h, `dlm_plock_info`.
 */
export interface PlockRecord extends PlockRange, PlockOwner {
  readonly op: PlockOp;
  readonly isExclusive: boolean;
  readonly isWaiting: boolean;
  /** The file was closed, or a process that waited was killed: no answer. */
  readonly isClose: boolean;
  readonly fsid: number;
  readonly number: bigint;
}

/** A record that says nothing but of which inode, as those about owners are. */
export function emptyRecord(number: bigint, nodeid: number): PlockRecord {
  const range = { start: 0n, end: 0n };
  const flags = { isExclusive: false, isWaiting: false, isClose: false };
  return { op: 'none', ...flags, pid: 0, nodeid, fsid: 0, number, ...range, owner: 0n };
}

export function writePlockRecord(writer: ByteWriter, record: PlockRecord): void {
  for (const part of VERSION) writer.u32(record.op === 'none' ? 0 : part);
  writer.u8(OPS.indexOf(record.op)).u8(+record.isExclusive).u8(+record.isWaiting);
  writer.u8(record.isClose ? FLAG_CLOSE : 0);
  writer.u32(record.pid).u32(record.nodeid).u32(0).u32(record.fsid);
  writer.big64(record.number).big64(record.start).big64(record.end).big64(record.owner);
}

/** Undefined when there are too few bytes, or it is an operation that nobody knows. */
export function readPlockRecord(bytes: Uint8Array): PlockRecord | undefined {
  if (bytes.length < PLOCK_RECORD_BYTES) return undefined;
  const reader = new ByteReader(bytes, true, 12);
  const op = OPS[reader.u8()];
  const isExclusive = reader.u8() !== 0;
  const isWaiting = reader.u8() !== 0;
  const isClose = (reader.u8() & FLAG_CLOSE) !== 0;
  const pid = reader.u32();
  const nodeid = reader.u32();
  const fsid = reader.skip(4).u32();
  const number = reader.big64();
  const start = reader.big64();
  const end = reader.big64();
  const owner = reader.big64();
  if (op === undefined) return undefined;
  return { op, isExclusive, isWaiting, isClose, pid, nodeid, fsid, number, start, end, owner };
}

/** A lock or a waiter in PLOCKS_DATA. */
export interface PlockDataEntry extends PlockRange, PlockOwner {
  readonly isExclusive: boolean;
  readonly isWaiter: boolean;
}

/**
 * Body of PLOCKS_DATA: locks and waiters of one inode for nodes that join, 24 bytes and 40 for each.
 *
 * offset size field
 *      0    8 number      of the inode
 *      8    4 owner       signed: node, 0 none
 *     12    4 lock_count  entries that follow
 *     16    4 flags       1 CONTINUE: more of the inode that came before
 *     20    4 –           zero
 *
 * and each entry: u64 start, end, owner; u32 pid, nodeid; u8 ex, waiter; 6 bytes of zeros.
 *
 * Source: dlm dlm_controld/plock.c, `resource_data`, `plock_data`. RHEL 6 has the entries as a checkpoint's section.
 */
export interface PlockData {
  readonly number: bigint;
  readonly owner: number;
  readonly isContinued: boolean;
  readonly entries: readonly PlockDataEntry[];
}

const DATA_HEADER_BYTES = 24;
const ENTRY_BYTES = 40;
const RD_CONTINUE = 1;

/** As many as fit into a message of 1024 bytes behind both headers. */
export const ENTRIES_PER_DATA = 24;

export function writePlockData(writer: ByteWriter, { number, owner, isContinued, entries }: PlockData): void {
  writer.big64(number).u32(owner).u32(entries.length);
  writer.u32(isContinued ? RD_CONTINUE : 0).u32(0);
  writePlockEntries(writer, entries);
}

export function writePlockEntries(writer: ByteWriter, entries: readonly PlockDataEntry[]): void {
  for (const { start, end, owner, pid, nodeid, isExclusive, isWaiter } of entries) {
    writer.big64(start).big64(end).big64(owner).u32(pid).u32(nodeid);
    writer.u8(+isExclusive).u8(+isWaiter).zeros(6);
  }
}

/** Undefined when its bytes do not hold what it says. */
export function readPlockData(bytes: Uint8Array): PlockData | undefined {
  if (bytes.length < DATA_HEADER_BYTES) return undefined;
  const reader = new ByteReader(bytes, true);
  const number = reader.big64();
  const owner = reader.i32();
  const count = reader.u32();
  const isContinued = (reader.u32() & RD_CONTINUE) !== 0;
  const body = bytes.subarray(DATA_HEADER_BYTES);
  if (count * ENTRY_BYTES > body.length) return undefined;
  return { number, owner, isContinued, entries: readPlockEntries(body.subarray(0, count * ENTRY_BYTES)) };
}

function readPlockEntries(bytes: Uint8Array): PlockDataEntry[] {
  const reader = new ByteReader(bytes, true);
  const entries: PlockDataEntry[] = [];
  while (reader.left >= ENTRY_BYTES) {
    const start = reader.big64();
    const end = reader.big64();
    const owner = reader.big64();
    const pid = reader.u32();
    const nodeid = reader.u32();
    entries.push({ start, end, owner, pid, nodeid, isExclusive: reader.u8() !== 0, isWaiter: reader.u8() !== 0 });
    reader.skip(6);
  }
  return entries;
}
