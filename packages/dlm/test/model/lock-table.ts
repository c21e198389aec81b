// A lock manager on one node, by the book: the queues of each resource, and what each operation does to them. Written from the
// description of the DLM alone; it knows nothing of nodes but that an owner may be elsewhere than the table, and imports nothing
// of the product.

export const NL = 0;
export const CR = 1;
export const CW = 2;
export const PR = 3;
export const PW = 4;
export const EX = 5;
const IV = -1;

export const F = {
  NOQUEUE: 0x1,
  CANCEL: 0x2,
  CONVERT: 0x4,
  VALBLK: 0x8,
  QUECVT: 0x10,
  IVVALBLK: 0x20,
  CONVDEADLK: 0x40,
  PERSISTENT: 0x80,
  NODLCKWT: 0x100,
  NODLCKBLK: 0x200,
  EXPEDITE: 0x400,
  NOQUEUEBAST: 0x800,
  HEADQUE: 0x1000,
  NOORDER: 0x2000,
  ALTPR: 0x8000,
  ALTCW: 0x10000,
  FORCEUNLOCK: 0x20000,
} as const;

export const EAGAIN = 11;
export const EDEADLK = 35;
export const ECANCEL = 0x10001;
export const EUNLOCK = 0x10002;
export const DEMOTED = 1;
const VALNOTVALID = 2;
const ALTMODE = 4;

/** What goes together: of each mode, the modes of others beside it. */
const BESIDE: readonly (readonly number[])[] = [
  [NL, CR, CW, PR, PW, EX],
  [NL, CR, CW, PR, PW],
  [NL, CR, CW],
  [NL, CR, PR],
  [NL, CR],
  [NL],
];

export function goTogether(a: number, b: number): boolean {
  return a === IV || b === IV || BESIDE[a]!.includes(b);
}

/** The value block of a grant: read, written, or left alone. */
function valueMove(from: number, to: number): 'read' | 'write' | 'none' {
  if (from < PW) return to >= from ? 'read' : 'none';
  return from === PW && to === EX ? 'read' : 'write';
}

export interface TableLock {
  readonly name: string;
  readonly owner: number;
  resource: TableResource;
  /** The owner is where the table is. */
  isLocal: boolean;
  granted: number;
  wanted: number;
  flags: number;
  /** Of the operation under way. */
  outcome: number;
  highBast: number;
  /** The table's copy of the owner's buffer; the buffer itself for an owner that is here. */
  value: number | undefined;
  seq: number;
}

export interface TableResource {
  readonly name: string;
  granted: TableLock[];
  converting: TableLock[];
  waiting: TableLock[];
  value: number | undefined;
  seq: number;
  isInvalid: boolean;
  /** Recovery has mixed the conversions: the order does not count. */
  isMixed: boolean;
}

export interface Completion {
  readonly lock: TableLock;
  readonly status: number;
  readonly mode: number;
  readonly flags: number;
  /** What the owner's buffer has now; undefined: what it had. */
  readonly read: number | undefined;
  readonly seq: number;
}

/** What the table does, in order. */
export type Effect =
  | { readonly kind: 'grant'; readonly lock: string; readonly mode: number }
  | { readonly kind: 'gone'; readonly lock: string }
  | { readonly kind: 'queue'; readonly lock: string; readonly queue: 'convert' | 'wait' }
  | { readonly kind: 'bast'; readonly lock: string; readonly mode: number };

export class LockTable {
  readonly resources = new Map<string, TableResource>();
  effects: Effect[] = [];
  completions: Completion[] = [];
  #read: number | undefined;

  resource(name: string): TableResource {
    let r = this.resources.get(name);
    if (r === undefined) {
      r = {
        name,
        granted: [],
        converting: [],
        waiting: [],
        value: undefined,
        seq: 0,
        isInvalid: false,
        isMixed: false,
      };
      this.resources.set(name, r);
    }
    return r;
  }

  request(lock: TableLock, mode: number, flags: number): void {
    const r = lock.resource;
    lock.wanted = mode;
    lock.flags = flags;
    lock.outcome = 0;
    if (this.#mayGrant(r, lock, true) || this.#mayGrantOther(r, lock, true)) {
      this.#grant(r, lock);
      return this.#complete(lock, 0);
    }
    if ((flags & F.NOQUEUE) !== 0) {
      this.#complete(lock, EAGAIN);
      return this.#warnAfterFailure(r, lock);
    }
    this.#enqueue(r, lock, 'wait');
    this.#warn(r.granted, lock);
  }

