import type { Fact, Stamped } from './fact.js';
import type { Nanos } from './machine.js';

/** An invariant that did not hold. */
export interface Violation {
  /** Id of the invariant, for instance `S1` or `totem.V3`. */
  readonly invariant: string;
  readonly at: Nanos;
  readonly nodes: readonly number[];
  /** What was found and what should have been, with values. */
  readonly message: string;
}

/** What a check says while it watches. */
export interface Verdict {
  violate(message: string, nodes: readonly number[]): void;
  /** Counts an allowed exception under its own name, with a size where it has one (a duration in ns, say). */
  count(name: string, size?: number): void;
}

/** One watch over one run. It sees every fact of the kinds its invariant names, in the order of global time. */
export interface Check<F extends Fact> {
  observe(fact: Stamped<F>, verdict: Verdict): void;
  /** Called about once a second of global time, for rules that speak of a settled state. */
  tick?(at: Nanos, verdict: Verdict): void;
  /** Called once when the run ends. */
  end?(at: Nanos, verdict: Verdict): void;
}

/** A rule of a package, stated once; tests, simulator, workers and benchmarks all use this one. */
export interface Invariant<F extends Fact = Fact> {
  readonly id: string;
  readonly name: string;
  readonly statement: string;
  /** Kinds of facts its check wants to see. */
  readonly kinds: readonly F['kind'][];
  /** Those of `kinds` without which there is nothing to judge, where the others only say how things stand; any of them unless told. */
  readonly judges?: readonly F['kind'][];
  start(): Check<F>;
}

/** Names an invariant, keeping the types of the facts that it watches. */
export function defineInvariant<F extends Fact>(invariant: Invariant<F>): Invariant {
  return invariant as unknown as Invariant;
}

interface Watcher {
  readonly id: string;
  readonly judges: readonly string[];
  readonly check: Check<Fact>;
}

/** Runs a set of invariants over one stream of facts and collects what they find. */
export class Checker {
  readonly #watched = new Map<string, { readonly watchers: Watcher[]; isSeen: boolean }>();
  readonly #checks: Watcher[] = [];
  readonly #violations: Violation[] = [];
  readonly #counts = new Map<string, { times: number; largest: number }>();
  readonly #verdict: Verdict;
  #current = '';
  #at: Nanos = 0;

  constructor(invariants: readonly Invariant[]) {
    for (const invariant of invariants) {
      const { id, kinds, judges = kinds } = invariant;
      const entry = { id, judges, check: invariant.start() };
      this.#checks.push(entry);
      for (const kind of kinds) {
        const watched = this.#watched.get(kind);
        if (watched === undefined) this.#watched.set(kind, { watchers: [entry], isSeen: false });
        else watched.watchers.push(entry);
      }
    }
    this.#verdict = {
      violate: (message, nodes) => {
        this.#violations.push({ invariant: this.#current, at: this.#at, nodes, message });
      },
      count: (name, size = 0) => {
        const entry = this.#counts.get(name) ?? { times: 0, largest: 0 };
        entry.times += 1;
        entry.largest = Math.max(entry.largest, size);
        this.#counts.set(name, entry);
      },
    };
  }

  /** Whether any invariant wants facts of this kind. */
  wants(kind: string): boolean {
    return this.#watched.has(kind);
  }

  observe(fact: Stamped): void {
    const watched = this.#watched.get(fact.kind);
    if (watched === undefined) return;
    watched.isSeen = true;
    this.#at = fact.at;
    const { watchers } = watched;
    const verdict = this.#verdict;
    for (let i = 0; i < watchers.length; i++) {
      const watcher = watchers[i]!;
      this.#current = watcher.id;
      watcher.check.observe(fact, verdict);
    }
  }

  tick(at: Nanos): void {
    this.#at = at;
    for (const { id, check } of this.#checks) {
      if (check.tick === undefined) continue;
      this.#current = id;
      check.tick(at, this.#verdict);
    }
  }

  end(at: Nanos): void {
    this.#at = at;
    for (const { id, check } of this.#checks) {
      this.#current = id;
      check.end?.(at, this.#verdict);
    }
  }

  /** Ids of the invariants under watch, in the order given. */
  get ids(): readonly string[] {
    return this.#checks.map((entry) => entry.id);
  }

  /** Ids of those that have had nothing to judge: that they are not broken says nothing. */
  get idle(): readonly string[] {
    const isSeen = (kind: string): boolean => this.#watched.get(kind)?.isSeen === true;
    return this.#checks.filter(({ judges }) => !judges.some(isSeen)).map(({ id }) => id);
  }

  get violations(): readonly Violation[] {
    return this.#violations;
  }

  /** Allowed exceptions by name: how often, and the largest size given. */
  get counts(): ReadonlyMap<string, { readonly times: number; readonly largest: number }> {
    return this.#counts;
  }
}
