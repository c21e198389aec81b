import { assert, type Machine, MILLISECOND, type Nanos, SECOND } from '@quorate/kernel';
import { LruList } from '../lru-list.js';
import { DlmFlag, DlmStatus, DlmStatusFlag } from './dlm-lock.js';
import {
  demoteStateFor,
  Glock,
  type GlockReply,
  type GlockState,
  type Holder,
  HolderFlag,
  MAX_HOLD,
  MIN_HOLD,
  modeOf,
} from './glock.js';
import { GlockType, NondiskLock } from './glock-name.js';

export type GlockInput =
  /** Somebody wants the glock. Answered at once or later by `granted` or `failed`. */
  | { readonly kind: 'enqueue'; readonly holder: Holder }
  /** Somebody is through with it, or does not wait any longer. */
  | { readonly kind: 'dequeue'; readonly holder: Holder }
  | LockCast
  | { readonly kind: 'lock-bast'; readonly handle: number; readonly mode: number }
  /** The DLM did not take a call: it is busy with an earlier one. The call is repeated 20 ms later. */
  | { readonly kind: 'call-refused'; readonly handle: number; readonly errno: string }
  /** What `sync` asked for is on stable storage. */
  | { readonly kind: 'synced'; readonly glock: Glock }
  /** Answers of the DLM are kept back while the journal of a dead node waits for its replay. */
  | { readonly kind: 'block-locks'; readonly isBlocked: boolean }
  /** This node itself wants to let it go: memory is short, or it unmounts. */
  | { readonly kind: 'demote'; readonly glock: Glock; readonly state: GlockState }
  | { readonly kind: 'wake' };

/** Completion of a lock or unlock call, with the status as a positive number. */
export interface LockCast {
  readonly kind: 'lock-cast';
  readonly handle: number;
  readonly status: number;
  /** Mode that is granted now. */
  readonly mode: number;
  readonly flags: number;
  readonly lvb?: Uint8Array;
}

export type GlockOutput =
  | LockCall
  | UnlockCall
  | { readonly kind: 'granted'; readonly holder: Holder }
  | { readonly kind: 'failed'; readonly holder: Holder }
  /** Bring everything under this glock to stable storage, then say `synced` (`go_sync`). */
  | { readonly kind: 'sync'; readonly glock: Glock }
  /** Drop what is cached under this glock; metadata stays if it goes to DF (`go_inval`). */
  | { readonly kind: 'invalidate'; readonly glock: Glock; readonly isMetadataKept: boolean }
  /** Another node wants it (`go_callback`). */
  | { readonly kind: 'wanted'; readonly glock: Glock; readonly state: GlockState };

/** A lock or conversion call to the DLM; a conversion has the flag CONVERT. */
export interface LockCall {
  readonly kind: 'lock';
  readonly handle: number;
  /** 24 characters, ASCII. */
  readonly name: string;
  readonly mode: number;
  readonly flags: number;
  /** Lent; 32 bytes. */
  readonly lvb?: Uint8Array;
}

export interface UnlockCall {
  readonly kind: 'unlock';
  readonly handle: number;
  readonly flags: number;
  readonly lvb?: Uint8Array;
}

/** A glock changed hands. A loss is told when it is offered to the others, a gain when it is granted. */
export interface GlockFact {
  readonly kind: 'gfs2.glock';
  readonly now: Nanos;
  readonly type: number;
  readonly number: number;
  readonly state: GlockState;
  /** Granted to recovery, past the replay that everybody else waits for. */
  readonly isRecovery?: true;
}

/** One line of what `inspect` shows: a glock and who holds or waits for it. */
export interface GlockView {
  readonly name: string;
  readonly state: GlockState;
  readonly target: GlockState;
  /** State it is to be demoted to; empty when nobody has asked. */
  readonly demote: GlockState | '';
  readonly isLocked: boolean;
  readonly isFrozen: boolean;
  readonly holders: readonly Pick<Holder, 'state' | 'flags' | 'status'>[];
  /** Cached blocks that it protects, and those of them that are in the journal and not yet in place. */
  readonly blocks: number;
  readonly ail: number;
}

export interface GlocksConfig {
  /** `lock_nolock` grants every lock inside this machine. */
  readonly protocol: 'lock_dlm' | 'lock_nolock';
  /** Types whose locks carry a value block of 32 bytes. */
  readonly lvbTypes: ReadonlySet<GlockType>;
  /** Unused inode, iopen, flock and quota glocks that stay cached. */
  readonly maxUnused: number;
  readonly observe?: (fact: GlockFact) => void;
}

