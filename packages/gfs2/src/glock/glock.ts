import type { Nanos } from '@quorate/kernel';
import { AddressSpace } from '../buffer/buffer.js';
import type { Listed } from '../lru-list.js';
import { DlmMode } from './dlm-lock.js';
import { GlockType, glockName } from './glock-name.js';

/** State of a glock: unlocked, shared, deferred (shared for direct I/O), exclusive. */
export type GlockState = 'UN' | 'SH' | 'DF' | 'EX';

/** How a holder wants its lock. Source: Linux fs/gfs2/glock.h, `LM_FLAG_*` and `GL_*`. */
export const HolderFlag = {
  /** Fail rather than wait. */
  TRY: 0x1,
  /** Fail rather than wait, but tell those in the way once. */
  TRY_1CB: 0x2,
  /** A request of recovery: granted while others are held back. */
  NOEXP: 0x4,
  /** SH or DF, whichever can be had. */
  ANY: 0x8,
  /** EX against other nodes, shared with holders of the same kind on this one. */
  NODE_SCOPE: 0x20,
  /** The caller polls or waits for several at once. */
  ASYNC: 0x40,
  /** An EX that is cached does not serve for SH. */
  EXACT: 0x80,
  /** Do not read the object that the glock protects. */
  SKIP: 0x100,
  /** Give the lock back at release. */
  NOCACHE: 0x400,
} as const;

const ANY_TRY = HolderFlag.TRY | HolderFlag.TRY_1CB;

/** The mode a state has in the DLM. */
export function modeOf(state: GlockState): number {
  switch (state) {
    case 'UN':
      return DlmMode.NL;
    case 'SH':
      return DlmMode.PR;
    case 'DF':
      return DlmMode.CW;
    case 'EX':
      return DlmMode.EX;
  }
}

/** What a holder of this node must come down to when another node wants that mode. */
export function demoteStateFor(mode: number): GlockState {
  switch (mode) {
    case DlmMode.CW:
      return 'DF';
    case DlmMode.PR:
      return 'SH';
    default:
      return 'UN';
  }
}

/** Shortest and longest time that an inode glock is kept against other nodes (`GL_GLOCK_MIN_HOLD`, `GL_GLOCK_MAX_HOLD`). */
export const MIN_HOLD: Nanos = 10_000_000;
export const MAX_HOLD: Nanos = 200_000_000;

/** Somebody on this node who wants a glock or has it (`gfs2_holder`). */
export class Holder {
  readonly glock: Glock;
  readonly state: GlockState;
  readonly flags: number;
  status: 'idle' | 'waiting' | 'held' | 'try-failed' | 'error' = 'idle';
  queuedAt: Nanos = 0;

  constructor(glock: Glock, state: GlockState, flags = 0) {
    this.glock = glock;
    this.state = state;
    this.flags = flags;
  }

  get isTry(): boolean {
    return (this.flags & ANY_TRY) !== 0;
  }

  has(flag: number): boolean {
    return (this.flags & flag) !== 0;
  }
}

/** What the DLM answered to the request under way. */
export interface GlockReply {
  readonly state: GlockState;
  readonly isCanceled: boolean;
  readonly isError: boolean;
}

/** The conversion that is under way: what is asked of the DLM. */
export interface GlockRequest {
  readonly state: GlockState;
  /** `DlmFlag` bits. */
  readonly flags: number;
  readonly isRecovery: boolean;
}

