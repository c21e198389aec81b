import {
  type Check,
  defineInvariant,
  type Fact,
  type Invariant,
  type Nanos,
  SECOND,
  type Stamped,
} from '@quorate/kernel';

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
  goal('G17', 'pause longer than the token timeout, then resume', ['node.state'], () => longPause()),
];
