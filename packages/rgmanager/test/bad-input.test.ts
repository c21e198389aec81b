import { SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { recordedAgents } from '../src/conformance/recorded-files.js';
import { Result, type RgRequest, ServiceState } from '../src/index.js';
import { type AgentCall, RgCluster } from '../src/virtual-cluster.js';
import { parseConf } from './parse-conf.js';
import { vectors } from './vectors.js';

// What somebody got wrong costs the part that is wrong: it is named in the log, and everything else runs.

const agents = recordedAgents(vectors);
const NODES = [1, 2, 3];

const GOOD = '<service name="good"><script name="good" file="/etc/init.d/good"/></service>';
const script = (name: string, attributes = ''): string =>
  `<script name="${name}" file="/etc/init.d/${name}" ${attributes}/>`;

function confOf(rm: string): ReturnType<typeof parseConf> {
  const nodes = NODES.map((id) => `<clusternode name="node${id}" nodeid="${id}"/>`).join('');
  return parseConf(`<cluster><clusternodes>${nodes}</clusternodes><rm>${rm}</rm></cluster>`);
}

/** A cluster of three nodes that are up, with a service that has nothing wrong beside what is told. */
function clusterOf(rm: string): RgCluster {
  const cluster = new RgCluster(confOf(rm + GOOD), { agents });
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

function stateOf(cluster: RgCluster, name: string): number | undefined {
  return cluster.record(`service:${name}`)?.state;
}

/** What node 1 has complained of since. */
function complaints(cluster: RgCluster, from = 0): readonly string[] {
  const grave = ['warning', 'err', 'crit', 'alert', 'emerg'];
  return cluster.told
    .slice(from)
    .flatMap((told) => (told.kind === 'log' && told.node === 1 && grave.includes(told.priority) ? [told.text] : []));
}

/** Resources that were started on any node, in order. */
function started(cluster: RgCluster): readonly string[] {
  return cluster.told.flatMap((told) =>
    told.kind === 'exec' && told.call.action === 'start' && !told.call.resource.endsWith(':good')
      ? [told.call.resource]
      : [],
  );
}

/** The service that has nothing wrong runs, and does what it is told. */
function expectService(cluster: RgCluster): void {
  expect(stateOf(cluster, 'good')).toBe(ServiceState.STARTED);
  for (const node of NODES)
    expect(ask(cluster, node, { kind: 'restart', service: 'service:good' })).toBe(Result.SUCCESS);
}

describe('what names nothing is left out, and named', () => {
  it.each([
    [
      'an agent that is not there',
      `<service name="bad"><flux name="f">${script('below')}</flux>${script('s')}</service>`,
      ['No agent for resource flux:f; leaving it out, and what is below it'],
      ['service:bad', 'script:s'],
    ],
    [
      'an agent that is not there, for resources and whole services',
      `<resources><flux name="f"/></resources><flux name="g">${script('s')}</flux><service name="bad"><flux ref="f"/></service>`,
      [
        'No agent for resource flux:g; leaving it out, and what is below it',
        'No agent for resource flux:f; leaving it out, and what is below it',
        'No agent for resource flux:f; leaving it out, and what is below it',
      ],
      ['service:bad'],
    ],
    [
      'a reference to nothing',
      `<service name="bad"><script ref="none">${script('below')}</script>${script('s')}</service>`,
      ['Error: Reference to nonexistent resource none (type script)'],
      ['service:bad', 'script:s'],
    ],
    [
      'a reference to what belongs to another service',
      `<service name="bad">${script('s')}</service><service name="worse"><script ref="s"/></service>`,
      ['Error: Reference to inlined resource s (type script) is illegal'],
      ['service:bad', 'script:s', 'service:worse'],
    ],
    [
      'a reference to the element that has it',
      '<service name="bad"><script name="s" ref="s" file="/etc/init.d/s"/></service>',
      ['Error: Reference to nonexistent resource s (type script)'],
      ['service:bad'],
    ],
    [
      'a dependence on nothing, which nothing can miss',
      `<service name="bad" depend="service:none">${script('s')}</service>`,
      ['service:bad depends on service:none, which does not exist'],
      ['service:bad', 'script:s'],
    ],
  ])('%s', (_, rm, named, runs) => {
    const cluster = clusterOf(rm);
    expect([complaints(cluster), started(cluster)]).toEqual([named, runs]);
    expectService(cluster);
  });
});

describe('references in a circle', () => {
  it('a resource below itself is started as often as it stands there, and no oftener', () => {
    const rm = `<resources>${script('s')}</resources>
      <service name="bad"><script ref="s"><script ref="s"/></script></service>`;
    const cluster = clusterOf(rm);
    expect([complaints(cluster), started(cluster)]).toEqual([[], ['service:bad', 'script:s', 'script:s']]);
    expectService(cluster);
  });

  it.each([
    ['itself', ['a'], 'service:a depends on service:a: none of them can start'],
    ['each other', ['a', 'b'], 'service:a depends on service:b depends on service:a: none of them can start'],
    [
      'one another',
      ['c', 'b', 'a'],
      'service:c depends on service:b depends on service:a depends on service:c: none of them can start',
    ],
  ])('services that depend on %s never start, also when they are told to', (_, names, named) => {
    const service = (name: string, i: number): string =>
      `<service name="${name}" depend="service:${names[(i + 1) % names.length]}">${script(name)}</service>`;
    const cluster = clusterOf(names.map(service).join(''));
    expect([complaints(cluster), started(cluster)]).toEqual([[named], []]);
    expect(ask(cluster, 1, { kind: 'enable', service: 'service:a' })).toBe(Result.DEPEND);
    expect(stateOf(cluster, 'a')).toBe(ServiceState.STOPPED);
    expectService(cluster);
  });
});

describe('agents that never return', () => {
  /** A service with an address, whose agent hangs in one action on node 1, which has it. */
  function hanging(action: string, attributes: string): RgCluster {
    const domain = `<failoverdomains><failoverdomain name="d" ordered="1">
      ${NODES.map((id) => `<failoverdomainnode name="node${id}" priority="${id}"/>`).join('')}
    </failoverdomain></failoverdomains>`;
    const cluster = clusterOf(
      `${domain}<service name="bad" domain="d" recovery="relocate"><ip address="10.0.0.1" ${attributes}/></service>`,
    );
    expect(cluster.record('service:bad')).toMatchObject({ state: ServiceState.STARTED, owner: 1 });
    const hangs = (call: AgentCall): boolean =>
      call.node === 1 && call.resource.startsWith('ip:') && call.action === action;
    cluster.agent = (call) => ({ takes: hangs(call) ? Infinity : 0, status: 0 });
    if (action !== 'status') cluster.request(1, { kind: 'restart', service: 'service:bad' });
    cluster.run(300 * SECOND);
    return cluster;
  }

  const { STARTING, STARTED, STOPPING, FAILED } = ServiceState;
  const LIMITED = '__enforce_timeouts="1"';
  const TIMED_OUT = (action: string, sec = 20): string => `${action} on ip:10.0.0.1 timed out after ${sec} seconds`;

  it.each([
    ['start is waited for', 'start', '', STARTING, 1, []],
    ['stop is waited for', 'stop', '', STOPPING, 1, []],
    ['status is waited for, once', 'status', '', STARTED, 1, []],
    ['start is killed in time, and the service runs elsewhere', 'start', LIMITED, STARTED, 2, [TIMED_OUT('start')]],
    ['stop is killed in time, and the service has failed', 'stop', LIMITED, FAILED, 0, [TIMED_OUT('stop')]],
    [
      'status is killed in time, and the service runs elsewhere',
      'status',
      LIMITED,
      STARTED,
      2,
      [TIMED_OUT('status', 10)],
    ],
  ])('%s', (_, action, attributes, state, owner, named) => {
    const cluster = hanging(action, attributes);
    expect(cluster.record('service:bad')).toMatchObject({ state, owner });
    expect(complaints(cluster).filter((text) => text.includes('timed out'))).toEqual(named);
    expect(cluster.inspect(1).runningAgents).toHaveLength(attributes === '' ? 1 : 0);
    expectService(cluster);
  });

  it('whoever gives the service an order waits, and hears when its node is gone; then it runs elsewhere', () => {
    const cluster = hanging('stop', '');
    expect(ask(cluster, 2, { kind: 'disable', service: 'service:bad' })).toBe(undefined);
    cluster.kill(1);
    cluster.lose(1);
    cluster.fenced(1);
    cluster.run(60 * SECOND);
    const replies = cluster.told.flatMap((told) => (told.kind === 'reply' ? [told.reply] : []));
    expect(replies.at(-1)).toEqual({ kind: 'result', code: Result.NODE, owner: 2 });
    expect(cluster.record('service:bad')).toMatchObject({ state: STARTED, owner: 2 });
  });
});
