import { crc32, HighWater, type Nanos, type Observe } from '@quorate/kernel';
import type { CallInput, CreateInput, DlmOutput } from './dlm-io.js';
import type { DlmFact } from './facts.js';
import { HandleTable } from './handle-table.js';
import { lockspaceGlobalId } from './hash.js';
import { LinkedQueue } from './linked-queue.js';
import { LkidTable } from './lkid-table.js';
import type { Message, MessageWriter } from './message.js';
import type { Midcomms } from './midcomms.js';
import type { Rcom, RcomWriter, StatusReply } from './rcom.js';
import type { RcomLock } from './rcom-lock.js';
import { Lkb, LkbFlag, Rsb, RsbFlag } from './resource.js';
import { type NameBytes, ResourceTable } from './resource-table.js';
import { WaiterList } from './waiter-list.js';

/**
 * A message of locking that waits until a recovery is over.
 *
 * `bytes` comes first: engines let literals that begin alike share their layout, and where another `from` is an instant in
 * nanoseconds, this one would be boxed as a double too, and with it every node id that it is copied to.
 */
export interface QueuedRequest {
  readonly bytes: Uint8Array;
  readonly from: number;
  /** Barrier bits when it came. */
  readonly recoverStatus: number;
}

/** What the lockspaces of a node share: the machine around them. */
export interface LockspaceHost {
  readonly nodeid: number;
  /** Of the packets that we send. */
  readonly version: number;
  /** Follow the original where we know better; see the README. */
  readonly isStrict: boolean;
  readonly tossTime: Nanos;
  readonly scanInterval: Nanos;
  readonly recoverTimer: Nanos;
  readonly timewarn: Nanos;
  /** First delay between two polls of a barrier; it doubles up to the original's 20 ms. */
  readonly recoverPoll: Nanos;
  readonly midcomms: Midcomms;
  readonly observe: Observe<DlmFact> | undefined;
  /** Reused for every message sent. */
  readonly message: Message;
  /** Reused for every message received. */
  readonly incoming: Message;
  readonly messageWriter: MessageWriter;
  /** Reused for every recovery message received. */
  readonly incomingRcom: Rcom;
  readonly rcomWriter: RcomWriter;
  /** Reused for every LOCK and its reply, sent or received. */
  readonly rcomLock: RcomLock;
  /** Reused for every name in a message received. */
  readonly incomingName: NameBytes;
  /** The instant of the step under way. */
  now: Nanos;
  emit: (output: DlmOutput) => void;
}

/** A member of a lockspace. */
export interface Member {
  readonly nodeid: number;
  readonly weight: number;
  /** Which life of it we know (`Midcomms.addMember`). */
  readonly incarnation: number;
  /** 0 while unknown. */
  slot: number;
  generation: number;
}

/** Members of a start that has not begun, or that recovery runs for. */
export interface RecoverRun {
  readonly seq: number;
  readonly members: readonly { readonly nodeid: number; readonly weight: number; readonly isNew: boolean }[];
  readonly failed: readonly number[] | undefined;
}

/** What a node said of its recovery. No configuration: it is we, or it does not know the lockspace yet. */
export interface StatusAnswer {
  readonly status: number;
  readonly config: StatusReply | undefined;
}

/** A callback that waits until recovery lets it go. */
export type HeldCallback =
  | { readonly kind: 'cast'; readonly lkb: Lkb; readonly status: number; readonly mode: number; readonly flags: number }
  | { readonly kind: 'bast'; readonly lkb: Lkb; readonly mode: number };

/** When a queued lock is to be canceled, and when somebody is to be warned of it; Infinity for never. */
export interface Watch {
  cancelAt: Nanos;
  warnAt: Nanos;
}

/**
 * State of one lockspace on one node. What happens to it stands in the files that take one as first argument.
 *
 * Source: Linux fs/dlm/dlm_internal.h, `dlm_ls`.
 */
export class Lockspace {
  readonly host: LockspaceHost;
  readonly name: string;
  readonly globalId: number;
  readonly lvbLength: number;
  readonly isFs: boolean;
  /** Created with TIMEWARN. */
  readonly isTimewarn: boolean;
  /** There is no directory: who a hash leads to is the master (`dlm_no_directory`). */
  readonly isNodir: boolean;
  /** What goes out where a message has room for a value block but carries none. */
  readonly zeroLvb: Uint8Array;

  readonly rsbs: ResourceTable = new ResourceTable();
  /** Inactive resources that age, oldest first. */
  readonly inactive: LinkedQueue<Rsb> = new LinkedQueue();
  readonly lkbs: LkidTable<Lkb> = new LkidTable();
  /** Locks that this node owns, by the caller's handle. */
  readonly handles: HandleTable<Lkb> = new HandleTable();
  /** Locks of this node that outlived their process, oldest first. */
  readonly orphans: Set<Lkb> = new Set();
  readonly waiters: WaiterList = new WaiterList();
  /** Locks of this node that may not be queued for ever, in the order in which they were queued (`ls_timeout`). */
  readonly timeouts: Map<Lkb, Watch> = new Map();

