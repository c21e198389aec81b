import type { Nanos, Stamped } from '@quorate/kernel';
import { type AnyFact, PHASE_KINDS, type Phase, phasesOf } from '@quorate/lab';
import { BoundedList } from './bounded-list.js';

/** What the others did about machines that went, whether or not the page was away meanwhile. */
export interface Recovery {
  /** When the first of them went: off or paused, else when its ring missed it. */
  readonly from: Nanos;
  /** Node ids. */
  readonly victims: readonly number[];
  /** Detection, fencing, lock recovery and journal, as far as they have come. */
  readonly phases: readonly Phase[];
}

interface Open {
  readonly from: Nanos;
  readonly victims: ReadonlySet<number>;
  readonly facts: AnyFact[];
}

/** Five nodes tell of a handful of things each. */
const MOST_FACTS = 200;
/** What services do is no part of it. */
const SERVICE_KIND = 'rg.agent-ended';

/** Each loss of members, taken apart into its phases. */
export class Recoveries {
  static readonly KINDS: readonly string[] = ['node.state', ...PHASE_KINDS];
  readonly #ended = new BoundedList<Recovery>(50);
  readonly #goneAt = new Map<number, Nanos>();
  #open: Open | undefined;

  /** Oldest first. */
  get all(): readonly Recovery[] {
    return this.#open === undefined ? this.#ended.last(50) : [...this.#ended.last(50), recoveryOf(this.#open)];
  }

  hear(fact: Stamped): void {
    const any = fact as AnyFact;
    if (fact.kind === 'node.state') this.#onPower(any);
    else if (fact.kind === 'totem.configuration') this.#onConfiguration(any);
    else if (PHASE_KINDS.includes(fact.kind) && fact.kind !== SERVICE_KIND) this.#keep(any);
  }

  #onPower({ node, at, state }: AnyFact): void {
    if (state === 'off' || state === 'paused') this.#goneAt.set(node, at);
    // A machine that reboots was gone before that.
    else if (state === 'up') this.#goneAt.delete(node);
  }

  #onConfiguration(fact: AnyFact): void {
    const { at, node, type, left, joined } = fact as AnyFact & { left: readonly number[]; joined: readonly number[] };
    // To one that was paused, it is the others who have left.
    if (this.#open?.victims.has(node)) return;
    if (joined.length > 0) return this.#end();
    if (left.some((member) => this.#open?.victims.has(member) !== true)) {
      this.#end();
      const from = Math.min(...left.map((member) => this.#goneAt.get(member) ?? at));
      this.#open = { from, victims: new Set(left), facts: [] };
    }
    // A ring that forms anew with the same members is no news.
    if (type === 'regular' && this.#open?.facts.some((each) => each.node === node && each.type === type)) return;
    this.#keep(fact);
  }

  #keep(fact: AnyFact): void {
    if (this.#open !== undefined && this.#open.facts.length < MOST_FACTS) this.#open.facts.push(fact);
  }

  #end(): void {
    if (this.#open !== undefined) this.#ended.add(recoveryOf(this.#open));
    this.#open = undefined;
  }
}

function recoveryOf({ from, victims, facts }: Open): Recovery {
  const to = facts.at(-1)?.at ?? from;
  return { from, victims: [...victims].sort(), phases: phasesOf({ from, to }, facts, false) };
}
