import type { ModeName } from '../mode.js';
import { type FactOf, isIn, resourceKey, type StampedDlm } from './keys.js';

export interface Held {
  readonly node: number;
  readonly lkid: number;
  mode: ModeName;
  hasValueBlock: boolean;
}

/** The locks that owners count on, by resource. */
export class HeldLocks {
  readonly #resources = new Map<string, Map<string, Held>>();
  /** Locks whose unlock is under way: what their owner is told until it has ended changes nothing. */
  readonly #leaving = new Set<string>();

  at(key: string): readonly Held[] {
    return [...(this.#resources.get(key)?.values() ?? [])];
  }

  isLeaving(fact: FactOf<'dlm.lvb-read'>): boolean {
    return this.#leaving.has(lockKey(fact));
  }

  set(lockspace: string, resource: string, held: Held): void {
    const key = resourceKey(lockspace, resource);
    let locks = this.#resources.get(key);
    if (locks === undefined) {
      locks = new Map();
      this.#resources.set(key, locks);
    }
    locks.set(`${held.node}/${held.lkid}`, held);
  }

  delete(lockspace: string, resource: string, node: number, lkid: number): void {
    const key = resourceKey(lockspace, resource);
    const locks = this.#resources.get(key);
    locks?.delete(`${node}/${lkid}`);
    if (locks?.size === 0) this.#resources.delete(key);
  }

  /** Takes all locks of a node away; tells of each, with those that are left on its resource. */
  deleteNode(lockspace: string, node: number, tell: (key: string, held: Held, left: readonly Held[]) => void): void {
    for (const [key, locks] of this.#resources) {
      if (!isIn(key, lockspace)) continue;
      const gone = [...locks.values()].filter((held) => held.node === node);
      for (const held of gone) locks.delete(`${held.node}/${held.lkid}`);
      for (const held of gone) tell(key, held, [...locks.values()]);
      if (locks.size === 0) this.#resources.delete(key);
    }
  }

  /** What a fact does to them. Gives the lock whose mode it raised, if it did. */
  follow(fact: StampedDlm): Held | undefined {
    if (!isOfOwner(fact)) return undefined;
    const lock = lockKey(fact);
    if (fact.kind === 'dlm.unlocked') this.#leaving.add(lock);
    else if (fact.kind === 'dlm.cast' && fact.mode === 'IV') this.#leaving.delete(lock);
    else if (this.#leaving.has(lock)) return undefined;
    switch (fact.kind) {
      case 'dlm.lock-granted':
      case 'dlm.converted': {
        const { node, lkid, mode, hasValueBlock } = fact;
        const held = { node, lkid, mode, hasValueBlock };
        this.set(fact.lockspace, fact.resource, held);
        return held;
      }
      case 'dlm.converting': {
        const { node, lkid, keeps } = fact;
        this.set(fact.lockspace, fact.resource, { node, lkid, mode: keeps, hasValueBlock: false });
        return undefined;
      }
      case 'dlm.unlocked':
        this.delete(fact.lockspace, fact.resource, fact.node, fact.lkid);
        return undefined;
      case 'dlm.cast':
        if (fact.mode === 'IV') this.delete(fact.lockspace, fact.resource, fact.node, fact.lkid);
        return undefined;
    }
    return undefined;
  }
}

type OwnerFact = FactOf<'dlm.lvb-read' | (typeof HELD_KINDS)[number]>;

function isOfOwner(fact: StampedDlm): fact is OwnerFact {
  switch (fact.kind) {
    case 'dlm.lvb-read':
    case 'dlm.lock-granted':
    case 'dlm.converting':
    case 'dlm.converted':
    case 'dlm.unlocked':
    case 'dlm.cast':
      return true;
  }
  return false;
}

function lockKey({
  lockspace,
  node,
  life,
  lkid,
}: FactOf<'dlm.cast' | 'dlm.lvb-read' | (typeof HELD_KINDS)[number]>): string {
  return `${lockspace}/${node}.${life}/${lkid}`;
}

export const HELD_KINDS = ['dlm.lock-granted', 'dlm.converting', 'dlm.converted', 'dlm.unlocked', 'dlm.cast'] as const;
