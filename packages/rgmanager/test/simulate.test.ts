import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type EventScript, ServiceState, stateText } from '../src/index.js';
import { type Agents, formatPlan, simulate, type WhatIfEvent } from '../src/what-if/index.js';
import { majority } from './majority.js';
import { parseConf } from './parse-conf.js';

const NODES = [1, 2, 3].map((id) => `<clusternode name="node${id}" nodeid="${id}"/>`).join('');
const SERVICE = `<failoverdomains><failoverdomain name="d" ordered="1">
    <failoverdomainnode name="node1" priority="1"/><failoverdomainnode name="node2" priority="2"/>
  </failoverdomain></failoverdomains>
  <service name="web" domain="d"><ip address="10.0.0.9"/><script name="s" file="/etc/init.d/s"/></service>`;

function confWith(beside = ''): ReturnType<typeof parseConf> {
  return parseConf(
    `<cluster name="c" config_version="1">${beside}<clusternodes>${NODES}</clusternodes><rm>${SERVICE}</rm></cluster>`,
  );
}

const down = (node: number): WhatIfEvent => ({ kind: 'node-down', node });
const up = (node: number): WhatIfEvent => ({ kind: 'node-up', node });

describe('a plan', () => {
  it('is what the README shows', () => {
    const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8');
    const parts = simulate(confWith(), [{ kind: 'resource-failed', resource: 'script:s' }, down(1)]);
    expect(readme).toContain(formatPlan(parts.slice(1)));
  });

  it('has a service come back to the node that its domain prefers', () => {
    const owners = simulate(confWith(), [down(1), up(1)]).map(({ services }) => services[0]!.owner);
    expect(owners).toEqual([1, 2, 1]);
  });

  it('has a node in standby hand its services over, and get them back', () => {
    const parts = simulate(confWith(), [{ kind: 'standby', node: 1 }, down(2), { kind: 'unstandby', node: 1 }]);
    expect(parts.map(({ services }) => services[0]!.owner)).toEqual([1, 2, 3, 1]);
    const text = formatPlan(parts);
    expect(text).toMatch(/^node 1 goes into standby\n[\s\S]*\? service:web: relocate on node 2\n/m);
    expect(text).toMatch(/^node 1 is back from standby$/m);
  });

  it('starts nothing where too few nodes are left, and everything when there are enough', () => {
    const parts = simulate(confWith(), [down(1), down(2), up(1)], { quorum: majority });
    expect(parts.map(({ isQuorate }) => isQuorate)).toEqual([true, true, false, true]);
    expect(parts.map(({ services }) => services[0]?.owner)).toEqual([1, 2, undefined, 1]);
  });

  it('knows no lack of quorum unless it is told the rule', () => {
    const parts = simulate(confWith(), [down(1), down(2)]);
    expect(parts.map(({ isQuorate, services }) => [isQuorate, services[0]!.owner])).toEqual([
      [true, 1],
      [true, 2],
      [true, 3],
    ]);
  });

  it('counts a quorum disk for who is left, and two nodes that may be one', () => {
    const withDisk = simulate(confWith('<quorumd label="q"/>'), [down(1), down(2)], { quorum: majority });
    expect(withDisk.map(({ isQuorate }) => isQuorate)).toEqual([true, true, true]);
    const twoNodes = simulate(confWith('<cman two_node="1" expected_votes="1"/>'), [down(1), down(2)], {
      quorum: majority,
    });
    expect(twoNodes.at(-1)!.services[0]!.owner).toBe(3);
  });

  it("has the answer to a request, and what agents take is the caller's", () => {
    const relocate: WhatIfEvent = { kind: 'service', operation: 'relocate', service: 'service:web', target: 2 };
    const [, part] = simulate(confWith(), [relocate], { agents: () => ({ takes: 7e9, status: 0 }) });
    expect(part!.services[0]!.owner).toBe(2);
    const reply = part!.steps.find(({ kind }) => kind === 'reply');
    expect(reply).toMatchObject({ text: 'Success' });
    // Three stops, one after the other, and three starts.
    expect(Math.round(reply!.after / 1e9)).toBe(42);
  });

  it('has a node fenced that cannot stop a service', () => {
    const agents: Agents = ({ node, action, resource }) => {
      return { takes: 0, status: node === 1 && action === 'stop' && resource === 'script:s' ? 1 : 0 };
    };
    const events: WhatIfEvent[] = [{ kind: 'resource-failed', resource: 'script:s' }];
    const ends = [false, true].map((fencesFailedStops) => {
      const [, part] = simulate(confWith(), events, { agents, policy: { fencesFailedStops } });
      const { state, owner } = part!.services[0]!;
      return [stateText(state), owner, part!.steps.some(({ text }) => text === 'fence node 1')];
    });
    expect(ends).toEqual([
      ['failed', 0, false],
      ['started', 2, true],
    ]);
  });

  it('under a coordinator says where the lowest node has services started', () => {
    const [start] = simulate(confWith(), [], { policy: { hasCoordinator: true } });
    const decisions = start!.steps.filter(({ kind }) => kind === 'decision').map(({ node, text }) => `${node} ${text}`);
    expect(decisions).toEqual(['1 service:web: start']);
  });

  it('knows a master that decides for all, and its scripts', () => {
    const conf = parseConf(
      `<cluster name="c" config_version="1"><clusternodes>${NODES}</clusternodes><rm central_processing="1">
      <events><event name="guard" class="service" service_state="recovering" file="/scripts/guard"/></events>${SERVICE}</rm></cluster>`,
    );
    const guard: EventScript = function* guard(event, cluster) {
      if (event.kind !== 'service') return;
      yield* cluster.serviceStop(event.service, true);
      cluster.stopProcessing();
    };
    const events: readonly WhatIfEvent[] = [down(1), up(1), { kind: 'resource-failed', resource: 'script:s' }];
    const parts = simulate(conf, events, { eventScripts: new Map([['/scripts/guard', guard]]) });
    expect(parts.map(({ services }) => [services[0]!.state, services[0]!.owner])).toEqual([
      [ServiceState.STARTED, 1],
      [ServiceState.STARTED, 2],
      [ServiceState.STARTED, 1],
      [ServiceState.DISABLED, 0],
    ]);
    expect(formatPlan(parts)).toContain('Moving service:web from 2 to [ 1 2 3 ]');
    expect(formatPlan(simulate(conf, []))).toContain('event guard: no script is installed as /scripts/guard');
  });

  it.each<readonly [readonly WhatIfEvent[], string]>([
    [[up(1)], 'node 1 cannot come up: it runs'],
    [[up(9)], 'node 9 cannot come up: it is not in cluster.conf'],
    [[{ kind: 'standby', node: 9 }], 'node 9 cannot standby: it is not in cluster.conf'],
    [[down(9)], 'node 9 cannot go down: it does not run'],
    [[down(1), down(2), down(3)], 'node 3 cannot go down: no other is left'],
    [[{ kind: 'resource-failed', resource: 'ip:1.2.3.4' }], 'resource ip:1.2.3.4 cannot fail: no node has started it'],
    [[{ kind: 'service', operation: 'disable', service: 'service:none' }], 'service:none is not in cluster.conf'],
  ])('is refused: %j', (events, complaint) => {
    expect(() => simulate(confWith(), events)).toThrow(new RangeError(complaint));
  });
});