  /** By node id. */
  readonly members: Member[] = [];
  /** Gone by a change whose recovery is not over. */
  membersGone: Member[] = [];
  /** Node ids, each as often as its weight says: the directory is spread over it. */
  nodeArray: number[] = [];
  lowNodeid = 0;
  slot = 0;
  generation = 0;

  recoverSeq = 0;
  /** Barrier bits. */
  recoverStatus = 0;
  isRunning = false;
  /** A stop came and no start has begun since (`RECOVER_STOP`). */
  isRecoveryStopped = true;
  hasRecoveredOnce = false;
  /** `offline` went out. */
  isLeaving = false;
  /** Another member has another configuration. */
  isMismatched = false;
  recovery: Generator<void, void, void> | undefined = undefined;
  /** When recovery wants to be woken even if nothing arrives. */
  recoveryWakeAt: Nanos = Infinity;
  /** Infinity before: were it 0, engines would lay the lockspace out anew when an instant comes that is no small integer. */
  recoveryBegan: Nanos = Infinity;
  /** How often each node had connected when the lockspace was stopped last. */
  readonly connectionsAtStop: Map<number, number> = new Map();
  /** The recovery request that is out, and its answer. */
  rcomId = 0;
  statusReply: StatusAnswer | undefined = undefined;
  namesReply: Uint8Array | undefined = undefined;
  /** Resources whose new master the directory is asked for, by the id of the question. */
  recoverLookups: LkidTable<Rsb> = new LkidTable();
  /** Locks sent to new masters whose replies are awaited. */
  recoverLocksOut = 0;
  recoverLocksIn = 0;
  /** Names we master, by their directory nodes, in the order in which they are told; made when recovery begins. */
  masterNames: Map<number, string[]> = new Map();

  /** Messages of locking that wait for the end of recovery. */
  readonly requestqueue: QueuedRequest[] = [];
  readonly requestMark: HighWater = new HighWater();
  /** Local calls that wait for it. */
  readonly blockedCalls: CallInput[] = [];
  isHoldingCallbacks = false;
  readonly heldCallbacks: HeldCallback[] = [];
  /** The process whose locks are being given up; it hears of none of them any more. */
  leavingProcess: number | undefined = undefined;
  /** Handles given so far. */
  #named = 0;

  constructor(host: LockspaceHost, { lockspace, lvbLength, isFs, isTimewarn, isNodir }: CreateInput) {
    this.host = host;
    this.name = lockspace;
    this.globalId = lockspaceGlobalId(lockspace);
    this.lvbLength = lvbLength;
    this.isFs = isFs;
    this.isTimewarn = isTimewarn === true;
    this.isNodir = isNodir === true;
    this.zeroLvb = new Uint8Array(lvbLength);
  }

  get nodeid(): number {
    return this.host.nodeid;
  }

  isMember(nodeid: number): boolean {
    return isAmong(this.members, nodeid);
  }

  isRemoved(nodeid: number): boolean {
    return isAmong(this.membersGone, nodeid);
  }

  log(priority: 'info' | 'err' | 'debug', text: string): void {
    this.host.emit({ kind: 'log', priority, text: `dlm: ${this.name}: ${text}` });
  }

  /** Directory node of a hash (`dlm_hash2nodeid`). */
  hash2nodeid(hash: number): number {
    const { nodeArray } = this;
    if (this.members.length <= 1) return this.nodeid;
    return nodeArray[(hash >>> 16) % nodeArray.length]!;
  }

  isMaster(r: Rsb): boolean {
    return r.masterNodeid === this.nodeid;
  }

  /** Records who the master is; 0: unknown. */
  setMaster(r: Rsb, nodeid: number): void {
    const was = r.masterNodeid;
    r.masterNodeid = nodeid;
    if (this.host.observe === undefined || was === nodeid) return;
    if (was === this.nodeid) this.#tellReleased(r);
    if (nodeid === this.nodeid) {
      const { name: lockspace, generation } = this;
      this.host.observe({ kind: 'dlm.master', now: this.host.now, lockspace, resource: r.name, generation });
    }
  }

  /** As directory node: the record of a master elsewhere. */
  recordMaster(r: Rsb, nodeid: number): void {
    this.setMaster(r, nodeid);
    const { now, observe } = this.host;
    observe?.({ kind: 'dlm.directory', now, lockspace: this.name, resource: r.name, master: nodeid });
  }

  newRsb(name: string, hash: number): Rsb {
    const r = new Rsb(name, hash, this.hash2nodeid(hash));
    this.rsbs.add(r);
    return r;
  }

  /** A lock on `r`, which is active from now on. */
  createLkb(r: Rsb, handle: number): Lkb {
    const lkb = new Lkb(this.lkbs.take(), handle, r);
    this.lkbs.set(lkb.lkid, lkb);
    r.queue?.remove(r);
    r.lkbCount += 1;
    if (handle >= 0) this.nameLkb(lkb, handle);
    return lkb;
  }

