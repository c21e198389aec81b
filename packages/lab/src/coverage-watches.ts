import { type Fact, type Nanos, SECOND, type Stamped } from '@quorate/kernel';
import { DiskState } from '@quorate/qdisk';
import { ServiceState } from '@quorate/rgmanager';

export type AnyFact = Fact & Readonly<Record<string, unknown>>;

/** What hears facts and says when a goal of coverage is reached. */
export type Watch = (fact: Stamped<AnyFact>) => boolean;

/** A machine goes down while its ring is in that state. */
export function crashIn(state: string): () => Watch {
  return () => {
    const states = new Map<number, unknown>();
    return (fact) => {
      if (fact.kind === 'totem.state') states.set(fact.node, fact.state);
      else if (fact.state === 'off') {
        const before = states.get(fact.node);
        states.delete(fact.node);
        return before === state;
      }
      return false;
    };
  };
}

/** A first fact and then a second one, with the same key. */
export function inTurn(first: Watch, second: Watch, keyOf: (fact: Stamped<AnyFact>) => string): () => Watch {
  return () => {
    const begun = new Set<string>();
    return (fact) => {
      const key = keyOf(fact);
      if (second(fact) && begun.delete(key)) return true;
      if (first(fact)) begun.add(key);
      return false;
    };
  };
}

/** A node goes down when something has begun there and not ended. */
export function diesWith(begins: Watch, ends: Watch, keyOf: (fact: Stamped<AnyFact>) => string): () => Watch {
  return () => {
    const begun = new Map<number, Set<string>>();
    return (fact) => {
      const { node } = fact;
      const here = begun.get(node) ?? new Set();
      begun.set(node, here);
      if (fact.kind === 'node.state') {
        if (fact.state !== 'off') return false;
        begun.delete(node);
        return here.size > 0;
      }
      if (begins(fact)) here.add(keyOf(fact));
      else if (ends(fact)) here.delete(keyOf(fact));
      return false;
    };
  };
}

export function longPause(): Watch {
  const since = new Map<number, Nanos>();
  return ({ node, state, at }) => {
    const from = since.get(node);
    if (state === 'paused') since.set(node, at);
    else since.delete(node);
    return state === 'up' && from !== undefined && at - from > 10 * SECOND;
  };
}

/** The rings that machines with power were in last. */
export class Rings {
  static readonly kinds: readonly string[] = ['totem.configuration', 'node.state'];
  readonly #last = new Map<number, unknown>();

  hear({ kind, node, type, ring, state }: Stamped<AnyFact>): void {
    if (kind === 'totem.configuration' && type === 'regular') this.#last.set(node, ring);
    else if (state === 'off') this.#last.delete(node);
  }

  /** How many of these machines each ring has. */
  among(nodes: Iterable<number> = this.#last.keys()): readonly number[] {
    const sizes = new Map<unknown, number>();
    for (const node of nodes) {
      const ring = this.#last.get(node);
      if (ring !== undefined) sizes.set(ring, (sizes.get(ring) ?? 0) + 1);
    }
    return [...sizes.values()];
  }
}

/**
 * Three rings, and not two of them single machines as when machines boot. A ring is told of by each of its members; whoever is
 * first comes from the rings before.
 */
export function merge(): Watch {
  const rings = new Rings();
  let newest: unknown;
  return (fact) => {
    const { type, members, ring } = fact;
    const isNew = type === 'regular' && ring !== newest;
    const before = isNew ? rings.among(members as readonly number[]) : [];
    if (isNew) newest = ring;
    rings.hear(fact);
    return before.length >= 3 && before.filter((size) => size > 1).length >= 2;
  };
}

export function masterDiesInSplit(): Watch {
  const rings = new Rings();
  const masters = new Set<number>();
  return (fact) => {
    const { kind, node, state } = fact;
    const isMasterDead = kind === 'node.state' && state === 'off' && masters.has(node);
    const isSplit = rings.among().length > 1;
    rings.hear(fact);
    if (kind === 'qdisk.state' && state === DiskState.MASTER) masters.add(node);
    else if (kind === 'qdisk.state' || state === 'off') masters.delete(node);
    return isMasterDead && isSplit;
  };
}

/** Nobody has power, and later there is a quorum again. */
export function coldStart(): Watch {
  const down = new Set<number>();
  const seen = new Set<number>();
  let isDark = false;
  return ({ kind, node, state, isQuorate }) => {
    if (kind === 'quorum.changed') {
      const isReached = isDark && isQuorate === true;
      isDark &&= !isReached;
      return isReached;
    }
    if (state === 'off') down.add(node);
    else down.delete(node);
    if (state === 'up') seen.add(node);
    isDark ||= seen.size > 0 && [...seen].every((each) => down.has(each));
    return false;
  };
}

/** Somebody takes an address over while another machine still sends to the card that had it. */
export function takeover(): Watch {
  const known = new Map<string, unknown>();
  return ({ kind, node, address, mac }) => {
    const bare = String(address).replace(/\/.*/, '');
    if (kind === 'network.arp-learned') known.set(`${node} ${bare}`, mac);
    else if (kind === 'network.arp-forgotten') known.delete(`${node} ${bare}`);
    else return [...known].some(([key, at]) => key.endsWith(` ${bare}`) && at !== mac);
    return false;
  };
}

/** A start fails on one machine, and the service runs on another. */
export function startsElsewhere(): Watch {
  const failed = new Map<unknown, number>();
  return ({ kind, node, service, action, status, state, owner }) => {
    if (kind === 'rg.agent-ended') {
      if (action === 'start' && status !== 0) failed.set(service, node);
      return false;
    }
    const where = state === ServiceState.STARTED ? failed.get(service) : undefined;
    if (where !== undefined) failed.delete(service);
    return where !== undefined && where !== owner;
  };
}
