import {
  type Check,
  defineInvariant,
  type Invariant,
  type Nanos,
  SECOND,
  type Stamped,
  type Verdict,
} from '@quorate/kernel';
import type { DlmFact } from '../facts.js';
import { Status } from '../lock-flags.js';
import { CALM_KINDS, Calm, type Calming } from './calm.js';

type FactOf<K extends DlmFact['kind']> = Stamped<Extract<DlmFact, { kind: K }>>;
type QueueName = FactOf<'dlm.queued'>['queue'];

/** What the owner of a lock waits for. */
interface Owned {
  readonly lockspace: string;
  readonly resource: string;
  readonly node: number;
  readonly lkid: number;
  /** A request or a conversion that has not completed. */
  isPending: boolean;
  isUnlocking: boolean;
  isCanceling: boolean;
  calledAt: Nanos;
  /** It was counted as one that waits for a dead member. */
  isCounted: boolean;
}

/** A lock on a master's queue. */
interface Place {
  readonly lockspace: string;
  readonly resource: string;
  readonly master: number;
  readonly queue: QueueName;
}

/**
 * S22. The order: what waits is granted from the head of its queue, and requests only when no conversion waits, unless it asked
 * to overtake, or recovery has mixed the conversions. Completions: each comes after a call, and each call gets one. A call
 * that neither completes nor stands on a queue while its lockspace runs is lost.
 *
 * A cancel that comes too late completes when its master dies, as in Linux; that is counted as `dlm-late-cancel`.
 *
 * A call that takes too long until its lockspace hears of a dead member is counted as `dlm-unnoticed-death`; once its node was
 * given a configuration without that member it has as long again, and after recovery it is judged anew.
 *
 * The order is judged by the places that were told since the master's last recovery; what stood there before is known to wait,
 * but not where.
 */
