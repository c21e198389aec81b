import { Checker, SECOND } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { recordedAgents } from '../src/conformance/recorded-files.js';
import { type ConfElement, invariants, ServiceState } from '../src/index.js';
import { RgCluster } from '../src/virtual-cluster.js';
import { parseConf } from './parse-conf.js';
import { vectors } from './vectors.js';

const agents = recordedAgents(vectors);

const service = (name: string, domain: string, scripts: readonly string[]): string =>
  `<service name="${name}" domain="${domain}">${scripts.map((each) => `<script name="${each}" file="/etc/init.d/${each}"/>`).join('')}</service>`;
const only = (node: number): string =>
  `<failoverdomain name="${node}" restricted="1"><failoverdomainnode name="node${node}"/></failoverdomain>`;
/** One service for each of two nodes; the scripts of the second may change. */
const confOf = (...scripts: readonly string[]): ConfElement =>
  parseConf(`<cluster><clusternodes>${[1, 2].map((id) => `<clusternode name="node${id}" nodeid="${id}"/>`).join('')}</clusternodes>
    <rm><failoverdomains>${[1, 2].map(only).join('')}</failoverdomains>${service('a', '1', ['a'])}${service('b', '2', scripts)}</rm></cluster>`);

// Service chaos, seed 0x63: a new configuration kept a node busy until the other had died, come back and started its service again.
it('a loss that is looked at when the node is back takes nothing from it', () => {
  const cluster = new RgCluster(confOf('b', 'c'), { agents });
  const isSlow = (resource: string, action: string): boolean => resource === 'script:c' && action === 'stop';
  cluster.agent = ({ resource, action }) => ({ takes: isSlow(resource, action) ? 60 * SECOND : 0, status: 0 });
  for (const id of [1, 2]) cluster.start(id);
  cluster.run(90 * SECOND);
  cluster.reconfigure(confOf('b'));
  cluster.run(SECOND);
  cluster.kill(1);
  cluster.lose(1);
  cluster.run(SECOND);
  cluster.fenced(1);
  cluster.run(SECOND);
  cluster.start(1, confOf('b'));
  cluster.run(120 * SECOND);
  const { state, owner } = cluster.record('service:a')!;
  const stops = cluster.told.filter((told) => told.kind === 'log' && told.text.startsWith('Marking service:a on down'));
  const checker = new Checker(invariants);
  for (const fact of cluster.facts) checker.observe(fact);
  expect([state, owner, stops.length, checker.violations]).toEqual([ServiceState.STARTED, 1, 1, []]);
});