const RETRY = 20 * MILLISECOND;
const HOLD_INCREASE = 50 * MILLISECOND;
const HOLD_DECREASE = 25 * MILLISECOND;

const LRU_TYPES: ReadonlySet<number> = new Set([GlockType.inode, GlockType.iopen, GlockType.flock, GlockType.quota]);

/**
 * All glocks of one mount: the state machine between those who use a lock on this node and the DLM.
 *
 * Source: Linux fs/gfs2/glock.c, `run_queue`, `do_xmote`, `finish_xmote`, `do_promote`; lock_dlm.c.
 */
export class Glocks implements Machine<GlockInput, GlockOutput> {
  readonly #config: GlocksConfig;
  readonly #glocks = new Map<string, Glock>();
  readonly #byHandle = new Map<number, Glock>();
  /** Glocks with something to do at a certain time. */
  readonly #timed = new Set<Glock>();
  /** Unused glocks, the longest unused first. */
  readonly #lru = new LruList<Glock>();
  #isBlocked = false;
  #lastHandle = 0;
  #now: Nanos = 0;
  #emit: (output: GlockOutput) => void = () => {};

  constructor(config: GlocksConfig) {
    this.#config = config;
  }

  step(now: Nanos, input: GlockInput, emit: (output: GlockOutput) => void): void {
    this.#now = now;
    this.#emit = emit;
    switch (input.kind) {
      case 'enqueue':
        return this.#onEnqueue(input.holder);
      case 'dequeue':
        return this.#onDequeue(input.holder);
      case 'lock-cast':
        return this.#onCast(input);
      case 'lock-bast':
        return this.#onBast(input.handle, input.mode);
      case 'call-refused':
        return this.#onRefused(input.handle);
      case 'synced':
        return this.#onSynced(input.glock);
      case 'block-locks':
        return this.#onBlockLocks(input.isBlocked);
      case 'demote':
        return this.#onDemote(input.glock, input.state);
      case 'wake':
        return this.#onWake();
    }
  }

