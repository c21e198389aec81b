import { expect, it } from 'vitest';
import { formatPlan, simulate } from '../src/what-if/simulate.js';
import { parseConf } from './parse-conf.js';

const CONF = `<cluster name="c" config_version="1"><clusternodes>
  <clusternode name="node1" nodeid="1"/><clusternode name="node2" nodeid="2"/></clusternodes><rm>
  <failoverdomains><failoverdomain name="d" ordered="1">
    <failoverdomainnode name="node1" priority="1"/><failoverdomainnode name="node2" priority="2"/>
  </failoverdomain></failoverdomains>
  <service name="web" domain="d"><script name="s" file="/etc/init.d/s"/></service></rm></cluster>`;

it('a plan shows where a service goes when its node dies, and that it comes back', () => {
  const parts = simulate(parseConf(CONF), [
    { kind: 'node-down', node: 1 },
    { kind: 'node-up', node: 1 },
  ]);
  expect(parts.map(({ services }) => services[0]!.owner)).toEqual([1, 2, 1]);
  expect(formatPlan(parts.slice(1, 2)).replace(/ +\d+\.\d\d /g, ' ')).toBe(
    [
      'node-down 1',
      ' node 2 Starting stopped service service:web',
      ' node 2 > start service:web',
      ' node 2 > start script:s',
      ' node 2 Service service:web started',
      '  service:web started on node 2',
      '',
    ].join('\n'),
  );
});

it('a node that runs cannot come up, and the last one cannot go down', () => {
  expect(() => simulate(parseConf(CONF), [{ kind: 'node-up', node: 1 }])).toThrow(RangeError);
  const down = [1, 2].map((node) => ({ kind: 'node-down', node }) as const);
  expect(() => simulate(parseConf(CONF), down)).toThrow(RangeError);
});