class Queue implements Check<Calming> {
  readonly #owned = new Map<string, Owned>();
  readonly #places = new Map<string, Place>();
  /** Locks in the order in which they wait, by master, resource and queue. */
  readonly #orders = new Map<string, string[]>();
  readonly #calm = new Calm(
    (lockspace, node) => this.#forget(node, lockspace),
    (node) => this.#forget(node),
  );

  observe(fact: Stamped<Calming>, verdict: Verdict): void {
    if (!this.#calm.accepts(fact)) return;
    switch (fact.kind) {
      case 'dlm.started':
        return this.#forgetOrders(`${fact.lockspace}/${fact.node}/`);
      case 'dlm.called':
        return this.#onCalled(fact);
      case 'dlm.cast':
        return this.#onCast(fact, verdict);
      case 'dlm.queued':
        return this.#onQueued(fact);
      case 'dlm.unqueued':
        return this.#onUnqueued(fact, verdict);
      case 'dlm.master-released':
        return this.#onReleased(fact);
    }
  }

  tick(at: Nanos, verdict: Verdict): void {
    for (const [key, owned] of this.#owned) {
      const { lockspace, resource, node, lkid, isPending, isUnlocking, calledAt } = owned;
      if (!(isPending || isUnlocking) || (!isUnlocking && this.#places.has(key))) continue;
      if (!this.#calm.hasWaited(at, calledAt, lockspace, node)) continue;
      if (this.#calm.hasUnnoticedDeath(at, lockspace, node)) {
        if (!owned.isCounted) verdict.count('dlm-unnoticed-death');
        owned.isCounted = true;
        continue;
      }
      this.#owned.delete(key);
      const what = isUnlocking ? 'unlock' : 'request';
      const since = `${(at - calledAt) / SECOND} s`;
      verdict.violate(
        `${lockspace}/${resource}: the ${what} of lock ${lkid} is on no queue, and not completed for ${since}`,
        [node],
      );
    }
  }

  #onCalled({ lockspace, resource, node, lkid, call, at }: FactOf<'dlm.called'>): void {
    const key = lockKey(lockspace, node, lkid);
    const known = call === 'request' ? undefined : this.#owned.get(key);
    const idle = { isPending: false, isUnlocking: false, isCanceling: false };
    const owned: Owned = known ?? { lockspace, resource, node, lkid, ...idle, calledAt: at, isCounted: false };
    this.#owned.set(key, owned);
    if (call === 'cancel') owned.isCanceling = true;
    else {
      owned[call === 'unlock' ? 'isUnlocking' : 'isPending'] = true;
      owned.calledAt = at;
      owned.isCounted = false;
    }
  }

  #onCast(fact: FactOf<'dlm.cast'>, verdict: Verdict): void {
    const { lockspace, resource, node, lkid, status, mode } = fact;
    const key = lockKey(lockspace, node, lkid);
    const owned = this.#owned.get(key);
    const isUnlock = status === Status.EUNLOCK;
    const isAsked = owned !== undefined && (isUnlock ? owned.isUnlocking : owned.isPending);
    if (!isAsked && status === Status.ECANCEL && owned?.isCanceling === true) verdict.count('dlm-late-cancel');
    else if (!isAsked) {
      const what = isUnlock ? 'unlock' : 'request or conversion';
      verdict.violate(`${lockspace}/${resource}: lock ${lkid} completes a ${what} that is not under way`, [node]);
    }
    if (isUnlock || mode === 'IV') this.#owned.delete(key);
    else if (owned !== undefined) {
      owned.isPending = false;
      if (status === Status.ECANCEL) owned.isCanceling = false;
    }
  }

  #onQueued(fact: FactOf<'dlm.queued'>): void {
    const { lockspace, resource, node, queue, owner, ownerLkid, isFirst } = fact;
    const lock = lockKey(lockspace, owner, ownerLkid);
    this.#places.set(lock, { lockspace, resource, master: node, queue });
    const name = orderKey(fact, queue);
    const order = (this.#orders.get(name) ?? []).filter((other) => other !== lock);
    if (isFirst) order.unshift(lock);
    else order.push(lock);
    this.#orders.set(name, order);
  }

  #onUnqueued(fact: FactOf<'dlm.unqueued'>, verdict: Verdict): void {
    const { lockspace, resource, node, queue, owner, ownerLkid, isGranted, isUnordered } = fact;
    const lock = lockKey(lockspace, owner, ownerLkid);
    const mayOvertake = fact.mayOvertake || (isUnordered && queue === 'convert');
    if (isGranted && !mayOvertake) {
      const ahead = this.#aheadOf(fact, lock);
      if (ahead !== undefined) {
        verdict.violate(`${lockspace}/${resource}: lock ${lock} is granted from the ${queue} queue before ${ahead}`, [
          node,
        ]);
      }
    }
    this.#places.delete(lock);
    const order = this.#orders.get(orderKey(fact, queue));
    const at = order?.indexOf(lock) ?? -1;
    if (at >= 0) order!.splice(at, 1);
    if (order?.length === 0) this.#orders.delete(orderKey(fact, queue));
  }

  /** Without a directory a master gives up what still has locks: their owners bring them to the next one. */
  #onReleased({ lockspace, resource, node }: FactOf<'dlm.master-released'>): void {
    for (const [key, place] of this.#places) {
      if (place.master !== node || place.resource !== resource || place.lockspace !== lockspace) continue;
      this.#places.delete(key);
    }
  }

  /** A lock that has to be granted before this one. */
  #aheadOf(fact: FactOf<'dlm.unqueued'>, lock: string): string | undefined {
    const own = this.#orders.get(orderKey(fact, fact.queue)) ?? [];
    const conversion = fact.queue === 'wait' ? this.#orders.get(orderKey(fact, 'convert'))?.[0] : undefined;
    return conversion ?? (own.includes(lock) && own[0] !== lock ? own[0] : undefined);
  }

  /** A node is gone: what it waited for, and who waited on its queues. */
  #forget(node: number, lockspace?: string): void {
    for (const [key, owned] of this.#owned) {
      if (owned.node === node && (lockspace ?? owned.lockspace) === owned.lockspace) this.#owned.delete(key);
    }
    for (const [key, place] of this.#places) {
      if (place.master === node && (lockspace ?? place.lockspace) === place.lockspace) this.#places.delete(key);
    }
    if (lockspace !== undefined) this.#forgetOrders(`${lockspace}/${node}/`);
  }

  #forgetOrders(prefix: string): void {
    for (const key of this.#orders.keys()) if (key.startsWith(prefix)) this.#orders.delete(key);
  }
}

function lockKey(lockspace: string, node: number, lkid: number): string {
  return `${lockspace}/${node}/${lkid}`;
}

function orderKey({ lockspace, node, resource }: FactOf<'dlm.queued' | 'dlm.unqueued'>, queue: QueueName): string {
  return `${lockspace}/${node}/${queue}/${resource}`;
}

export const queue: Invariant = defineInvariant<Calming>({
  id: 'S22',
  name: 'dlm-queue',
  statement:
    'What waits is granted in the order of the conversion queue, then of the wait queue; every call completes exactly once.',
  kinds: [...CALM_KINDS, 'dlm.called', 'dlm.cast', 'dlm.queued', 'dlm.unqueued', 'dlm.master-released'],
  start: () => new Queue(),
});
