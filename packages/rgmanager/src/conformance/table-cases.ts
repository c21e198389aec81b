import type { ConfElement } from '../conf/conf-element.js';
import { type DomainSituation, type FailoverDomain, nodeScore } from '../state/failover-domain.js';
import { resultText } from '../state/result.js';
import { stateText } from '../state/service-record.js';
import { RecordedCluster } from './recorded-cluster.js';
import {
  type RecordedCase,
  type RecordedFiles,
  type Row,
  recordedAgents,
  table,
  valueDifferences,
} from './recorded-files.js';

// Tables of situations: scores in failover domains, what a coming or going node leads to, and what clusvcadm gets.

type Values = Row['values'];

const NODES = [1, 2, 3, 4];

function rowCases(
  files: RecordedFiles,
  file: string,
  differences: (values: Values) => readonly string[],
): readonly RecordedCase[] {
  if (!files.names('tables').includes(file)) return [];
  const path = `tables/${file}`;
  return table(files, path).map(({ line, values }) => ({
    name: `${path}:${line}`,
    differences: () => differences(values),
  }));
}

function digits(text: string | undefined): readonly number[] {
  return [...(text ?? '')].map(Number).filter((node) => !Number.isNaN(node));
}

// Scores

function domainOf({ priorities = '', ordered, restricted, nofailback }: Values): FailoverDomain {
  return {
    name: 'd',
    isOrdered: ordered === '1',
    isRestricted: restricted === '1',
    isNofailback: nofailback === '1',
    nodes: priorities.split('-').map((priority, i) => ({
      name: `node${i + 1}`,
      nodeId: i + 1,
      priority: ordered === '1' ? Number(priority) : 0,
    })),
  };
}

function scores(values: Values): Values {
  const online = digits(values.online);
  const owner = Number(values.owner);
  const isOnline = (node: number): boolean => online.includes(node);
  const at: DomainSituation = { domain: domainOf(values), isStarted: owner !== 0, owner, isOnline };
  return Object.fromEntries(NODES.map((node) => [`score${node}`, isOnline(node) ? String(nodeScore(node, at)) : '-']));
}

// Transitions

function element(name: string, attributes: Record<string, string>, children: readonly ConfElement[] = []): ConfElement {
  return { name, attributes: new Map(Object.entries(attributes)), children };
}

function clusterOf(ids: readonly number[], ...rm: readonly ConfElement[]): ConfElement {
  const nodes = ids.map((id) => element('clusternode', { name: `node${id}`, nodeid: String(id) }));
  return element('cluster', {}, [element('clusternodes', {}, nodes), element('rm', {}, rm)]);
}

const SERVICE = 'service:s';

function domainConf({ priorities = '', ordered = '', restricted = '', nofailback = '' }: Values): ConfElement {
  const members = priorities
    .split('-')
    .map((priority, i) => element('failoverdomainnode', { name: `node${i + 1}`, priority }));
  const domain = element('failoverdomain', { name: 'd', ordered, restricted, nofailback }, members);
  return clusterOf(
    NODES,
    element('failoverdomains', {}, [domain]),
    element('service', { name: 's', domain: 'd' }, [element('script', { name: 'a', file: '/i/a' })]),
  );
}

/** One cluster for each domain: it is brought into the situation of one row after the other. */
class DomainClusters {
  readonly #files: RecordedFiles;
  readonly #clusters = new Map<string, RecordedCluster>();

  constructor(files: RecordedFiles) {
    this.#files = files;
  }

  transition(values: Values): Values {
    const node = Number(values.node);
    const cluster = this.#of(values);
    cluster.gather(digits(values.online_before));
    const owner = Number(values.owner_before);
    cluster.set(SERVICE, owner === 0 ? 'stopped' : 'started', owner, 0);
    cluster.takeTold();
    if (values.event === 'up') cluster.up(node);
    else cluster.down(node);
    const record = cluster.cluster.record(SERVICE)!;
    return { state_after: stateText(record.state), owner_after: String(record.owner) };
  }