  deadline(): Nanos {
    let deadline = Infinity;
    for (const { workAt } of this.#timed) if (workAt < deadline) deadline = workAt;
    return deadline;
  }

  inspect(): readonly GlockView[] {
    return [...this.#glocks.values()].map((glock) => ({
      name: glock.name,
      state: glock.state,
      target: glock.target,
      demote: glock.demoteState ?? '',
      isLocked: glock.isLocked,
      isFrozen: glock.frozenReply !== undefined,
      holders: glock.holders.map(({ state, flags, status }) => ({ state, flags, status })),
      blocks: glock.space.buffers.size,
      ail: glock.space.ail.size,
    }));
  }

  /** Glocks in memory, used or not. */
  get size(): number {
    return this.#glocks.size;
  }

  /** Nothing is locked, and the DLM has everything back. */
  get isEmpty(): boolean {
    return this.#glocks.size === 0 && this.#byHandle.size === 0;
  }

  get all(): Iterable<Glock> {
    return this.#glocks.values();
  }

  /** The glock of that name, made when nobody has asked for it yet (`gfs2_glock_get`). */
  get(type: GlockType, number: number): Glock {
    const key = `${type}/${number}`;
    let glock = this.#glocks.get(key);
    if (glock === undefined) {
      this.#lastHandle += 1;
      glock = new Glock(type, number, this.#lastHandle, this.#config.lvbTypes.has(type));
      this.#glocks.set(key, glock);
      this.#byHandle.set(glock.handle, glock);
    }
    return glock;
  }

  find(type: GlockType, number: number): Glock | undefined {
    return this.#glocks.get(`${type}/${number}`);
  }

  /** Grants at once, without a step, when nothing stands in the way. False: nothing was done, step with `enqueue`. */
  hold(now: Nanos, holder: Holder): boolean {
    const { glock } = holder;
    if (glock.isLocked || glock.isDemote || glock.holders.length > 0 || !glock.mayGrant(undefined, holder))
      return false;
    this.#lru.delete(glock);
    holder.status = 'held';
    holder.queuedAt = now;
    // An array of one, as a push would make room for seventeen each time.
    glock.holders = [holder];
    return true;
  }

  /** Lets go without a step when nobody waits for it. False: nothing was done, step with `dequeue`. */
  release(holder: Holder): boolean {
    const { glock } = holder;
    if (glock.isDemote || glock.holders.length !== 1 || glock.state === 'UN') return false;
    if (holder.status !== 'held' || holder.has(HolderFlag.NOCACHE) || this.#lru.size >= this.#config.maxUnused)
      return false;
    holder.status = 'idle';
    glock.holders = [];
    if (LRU_TYPES.has(glock.type)) this.#lru.use(glock);
    return true;
  }

  #onEnqueue(holder: Holder): void {
    const { glock } = holder;
    assert(holder.status !== 'waiting' && holder.status !== 'held', `${glock.name}: a holder was queued twice`);
    this.#lru.delete(glock);
    if (holder.isTry && this.#isTryFutile(holder)) {
      holder.status = 'try-failed';
      this.#emit({ kind: 'failed', holder });
      return;
    }
    holder.status = 'waiting';
    holder.queuedAt = this.#now;
    glock.holders.push(holder);
    if (holder.has(HolderFlag.NOEXP)) this.#thaw(glock);
    this.#runQueue(glock);
  }

  /** A request that must not wait fails at once when it would have to stand in a queue. */
  #isTryFutile(holder: Holder): boolean {
    const { glock } = holder;
    if (glock.isInvalidating) return true;
    if (!glock.isLocked || glock.mayGrant(glock.firstHolder, holder)) return false;
    return glock.holders.some((other) => !other.isTry);
  }

  #onDequeue(holder: Holder): void {
    const { glock } = holder;
    const at = glock.holders.indexOf(holder);
    if (at < 0) return;
    const wasHeld = holder.status === 'held';
    const wasFirst = glock.firstWaiter === holder;
    glock.holders.splice(at, 1);
    holder.status = 'idle';
    if (wasHeld && holder.has(HolderFlag.NOCACHE)) glock.wish('UN', false);
    if (!wasHeld && wasFirst) this.#cancelCall(glock);
    this.#runQueue(glock);
    this.#retire(glock);
  }

  /** Takes the request of a holder that no longer waits back from the DLM, unless another waiter can use it. */
  #cancelCall(glock: Glock): void {
    if (!glock.isCalling || glock.isCanceling || glock.firstWaiter !== undefined) return;
    if (glock.request?.state === 'UN') return;
    if (glock.isRefused) {
      glock.isCalling = glock.isRefused = false;
      this.#giveUp(glock);
      return;
    }
    glock.isCanceling = true;
    this.#emit({ kind: 'unlock', handle: glock.handle, flags: DlmFlag.CANCEL });
  }

  #onCast(cast: LockCast): void {
    const glock = this.#byHandle.get(cast.handle);
    if (glock === undefined) return;
    if (cast.status === DlmStatus.unlocked) {
      this.#byHandle.delete(glock.handle);
      return;
    }
    if (!glock.isCalling) return;
    glock.isCalling = glock.isCanceling = false;
    if (glock.lvb !== undefined && cast.status === DlmStatus.granted) acceptLvb(glock, glock.lvb, cast);
    const reply = replyOf(glock, cast);
    if (cast.status === DlmStatus.granted) glock.hasLock = true;
    if (this.#isBlocked && shouldFreeze(glock, reply)) glock.frozenReply = reply;
    else this.#complete(glock, reply);
  }

  #complete(glock: Glock, reply: GlockReply): void {
    this.#finishXmote(glock, reply);
    // The hold time of an answer that was kept back starts now, whatever was planned before.
    if (glock.isPendingDemote && glock.state !== 'UN') this.#workAt(glock, glock.changedAt + glock.holdTime);
    this.#runQueue(glock);
    this.#retire(glock);
  }

  #onBast(handle: number, mode: number): void {
    const glock = this.#byHandle.get(handle);
    if (glock === undefined) return;
    const state = demoteStateFor(mode);
    // The live lock is never given away: that somebody wants it means that a node has withdrawn.
    if (glock.type === GlockType.nondisk && glock.number === NondiskLock.live) {
      this.#emit({ kind: 'wanted', glock, state });
      return;
    }
    const hasHold = glock.holders.length > 0 && glock.type === GlockType.inode;
    // A reply that is kept back has not had its hold time yet.
    const until = glock.frozenReply === undefined ? glock.changedAt + glock.holdTime : this.#now + glock.holdTime;
    const isDelayed = hasHold && until > this.#now;
    glock.wish(state, isDelayed);
    if (isDelayed) this.#workAt(glock, until);
    this.#emit({ kind: 'wanted', glock, state });
    this.#runQueue(glock);
    this.#retire(glock);
  }

  #onRefused(handle: number): void {
    const glock = this.#byHandle.get(handle);
    if (glock === undefined || !glock.isCalling) return;
    // Too late to ask back: the completion of the call itself is on its way.
    if (glock.isCanceling) return;
    glock.isRefused = true;
    this.#workAt(glock, this.#now + RETRY);
  }

  #onSynced(glock: Glock): void {
    this.#callLock(glock);
    this.#runQueue(glock);
    this.#retire(glock);
  }

  #onBlockLocks(isBlocked: boolean): void {
    this.#isBlocked = isBlocked;
    if (!isBlocked) for (const glock of [...this.#glocks.values()]) this.#thaw(glock);
  }

  #onDemote(glock: Glock, state: GlockState): void {
    glock.wish(state, false);
    this.#runQueue(glock);
    this.#retire(glock);
  }

  #onWake(): void {
    for (const glock of [...this.#timed]) {
      if (glock.workAt > this.#now) continue;
      glock.workAt = Infinity;
      this.#timed.delete(glock);
      if (glock.isRefused) this.#call(glock);
      else if (glock.isPendingDemote) this.#endHold(glock);
    }
  }

  #endHold(glock: Glock): void {
    const until = glock.changedAt + glock.holdTime;
    if (glock.demoteState === undefined || glock.state === 'UN') return;
    if (until > this.#now && glock.holders.length > 0) return this.#workAt(glock, until);
    glock.isPendingDemote = false;
    glock.isDemote = true;
    this.#runQueue(glock);
    this.#retire(glock);
  }

  #workAt(glock: Glock, at: Nanos): void {
    glock.workAt = Math.min(glock.workAt, at);
    this.#timed.add(glock);
  }

  #thaw(glock: Glock): void {
    const reply = glock.frozenReply;
    if (reply === undefined) return;
    glock.frozenReply = undefined;
    this.#complete(glock, reply);
  }

  /** Does what the queue and the wishes of others call for, one conversion at a time (`run_queue`). */
  #runQueue(glock: Glock): void {
    // Without a DLM a conversion ends on the spot, and the next one may follow.
    while (!glock.isLocked) {
      if (
        glock.isDemote &&
        glock.demoteState !== undefined &&
        glock.state !== glock.demoteState &&
        glock.state !== 'UN'
      ) {
        if (glock.firstHolder !== undefined) return;
        glock.isDemoting = true;
        glock.target = glock.demoteState;
        glock.isLocked = true;
        this.#doXmote(glock, undefined, glock.target);
        continue;
      }
      if (glock.isDemote) glock.clearWish();
      if (!this.#doPromote(glock)) return;
      const waiter = glock.firstWaiter!;
      glock.isLocked = true;
      glock.target = waiter.state;
      if (!waiter.isTry) this.#failTries(glock);
      this.#doXmote(glock, waiter, glock.target);
    }
  }

  /** Grants from the head of the queue what the state allows; true if the first one has to wait (`do_promote`). */
  #doPromote(glock: Glock): boolean {
    const { holders } = glock;
    const current = glock.firstHolder;
    for (let i = 0; i < holders.length; i++) {
      const holder = holders[i]!;
      if (holder.status !== 'waiting') continue;
      if (!glock.mayGrant(current ?? (i > 0 ? holders[0] : undefined), holder)) {
        if (i === 0) return true;
        this.#failTries(glock);
        return false;
      }
      holder.status = 'held';
      if (this.#now - holder.queuedAt > SECOND) glock.holdTime = Math.min(glock.holdTime + HOLD_INCREASE, MAX_HOLD);
      this.#emit({ kind: 'granted', holder });
    }
    return false;
  }

  #failTries(glock: Glock): void {
    for (const holder of [...glock.holders]) {
      if (holder.status === 'waiting' && holder.isTry) this.#fail(holder, 'try-failed');
    }
  }

  #fail(holder: Holder, status: 'try-failed' | 'error'): void {
    holder.glock.holders.splice(holder.glock.holders.indexOf(holder), 1);
    holder.status = status;
    this.#emit({ kind: 'failed', holder });
  }

  /** Starts a conversion: what is cached is synced and dropped before the DLM hears of it (`do_xmote`). */
  #doXmote(glock: Glock, holder: Holder | undefined, target: GlockState): void {
    glock.request = {
      state: target,
      flags: callFlags(glock, holder, target),
      isRecovery: holder?.has(HolderFlag.NOEXP) ?? false,
    };
    if ((target === 'UN' || target === 'DF') && glock.hasCache) {
      glock.isInvalidating = true;
      this.#failTries(glock);
    }
    if (glock.state === 'EX' && glock.space.isDirty) this.#emit({ kind: 'sync', glock });
    else this.#callLock(glock);
  }

  #callLock(glock: Glock): void {
    const { request } = glock;
    assert(request !== undefined && glock.isLocked, `${glock.name}: synced without a conversion`);
    if (glock.isInvalidating) {
      this.#emit({ kind: 'invalidate', glock, isMetadataKept: request.state === 'DF' });
      if (request.state === 'UN') glock.isInstantiateNeeded = true;
      glock.isInvalidating = false;
    }
    if (request.state !== 'EX') glock.space.isExclusive = false;
    this.#observeLoss(glock, request.state);
    if (this.#config.protocol === 'lock_nolock') {
      this.#finishXmote(glock, { state: request.state, isCanceled: false, isError: false });
      return;
    }
    glock.isCalling = true;
    this.#call(glock);
  }

  #call(glock: Glock): void {
    const { request } = glock;
    assert(request !== undefined, `${glock.name}: a call without a request`);
    glock.isRefused = false;
    const call: LockCall = {
      kind: 'lock',
      handle: glock.handle,
      name: glock.name,
      mode: modeOf(request.state),
      flags: request.flags,
    };
    this.#emit(glock.lvb === undefined ? call : { ...call, lvb: glock.lvb });
  }

  /** Takes the DLM's answer (`finish_xmote`). */
  #finishXmote(glock: Glock, reply: GlockReply): void {
    this.#changeState(glock, reply.state);
    if (glock.isDemoting && reply.state !== 'UN' && glock.demoteState === 'UN') glock.target = 'UN';
    if (reply.state !== glock.target) return this.#finishOther(glock, reply);
    if (glock.isDemoting) glock.clearWish();
    // Who waited gets it before another node does, even if that one asked meanwhile.
    if (reply.state !== 'UN') this.#doPromote(glock);
    glock.request = undefined;
    glock.isLocked = false;
  }

  /** The state is not the one that was asked for. */
  #finishOther(glock: Glock, reply: GlockReply): void {
    const waiter = glock.firstWaiter;
    if (!glock.isDemoting) {
      // Differs from Linux, which lets go and asks again: whoever said "any" is served by the other shared state.
      if (waiter !== undefined && glock.mayGrant(undefined, waiter)) {
        glock.target = reply.state;
        return this.#finishXmote(glock, reply);
      }
      if (waiter === undefined) return this.#giveUp(glock);
      if (reply.isCanceled) return this.#tryNext(glock, waiter);
      if (reply.isError || waiter.isTry) {
        this.#fail(waiter, reply.isError ? 'error' : 'try-failed');
        return this.#giveUp(glock);
      }
    }
    // A conversion deadlock: let go, then ask again from UN.
    this.#doXmote(glock, waiter, reply.state === 'UN' ? glock.target : 'UN');
  }

  #giveUp(glock: Glock): void {
    glock.target = glock.state;
    glock.request = undefined;
    glock.isLocked = false;
  }

  /** The head of the queue was cancelled: the next one's turn. */
  #tryNext(glock: Glock, canceled: Holder): void {
    glock.holders.splice(glock.holders.indexOf(canceled), 1);
    glock.holders.push(canceled);
    const next = glock.firstWaiter!;
    glock.target = next.state;
    this.#doXmote(glock, next, glock.target);
  }

  #changeState(glock: Glock, state: GlockState): void {
    if (state !== glock.target) glock.holdTime = Math.max(glock.holdTime - HOLD_DECREASE, MIN_HOLD);
    const hasChanged = glock.state !== state;
    glock.state = state;
    glock.space.isExclusive = state === 'EX';
    glock.changedAt = this.#now;
    if (hasChanged && state !== 'UN') this.#observeGain(glock);
  }

  #observeLoss(glock: Glock, state: GlockState): void {
    if (glock.state === 'UN' || state === 'EX') return;
    // SH and DF exclude each other, so on the way from one to the other this node has neither.
    const left: GlockState = glock.state === 'EX' ? state : 'UN';
    this.#config.observe?.({ kind: 'gfs2.glock', now: this.#now, type: glock.type, number: glock.number, state: left });
  }

  #observeGain(glock: Glock): void {
    const { type, number, state } = glock;
    this.#config.observe?.({
      kind: 'gfs2.glock',
      now: this.#now,
      type,
      number,
      state,
      ...(glock.request?.isRecovery ? { isRecovery: true } : {}),
    });
  }

  /** Puts an unused glock on the LRU list, and lets the longest unused go when there are too many. */
  #retire(glock: Glock): void {
    if (glock.holders.length > 0 || glock.isLocked) return;
    if (glock.state === 'UN' && glock.references === 0) return this.#dispose(glock);
    if (glock.state === 'UN' || !LRU_TYPES.has(glock.type)) return;
    this.#lru.use(glock);
    if (this.#lru.size <= this.#config.maxUnused) return;
    const oldest = this.#lru.first!;
    this.#lru.delete(oldest);
    if (oldest.state !== 'UN') this.#onDemote(oldest, 'UN');
  }

  #dispose(glock: Glock): void {
    this.#glocks.delete(`${glock.type}/${glock.number}`);
    this.#lru.delete(glock);
    this.#timed.delete(glock);
    if (!glock.hasLock) {
      this.#byHandle.delete(glock.handle);
      return;
    }
    const call: UnlockCall = {
      kind: 'unlock',
      handle: glock.handle,
      flags: glock.lvb === undefined ? 0 : DlmFlag.VALBLK,
    };
    this.#emit(glock.lvb === undefined ? call : { ...call, lvb: glock.lvb });
  }
}

