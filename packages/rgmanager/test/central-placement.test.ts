import { describe, expect, it } from 'vitest';
import { RecordedCluster } from '../src/conformance/recorded-cluster.js';
import { type Row, recordedAgents, table } from '../src/conformance/recorded-files.js';
import { type FailoverDomain, nodeScore, Score } from '../src/state/failover-domain.js';
import { type ServiceRecord, ServiceState, stateText } from '../src/state/service-record.js';
import { parseConf } from './parse-conf.js';
import { vectors } from './vectors.js';

// What becomes of a service when a node comes or goes: recorded where every node decides for itself, and played where a
// master does.

const NODES = [1, 2, 3, 4];
const SERVICE = 'service:s';
const agents = recordedAgents(vectors);
/** All of them take twenty seconds. */
const SAMPLE = Number(process.env.TRANSITIONS_SAMPLE ?? 61);

type Values = Row['values'];

function confOf({ priorities = '', ordered, restricted, nofailback }: Values): ReturnType<typeof parseConf> {
  const nodes = NODES.map((id) => `<clusternode name="node${id}" nodeid="${id}"/>`).join('');
  const members = priorities.split('-').map((priority, i) => {
    return `<failoverdomainnode name="node${i + 1}" priority="${priority}"/>`;
  });
  const flags = `ordered="${ordered}" restricted="${restricted}" nofailback="${nofailback}"`;
  return parseConf(`<cluster><clusternodes>${nodes}</clusternodes><rm central_processing="1">
    <failoverdomains><failoverdomain name="d" ${flags}>${members.join('')}</failoverdomain></failoverdomains>
    <service name="s" domain="d"><script name="a" file="/i/a"/></service></rm></cluster>`);
}

function digits(text = ''): readonly number[] {
  return [...text].map(Number).filter((node) => node > 0);
}

/** One cluster for each domain: it is brought into the situation of one row after the other. */
const clusters = new Map<string, RecordedCluster>();

function clusterOf(values: Values): RecordedCluster {
  const { priorities, ordered, restricted, nofailback } = values;
  const key = [priorities, ordered, restricted, nofailback].join();
  const known = clusters.get(key) ?? new RecordedCluster(confOf(values), NODES, agents);
  clusters.set(key, known);
  return known;
}

/** Where the service is afterwards, when a master has seen to it. */
function centralPlace(values: Values): string {
  const recorded = clusterOf(values);
  recorded.gather(digits(values.online_before));
  const owner = Number(values.owner_before);
  recorded.set(SERVICE, owner === 0 ? 'stopped' : 'started', owner, 0);
  recorded.takeTold();
  const node = Number(values.node);
  if (values.event === 'up') recorded.up(node);
  else recorded.down(node);
  const { cluster } = recorded;
  const record = cluster.running.map((id) => cluster.record(SERVICE, id)).find((each) => each !== undefined);
  return placeOf(record!);
}

function placeOf({ state, owner }: Pick<ServiceRecord, 'state' | 'owner'>): string {
  return `${stateText(state)} ${owner}`;
}

interface Situation {
  /** Of those that are there afterwards; 0: nobody is better than all others. */
  readonly best: number;
  /** 0: nobody that is still there. */
  readonly owner: number;
  readonly isNewcomerBest: boolean;
  readonly isOutside: boolean;
  readonly isOrdered: boolean;
  readonly isRestricted: boolean;
}

function situationOf(values: Values): Situation {
  const { priorities = '', ordered, restricted, nofailback, event } = values;
  const isOrdered = ordered === '1';
  const domain: FailoverDomain = {
    name: 'd',
    isOrdered,
    isRestricted: restricted === '1',
    isNofailback: nofailback === '1',
    nodes: priorities.split('-').map((priority, i) => {
      return { name: `node${i + 1}`, nodeId: i + 1, priority: isOrdered ? Number(priority) : 0 };
    }),
  };
  const node = Number(values.node);
  const before = digits(values.online_before);
  const online = event === 'up' ? [...before, node] : before.filter((id) => id !== node);
  const isOnline = (id: number): boolean => online.includes(id);
  const owner = isOnline(Number(values.owner_before)) ? Number(values.owner_before) : 0;
  const best = NODES.filter((id) => {
    return nodeScore(id, { domain, isStarted: owner !== 0, owner, isOnline }) === Score.BEST;
  });
  return {
    best: best.length === 1 ? best[0]! : 0,
    owner,
    isNewcomerBest: event === 'up' && best[0] === node,
    isOutside: owner !== 0 && owner > domain.nodes.length,
    isOrdered,
    isRestricted: domain.isRestricted,
  };
}

/** Priority 0 beats 1 where every node decides for itself, and comes last for a master. */
function hasPriorityZero({ priorities = '', ordered }: Values): boolean {
  return ordered === '1' && priorities.split('-').includes('0');
}

const rows = table(vectors, 'tables/domain-transitions.csv')
  .filter(({ values }) => !hasPriorityZero(values))
  .map(({ values }) => ({ values, situation: situationOf(values) }))
  .filter(({ situation }) => situation.best !== 0);

type Kind = 'as-recorded' | 'left-outside' | 'moved-at-any-event';

function kindOf({ best, owner, isNewcomerBest, isOutside, isOrdered, isRestricted }: Situation): Kind {
  if (owner === 0 || owner === best) return 'as-recorded';
  // The owner is the last of the allowed nodes, but it is one of them; or it is none, and then nobody stops it first.
  if (isOutside && (isRestricted || !isOrdered)) return 'left-outside';
  return isNewcomerBest ? 'as-recorded' : 'moved-at-any-event';
}

/** What a master leads to. */
function expectedPlace(values: Values, situation: Situation): string {
  const started = (owner: number): string => placeOf({ state: ServiceState.STARTED, owner });
  switch (kindOf(situation)) {
    case 'as-recorded':
      return `${values.state_after} ${values.owner_after}`;
    case 'left-outside':
      return started(situation.owner);
    case 'moved-at-any-event':
      return started(situation.best);
  }
}

describe('where one node is better than all others', () => {
  it.each<[Kind, string]>([
    ['as-recorded', 'a master starts the service there, as the nodes themselves do'],
    ['left-outside', 'a master leaves it on a node outside of a domain that is restricted or has no order'],
    ['moved-at-any-event', 'a master moves it there whoever comes or goes, not only when that node comes'],
  ])('%s: %s', (kind) => {
    const played = rows.filter(({ situation }) => kindOf(situation) === kind).filter((_, i) => i % SAMPLE === 0);
    expect(played.length).toBeGreaterThan(0);
    const different = played.flatMap(({ values, situation }) => {
      const [found, expected] = [centralPlace(values), expectedPlace(values, situation)];
      return found === expected ? [] : [`${Object.values(values).join()}: ${found}, expected ${expected}`];
    });
    expect(different).toEqual([]);
  });
});
