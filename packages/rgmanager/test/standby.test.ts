import { Checker, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { recordedAgents } from '../src/conformance/recorded-files.js';
import { invariants, Result, type RgmanagerConfig, type RgRequest, ServiceState } from '../src/index.js';
import { type AgentCall, RgCluster } from '../src/virtual-cluster.js';
import { parseConf } from './parse-conf.js';
import { vectors } from './vectors.js';

const agents = recordedAgents(vectors);
const NODES = [1, 2, 3];

const domain = (name: string, flags: string, nodes: readonly number[]): string =>
  `<failoverdomain name="${name}" ${flags}>${nodes
    .map((id, i) => `<failoverdomainnode name="node${id}" priority="${i + 1}"/>`)
    .join('')}</failoverdomain>`;

const DOMAINS = `<failoverdomains>${domain('d', 'ordered="1"', NODES)}${domain('only1', 'restricted="1"', [1])}${domain(
  'stay',
  'ordered="1" nofailback="1"',
  NODES,
)}</failoverdomains>`;

const service = (name: string, attributes = ''): string =>
  `<service name="${name}" ${attributes}><script name="${name}" file="/etc/init.d/${name}"/></service>`;

const WEB = DOMAINS + service('web', 'domain="d"');

interface Way {
  readonly isCentral?: boolean;
  readonly config?: Partial<RgmanagerConfig>;
}

/** A cluster of three nodes that are up. */
function clusterOf(rm: string, { isCentral = false, config = {} }: Way = {}): RgCluster {
  const nodes = NODES.map((id) => `<clusternode name="node${id}" nodeid="${id}"/>`).join('');
  const central = isCentral ? 'central_processing="1"' : '';
  const conf = parseConf(`<cluster><clusternodes>${nodes}</clusternodes><rm ${central}>${rm}</rm></cluster>`);
  const cluster = new RgCluster(conf, { agents, ...config });
  for (const id of NODES) cluster.start(id);
  cluster.run(20 * SECOND);
  return cluster;
}

function ask(cluster: RgCluster, node: number, request: RgRequest): number | undefined {
  const from = cluster.told.length;
  cluster.request(node, request);
  cluster.run(30 * SECOND);
  const reply = cluster.told.slice(from).find((told) => told.kind === 'reply');
  return reply?.kind === 'reply' && reply.reply.kind === 'result' ? reply.reply.code : undefined;
}

function standby(cluster: RgCluster, node: number, from = 2): void {
  expect(ask(cluster, from, { kind: 'standby', node })).toBe(Result.SUCCESS);
}

function unstandby(cluster: RgCluster, node: number, from = 2): void {
  expect(ask(cluster, from, { kind: 'unstandby', node })).toBe(Result.SUCCESS);
}

function die(cluster: RgCluster, ...nodes: readonly number[]): void {
  for (const node of nodes) cluster.kill(node);
  cluster.lose(...nodes);
  cluster.fenced(...nodes);
  cluster.run(20 * SECOND);
}

function place(cluster: RgCluster, name = 'web'): readonly (number | undefined)[] {
  const record = cluster.record(name.includes(':') ? name : `service:${name}`, cluster.running.at(-1));
  return [record?.state, record?.owner];
}

function violationsOf(cluster: RgCluster): readonly string[] {
  const checker = new Checker(invariants);
  for (const fact of cluster.facts) checker.observe(fact);
  return checker.violations.map(({ message }) => message);
}

/** Where agents were started since then. */
function startsSince(cluster: RgCluster, from: number): readonly number[] {
  const starts = cluster.told.slice(from).flatMap((told) => (told.kind === 'exec' ? [told.call] : []));
  return starts.filter(({ action }: AgentCall) => action === 'start').map(({ node }) => node);
}

const { STARTED, STOPPED, DISABLED } = ServiceState;

describe.each<readonly [string, Way]>([
  ['where each node decides for itself', {}],
  ['with a coordinator', { config: { policy: { hasCoordinator: true } } }],
  ['with a master', { isCentral: true }],
])('standby, %s', (_, way) => {
  it('takes the services of a node elsewhere, and brings them back as a join would', () => {
    const cluster = clusterOf(WEB + service('kept', 'domain="stay"'), way);
    expect([place(cluster), place(cluster, 'kept')]).toEqual([
      [STARTED, 1],
      [STARTED, 1],
    ]);
    standby(cluster, 1);
    expect([place(cluster), place(cluster, 'kept')]).toEqual([
      [STARTED, 2],
      [STARTED, 2],
    ]);
    expect(cluster.inspect(3).standby).toEqual([1]);
    unstandby(cluster, 1);
    expect([place(cluster), place(cluster, 'kept')]).toEqual([
      [STARTED, 1],
      [STARTED, 2],
    ]);
  });

  it('is not lost when the node leaves and comes back', () => {
    const cluster = clusterOf(WEB, way);
    standby(cluster, 1);
    die(cluster, 1);
    const from = cluster.told.length;
    cluster.start(1);
    cluster.run(30 * SECOND);
    expect([cluster.inspect(1).standby, startsSince(cluster, from), place(cluster)]).toEqual([[1], [], [STARTED, 2]]);
    die(cluster, 2);
    expect(place(cluster)).toEqual([STARTED, 3]);
    unstandby(cluster, 1, 3);
    expect(place(cluster)).toEqual([STARTED, 1]);
  });

  it('is for nodes that are down, too', () => {
    const cluster = clusterOf(WEB, way);
    die(cluster, 1);
    standby(cluster, 1);
    cluster.start(1);
    cluster.run(30 * SECOND);
    expect(place(cluster)).toEqual([STARTED, 2]);
  });

  it('leaves a service stopped that may run nowhere else, until the node is back', () => {
    const cluster = clusterOf(DOMAINS + service('web', 'domain="only1"'), way);
    standby(cluster, 1);
    expect(place(cluster)).toEqual([STOPPED, 0]);
    expect(cluster.told.filter((told) => told.kind === 'log' && told.text.startsWith('#70'))).toEqual([]);
    unstandby(cluster, 1);
    expect(place(cluster)).toEqual([STARTED, 1]);
  });

  it('stops everything when all nodes are in it, and starts it with the first that is back', () => {
    const cluster = clusterOf(WEB, way);
    for (const node of NODES) standby(cluster, node);
    expect(place(cluster)).toEqual([STOPPED, 0]);
    unstandby(cluster, 3);
    expect(place(cluster)).toEqual([STARTED, 3]);
  });

  it('leaves a frozen service where it is until it is unfrozen', () => {
    const cluster = clusterOf(WEB, way);
    ask(cluster, 2, { kind: 'freeze', service: 'service:web' });
    standby(cluster, 1);
    expect(place(cluster)).toEqual([STARTED, 1]);
    ask(cluster, 2, { kind: 'unfreeze', service: 'service:web' });
    expect(place(cluster)).toEqual([STARTED, 2]);
  });

  // Service chaos, seeds 0x56, 0x14e and 0x192: for placement its owner was not there, so any node was better.
  it('leaves a frozen service where it is when a node comes', () => {
    const cluster = clusterOf(DOMAINS + service('web', 'domain="stay"'), way);
    ask(cluster, 2, { kind: 'freeze', service: 'service:web' });
    standby(cluster, 1);
    standby(cluster, 3);
    const from = cluster.told.length;
    unstandby(cluster, 3);
    const told = cluster.told.slice(from).flatMap((each) => (each.kind === 'log' ? [each.text] : []));
    expect([told.filter((text) => text.startsWith('Relocating')), violationsOf(cluster)]).toEqual([[], []]);
  });

  it('waits while services are locked', () => {
    const cluster = clusterOf(WEB, way);
    ask(cluster, 2, { kind: 'lock' });
    standby(cluster, 1);
    expect(place(cluster)).toEqual([STARTED, 1]);
    ask(cluster, 2, { kind: 'unlock' });
    cluster.run(30 * SECOND);
    expect(place(cluster)).toEqual([STARTED, 2]);
  });

  it.each([1, 2])('a user on node %d starts and moves services past it', (asked) => {
    const cluster = clusterOf(WEB, way);
    standby(cluster, 1);
    ask(cluster, 2, { kind: 'disable', service: 'service:web' });
    expect(place(cluster)).toEqual([DISABLED, 0]);
    expect(ask(cluster, asked, { kind: 'enable', service: 'service:web' })).toBe(Result.SUCCESS);
    expect(place(cluster)).toEqual([STARTED, 2]);
    ask(cluster, asked, { kind: 'relocate', service: 'service:web', target: 1 });
    expect(place(cluster)).toEqual([STARTED, 3]);
    ask(cluster, asked, { kind: 'restart', service: 'service:web' });
    expect(place(cluster)[0]).toBe(STARTED);
    expect(place(cluster)[1]).not.toBe(1);
  });

  it('a service that fails is never recovered there', () => {
    const cluster = clusterOf(WEB, way);
    standby(cluster, 1);
    const from = cluster.told.length;
    let isWell = false;
    cluster.agent = ({ action, node }) => ({
      takes: 0,
      status: !isWell && (action === 'status' || node === 3) ? 1 : 0,
    });
    cluster.run(120 * SECOND);
    isWell = true;
    cluster.run(60 * SECOND);
    expect(startsSince(cluster, from)).not.toContain(1);
    expect(place(cluster)).toEqual([STARTED, 2]);
  });

  it('survives that all nodes lose quorum', () => {
    const cluster = clusterOf(WEB, way);
    standby(cluster, 1);
    let isQuorate = false;
    cluster.isQuorate = () => isQuorate;
    cluster.lose();
    cluster.run(30 * SECOND);
    isQuorate = true;
    const from = cluster.told.length;
    cluster.lose();
    cluster.run(60 * SECOND);
    expect([place(cluster), cluster.inspect(1).standby]).toEqual([[STARTED, 2], [1]]);
    expect(startsSince(cluster, from)).not.toContain(1);
    standby(cluster, 3);
    expect(cluster.inspect(1).standby).toEqual([1, 3]);
  });

  it('of a node that dies in the midst of it leaves nothing stopped', () => {
    for (const after of [5, 40, 1010, 1040, 2100]) {
      const cluster = clusterOf(WEB, way);
      cluster.agent = () => ({ takes: SECOND, status: 0 });
      cluster.request(2, { kind: 'standby', node: 1 });
      cluster.run(after * 1e6);
      die(cluster, 1);
      cluster.run(60 * SECOND);
      expect(place(cluster), `${after} ms`).toEqual([STARTED, 2]);
    }
  });
});

describe('a node in standby', () => {
  it('is cleared by the next master when one dies in the midst of it', () => {
    for (const after of [5, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 20, 22, 40, 1010, 1040, 2100]) {
      const cluster = clusterOf(WEB, { isCentral: true });
      expect([cluster.inspect(3).master, place(cluster)]).toEqual([1, [STARTED, 1]]);
      cluster.agent = () => ({ takes: SECOND, status: 0 });
      ask(cluster, 3, { kind: 'relocate', service: 'service:web', target: 2 });
      cluster.request(3, { kind: 'standby', node: 2 });
      cluster.run(after * 1e6);
      die(cluster, 1);
      cluster.run(60 * SECOND);
      expect(place(cluster), `${after} ms`).toEqual([STARTED, 3]);
    }
  });

  it('has guests migrate, and stops what cannot', () => {
    for (const status of [0, 150]) {
      const cluster = clusterOf(`${DOMAINS}<vm name="guest" domain="d"/>`);
      cluster.agent = ({ action }) => ({
        takes: 0,
        status: action === 'migrate' ? status : action === 'status-inquiry' ? 7 : 0,
      });
      const from = cluster.told.length;
      const was = place(cluster, 'vm:guest')[1]!;
      standby(cluster, was);
      expect(place(cluster, 'vm:guest')[0]).toBe(STARTED);
      expect(place(cluster, 'vm:guest')[1]).not.toBe(was);
      const actions = cluster.told.slice(from).flatMap((told) => (told.kind === 'exec' ? [told.call.action] : []));
      expect(actions.includes('stop')).toBe(status !== 0);
    }
  });

  it('can be named from any node, more than once, and must be configured', () => {
    const cluster = clusterOf(WEB);
    cluster.request(1, { kind: 'standby', node: 2 });
    cluster.request(3, { kind: 'standby', node: 3 });
    cluster.run(10 * SECOND);
    standby(cluster, 3);
    expect(NODES.map((id) => cluster.inspect(id).standby)).toEqual([
      [2, 3],
      [2, 3],
      [2, 3],
    ]);
    expect(ask(cluster, 1, { kind: 'standby', node: 9 })).toBe(Result.INVAL);
    unstandby(cluster, 1);
  });

  it('is in the answer for clustat, and only then', () => {
    const cluster = clusterOf(WEB);
    const statusOf = (): unknown => {
      cluster.request(1, { kind: 'status' });
      cluster.run(SECOND);
      return cluster.told.filter((told) => told.kind === 'reply').at(-1);
    };
    expect(statusOf()).not.toHaveProperty('reply.standby');
    standby(cluster, 3);
    expect(statusOf()).toHaveProperty('reply.standby', [3]);
  });
});