  convert(lock: TableLock, mode: number, flags: number): void {
    const r = lock.resource;
    lock.wanted = mode;
    lock.flags = flags;
    lock.outcome = 0;
    if (this.#mayGrant(r, lock, true)) return this.#convertNow(r, lock);
    if ((flags & F.NOQUEUE) === 0 && this.#wouldDeadlock(r, lock)) {
      if ((flags & F.CONVDEADLK) !== 0) {
        this.#demote(lock);
        this.#sweepConversions(r);
        if (this.#mayGrant(r, lock, true)) return this.#convertNow(r, lock);
      } else if ((flags & F.NODLCKWT) === 0) {
        lock.wanted = IV;
        return this.#complete(lock, EDEADLK);
      }
    } else if (this.#mayGrantOther(r, lock, true)) return this.#convertNow(r, lock);
    if ((flags & F.NOQUEUE) !== 0) {
      this.#complete(lock, EAGAIN);
      return this.#warnAfterFailure(r, lock);
    }
    r.granted = r.granted.filter((other) => other !== lock);
    this.#enqueue(r, lock, 'convert');
    this.#warn(r.granted, lock);
    // Those that its demotion let pass hear of what waits for them.
    if ((lock.outcome & DEMOTED) !== 0) this.sweep(r);
  }

  unlock(lock: TableLock, flags: number): void {
    const r = lock.resource;
    lock.flags |= flags;
    lock.outcome = 0;
    if (lock.granted >= PW) {
      if ((lock.flags & F.IVVALBLK) !== 0) r.isInvalid = true;
      else if ((lock.flags & F.VALBLK) !== 0 && lock.value !== undefined) this.#write(r, lock);
    }
    this.#remove(lock);
    this.#complete(lock, EUNLOCK);
    this.sweep(r);
  }

  cancel(lock: TableLock, flags: number): void {
    const r = lock.resource;
    lock.flags |= flags;
    if (r.converting.includes(lock)) {
      lock.outcome &= DEMOTED;
      r.converting = r.converting.filter((other) => other !== lock);
      r.granted.unshift(lock);
      lock.wanted = IV;
      this.#complete(lock, ECANCEL);
      this.sweep(r);
    } else if (r.waiting.includes(lock)) {
      lock.outcome = 0;
      this.#remove(lock);
      this.#complete(lock, ECANCEL);
      this.sweep(r);
    }
  }

  /** Grants what can be granted now, then tells those who are in the way of the rest. */
  sweep(r: TableResource): void {
    let high = IV;
    let isCwBlocked = false;
    if (r.converting.length > 0) {
      const blocked = this.#sweepConversions(r);
      high = blocked.high;
      isCwBlocked = blocked.isCwBlocked;
    }
    for (const lock of [...r.waiting]) {
      if (this.#mayGrant(r, lock, false) || this.#mayGrantOther(r, lock, false)) this.#grantFromQueue(r, lock);
      else {
        high = Math.max(high, lock.wanted);
        isCwBlocked ||= lock.wanted === CW;
      }
    }
    if (high === IV) return;
    for (const lock of r.granted) {
      const isTold =
        lock.granted === PR && isCwBlocked
          ? lock.highBast < EX
          : lock.highBast < high && !goTogether(lock.granted, high);
      if (!isTold) continue;
      this.effects.push({
        kind: 'bast',
        lock: lock.name,
        mode: isCwBlocked && high === PR && lock.granted === PR ? CW : high,
      });
      lock.highBast = high;
    }
  }

  #sweepConversions(r: TableResource): { high: number; isCwBlocked: boolean } {
    let isCwBlocked = false;
    let mayRepeatForDemotion = true;
    for (;;) {
      let high = IV;
      let hasGranted = false;
      let hasDemoted = false;
      for (const lock of [...r.converting]) {
        if (this.#mayGrant(r, lock, false)) {
          this.#grantFromQueue(r, lock);
          hasGranted = true;
        } else if ((lock.flags & F.NOQUEUE) === 0 && this.#wouldDeadlock(r, lock)) {
          if ((lock.flags & F.CONVDEADLK) !== 0) {
            this.#demote(lock);
            hasDemoted = true;
          } else if ((lock.flags & F.NODLCKWT) !== 0 && lock.highBast < lock.wanted) {
            this.effects.push({ kind: 'bast', lock: lock.name, mode: lock.wanted });
            lock.highBast = lock.wanted;
          }
        } else if (this.#mayGrantOther(r, lock, false)) {
          this.#grantFromQueue(r, lock);
          hasGranted = true;
        } else {
          high = Math.max(high, lock.wanted);
          isCwBlocked ||= lock.wanted === CW;
        }
      }
      if (hasGranted) continue;
      if (hasDemoted && mayRepeatForDemotion) {
        mayRepeatForDemotion = false;
        continue;
      }
      return { high, isCwBlocked };
    }
  }

  #mayGrant(
    r: TableResource,
    lock: TableLock,
    isFirstTry: boolean,
    wanted = lock.wanted,
    isMixed = r.isMixed,
  ): boolean {
    const isConversion = lock.granted !== IV;
    if ((lock.flags & F.EXPEDITE) !== 0) return true;
    const isInTheWay = (other: TableLock): boolean => other !== lock && !goTogether(other.granted, wanted);
    if (r.granted.some(isInTheWay) || r.converting.some(isInTheWay)) return false;
    if (isConversion && isMixed && !isFirstTry) return true;
    if (isConversion && isFirstTry) return (lock.flags & F.QUECVT) === 0 || r.converting.length === 0;
    if ((lock.flags & F.NOORDER) !== 0) return true;
    if (isConversion) return r.converting[0] === lock;
    if (r.converting.length > 0) return false;
    return isFirstTry ? r.waiting.length === 0 : r.waiting[0] === lock;
  }

  /** ALTPR, ALTCW. */
  #mayGrantOther(r: TableResource, lock: TableLock, isFirstTry: boolean): boolean {
    const other =
      (lock.flags & F.ALTPR) !== 0 && lock.wanted !== PR
        ? PR
        : (lock.flags & F.ALTCW) !== 0 && lock.wanted !== CW
          ? CW
          : IV;
    if (other === IV || !this.#mayGrant(r, lock, isFirstTry, other, false)) return false;
    lock.wanted = other;
    lock.outcome |= ALTMODE;
    return true;
  }

  #wouldDeadlock(r: TableResource, lock: TableLock): boolean {
    if (lock.granted === IV) return false;
    const place = r.converting.indexOf(lock);
    return r.converting.some((other, at) => {
      if (other === lock || goTogether(lock.granted, other.wanted)) return false;
      return place < 0 || at < place || !goTogether(other.granted, lock.wanted);
    });
  }

  #demote(lock: TableLock): void {
    lock.granted = NL;
    lock.outcome |= DEMOTED;
    this.effects.push({ kind: 'grant', lock: lock.name, mode: NL });
  }

