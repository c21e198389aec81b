import type { DlmFact } from '../facts.js';
import { Mode } from '../mode.js';
import { type FactOf, isIn, resourceKey, type StampedDlm } from './keys.js';

/** A lock as its master has it. */
export interface Twin {
  readonly owner: number;
  readonly ownerLkid: number;
  /** Its id on the master. */
  lkid: number;
  /** `Mode`; IV: nothing was granted. */
  mode: number;
  hasBast: boolean;
  /** It passed others when it was granted, and nobody looked for whom it blocks. */
  hasOvertaken: boolean;
  /** Modes of the blocking ASTs since its last grant, one bit each. */
  basts: number;
  /** The same, of all times. */
  everBasts: number;
  /** Where it waits, and for which mode. */
  queue: FactOf<'dlm.queued'>['queue'] | undefined;
  wanted: number;
  /** HEADQUE: it went before the others, which may have waited for it already. */
  isFirst: boolean;
  /** NODLCKWT: it may wait for one that waits for it. */
  mayDeadlock: boolean;
}

/** Granted, converting and waiting locks of a resource on its master. */
export class Lists {
  readonly lockspace: string;
  readonly resource: string;
  /** 0: it is gone. */
  master: number;
  readonly twins: Map<string, Twin> = new Map();
  readonly convert: Twin[] = [];
  readonly wait: Twin[] = [];
  /** What masters before had and this one has not told of, until recovery is over: what owners have heard is not forgotten with it. */
  readonly #before: Map<string, Twin>;

  constructor(lockspace: string, resource: string, master: number, before?: Lists) {
    this.lockspace = lockspace;
    this.resource = resource;
    this.master = master;
    this.#before = new Map(before === undefined ? [] : [...before.#before, ...before.twins]);
  }

  /** It has locks, or may yet get those of the master before. */
  get isInUse(): boolean {
    return this.twins.size > 0 || this.#before.size > 0;
  }

  get isQueued(): boolean {
    return this.convert.length + this.wait.length > 0;
  }

  twin(owner: number, ownerLkid: number): Twin {
    const key = twinKey(owner, ownerLkid);
    let twin = this.twins.get(key);
    if (twin === undefined) {
      const before = this.#before.get(key);
      this.#before.delete(key);
      twin = {
        owner,
        ownerLkid,
        lkid: 0,
        mode: Mode.IV,
        hasBast: true,
        hasOvertaken: false,
        basts: before?.basts ?? 0,
        everBasts: before?.everBasts ?? 0,
        queue: undefined,
        wanted: Mode.IV,
        isFirst: false,
        mayDeadlock: false,
      };
      this.twins.set(key, twin);
    }
    return twin;
  }

  /** Locks are granted as usual: of those that the masters before had this one has told. */
  recovered(): void {
    // To clear an empty map costs an allocation, for each lock that is granted.
    if (this.#before.size > 0) this.#before.clear();
  }

  unqueue(twin: Twin): void {
    for (const queue of [this.convert, this.wait]) {
      const at = queue.indexOf(twin);
      if (at >= 0) queue.splice(at, 1);
    }
    twin.queue = undefined;
  }

  deleteIfNothing(twin: Twin): void {
    if (twin.mode === Mode.IV && twin.queue === undefined) this.twins.delete(twinKey(twin.owner, twin.ownerLkid));
  }
}

export function twinKey(owner: number, ownerLkid: number): string {
  return `${owner}/${ownerLkid}`;
}

/** Facts that `MasterLists` lives on. */
export const LIST_KINDS: readonly DlmFact['kind'][] = [
  'dlm.held',
  'dlm.queued',
  'dlm.unqueued',
  'dlm.master',
  'dlm.master-released',
];

/** Follows what the masters of resources have on their lists. */
export class MasterLists {
  readonly #lists = new Map<string, Lists>();

  of(lockspace: string, resource: string): Lists | undefined {
    return this.#lists.get(resourceKey(lockspace, resource));
  }

  /** A node is gone, and with it what it had as master. */
  forget(lockspace: string, node: number): void {
    for (const [key, lists] of this.#lists) if (lists.master === node && isIn(key, lockspace)) lists.master = 0;
  }

  /** Takes a fact in. Gives the lists that it changed. */
  follow(fact: StampedDlm): Lists | undefined {
    switch (fact.kind) {
      case 'dlm.master':
        this.#lists.set(resourceKey(fact.lockspace, fact.resource), this.#newLists(fact));
        return undefined;
      case 'dlm.master-released': {
        const lists = this.of(fact.lockspace, fact.resource);
        if (lists?.master !== fact.node) return undefined;
        // Without a directory it gives up what still has locks.
        if (lists.isInUse) lists.master = 0;
        else this.#lists.delete(resourceKey(fact.lockspace, fact.resource));
        return undefined;
      }
      case 'dlm.held':
        return this.#onHeld(fact);
      case 'dlm.queued':
        return this.#onQueued(fact);
      case 'dlm.unqueued':
        return this.#onUnqueued(fact);
      case 'dlm.bast':
        this.#onBast(fact);
    }
    return undefined;
  }

  #newLists({ lockspace, resource, node }: FactOf<'dlm.master'>): Lists {
    return new Lists(lockspace, resource, node, this.of(lockspace, resource));
  }

  #at({ lockspace, resource, node }: FactOf<'dlm.held' | 'dlm.queued' | 'dlm.unqueued' | 'dlm.bast'>): Lists {
    const key = resourceKey(lockspace, resource);
    let lists = this.#lists.get(key);
    if (lists?.master !== node) {
      lists = new Lists(lockspace, resource, node, lists);
      this.#lists.set(key, lists);
    }
    return lists;
  }

  #onHeld(fact: FactOf<'dlm.held'>): Lists {
    const lists = this.#at(fact);
    const twin = lists.twin(fact.owner, fact.ownerLkid);
    const { by, hasBast, lkid } = fact;
    twin.mode = Mode[fact.mode];
    twin.hasBast = hasBast;
    twin.lkid = lkid;
    // An owner that is the master now may have heard one after its last grant that the master before had sent before that.
    if (by === 'recovery' && fact.owner === fact.node) twin.basts = twin.everBasts;
    if (by !== 'recovery' && by !== 'demotion') {
      lists.recovered();
      twin.basts = 0;
      twin.hasOvertaken = by === 'request' && fact.mayOvertake;
    }
    lists.deleteIfNothing(twin);
    return lists;
  }

  #onBast(fact: FactOf<'dlm.bast'>): void {
    const twin = this.#at(fact).twin(fact.owner, fact.ownerLkid);
    twin.basts |= 1 << Mode[fact.mode];
    twin.everBasts |= twin.basts;
  }

  #onQueued(fact: FactOf<'dlm.queued'>): Lists {
    const lists = this.#at(fact);
    const twin = lists.twin(fact.owner, fact.ownerLkid);
    const { queue, mayDeadlock, isFirst } = fact;
    lists.unqueue(twin);
    if (isFirst) lists[queue].unshift(twin);
    else lists[queue].push(twin);
    twin.queue = queue;
    twin.wanted = Mode[fact.mode];
    twin.mayDeadlock = mayDeadlock;
    // In recovery it is told anew.
    twin.isFirst ||= isFirst;
    return lists;
  }

  #onUnqueued(fact: FactOf<'dlm.unqueued'>): Lists {
    const lists = this.#at(fact);
    const twin = lists.twin(fact.owner, fact.ownerLkid);
    lists.unqueue(twin);
    twin.isFirst = false;
    if (!fact.isGranted) lists.deleteIfNothing(twin);
    return lists;
  }
}