function acceptLvb(glock: Glock, lvb: Uint8Array, cast: LockCast): void {
  // The node that wrote the value last has died: the reader starts from nothing.
  if ((cast.flags & DlmStatusFlag.VALNOTVALID) !== 0) {
    lvb.fill(0);
    glock.isLvbValid = false;
  } else if (cast.lvb !== undefined) lvb.set(cast.lvb.subarray(0, lvb.length));
}

/** What a completion means for the state (`gdlm_ast`). */
function replyOf(glock: Glock, cast: LockCast): GlockReply {
  const requested = glock.request?.state ?? glock.state;
  switch (cast.status) {
    case DlmStatus.granted: {
      const isOther = (cast.flags & DlmStatusFlag.ALTMODE) !== 0;
      const state = isOther && requested === 'SH' ? 'DF' : isOther && requested === 'DF' ? 'SH' : requested;
      return { state, isCanceled: false, isError: false };
    }
    case DlmStatus.canceled:
      return { state: glock.state, isCanceled: true, isError: false };
    case DlmStatus.again:
    case DlmStatus.deadlock:
      return { state: glock.state, isCanceled: false, isError: false };
    default:
      return { state: glock.state, isCanceled: false, isError: true };
  }
}

/** Whether a grant must wait for the end of recovery (`gfs2_should_freeze`). */
function shouldFreeze(glock: Glock, reply: GlockReply): boolean {
  if (reply.isCanceled || reply.isError || glock.target === 'UN') return false;
  return !glock.holders.some((holder) => holder.status === 'waiting' && holder.has(HolderFlag.NOEXP));
}

/** Flags of the call for a conversion (`make_flags`). */
function callFlags(glock: Glock, holder: Holder | undefined, target: GlockState): number {
  let flags = glock.lvb === undefined ? 0 : DlmFlag.VALBLK;
  if (holder?.has(HolderFlag.TRY)) flags |= DlmFlag.NOQUEUE;
  if (holder?.has(HolderFlag.TRY_1CB)) flags |= DlmFlag.NOQUEUE | DlmFlag.NOQUEUEBAST;
  if (holder?.has(HolderFlag.ANY)) flags |= target === 'SH' ? DlmFlag.ALTCW : target === 'DF' ? DlmFlag.ALTPR : 0;
  if (!glock.hasLock) return flags;
  const mayBlock = target !== 'UN' && glock.state !== 'EX' && !holder?.isTry;
  return flags | DlmFlag.CONVERT | (mayBlock ? DlmFlag.QUECVT : 0);
}