  #convertNow(r: TableResource, lock: TableLock): void {
    this.#grant(r, lock);
    this.#complete(lock, 0);
    this.sweep(r);
  }

  #grantFromQueue(r: TableResource, lock: TableLock): void {
    this.#grant(r, lock);
    this.#complete(lock, 0);
  }

  #grant(r: TableResource, lock: TableLock): void {
    this.#moveValue(r, lock);
    const isNewMode = lock.granted !== lock.wanted;
    const isQueued = r.converting.includes(lock) || r.waiting.includes(lock);
    if (isNewMode || isQueued) {
      for (const queue of ['granted', 'converting', 'waiting'] as const)
        r[queue] = r[queue].filter((other) => other !== lock);
      r.granted.unshift(lock);
    }
    lock.granted = lock.wanted;
    lock.wanted = IV;
    lock.highBast = 0;
    this.effects.push({ kind: 'grant', lock: lock.name, mode: lock.granted });
  }

  #moveValue(r: TableResource, lock: TableLock): void {
    const move = valueMove(lock.granted, lock.wanted);
    const hasBuffer = lock.value !== undefined && (lock.flags & F.VALBLK) !== 0;
    if (move === 'read') {
      if (!hasBuffer) return;
      if (r.value !== undefined) {
        lock.value = r.value;
        lock.seq = r.seq;
      }
      // An owner elsewhere gets what is in the table's copy of its buffer, whatever that is.
      this.#read = lock.value;
      if (r.value === undefined) return;
    } else if (move === 'write') {
      if ((lock.flags & F.IVVALBLK) !== 0) {
        r.isInvalid = true;
        return;
      }
      if (!hasBuffer) return;
      this.#write(r, lock);
    }
    if (r.isInvalid) lock.outcome |= VALNOTVALID;
  }

  #write(r: TableResource, lock: TableLock): void {
    r.value = lock.value;
    r.seq = (r.seq + 1) >>> 0;
    r.isInvalid = false;
    lock.seq = r.seq;
  }

  #enqueue(r: TableResource, lock: TableLock, queue: 'convert' | 'wait'): void {
    const list = queue === 'convert' ? r.converting : r.waiting;
    if ((lock.flags & F.HEADQUE) !== 0) list.unshift(lock);
    else list.push(lock);
    this.effects.push({ kind: 'queue', lock: lock.name, queue });
  }

  #remove(lock: TableLock): void {
    const r = lock.resource;
    for (const queue of ['granted', 'converting', 'waiting'] as const)
      r[queue] = r[queue].filter((other) => other !== lock);
    if (lock.granted !== IV) this.effects.push({ kind: 'gone', lock: lock.name });
    lock.granted = IV;
  }

  #complete(lock: TableLock, status: number): void {
    const { granted: mode, outcome: flags, seq } = lock;
    this.completions.push({ lock, status, mode, flags, read: this.#read, seq });
    this.#read = undefined;
  }

  #warn(holders: readonly TableLock[], lock: TableLock): void {
    for (const holder of holders) {
      if (holder === lock) continue;
      const isMiddle = (holder.granted === PR && lock.wanted === CW) || (holder.granted === CW && lock.wanted === PR);
      const isTold = isMiddle
        ? holder.highBast < EX
        : holder.highBast < lock.wanted && !goTogether(holder.granted, lock.wanted);
      if (!isTold) continue;
      this.effects.push({ kind: 'bast', lock: holder.name, mode: lock.wanted });
      holder.highBast = lock.wanted;
    }
  }

  #warnAfterFailure(r: TableResource, lock: TableLock): void {
    if ((lock.flags & F.NOQUEUEBAST) === 0) return;
    this.#warn(r.granted, lock);
    this.#warn(r.converting, lock);
  }
}