  #of(values: Values): RecordedCluster {
    const { priorities, ordered, restricted, nofailback } = values;
    const key = [priorities, ordered, restricted, nofailback].join();
    const known = this.#clusters.get(key);
    if (known !== undefined) return known;
    const agents = recordedAgents(this.#files);
    const made = new RecordedCluster(domainConf(values), NODES, agents);
    this.#clusters.set(key, made);
    return made;
  }
}

/** Whoever of the contenders comes first gets the service. */
function transitionDifferences(found: Values, values: Values): readonly string[] {
  const { owner_after = '', state_after = '', contenders = '' } = values;
  const isContended = state_after === 'started' && contenders.includes(found.owner_after ?? '');
  return valueDifferences(found, { state_after, owner_after: isContended ? found.owner_after! : owner_after });
}

// Operations

const OPERATION_CONF = clusterOf(
  [1, 2],
  element('service', { name: 's' }, [element('script', { name: 'a', file: '/i/a' })]),
  element('vm', { name: 'v' }),
);

/** What clusvcadm on node 1 gets and what it leads to. */
function operate(cluster: RecordedCluster, values: Values): Values {
  const service = values.service!;
  const op = values.op!;
  cluster.heal();
  if (values.stop_fails === '1') cluster.fail({ node: 0, action: 'stop', resource: '*', status: 1 });
  if (values.start_fails === '1') cluster.fail({ node: 0, action: 'start', resource: '*', status: 1 });
  cluster.set(service, values.state!, Number(values.owner), Number(values.last), Number(values.flags));
  const { told } = cluster.cluster;
  told.length = 0;
  cluster.request(1, op.replace('2', ''), service, op.endsWith('2') ? 2 : 0);
  const replies = told.flatMap((each) => (each.kind === 'reply' && each.reply.kind === 'result' ? [each.reply] : []));
  const execs = told.flatMap((each) => (each.kind === 'exec' ? [each.call] : []));
  const record = cluster.cluster.record(service)!;
  return {
    code: replies.map(({ code }) => code).join(),
    message: replies.map(({ code }) => resultText(code)).join(),
    state_after: stateText(record.state),
    owner_after: String(record.owner),
    last_after: String(record.lastOwner),
    flags_after: String(record.flags),
    execs: execs.map(({ node, action, resource }) => `n${node}:${action}:${resource}`).join(' '),
  };
}

/** Clusters by who is online: the rows of a table come in the order of their situations. */
class OperationClusters {
  readonly #files: RecordedFiles;
  readonly #clusters = new Map<string, RecordedCluster>();

  constructor(files: RecordedFiles) {
    this.#files = files;
  }

  differences(values: Values): readonly string[] {
    const found = operate(this.#of(values.online ?? ''), values);
    const { code, message, state_after, owner_after, last_after, flags_after, execs } = values as Record<
      string,
      string
    >;
    const expected = { code, message, state_after, owner_after, last_after, flags_after, execs } as Values;
    return valueDifferences(found, expected);
  }

  #of(online: string): RecordedCluster {
    const known = this.#clusters.get(online);
    if (known !== undefined) return known;
    const made = new RecordedCluster(OPERATION_CONF, digits(online), recordedAgents(this.#files));
    this.#clusters.set(online, made);
    return made;
  }
}

export function tableCases(files: RecordedFiles): readonly RecordedCase[] {
  const domains = new DomainClusters(files);
  const operations = new OperationClusters(files);
  return [
    ...rowCases(files, 'domain-scores.csv', (values) => {
      const found = scores(values);
      return valueDifferences(found, Object.fromEntries(Object.keys(found).map((name) => [name, values[name] ?? ''])));
    }),
    ...rowCases(files, 'domain-transitions.csv', (values) => transitionDifferences(domains.transition(values), values)),
    ...rowCases(files, 'operations.csv', (values) => operations.differences(values)),
  ];
}
