import { hex, type Nanos } from '@quorate/kernel';
import type { Lockspace } from './lockspace.js';
import { type ModeName, modeName } from './mode.js';
import { type Lkb, LkbFlag, LockStatus, type Rsb } from './resource.js';

/** One lock, with the numbers that the debug text shows. */
export interface LockView {
  readonly lkid: number;
  readonly handle: number;
  /** Process id of the owner, on its node; 0 for a master copy. */
  readonly process: number;
  /** The transaction that it belongs to, as its owner says; 0 for a master copy. */
  readonly xid: number;
  /** The owner is another node; this is the master's twin. */
  readonly isMasterCopy: boolean;
  /** The lock's other node; 0 if owner and master are this node. */
  readonly nodeid: number;
  readonly remid: number;
  /** Flags of its last lock call, with those of unlock and cancel added; u32. */
  readonly exflags: number;
  readonly flags: number;
  readonly status: 'waiting' | 'granted' | 'convert' | 'none';
  readonly grmode: ModeName;
  readonly rqmode: ModeName;
  readonly highbast: number;
  /** Mode of the last blocking AST that was delivered; 0 before the first. */
  readonly lastBast: number;
  readonly waitType: number;
  readonly lvbseq: number;
}

export interface WaiterView extends LockView {
  readonly resource: string;
  /** Node that is to answer. */
  readonly waitNodeid: number;
}

export interface ResourceView {
  readonly name: string;
  /** 0 while unknown. */
  readonly master: number;
  readonly dir: number;
  readonly firstLkid: number;
  readonly flags: number;
  readonly isActive: boolean;
  /** Locks that were sent to a new master and not taken in yet. */
  readonly recoverLocksCount: number;
  /** When it became inactive last; 0 if it never did. */
  readonly tossTime: Nanos;
  readonly lvb?: { readonly seq: number; readonly bytes: string };
  readonly granted: readonly LockView[];
  readonly converting: readonly LockView[];
  readonly waiting: readonly LockView[];
  /** They wait until another one knows the master. */
  readonly lookup: readonly LockView[];
}

/** State of a lockspace as plain data, made on demand. */
export interface LockspaceView {
  readonly name: string;
  /** This node. */
  readonly nodeid: number;
  readonly globalId: number;
  readonly isRunning: boolean;
  readonly recoverSeq: number;
  readonly recoverStatus: number;
  readonly generation: number;
  readonly slot: number;
  readonly members: readonly number[];
  readonly blockedCalls: number;
  readonly requestqueue: number;
  /** Locks that await a reply. */
  readonly waiters: readonly WaiterView[];
  readonly resources: readonly ResourceView[];
}

const STATUS_NAMES: ReadonlyMap<number, LockView['status']> = new Map([
  [LockStatus.waiting, 'waiting'],
  [LockStatus.granted, 'granted'],
  [LockStatus.convert, 'convert'],
]);

function lockView(lkb: Lkb): LockView {
  const { lkid, handle, process, xid, isMasterCopy, nodeid, remid, flags, highbast, lastBast, waitType, lvbseq } = lkb;
  const status = STATUS_NAMES.get(lkb.status) ?? 'none';
  const modes = { grmode: modeName(lkb.grmode), rqmode: modeName(lkb.rqmode) };
  return {
    lkid,
    handle,
    process,
    xid,
    isMasterCopy,
    nodeid,
    remid,
    exflags: lkb.exflags >>> 0,
    flags,
    status,
    ...modes,
    highbast,
    lastBast,
    waitType,
    lvbseq,
  };
}

function waiterView(lkb: Lkb): WaiterView {
  return { ...lockView(lkb), resource: lkb.resource.name, waitNodeid: lkb.waitNodeid };
}

function resourceView(r: Rsb): ResourceView {
  return {
    name: r.name,
    master: r.masterNodeid,
    dir: r.dirNodeid,
    firstLkid: r.firstLkid,
    flags: r.flags,
    isActive: r.isActive,
    recoverLocksCount: r.recoverLocksCount,
    tossTime: r.tossTime === Infinity ? 0 : r.tossTime,
    ...(r.lvb === undefined ? {} : { lvb: { seq: r.lvbseq, bytes: hex(r.lvb) } }),
    granted: Array.from(r.grantqueue, lockView),
    converting: Array.from(r.convertqueue, lockView),
    waiting: Array.from(r.waitqueue, lockView),
    lookup: Array.from(r.lookup, lockView),
  };
}

export function lockspaceView(ls: Lockspace): LockspaceView {
  return {
    name: ls.name,
    nodeid: ls.nodeid,
    globalId: ls.globalId,
    isRunning: ls.isRunning,
    recoverSeq: ls.recoverSeq,
    recoverStatus: ls.recoverStatus,
    generation: ls.generation,
    slot: ls.slot,
    members: ls.members.map((member) => member.nodeid),
    blockedCalls: ls.blockedCalls.length,
    requestqueue: ls.requestqueue.length,
    waiters: Array.from(ls.waiters, waiterView),
    resources: Array.from(ls.rsbs.values(), resourceView),
  };
}

/** Locks of this node whose process has left them behind (PERSISTENT). */
export function orphansOf({ resources }: LockspaceView): readonly {
  readonly lkid: number;
  readonly resource: string;
  readonly mode: ModeName;
  readonly process: number;
}[] {
  return resources.flatMap(({ name: resource, granted, converting }) =>
    [...granted, ...converting]
      .filter(({ flags, isMasterCopy }) => !isMasterCopy && (flags & LkbFlag.ORPHAN) !== 0)
      .map(({ lkid, grmode: mode, process }) => ({ lkid, resource, mode, process })),
  );
}
