import type { LockCall, LockCast, UnlockCall } from '../src/glock/glocks.js';

/** Modes of the DLM in the order of their numbers, and which of them go together. */
const COMPATIBLE: readonly (readonly boolean[])[] = [
  [true, true, true, true, true, true],
  [true, true, true, true, true, false],
  [true, true, true, false, false, false],
  [true, true, false, true, false, false],
  [true, true, false, false, false, false],
  [true, false, false, false, false, false],
];

const NOQUEUE = 0x1;
const CANCEL = 0x2;
const CONVERT = 0x4;
const VALBLK = 0x8;
const QUECVT = 0x10;
const NOQUEUEBAST = 0x800;

interface Lkb {
  readonly node: number;
  readonly handle: number;
  granted: number;
  requested: number;
  flags: number;
  lvb: Uint8Array | undefined;
  highbast: number;
}

interface Resource {
  readonly granted: Lkb[];
  readonly converting: Lkb[];
  readonly waiting: Lkb[];
  lvb: Uint8Array | undefined;
  isLvbInvalid: boolean;
}

/** What the lock manager tells a node. */
export type DlmEvent = LockCast | { readonly kind: 'lock-bast'; readonly handle: number; readonly mode: number };

/**
 * A lock manager in one place: queues, conversions, blocking callbacks and value blocks by the rules of the DLM, without its
 * distribution.
 */
export class FakeDlm {
  readonly #resources = new Map<string, Resource>();
  readonly #lkbs = new Map<string, { lkb: Lkb; resource: Resource }>();
  readonly #deliver: (node: number, event: DlmEvent) => void;
  /** Calls that came while the lockspace was stopped. */
  readonly #held: { node: number; call: LockCall | UnlockCall }[] = [];
  #isStopped = false;

  constructor(deliver: (node: number, event: DlmEvent) => void) {
    this.#deliver = deliver;
  }

  call(node: number, call: LockCall | UnlockCall): void {
    const kept = call.lvb === undefined ? call : { ...call, lvb: call.lvb.slice() };
    if (this.#isStopped) this.#held.push({ node, call: kept });
    else if (kept.kind === 'lock') this.#lock(node, kept);
    else this.#unlock(node, kept);
  }

  stop(): void {
    this.#isStopped = true;
  }

  /** Runs again. Locks of dead nodes must be purged before. */
  start(): void {
    this.#isStopped = false;
    for (const resource of this.#resources.values()) this.#grantPending(resource);
    for (const { node, call } of this.#held.splice(0)) this.call(node, call);
  }

  /** Forgets the locks of a node that has died, or left the lockspace without unlocking. */
  purge(gone: number): void {
    const kept = this.#held.filter(({ node }) => node !== gone);
    this.#held.splice(0, Infinity, ...kept);
    for (const resource of this.#resources.values()) {
      for (const queue of [resource.granted, resource.converting, resource.waiting]) {
        for (const lkb of [...queue]) {
          if (lkb.node !== gone) continue;
          queue.splice(queue.indexOf(lkb), 1);
          this.#lkbs.delete(`${lkb.node}/${lkb.handle}`);
          if (lkb.granted >= 4 && (lkb.flags & VALBLK) !== 0) resource.isLvbInvalid = true;
        }
      }
      if (!this.#isStopped) this.#grantPending(resource);
    }
  }

  #lock(node: number, { handle, name, mode, flags, lvb }: LockCall): void {
    if ((flags & CONVERT) !== 0) return this.#convert(node, handle, mode, flags, lvb);
    let resource = this.#resources.get(name);
    if (resource === undefined) {
      resource = { granted: [], converting: [], waiting: [], lvb: undefined, isLvbInvalid: false };
      this.#resources.set(name, resource);
    }
    const key = `${node}/${handle}`;
    if (this.#lkbs.has(key)) throw new Error(`node ${node} asks twice with handle ${handle}`);
    const lkb: Lkb = { node, handle, granted: -1, requested: mode, flags, lvb, highbast: 0 };
    if (this.#canGrant(resource, lkb, true)) {
      this.#lkbs.set(key, { lkb, resource });
      this.#grant(resource, lkb);
    } else if ((flags & NOQUEUE) !== 0) {
      this.#cast(lkb, 11, 0);
      if ((flags & NOQUEUEBAST) !== 0) this.#basts(resource, lkb);
    } else {
      this.#lkbs.set(key, { lkb, resource });
      resource.waiting.push(lkb);
      this.#basts(resource, lkb);
    }
  }

  #convert(node: number, handle: number, mode: number, flags: number, lvb: Uint8Array | undefined): void {
    const entry = this.#lkbs.get(`${node}/${handle}`);
    if (entry === undefined || entry.lkb.requested >= 0)
      throw new Error(`node ${node} converts handle ${handle} out of turn`);
    const { lkb, resource } = entry;
    lkb.flags = flags;
    lkb.lvb = lvb;
    lkb.requested = mode;
    if (this.#canGrant(resource, lkb, true)) {
      this.#grant(resource, lkb);
      this.#grantPending(resource);
    } else if (this.#isDeadlock(resource, lkb)) {
      lkb.requested = -1;
      this.#cast(lkb, 35, 0);
    } else if ((flags & NOQUEUE) !== 0) {
      lkb.requested = -1;
      this.#cast(lkb, 11, 0);
      if ((flags & NOQUEUEBAST) !== 0) this.#basts(resource, { ...lkb, requested: mode });
    } else {
      resource.granted.splice(resource.granted.indexOf(lkb), 1);
      resource.converting.push(lkb);
      this.#basts(resource, lkb);
    }
  }

  #unlock(node: number, { handle, flags, lvb }: UnlockCall): void {
    const entry = this.#lkbs.get(`${node}/${handle}`);
    if ((flags & CANCEL) !== 0) {
      if (entry !== undefined) this.#cancel(entry.lkb, entry.resource);
      return;
    }
    if (entry === undefined) throw new Error(`node ${node} unlocks handle ${handle}, which is not there`);
    const { lkb, resource } = entry;
    if (lkb.granted >= 4 && lvb !== undefined) this.#writeLvb(resource, lvb);
    for (const queue of [resource.granted, resource.converting, resource.waiting]) {
      const at = queue.indexOf(lkb);
      if (at >= 0) queue.splice(at, 1);
    }
    this.#lkbs.delete(`${node}/${handle}`);
    this.#cast(lkb, 65538, 0);
    this.#grantPending(resource);
  }

  #cancel(lkb: Lkb, resource: Resource): void {
    const converting = resource.converting.indexOf(lkb);
    const waiting = resource.waiting.indexOf(lkb);
    if (converting >= 0) {
      resource.converting.splice(converting, 1);
      resource.granted.push(lkb);
      lkb.requested = -1;
    } else if (waiting >= 0) {
      resource.waiting.splice(waiting, 1);
      this.#lkbs.delete(`${lkb.node}/${lkb.handle}`);
    } else return;
    this.#cast(lkb, 65537, 0);
    this.#grantPending(resource);
  }

  /** Whether a request can be granted; `isNow` on the first try, before it is queued. */
  #canGrant(resource: Resource, lkb: Lkb, isNow: boolean): boolean {
    const clashes = (other: Lkb): boolean => other !== lkb && !COMPATIBLE[other.granted]![lkb.requested]!;
    if (resource.granted.some(clashes) || resource.converting.some(clashes)) return false;
    if (lkb.granted >= 0) {
      if (isNow) return (lkb.flags & QUECVT) === 0 || resource.converting.length === 0;
      return resource.converting[0] === lkb;
    }
    return resource.converting.length === 0 && (isNow ? resource.waiting.length === 0 : resource.waiting[0] === lkb);
  }

