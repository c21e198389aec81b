import {
  type Check,
  defineInvariant,
  type Fact,
  type Invariant,
  type Nanos,
  SECOND,
  type Stamped,
} from '@quorate/kernel';
import { DiskState } from '@quorate/qdisk';
import { ServiceState } from '@quorate/rgmanager';
import { GatherReason } from '@quorate/totem';

type AnyFact = Fact & Readonly<Record<string, unknown>>;

/** What hears facts and says when the goal is reached. */
type Watch = (fact: Stamped<AnyFact>) => boolean;

/** A goal as a rule that is never broken: it counts under its name how often it was reached. */
function goal(id: string, name: string, kinds: readonly string[], watch: () => Watch): Invariant {
  return defineInvariant<AnyFact>({
    id,
    name,
    statement: `sometimes: ${name}`,
    kinds,
    start(): Check<AnyFact> {
      const isReached = watch();
      return {
        observe(fact, verdict) {
          if (isReached(fact)) verdict.count(`sometimes: ${name}`);
        },
      };
    },
  });
}

/** A goal that a single fact reaches. */
function seen(id: string, name: string, kind: string, accepts: (fact: AnyFact) => boolean = () => true): Invariant {
  return goal(id, name, [kind], () => accepts);
}

/** A machine goes down while its ring is in that state. */
function crashIn(state: string): () => Watch {
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
function then(first: Watch, second: Watch, keyOf: (fact: Stamped<AnyFact>) => string): () => Watch {
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

function longPause(): Watch {
  const since = new Map<number, Nanos>();
  return ({ node, state, at }) => {
    const from = since.get(node);
    if (state === 'paused') since.set(node, at);
    else since.delete(node);
    return state === 'up' && from !== undefined && at - from > 10 * SECOND;
  };
}

/** The rings that machines with power were in last. */
class Rings {
  static readonly kinds = ['totem.configuration', 'node.state'];
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
function merge(): Watch {
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

function masterDiesInSplit(): Watch {
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
function coldStart(): Watch {
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
function takeover(): Watch {
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
function startsElsewhere(): Watch {
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

const perNode = ({ node, life, lockspace }: Stamped<AnyFact>): string => `${node}.${life} ${lockspace}`;

/**
 * What a campaign should have seen at least once; one that is never reached says that the campaign is too weak.
 *
 * Source: Quorate's simulation specification, section 9.4, as far as facts tell.
 */
export const coverageGoals: readonly Invariant[] = [
  goal('G1', 'crash in commit', ['totem.state', 'node.state'], crashIn('commit')),
  goal('G2', 'crash in recovery', ['totem.state', 'node.state'], crashIn('recovery')),
  seen('G3', 'two joins at once', 'totem.configuration', ({ type, joined }) => {
    return type === 'regular' && (joined as readonly number[]).length > 1;
  }),
  seen('G4', 'quorum disk evicts a node', 'qdisk.evicted'),
  seen('G5', 'quorum disk reboots its node', 'qdisk.reboot'),
  seen(
    'G6',
    'preempt aborts a command of its victim',
    'scsi.reservation-changed',
    ({ aborted }) => Number(aborted) > 0,
  ),
  goal(
    'G7',
    'fence agent fails, then succeeds',
    ['fenced.attempt-ended'],
    then(
      ({ isSuccess }) => isSuccess === false,
      ({ isSuccess }) => isSuccess === true,
      ({ node, life, victim }) => `${node}.${life} ${victim}`,
    ),
  ),
  seen('G8', 'a node is back before it is fenced', 'fenced.fenced', ({ how }) => how === 'member'),
  seen('G9', 'a stateful node is thrown out', 'fenced.kick', ({ reason }) => reason === 'stateful-merge'),
  goal('G10', 'lock recovery is interrupted by another', ['dlm.started', 'dlm.recovered', 'dlm.stopped'], () => {
    const running = new Set<string>();
    return (fact) => {
      const key = perNode(fact);
      if (fact.kind === 'dlm.started') running.add(key);
      else if (running.delete(key)) return fact.kind === 'dlm.stopped';
      return false;
    };
  }),
  seen('G11', 'value block is invalid', 'dlm.lvb-invalid'),
  seen('G12', 'dirty journal is replayed', 'gfs2.journal-recovered', ({ wasDirty, result }) => {
    return wasDirty === true && result === 'done';
  }),
  seen('G13', 'file system withdraws', 'gfs2.withdrawn'),
  seen('G14', 'service start fails', 'rg.agent-ended', ({ action, status }) => action === 'start' && status !== 0),
  seen('G15', 'service moves to a better node', 'rg.evaluated', ({ decision }) => decision === 'relocate'),
  seen('G16', 'last node standing', 'quorum.changed', ({ isQuorate, members }) => {
    return isQuorate === true && (members as readonly unknown[]).length === 1;
  }),
  goal('G17', 'pause longer than the token timeout, then resume', ['node.state'], longPause),
  goal('G18', 'three rings merge', Rings.kinds, merge),
  seen('G19', 'token is lost again before the ring is up', 'totem.state', ({ reason }) => {
    return reason === GatherReason.tokenLostCommit || reason === GatherReason.tokenLostRecovery;
  }),
  seen('G20', 'retransmit limit is met', 'totem.state', ({ reason }) => reason === GatherReason.failedToReceive),
  goal('G21', 'quorum disk master dies while the network is split', [...Rings.kinds, 'qdisk.state'], masterDiesInSplit),
  seen('G22', 'an evicted node writes to the quorum disk', 'qdisk.evicted', ({ isUndead }) => isUndead === true),
  goal(
    'G23',
    'directory node dies',
    ['dlm.directory', 'node.state'],
    then(
      ({ kind }) => kind === 'dlm.directory',
      ({ state }) => state === 'off',
      ({ node }) => `${node}`,
    ),
  ),
  goal('G24', 'service start fails, and it runs elsewhere', ['rg.agent-ended', 'rg.service'], startsElsewhere),
  goal(
    'G25',
    'address is taken over from a card that others still send to',
    ['network.arp-learned', 'network.arp-forgotten', 'network.address-added'],
    takeover,
  ),
  goal('G26', 'whole cluster starts cold', ['node.state', 'quorum.changed'], coldStart),
];
