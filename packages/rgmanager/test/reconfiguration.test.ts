import { Checker, MILLISECOND, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { recordedAgents } from '../src/conformance/recorded-files.js';
import { type ConfElement, invariants, ServiceState } from '../src/index.js';
import { RgCluster } from '../src/virtual-cluster.js';
import { parseConf } from './parse-conf.js';
import { vectors } from './vectors.js';

const agents = recordedAgents(vectors);

const script = (name: string): string => `<script name="${name}" file="/etc/init.d/${name}"/>`;
const confOf = (...scripts: readonly string[]): ConfElement =>
  parseConf(`<cluster><clusternodes><clusternode name="node1" nodeid="1"/></clusternodes>
    <rm><service name="web" recovery="restart">${scripts.map(script).join('')}</service></rm></cluster>`);

describe('a new configuration that comes while a service is checked', () => {
  // Service chaos, seeds 1272 and 1286: what is found well needs no stop, and what was to be stopped ran on, and ran twice later.
  it('stops what is no longer in it when the check has ended', () => {
    const cluster = new RgCluster(confOf('a', 'b'), { agents });
    const running = new Set<string>();
    cluster.agent = ({ resource, action }) => {
      if (action === 'start') running.add(resource);
      if (action === 'stop') running.delete(resource);
      return { takes: action === 'status' ? 3 * SECOND : 0, status: 0 };
    };
    cluster.start(1);
    while (!cluster.facts.some((fact) => fact.kind === 'rg.agent-started' && fact.action === 'status'))
      cluster.run(MILLISECOND);
    cluster.reconfigure(confOf('a'));
    cluster.run(30 * SECOND);
    expect([...running]).toEqual(['service:web', 'script:a']);
  });
});

describe('a new configuration that comes while a service starts or stops', () => {
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

  // Service chaos, seed 0x25d: the end of the stop was decided, and had not come round when the record was looked at.
  it('starts nothing that is new in a service that was being stopped', () => {
    const cluster = new RgCluster(confOf('a', 'b'), { agents });
    const running = new Set<string>();
    cluster.agent = ({ resource, action }) => {
      if (action === 'start') running.add(resource);
      if (action === 'stop') running.delete(resource);
      return { takes: action === 'stop' ? SECOND : 0, status: 0 };
    };
    cluster.start(1);
    cluster.run(20 * SECOND);
    cluster.request(1, { kind: 'stop', service: 'service:web' });
    cluster.run(SECOND / 2);
    cluster.reconfigure(confOf('b', 'c'));
    cluster.run(30 * SECOND);
    expect([cluster.record('service:web')?.state, [...running]]).toEqual([ServiceState.STOPPED, []]);
  });
});

// Service chaos, seeds 0x89, 0x1f0 and 0x253: a file that only some had was a loss of quorum for the others, which were changing over to
// the one before. They went on when all was stopped, and started what was new in it.
describe.each([
  ['before quorum is there again', 20],
  ['when quorum has been there again since', 1],
])('a loss of quorum while services change over to a new configuration, %s', (_, seconds) => {
  const cluster = new RgCluster(confOf('a', 'b'), { agents });
  const slow = (action: string): boolean => action === 'stop';
  cluster.agent = ({ action }) => ({ takes: slow(action) ? 2 * SECOND : 0, status: 0 });
  cluster.start(1);
  cluster.run(20 * SECOND);
  cluster.reconfigure(confOf('b', 'c'));
  cluster.run(SECOND);
  cluster.isQuorate = () => false;
  cluster.lose();
  const from = cluster.facts.length;
  cluster.run(seconds * SECOND);
  const lossEnds = cluster.facts.length;
  cluster.isQuorate = () => true;
  cluster.lose();
  cluster.run(40 * SECOND);
  const violations = new Checker(invariants);
  for (const fact of cluster.facts) violations.observe(fact);

  it('starts nothing until services are looked at again', () => {
    const isStart = ({ kind, ...fact }: { readonly kind: string }): boolean =>
      kind === 'rg.agent-started' && 'action' in fact && fact.action === 'start';
    expect([cluster.facts.slice(from, lossEnds).filter(isStart), violations.violations]).toEqual([[], []]);
  });

  it('ends in the new one', () => {
    const starts = cluster.facts.slice(lossEnds).flatMap((fact) => {
      return fact.kind === 'rg.agent-started' && fact.action === 'start' ? [fact.resource] : [];
    });
    expect([starts, cluster.record('service:web')?.state]).toEqual([
      ['service:web', 'script:b', 'script:c'],
      ServiceState.STARTED,
    ]);
  });
});