  #isDeadlock(resource: Resource, lkb: Lkb): boolean {
    return resource.converting.some((other) => !COMPATIBLE[lkb.granted]![other.requested]!);
  }

  #grant(resource: Resource, lkb: Lkb): void {
    for (const queue of [resource.granted, resource.converting, resource.waiting]) {
      const at = queue.indexOf(lkb);
      if (at >= 0) queue.splice(at, 1);
    }
    resource.granted.push(lkb);
    const before = lkb.granted;
    lkb.granted = lkb.requested;
    lkb.requested = -1;
    lkb.highbast = 0;
    let read: Uint8Array | undefined;
    if ((lkb.flags & VALBLK) !== 0 && lkb.lvb !== undefined) {
      // From PW and EX downwards the value is written, upwards it is read.
      if (before >= 4) this.#writeLvb(resource, lkb.lvb);
      else if (resource.lvb !== undefined) read = resource.lvb;
    }
    this.#cast(lkb, 0, resource.isLvbInvalid ? 2 : 0, read);
  }

  #writeLvb(resource: Resource, lvb: Uint8Array): void {
    resource.lvb = lvb.slice();
    resource.isLvbInvalid = false;
  }

  #grantPending(resource: Resource): void {
    for (let isGranted = true; isGranted; ) {
      const next = resource.converting.find((lkb) => this.#canGrant(resource, lkb, false));
      isGranted = next !== undefined;
      if (next !== undefined) this.#grant(resource, next);
    }
    for (
      let next = resource.waiting[0];
      next !== undefined && this.#canGrant(resource, next, false);
      next = resource.waiting[0]
    ) {
      this.#grant(resource, next);
    }
    for (const lkb of [...resource.converting, ...resource.waiting]) this.#basts(resource, lkb);
  }

  /** Tells those who hold the lock that somebody wants it, once for each step up in mode. */
  #basts(resource: Resource, wanting: Lkb): void {
    for (const lkb of [...resource.granted, ...((wanting.flags & NOQUEUEBAST) !== 0 ? resource.converting : [])]) {
      if (lkb.node === wanting.node && lkb.handle === wanting.handle) continue;
      if (COMPATIBLE[lkb.granted]![wanting.requested]! || lkb.highbast >= wanting.requested) continue;
      lkb.highbast = wanting.requested;
      this.#deliver(lkb.node, { kind: 'lock-bast', handle: lkb.handle, mode: wanting.requested });
    }
  }

  #cast(lkb: Lkb, status: number, flags: number, lvb?: Uint8Array): void {
    const cast = { kind: 'lock-cast', handle: lkb.handle, status, mode: lkb.granted, flags } as const;
    this.#deliver(lkb.node, lvb === undefined ? cast : { ...cast, lvb: lvb.slice() });
  }
}
