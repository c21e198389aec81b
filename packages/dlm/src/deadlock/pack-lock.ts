import { ByteReader, type ByteWriter } from '@quorate/kernel';
import type { LockspaceView, LockView } from '../lockspace-view.js';
import { Mode } from '../mode.js';
import { LkbFlag } from '../resource.js';
import type { GraphLock } from './wait-for-graph.js';

const STATUS = ['none', 'waiting', 'granted', 'convert'] as const;

const LOCAL_COPY = 1;
const MASTER_COPY = 2;

/**
 * A lock as daemons tell each other of it, 40 bytes. Little-endian.
 *
 * offset size field
 *      0    8 xid
 *      8    4 id       on the master
 *     12    4 nodeid   the owner; 0 if that is the master
 *     16    4 remid    on the owner's node
 *     20    4 ownpid
 *     24    4 exflags
 *     28    4 flags
 *     32    1 status   1 waiting, 2 granted, 3 convert
 *     33    1 grmode   signed
 *     34    1 rqmode   signed
 *     35    1 copy     1 local, 2 master
 *     36    4 –        zero
 *
 * A process copy is turned into a master copy, whose xid and process only its owner knows.
 *
 * Source: cluster.git group/dlm_controld/deadlock.c, `pack_lock`, `set_copy`.
 */
export interface PackLock {
  readonly xid: number;
  readonly id: number;
  readonly nodeid: number;
  readonly remid: number;
  readonly process: number;
  readonly exflags: number;
  readonly flags: number;
  readonly status: (typeof STATUS)[number];
  readonly grmode: number;
  readonly rqmode: number;
}

/** Locks of one resource in a message: u16 length of the name, u16 number of locks, the name, the locks. */
export interface LocksSection {
  readonly resource: string;
  readonly locks: readonly PackLock[];
}

const PACK_LOCK_BYTES = 40;
const SECTION_BYTES = 4;
/** As many as fit into a message of 1024 bytes behind the header and a name. */
const LOCKS_PER_SECTION = 22;

/** What a node has of each resource (`read_debugfs_locks`, `write_checkpoint`). */
export function sectionsOf({ nodeid, resources }: LockspaceView): LocksSection[] {
  const sections: LocksSection[] = [];
  for (const { name: resource, granted, converting, waiting } of resources) {
    const locks = [...granted, ...converting, ...waiting].map((lock) => packLock(nodeid, lock));
    for (let at = 0; at < locks.length; at += LOCKS_PER_SECTION) {
      sections.push({ resource, locks: locks.slice(at, at + LOCKS_PER_SECTION) });
    }
  }
  return sections;
}

function packLock(me: number, { lkid, nodeid, remid, isMasterCopy, grmode, rqmode, ...lock }: LockView): PackLock {
  const { xid, process, exflags, flags, status } = lock;
  const isProcessCopy = nodeid !== 0 && !isMasterCopy;
  const ids = isProcessCopy ? { id: remid, nodeid: me, remid: lkid } : { id: lkid, nodeid, remid };
  return { xid, ...ids, process, exflags, flags, status, grmode: Mode[grmode], rqmode: Mode[rqmode] };
}

export function writeSection(writer: ByteWriter, { resource, locks }: LocksSection): void {
  writer.u16(resource.length).u16(locks.length);
  for (let i = 0; i < resource.length; i++) writer.u8(resource.charCodeAt(i));
  for (const lock of locks) {
    writer.big64(BigInt(lock.xid)).u32(lock.id).u32(lock.nodeid).u32(lock.remid).u32(lock.process);
    writer.u32(lock.exflags).u32(lock.flags >>> 0);
    writer
      .u8(STATUS.indexOf(lock.status))
      .u8(lock.grmode & 0xff)
      .u8(lock.rqmode & 0xff);
    writer.u8(lock.nodeid === 0 ? LOCAL_COPY : MASTER_COPY).zeros(4);
  }
}

/** Undefined when its bytes do not hold what it says. */
export function readSection(bytes: Uint8Array): LocksSection | undefined {
  if (bytes.length < SECTION_BYTES) return undefined;
  const reader = new ByteReader(bytes, true);
  const length = reader.u16();
  const count = reader.u16();
  if (length + count * PACK_LOCK_BYTES > reader.left) return undefined;
  let resource = '';
  for (let i = 0; i < length; i++) resource += String.fromCharCode(reader.u8());
  const locks: PackLock[] = [];
  for (let i = 0; i < count; i++) {
    const xid = Number(reader.big64());
    const ids = { id: reader.u32(), nodeid: reader.u32(), remid: reader.u32(), process: reader.u32() };
    const [exflags, flags] = [reader.u32(), reader.u32()];
    const status = STATUS[reader.u8()];
    const [grmode, rqmode] = [signed(reader.u8()), signed(reader.u8())];
    reader.skip(5);
    if (status === undefined) return undefined;
    locks.push({ xid, ...ids, exflags, flags, status, grmode, rqmode });
  }
  return { resource, locks };
}

function signed(byte: number): number {
  return (byte << 24) >> 24;
}

/**
 * Locks of all nodes, put together (`add_lock`): the state of each is its master's, its transaction its owner's.
 *
 * Without a transaction the locks of a process are one, as for RHEL 5.1.
 */
export class LockUnion {
  readonly #locks = new Map<
    string,
    { lock: PackLock | undefined; home: number; lkid: number; resource: string; by: string }
  >();

  add(from: number, { resource, locks }: LocksSection): void {
    for (const lock of locks) {
      const [home, lkid] = lock.nodeid === 0 ? [from, lock.id] : [lock.nodeid, lock.remid];
      const isTwin = (lock.flags & LkbFlag.MSTCPY) !== 0;
      const key = `${home}/${lkid}`;
      const found = this.#locks.get(key) ?? { lock: undefined, home, lkid, resource, by: '' };
      if (isTwin || lock.nodeid === 0) found.lock = lock;
      if (!isTwin) found.by = lock.xid === 0 ? `process ${home}/${lock.process}` : `xid ${lock.xid}`;
      this.#locks.set(key, found);
    }
  }

  /** A node has left: so have its processes (`purge_locks`). */
  purge(node: number): void {
    for (const [key, { home }] of this.#locks) if (home === node) this.#locks.delete(key);
  }

  /** Locks that are on no queue of a master are left out. */
  graphLocks(): GraphLock[] {
    return [...this.#locks.values()].flatMap(({ lock, home, lkid, resource, by: transaction }) => {
      if (lock === undefined || lock.status === 'none' || transaction === '') return [];
      const { status, grmode, rqmode } = lock;
      return [{ home, lkid, transaction, resource, status, grmode, rqmode }];
    });
  }
}
