import { describe, expect, it } from 'vitest';
import { type ClustatView, formatClustat, parseClustat, type ServiceRecord, ServiceState } from '../src/index.js';
import { formatPlan, readClusterState, simulate, type WhatIfEvent } from '../src/what-if/index.js';
import { majority } from './majority.js';
import { parseConf } from './parse-conf.js';

const IDS = [1, 2, 3, 4];

function confWith(rm = ''): ReturnType<typeof parseConf> {
  const nodes = IDS.map((id) => `<clusternode name="node${id}" nodeid="${id}"/>`).join('');
  const domains = `<failoverdomains><failoverdomain name="d" ordered="1">${IDS.map(
    (id) => `<failoverdomainnode name="node${id}" priority="${id}"/>`,
  ).join('')}</failoverdomain></failoverdomains>`;
  const services = ['a', 'b'].map(
    (name, i) =>
      `<service name="${name}" domain="d"><ip address="10.0.0.${i + 1}"/><script name="${name}" file="/etc/init.d/${name}"/></service>`,
  );
  return parseConf(
    `<cluster name="c"><clusternodes>${nodes}</clusternodes><rm ${rm}>${domains}${services.join('')}</rm></cluster>`,
  );
}

interface Found {
  readonly services: readonly ServiceRecord[];
  readonly up?: readonly number[];
  readonly standby?: readonly number[];
  readonly master?: number;
}

/** What clustat -x prints of it. */
function clustatOf({ services, up = IDS, standby = [], master = 0 }: Found): string {
  const members = IDS.map((id) => ({
    ...{ id, name: `node${id}`, isOnline: up.includes(id), isLocal: id === up[0], hasRgmanager: up.includes(id) },
    ...{ isQuorumDisk: false, isStandby: standby.includes(id), isMaster: id === master },
  }));
  const view: ClustatView = {
    ...{ clusterName: 'c', clusterId: 1, generation: 8, wall: 1_700_000_000, isQuorate: true },
    ...{ members, services },
  };
  return formatClustat(parseClustat(['clustat', '-x']), view).output;
}

const stateOf = (found: Found): ReturnType<typeof readClusterState> =>
  readClusterState(confWith(), parseConf(clustatOf(found)));

const down = (node: number): WhatIfEvent => ({ kind: 'node-down', node });
const up = (node: number): WhatIfEvent => ({ kind: 'node-up', node });
const on = (operation: 'freeze' | 'disable' | 'relocate', service: string): WhatIfEvent => ({
  ...{ kind: 'service', operation, service: `service:${service}` },
  ...(operation === 'relocate' && { target: 3 }),
});
const standby = (node: number): WhatIfEvent => ({ kind: 'standby', node });

interface Case {
  readonly before: readonly WhatIfEvent[];
  readonly found?: Partial<Found>;
  readonly next: WhatIfEvent;
}

const CASES: readonly (readonly [string, Case])[] = [
  ['a node goes down', { before: [], next: down(1) }],
  ['the node that is wanted comes', { before: [down(1)], found: { up: [2, 3, 4] }, next: up(1) }],
  ['a service is disabled', { before: [on('disable', 'a')], next: down(1) }],
  ['a service is frozen', { before: [on('freeze', 'a')], next: down(1) }],
  ['a service is not at its best', { before: [on('relocate', 'a')], next: down(3) }],
  ['a node is in standby', { before: [standby(1)], found: { standby: [1] }, next: down(2) }],
  ['it comes back', { before: [standby(1)], found: { standby: [1] }, next: { kind: 'unstandby', node: 1 } }],
  ['a resource fails', { before: [], next: { kind: 'resource-failed', resource: 'script:b' } }],
];

describe('what follows from a state that is read is what follows from the events that led to it', () => {
  it.each(CASES)('%s', (_, { before, found = {}, next }) => {
    const whole = simulate(confWith(), [...before, next]);
    const [last, expected] = whole.slice(-2);
    const [first, part] = simulate(confWith(), [next], { state: stateOf({ services: last!.services, ...found }) });
    expect(first).toMatchObject({ steps: [], isFound: true, isQuorate: true, services: last!.services });
    const shown = (services: readonly ServiceRecord[]): unknown =>
      services.map(({ name, state, owner, lastOwner, flags }) => [name, state, owner, lastOwner, flags]);
    expect(shown(part!.services)).toEqual(shown(expected!.services));
    const agents = ({ steps }: typeof part & object): readonly string[] =>
      steps
        .filter(({ kind }) => kind === 'agent')
        .map(({ node, text }) => `${node} ${text}`)
        .sort();
    expect(agents(part!)).toEqual(agents(expected!));
  });

  it('with a master', () => {
    const services = simulate(confWith('central_processing="1"'), []).at(-1)!.services;
    const state = stateOf({ services, master: 3 });
    const [first, part] = simulate(confWith('central_processing="1"'), [down(1)], { state });
    expect(first!.steps).toEqual([]);
    expect(part!.services.map(({ owner }) => owner)).toEqual([2, 2]);
    // Who decides is the master that was found.
    const moves = part!.steps.filter(({ text }) => text.startsWith('Starting service:a on'));
    expect(moves.map(({ node }) => node)).toEqual([3]);
  });
});

describe('a state', () => {
  const { services } = simulate(confWith(), []).at(-1)!;

  it('has its own title', () => {
    expect(formatPlan(simulate(confWith(), [], { state: stateOf({ services }) }))).toBe(
      'as it is found\n      =>  service:a started on node 1\n      =>  service:b started on node 1\n',
    );
  });

  it.each<readonly [string, readonly [string | RegExp, string], string]>([
    ['an unknown node', ['name="node2"', 'name="other"'], 'found node "other", expected node1, node2, node3, node4'],
    [
      'an unknown owner',
      ['owner="node1"', 'owner="other"'],
      'found owner of service:a "other", expected node1, node2, node3, node4',
    ],
    ['an unknown service', ['service:b', 'service:x'], 'found group "service:x", which is not in cluster.conf'],
    [
      'an unknown state',
      ['state="112"', 'state="99"'],
      'found service:a in state 99, expected stopped, started, failed, recovering, disabled',
    ],
    [
      'a state in passing',
      ['state="112"', 'state="113"'],
      'found service:a stopping, expected stopped, started, failed, recovering, disabled',
    ],
    ['no number', ['restarts="0"', 'restarts="x"'], 'found service:a with restarts="x", expected a number'],
    [
      'no services',
      [/ {2}<groups>[\s\S]*<\/groups>\n/, ''],
      'found <clustat> without <nodes> or <groups>, expected what clustat -x prints on a node whose rgmanager runs',
    ],
    [
      'another file',
      [/clustat/g, 'cluster'],
      'found <cluster>, expected what clustat -x prints on a node whose rgmanager runs',
    ],
  ])('is refused with %s', (_, [from, to], complaint) => {
    const text = clustatOf({ services }).replace(from, to);
    expect(() => readClusterState(confWith(), parseConf(text))).toThrow(new RangeError(complaint));
  });

  it('is refused whose services run where rgmanager does not, and one without quorum', () => {
    expect(() => stateOf({ services, up: [2, 3] })).toThrow(
      'found service:a started on node 1, expected an owner whose rgmanager runs',
    );
    const stopped = services.map((record) => ({ ...record, state: ServiceState.STOPPED, owner: 0 }));
    const state = stateOf({ services: stopped, up: [2, 3] });
    expect(() => simulate(confWith(), [], { state, quorum: majority })).toThrow(
      'found members 2, 3, which have no quorum',
    );
  });
});
