import { type Check, defineInvariant, type Invariant, type Stamped } from '@quorate/kernel';
import { GatherReason } from '@quorate/totem';
import {
  type AnyFact,
  coldStart,
  crashIn,
  diesWith,
  inTurn,
  longPause,
  masterDiesInSplit,
  merge,
  Rings,
  startsElsewhere,
  takeover,
  type Watch,
} from './coverage-watches.js';

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
    inTurn(
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
    inTurn(
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
  goal(
    'G27',
    'lock master dies while requests wait for it',
    ['dlm.queued', 'dlm.unqueued', 'node.state'],
    diesWith(
      ({ kind }) => kind === 'dlm.queued',
      ({ kind }) => kind === 'dlm.unqueued',
      ({ lockspace, resource, queue, owner, ownerLkid }) => `${lockspace} ${resource} ${queue} ${owner} ${ownerLkid}`,
    ),
  ),
  goal(
    'G28',
    'node dies while its lockspace recovers',
    ['dlm.started', 'dlm.recovered', 'dlm.stopped', 'node.state'],
    diesWith(
      ({ kind }) => kind === 'dlm.started',
      ({ kind }) => kind !== 'dlm.started',
      ({ lockspace }) => `${lockspace}`,
    ),
  ),
];

/** Those that need no quorum disk, file system or service. */
const OF_LOCKS: readonly string[] = [
  'G1',
  'G2',
  'G3',
  'G7',
  'G8',
  'G9',
  'G10',
  'G11',
  'G18',
  'G19',
  'G23',
  'G27',
  'G28',
];

/** Goals of a cluster that has a lock manager and nothing above it. */
export const lockCoverageGoals: readonly Invariant[] = coverageGoals.filter(({ id }) => OF_LOCKS.includes(id));
