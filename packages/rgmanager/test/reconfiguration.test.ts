import { MILLISECOND, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { recordedAgents } from '../src/conformance/recorded-files.js';
import { type ConfElement, ServiceState } from '../src/index.js';
import { RgCluster } from '../src/virtual-cluster.js';
import { parseConf } from './parse-conf.js';
import { vectors } from './vectors.js';

const agents = recordedAgents(vectors);

const script = (name: string): string => `<script name="${name}" file="/etc/init.d/${name}"/>`;
const confOf = (...scripts: readonly string[]): ConfElement =>
  parseConf(`<cluster><clusternodes><clusternode name="node1" nodeid="1"/></clusternodes>
    <rm><service name="web" recovery="restart">${scripts.map(script).join('')}</service></rm></cluster>`);

describe('a new configuration that comes while a service starts', () => {
  // Service chaos, seed 13: the record did not say yet that the service runs here, so that nothing of it was stopped.
  it('stops what is no longer in it when the start has ended', () => {
    const cluster = new RgCluster(confOf('a', 'b'), { agents });
    const running = new Set<string>();
    cluster.agent = ({ resource, action }) => {
      if (action === 'start') running.add(resource);
      if (action === 'stop') running.delete(resource);
      return { takes: action === 'start' ? SECOND : 0, status: 0 };
    };
    cluster.start(1);
    while (!cluster.facts.some((fact) => fact.kind === 'rg.request-started' && fact.request === 'start'))
      cluster.run(MILLISECOND);
    cluster.reconfigure(confOf('a'));
    cluster.run(30 * SECOND);
    expect([cluster.record('service:web')?.state, [...running]]).toEqual([
      ServiceState.STARTED,
      ['service:web', 'script:a'],
    ]);
  });
});
