import type { NodeStateFact, Stamped } from '@quorate/kernel';
import type { RgFact } from './fact.js';

type LockFact = Extract<RgFact, { readonly kind: 'rg.lock' }>;

interface Locker {
  readonly life: number;
  /** Requests that are not answered, by the name of the lock. */
  readonly asked: Map<string, number>;
  /** Neither off nor paused. */
  runs: boolean;
}

/** Who waits for which lock of rgmanager, and who has it. */
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
    const { node, life, name, event } = fact;
    if (event === 'released') {
      if (this.#holders.get(name)?.node === node) this.#holders.delete(name);
      return;
    }
    locker.asked.set(name, (locker.asked.get(name) ?? 0) + (event === 'asked' ? 1 : -1));
    if (event === 'granted') this.#holders.set(name, { node, life });
  }

  /** Whether a node waits for a lock that nobody who lives keeps from it: the DLM gives it when the dead are fenced. */
  isForTheDead(node: number): boolean {
    return this.#namesAskedBy(node).some((name) => this.#isHeldByTheDead(name, new Set()));
  }

  /** A holder that lives may itself wait so for another lock. */
  #isHeldByTheDead(name: string, seen: Set<string>): boolean {
    if (seen.has(name)) return false;
    seen.add(name);
    const holder = this.#holders.get(name);
    const locker = holder && this.#lockers.get(holder.node);
    if (holder === undefined || locker?.life !== holder.life || !locker.runs) return true;
    return this.#namesAskedBy(holder.node).some((other) => this.#isHeldByTheDead(other, seen));
  }

  #namesAskedBy(node: number): readonly string[] {
    const asked = [...(this.#lockers.get(node)?.asked ?? [])];
    return asked.filter(([, requests]) => requests > 0).map(([name]) => name);
  }

  #lockerOf({ node, life }: Stamped): Locker {
    const known = this.#lockers.get(node);
    if (known?.life === life) return known;
    const fresh: Locker = { life, asked: new Map(), runs: true };
    this.#lockers.set(node, fresh);
    return fresh;
  }
}