/** One glock: a lock that this node caches, and the queue of those who use it. */
export class Glock implements Listed<Glock> {
  readonly type: GlockType;
  readonly number: number;
  /** How the DLM's completions name it. */
  readonly handle: number;
  /** The blocks that it protects. */
  readonly space: AddressSpace;
  /** What the DLM has granted and nobody took back (`gl_state`). */
  state: GlockState = 'UN';
  /** Where the conversion under way leads (`gl_target`). */
  target: GlockState = 'UN';
  /** What other nodes want us to come down to (`gl_demote_state`); undefined when nobody asked. */
  demoteState: GlockState | undefined = undefined;
  /** Those who have it, then those who wait, first come first served (`gl_holders`). */
  holders: Holder[] = [];
  /** A conversion is under way (`GLF_LOCK`). */
  isLocked = false;
  /** Come down as soon as nobody holds it (`GLF_DEMOTE`). */
  isDemote = false;
  /** Come down when the hold time is over (`GLF_PENDING_DEMOTE`). */
  isPendingDemote = false;
  /** The conversion under way is a demotion (`GLF_DEMOTE_IN_PROGRESS`). */
  isDemoting = false;
  /** Its cache is being dropped (`GLF_INVALIDATE_IN_PROGRESS`). */
  isInvalidating = false;
  /** The object must be read before it is used (`GLF_INSTANTIATE_NEEDED`). */
  isInstantiateNeeded = true;
  request: GlockRequest | undefined = undefined;
  /** The DLM knows a lock of ours (`sb_lkid`). */
  hasLock = false;
  /** A call to the DLM awaits its completion. */
  isCalling = false;
  /** That call was refused and is made again. */
  isRefused = false;
  /** That call was asked back. */
  isCanceling = false;
  /** An answer held back while locks are blocked (`GLF_FROZEN`). */
  frozenReply: GlockReply | undefined = undefined;
  /** When the state last changed (`gl_tchange`). */
  changedAt: Nanos = 0;
  holdTime: Nanos = MAX_HOLD;
  /** When a delayed demotion or a refused call is looked at again. */
  workAt: Nanos = Infinity;
  /** Lock value block, 32 bytes; undefined for types that have none. */
  readonly lvb: Uint8Array<ArrayBuffer> | undefined;
  isLvbValid = true;
  /** Objects of this node that keep the glock in memory. */
  references = 0;
  /** Its neighbours among those that nobody uses. */
  before: Glock | undefined = undefined;
  behind: Glock | undefined = undefined;
  isListed = false;

  constructor(type: GlockType, number: number, handle: number, hasLvb: boolean) {
    this.type = type;
    this.number = number;
    this.handle = handle;
    this.space = new AddressSpace(type, number);
    this.lvb = hasLvb ? new Uint8Array(32) : undefined;
  }

  get name(): string {
    return glockName(this.type, this.number);
  }

  /** Types whose cached content goes when the lock goes (`go_inval`). */
  get hasCache(): boolean {
    return this.type === GlockType.inode || this.type === GlockType.rgrp;
  }

  get firstHolder(): Holder | undefined {
    const first = this.holders[0];
    return first?.status === 'held' ? first : undefined;
  }

  get firstWaiter(): Holder | undefined {
    for (const holder of this.holders) if (holder.status === 'waiting') return holder;
    return undefined;
  }

  /** Whether `holder` may have the glock now, beside the holder `current` if there is one (`may_grant`). */
  mayGrant(current: Holder | undefined, holder: Holder): boolean {
    if (current !== undefined) {
      if (current.state !== 'EX') return holder.state === current.state;
      return holder.state === 'EX' && current.has(HolderFlag.NODE_SCOPE) && holder.has(HolderFlag.NODE_SCOPE);
    }
    if (this.state === holder.state) return true;
    if (holder.has(HolderFlag.EXACT)) return false;
    if (this.state === 'EX') return holder.state === 'SH' || holder.state === 'DF';
    return holder.has(HolderFlag.ANY) && this.state !== 'UN';
  }

  /** Comes down at once, or after the hold time (`handle_callback`). Two different wishes become UN. */
  wish(state: GlockState, isDelayed: boolean): void {
    if (isDelayed) this.isPendingDemote = true;
    else this.isDemote = true;
    if (this.demoteState === undefined) this.demoteState = state;
    else if (this.demoteState !== 'UN' && this.demoteState !== state) this.demoteState = 'UN';
  }

  clearWish(): void {
    this.demoteState = undefined;
    this.isDemote = false;
    this.isPendingDemote = false;
    this.isDemoting = false;
  }
}
