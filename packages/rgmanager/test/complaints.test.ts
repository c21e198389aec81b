import { SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { recordedAgents } from '../src/conformance/recorded-files.js';
import { type Policy, Result, type RgRequest, ServiceState } from '../src/index.js';
import { type AgentCall, RgCluster } from '../src/virtual-cluster.js';
import { parseConf } from './parse-conf.js';
import { vectors } from './vectors.js';

// What users complained about, as the original (in its last form) does it, and what a switch makes of it.

const agents = recordedAgents(vectors);
const NODES = [1, 2, 3];
const DOMAIN = `<failoverdomains><failoverdomain name="d" ordered="1">
  ${NODES.map((id) => `<failoverdomainnode name="node${id}" priority="${id}"/>`).join('')}
</failoverdomain></failoverdomains>`;

function confOf(rm: string): ReturnType<typeof parseConf> {
  const nodes = NODES.map((id) => `<clusternode name="node${id}" nodeid="${id}"/>`).join('');
  return parseConf(`<cluster><clusternodes>${nodes}</clusternodes><rm>${rm}</rm></cluster>`);
}

const service = (name: string, attributes = ''): string =>
  `<service name="${name}" ${attributes}><script name="${name}" file="/etc/init.d/${name}"/></service>`;

/** A cluster of three nodes that are up. */
function clusterOf(rm: string, policy: Partial<Policy> = {}): RgCluster {
  const cluster = new RgCluster(confOf(rm), { agents, policy });
  for (const id of NODES) cluster.start(id);
  cluster.run(20 * SECOND);
  return cluster;
}

function fails(cluster: RgCluster, isFailing: (call: AgentCall) => boolean): void {
  cluster.agent = (call) => ({ takes: 0, status: isFailing(call) ? 1 : 0 });
}

function ask(cluster: RgCluster, node: number, request: RgRequest): { code: number; owner: number } | undefined {
  const from = cluster.told.length;
  cluster.request(node, request);
  cluster.run(30 * SECOND);
  const reply = cluster.told.slice(from).find((told) => told.kind === 'reply');
  return reply?.kind === 'reply' && reply.reply.kind === 'result' ? reply.reply : undefined;
}

function place(cluster: RgCluster, name: string): readonly (number | undefined)[] {
  const record = cluster.record(`service:${name}`);
  return [record?.state, record?.owner];
}

describe('1: a failed stop ends automation', () => {
  const failing = (policy: Partial<Policy>): RgCluster => {
    const cluster = clusterOf(DOMAIN + service('web', 'domain="d"'), policy);
    fails(cluster, ({ node, action, resource }) => node === 1 && resource === 'script:web' && action !== 'start');
    cluster.run(90 * SECOND);
    return cluster;
  };

  it('as in the original the service is failed, and only a disable helps', () => {
    const cluster = failing({});
    expect(place(cluster, 'web')).toEqual([ServiceState.FAILED, 0]);
    expect(ask(cluster, 2, { kind: 'enable', service: 'service:web' })?.code).not.toBe(Result.SUCCESS);
    expect(ask(cluster, 2, { kind: 'disable', service: 'service:web' })?.code).toBe(Result.SUCCESS);
    expect(ask(cluster, 2, { kind: 'enable', service: 'service:web' })?.code).toBe(Result.SUCCESS);
  });

  it.each([
    ['as in the original an agent that never returns is waited for', {}, ServiceState.STOPPING, 1],
    ['with timeouts it is killed when its time is up', { enforcesTimeouts: true }, ServiceState.FAILED, 0],
    [
      'with fencing as well the service runs elsewhere',
      { enforcesTimeouts: true, fencesFailedStops: true },
      ServiceState.STARTED,
      2,
    ],
  ])('%s', (_, policy, state, owner) => {
    // script.sh has no timeouts, ip.sh 20 s.
    const cluster = clusterOf(`${DOMAIN}<service name="web" domain="d"><ip address="10.0.0.1"/></service>`, policy);
    cluster.agent = ({ node, action }) => ({ takes: node === 1 && action === 'stop' ? Infinity : 0, status: 0 });
    cluster.request(1, { kind: 'restart', service: 'service:web' });
    cluster.run(600 * SECOND);
    expect(place(cluster, 'web')).toEqual([state, owner]);
  });

  it('with fencing for failed stops it runs elsewhere', () => {
    const cluster = failing({ fencesFailedStops: true });
    expect([cluster.has(1), place(cluster, 'web')]).toEqual([false, [ServiceState.STARTED, 2]]);
  });
});

describe('2: dependent services stuck in recovering', () => {
  const rm =
    DOMAIN + service('base', 'domain="d" recovery="relocate"') + service('top', 'domain="d" depend="service:base"');

  it('what depends on a service that fails over is not left in recovery, and starts when that has', () => {
    const cluster = clusterOf(rm);
    fails(cluster, ({ node, action }) => node === 1 && action === 'status');
    cluster.run(120 * SECOND);
    expect(place(cluster, 'base')).toEqual([ServiceState.STARTED, 2]);
    expect(place(cluster, 'top')[0]).not.toBe(ServiceState.RECOVER);
  });

  it('nor when the node of both dies', () => {
    const cluster = clusterOf(rm);
    cluster.kill(1);
    cluster.lose(1);
    cluster.fenced(1);
    cluster.run(60 * SECOND);
    expect([place(cluster, 'base'), place(cluster, 'top')]).toEqual([
      [ServiceState.STARTED, 2],
      [ServiceState.STARTED, 2],
    ]);
  });
});

describe('3: a deadlock at a reconfiguration made all services unresponsive', () => {
  it('configurations that come while services start, stop and fail are all taken, and services answer', () => {
    const rm = (extra: string): string => DOMAIN + service('a', 'domain="d"') + service('b') + extra;
    const cluster = clusterOf(rm(''));
    cluster.agent = ({ action }) => ({
      takes: action === 'status' ? 0 : 2 * SECOND,
      status: action === 'status' ? 1 : 0,
    });
    for (let i = 0; i < 8; i++) {
      cluster.request(NODES[i % 3]!, { kind: 'restart', service: i % 2 === 0 ? 'service:a' : 'service:b' });
      cluster.reconfigure(confOf(rm(i % 2 === 0 ? service('c') : '')));
      cluster.run(3 * SECOND);
    }
    cluster.agent = () => ({ takes: 0, status: 0 });
    cluster.reconfigure(confOf(rm(service('c'))));
    cluster.run(120 * SECOND);
    for (const name of ['a', 'b', 'c']) {
      expect(place(cluster, name)[0], name).toBe(ServiceState.STARTED);
      const code = ask(cluster, 2, { kind: 'restart', service: `service:${name}` })?.code;
      expect(code, name).toBe(Result.SUCCESS);
    }
    for (const id of NODES)
      expect(cluster.inspect(id)).toMatchObject({ threads: [], waitingLocks: 0, runningAgents: [] });
  });
});

describe('4: wrong owner reported by clusvcadm -e -F', () => {
  it('the reply names the node that runs it', () => {
    const cluster = clusterOf(DOMAIN + service('web', 'domain="d"'));
    ask(cluster, 1, { kind: 'disable', service: 'service:web' });
    const reply = ask(cluster, 3, { kind: 'enable', service: 'service:web', isDomainStart: true });
    expect([reply, place(cluster, 'web')]).toEqual([
      { kind: 'result', code: Result.SUCCESS, owner: 1 },
      [ServiceState.STARTED, 1],
    ]);
  });
});

describe('5: placement is a race or random, and services pile up', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const loads = (policy: Partial<Policy>): readonly number[] => {
    const cluster = clusterOf(names.map((name) => service(name)).join(''), policy);
    const owners = names.map((name) => place(cluster, name)[1]);
    return NODES.map((node) => owners.filter((owner) => owner === node).length);
  };

  it('as in the original who comes first has them all', () => {
    expect(Math.max(...loads({}))).toBe(6);
  });

  it('with a coordinator each node has its share', () => {
    expect(loads({ hasCoordinator: true })).toEqual([2, 2, 2]);
  });

  it('with capacities each has what it can bear', () => {
    const capacities = new Map([
      [1, 1],
      [2, 3],
      [3, 2],
    ]);
    const needs = new Map(names.map((name) => [`service:${name}`, 1]));
    expect(loads({ hasCoordinator: true, capacities, needs })).toEqual([1, 3, 2]);
  });
});
