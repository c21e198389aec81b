import { Checker, MILLISECOND, SECOND } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { recordedAgents } from '../src/conformance/recorded-files.js';
import { invariants, ServiceState } from '../src/index.js';
import { RgCluster } from '../src/virtual-cluster.js';
import { parseConf } from './parse-conf.js';
import { vectors } from './vectors.js';

const agents = recordedAgents(vectors);
const SERVICES = ['a', 'b', 'c', 'd'];

const service = (name: string): string =>
  `<service name="${name}" domain="first"><script name="${name}" file="/etc/init.d/${name}" __independent_subtree="1"/></service>`;
const member = (id: number): string => `<failoverdomainnode name="node${id}" priority="${id}"/>`;

/** Three nodes that are up; agents of scripts say what runs, and take a second to start and stop it. */
function clusterOfThree(): RgCluster {
  const nodes = [1, 2, 3].map((id) => `<clusternode name="node${id}" nodeid="${id}"/>`).join('');
  const domain = `<failoverdomains><failoverdomain name="first" ordered="1">${[1, 2, 3].map(member).join('')}</failoverdomain></failoverdomains>`;
  const rm = `<rm>${domain}${SERVICES.map(service).join('')}</rm>`;
  const cluster = new RgCluster(parseConf(`<cluster><clusternodes>${nodes}</clusternodes>${rm}</cluster>`), { agents });
  const running = new Set<string>();
  cluster.agent = ({ node, resource, action }) => {
    const key = `${node} ${resource}`;
    if (!resource.startsWith('script:')) return { takes: 0, status: 0 };
    if (action === 'start') running.add(key);
    if (action === 'stop') running.delete(key);
    return { takes: action === 'status' ? 0 : SECOND, status: action === 'status' && !running.has(key) ? 1 : 0 };
  };
  for (const id of [1, 2, 3]) cluster.start(id);
  cluster.run(20 * SECOND);
  return cluster;
}

function violationsOf(cluster: RgCluster): readonly string[] {
  const checker = new Checker(invariants);
  for (const fact of cluster.facts) checker.observe(fact);
  return checker.violations.map(({ message }) => message);
}

describe('a node that has quorum again', () => {
  // Service chaos, seed 101: a check found a service stopped of which the record said that it ran, and started it beside another node.
  it('checks no service that it has stopped, however long it waits to say so', () => {
    const cluster = clusterOfThree();
    cluster.isQuorate = (_, node) => node !== 1;
    cluster.kill(3);
    cluster.lose(3);
    cluster.run(5 * SECOND);
    cluster.isQuorate = () => true;
    cluster.lose();
    cluster.run(25 * SECOND);
    const from = cluster.told.length;
    cluster.fenced(3);
    cluster.run(60 * SECOND);
    expect(violationsOf(cluster)).toEqual([]);
    const checks = cluster.told
      .slice(from)
      .flatMap((told) => (told.kind === 'exec' && told.status !== 0 ? [told.call] : []));
    expect(checks).toEqual([]);
  });

  // Service chaos, seed 110: it said that it had stopped a service, and those who started it elsewhere were told that it ran.
  it('has told nobody what it wrote without it', () => {
    const cluster = clusterOfThree();
    cluster.request(1, { kind: 'disable', service: 'service:a' });
    cluster.run(SECOND / 2);
    cluster.isQuorate = () => false;
    cluster.lose();
    const from = cluster.facts.length;
    cluster.run(10 * SECOND);
    const told = cluster.facts.slice(from).filter(({ kind }) => kind === 'rg.service');
    expect(told).toEqual([]);
  });

  // Service chaos, seed 110 again: the others voted, and went by what was written.
  it('has told what it proposed with it', () => {
    const cluster = clusterOfThree();
    cluster.request(1, { kind: 'disable', service: 'service:a' });
    cluster.run(10 * SECOND);
    cluster.request(1, { kind: 'enable', service: 'service:a' });
    while (cluster.facts.at(-1)?.kind !== 'rg.view') cluster.run(MILLISECOND);
    cluster.run(MILLISECOND);
    cluster.isQuorate = (_, node) => node !== 1;
    const from = cluster.facts.length;
    cluster.lose();
    cluster.run(SECOND / 2);
    const told = cluster.facts.slice(from).flatMap((fact) => (fact.kind === 'rg.service' ? [fact.state] : []));
    cluster.isQuorate = () => true;
    cluster.lose();
    cluster.run(MILLISECOND);
    expect([told, cluster.record('service:a', 2)?.state]).toEqual([[ServiceState.STARTING], ServiceState.STARTING]);
  });
});

// Service chaos, seed 0x1b2: a node whose configuration was of another version lost quorum, and was a member all the same. It forgot who
// waited for its answer, and they waited for ten minutes, or for ever.
describe('a node that loses quorum and stays a member', () => {
  function repliesTo(cluster: RgCluster, seconds: number, ask: () => void): readonly unknown[] {
    const from = cluster.told.length;
    ask();
    cluster.run(seconds * SECOND);
    cluster.isQuorate = (_, node) => node !== 1;
    cluster.lose();
    cluster.run(5 * SECOND);
    cluster.isQuorate = () => true;
    cluster.lose();
    cluster.run(20 * SECOND);
    return cluster.told.slice(from).flatMap((told) => (told.kind === 'reply' ? [told.reply] : []));
  }

  it('answers what it was asked to do before', () => {
    const cluster = clusterOfThree();
    const restart = (): void => cluster.request(2, { kind: 'restart', service: 'service:a' });
    expect(repliesTo(cluster, 0.5, restart)).toHaveLength(1);
  });

  it('answers whether it has started what it was asked to start', () => {
    const cluster = clusterOfThree();
    cluster.request(1, { kind: 'relocate', service: 'service:a', target: 3 });
    cluster.run(10 * SECOND);
    const relocate = (): void => cluster.request(3, { kind: 'relocate', service: 'service:a', target: 1 });
    expect(repliesTo(cluster, 1.5, relocate)).toHaveLength(1);
    cluster.run(20 * SECOND);
    expect([cluster.record('service:a', 3)?.state, violationsOf(cluster)]).toEqual([ServiceState.STARTED, []]);
  });
});