  /** From now on the owner calls the lock by that handle. */
  nameLkb(lkb: Lkb, handle: number): void {
    lkb.handle = handle;
    this.#named += 1;
    lkb.order = this.#named;
    this.handles.set(handle, lkb);
  }

  /** Nothing keeps the lock but the replies that it awaits. */
  releaseLkb(lkb: Lkb): void {
    lkb.isDead = true;
    this.freeIfDone(lkb);
  }

  freeIfDone(lkb: Lkb): void {
    if (!lkb.isDead || lkb.waitCount > 0 || this.lkbs.get(lkb.lkid) !== lkb) return;
    this.lkbs.remove(lkb.lkid);
    const r = lkb.resource;
    r.lkbCount -= 1;
    if (r.lkbCount === 0) this.#toss(r);
  }

  /** The owner may not use the handle any more. */
  forgetHandle(lkb: Lkb): void {
    lkb.flags |= LkbFlag.ENDOFLIFE;
    if (this.orphans.size > 0) this.orphans.delete(lkb);
    if (this.handles.get(lkb.handle) === lkb) this.handles.delete(lkb.handle);
  }

  /** No lock is left: the resource stays as a cache of who the master is, or as the directory's record. */
  #toss(r: Rsb): void {
    if (r.lvb !== undefined) this.dropLvb(r);
    r.tossTime = this.host.now;
    // A directory record waits for its master's REMOVE.
    if (r.dirNodeid !== this.nodeid || r.masterNodeid === this.nodeid) {
      this.inactive.addLast(r);
      if (this.host.observe !== undefined) this.#tellTossed(r);
    }
  }

  /** Drops an inactive resource. */
  freeRsb(r: Rsb): void {
    r.queue?.remove(r);
    this.rsbs.delete(r);
    if (this.host.observe === undefined) return;
    const { now, observe } = this.host;
    observe({ kind: 'dlm.freed', now, lockspace: this.name, resource: r.name });
    if (this.isMaster(r)) this.#tellReleased(r);
    else if (r.dirNodeid === this.nodeid) this.#tellDirectoryRemoved(r);
  }

  /** Next instant at which inactive resources are looked through. */
  scanDeadline(): Nanos {
    const oldest = this.inactive.first;
    if (oldest === undefined || !this.isRunning) return Infinity;
    const { tossTime, scanInterval } = this.host;
    return Math.ceil((oldest.tossTime + tossTime) / scanInterval) * scanInterval;
  }

  setFlag(r: Rsb, flag: number): void {
    const isNew = (r.flags & flag) === 0;
    r.flags |= flag;
    if (isNew && flag === RsbFlag.VALNOTVALID) {
      const { now, observe } = this.host;
      observe?.({ kind: 'dlm.lvb-invalid', now, lockspace: this.name, resource: r.name });
    }
  }

  /** Stores a value block that a holder wrote: it is valid now. */
  writeLvb(r: Rsb, bytes: Uint8Array): void {
    r.flags &= ~RsbFlag.VALNOTVALID;
    this.storeLvb(r, bytes, (r.lvbseq + 1) >>> 0);
  }

  dropLvb(r: Rsb): void {
    r.lvb = undefined;
    const { now, observe } = this.host;
    observe?.({ kind: 'dlm.lvb-dropped', now, lockspace: this.name, resource: r.name });
  }

  storeLvb(r: Rsb, bytes: Uint8Array, seq: number): void {
    if (r.lvb === undefined) r.lvb = bytes.slice();
    else r.lvb.set(bytes);
    r.lvbseq = seq;
    const { now, observe } = this.host;
    if (observe === undefined) return;
    observe({
      kind: 'dlm.lvb-written',
      now,
      lockspace: this.name,
      resource: r.name,
      digest: crc32(bytes),
      lvbseq: seq,
    });
  }

  /** False while the new master of a resource, or the reply to a lock that was sent there, is awaited. */
  get hasAllAnswers(): boolean {
    return this.recoverLookups.size === 0 && this.recoverLocksOut === 0;
  }

  #tellTossed(r: Rsb): void {
    const { now, observe, tossTime, scanInterval } = this.host;
    const until = now + tossTime + 2 * scanInterval;
    observe?.({ kind: 'dlm.tossed', now, lockspace: this.name, resource: r.name, until });
  }

  #tellReleased(r: Rsb): void {
    const { now, observe } = this.host;
    observe?.({ kind: 'dlm.master-released', now, lockspace: this.name, resource: r.name });
  }

  #tellDirectoryRemoved(r: Rsb): void {
    const { now, observe } = this.host;
    observe?.({ kind: 'dlm.directory-removed', now, lockspace: this.name, resource: r.name });
  }
}

/** A loop without a function: it is asked for every message, and for every lock that recovery moves. */
function isAmong(members: readonly Member[], nodeid: number): boolean {
  for (let i = 0; i < members.length; i++) if (members[i]!.nodeid === nodeid) return true;
  return false;
}
