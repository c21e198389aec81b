import type { Check, Stamped, Verdict } from '@quorate/kernel';
import type { CpgFact } from '../cpg/fact.js';
import type { CalmFact, ConfigurationFact, TotemFact } from '../fact.js';
import type { NodeId } from '../ring-id.js';

/** Rings kept for comparison. Older ones are forgotten: nobody is in them any more. */
const RINGS_KEPT = 1024;

/** Where a node is: its last regular configuration, and the transitional one behind it if that has come. */
export interface Position {
  life: number;
  /** Empty before the first. */
  ring: string;
  members: readonly NodeId[];
  transitional: { readonly ring: string; readonly members: readonly NodeId[] } | undefined;
}

/** Follows every node through its configurations. A new life begins without one. */
export class Positions {
  readonly #positions = new Map<number, Position>();

  of({ node, life }: { readonly node: number; readonly life: number }): Position {
    let position = this.#positions.get(node);
    if (position === undefined || position.life !== life) {
      position = { life, ring: '', members: [], transitional: undefined };
      this.#positions.set(node, position);
    }
    return position;
  }

  /** In the same life, and in no ring any more. */
  restart({ node, life }: { readonly node: number; readonly life: number }): void {
    this.#positions.set(node, { life, ring: '', members: [], transitional: undefined });
  }

  /** Where a node is, in whatever life; undefined if nothing is known of it. */
  last(node: NodeId): Position | undefined {
    return this.#positions.get(node);
  }

  /** To be called after the check looked at the position that the configuration ends. */
  move(fact: Stamped<ConfigurationFact>): void {
    const position = this.of(fact);
    if (fact.type === 'transitional') {
      position.transitional = fact;
      return;
    }
    position.ring = fact.ring;
    position.members = fact.members;
    position.transitional = undefined;
  }
}

/** A map of rings that forgets the one that nobody asked for for the longest time. */
export class Rings<T> {
  readonly #byName = new Map<string, T>();
  #last: { readonly name: string; readonly value: T } | undefined;

  get(name: string, create: () => T): T {
    if (this.#last?.name === name) return this.#last.value;
    const value = this.#byName.get(name) ?? create();
    // The map's order is that of use.
    this.#byName.delete(name);
    this.#byName.set(name, value);
    if (this.#byName.size > RINGS_KEPT) this.#byName.delete(this.#byName.keys().next().value!);
    this.#last = { name, value };
    return value;
  }
}

/** A check that only looks at facts as they come. */
export function check<F extends TotemFact | CpgFact | CalmFact>(
  observe: (fact: Stamped<F>, verdict: Verdict) => void,
): Check<F> {
  return { observe };
}
