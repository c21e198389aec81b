import type { NodeStateFact, Stamped } from '@quorate/kernel';
import type { RgFact } from '../fact.js';

type LockFact = Extract<RgFact, { readonly kind: 'rg.lock' | 'rg.view' }>;

/** Locks come when the dead are fenced, answers when the ring orders messages again. */
export type Delay = 'svc-fencing' | 'svc-unanswered';

interface Locker {
  readonly life: number;
  /** Requests that are not answered, by the name of the lock. */
  readonly asked: Map<string, number>;
  /** Neither off nor paused. */
  runs: boolean;
  /** How often it waits for members: for votes, for a value, for the end of a proposal. */
  asking: number;
}

/** Who waits for which lock of rgmanager, who has it, and who waits for members. */
export class LockWaits {
  readonly #lockers = new Map<number, Locker>();
  readonly #holders = new Map<string, { readonly node: number; readonly life: number }>();

  observe(fact: Stamped<LockFact | NodeStateFact>): void {
    const locker = this.#lockerOf(fact);
    if (fact.kind === 'node.state') {
      locker.runs = fact.state !== 'off' && fact.state !== 'paused';
      if (fact.state === 'off') locker.asked.clear();
      return;
    }
    if (fact.kind === 'rg.view') {
      locker.asking += fact.event === 'asked' ? 1 : -1;
      return;
    }
    const { node, life, name, event } = fact;
    if (event === 'released') {
      if (this.#holders.get(name)?.node === node) this.#holders.delete(name);
      return;
    }
    locker.asked.set(name, (locker.asked.get(name) ?? 0) + (event === 'asked' ? 1 : -1));
    if (event === 'granted') this.#holders.set(name, { node, life });
  }

  /** What keeps a node waiting that goes on by itself when the cluster has got over a loss. */
  delayOf(node: number): Delay | undefined {
    return this.#delayOf(node, new Set());
  }

  #delayOf(node: number, seen: Set<string>): Delay | undefined {
    const locker = this.#lockers.get(node);
    if (locker !== undefined && locker.asking > 0) return 'svc-unanswered';
    const delays = this.#namesAskedBy(node).map((name) => this.#delayOfLock(name, seen));
    return delays.find((delay) => delay !== undefined);
  }

  /** Nobody who lives keeps the lock from those who ask, or its holder waits itself. */
  #delayOfLock(name: string, seen: Set<string>): Delay | undefined {
    if (seen.has(name)) return undefined;
    seen.add(name);
    const holder = this.#holders.get(name);
    const locker = holder && this.#lockers.get(holder.node);
    if (holder === undefined || locker?.life !== holder.life || !locker.runs) return 'svc-fencing';
    return this.#delayOf(holder.node, seen);
  }

  #namesAskedBy(node: number): readonly string[] {
    const asked = [...(this.#lockers.get(node)?.asked ?? [])];
    return asked.filter(([, requests]) => requests > 0).map(([name]) => name);
  }

  #lockerOf({ node, life }: Stamped): Locker {
    const known = this.#lockers.get(node);
    if (known?.life === life) return known;
    const fresh: Locker = { life, asked: new Map(), runs: true, asking: 0 };
    this.#lockers.set(node, fresh);
    return fresh;
  }
}
