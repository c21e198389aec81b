import {
  type Check,
  defineInvariant,
  type Invariant,
  type Nanos,
  type NodeStateFact,
  SECOND,
  type Stamped,
  type Verdict,
} from '@quorate/kernel';
import type { RgFact } from '../fact.js';
import { ServiceFlag, ServiceState } from '../state/service-record.js';
import { PerLife } from './per-life.js';

/** Nothing but checks has happened to a service on its owner for so long. */
const SETTLED_AFTER: Nanos = 10 * SECOND;

type AgentState = 'started' | 'stopped' | 'failed';

/** What one node runs. */
interface Host {
  /** Resources by service, as the configuration in use has them. */
  readonly trees: Map<string, ReadonlySet<string>>;
  /** How the last start or stop of each resource ended, by service. */
  readonly agents: Map<string, Map<string, AgentState>>;
  /** Requests under way, by service. */
  readonly busy: Map<string, number>;
  changedAt: Nanos;
}

class RunningSet implements Check<RgFact | NodeStateFact> {
  readonly #hosts = new PerLife<Host>(() => ({ trees: new Map(), agents: new Map(), busy: new Map(), changedAt: 0 }));
  readonly #records = new Map<string, Stamped<Extract<RgFact, { kind: 'rg.service' }>>>();
  readonly #reported = new Set<string>();

  observe(fact: Stamped<RgFact | NodeStateFact>): void {
    if (fact.kind === 'node.state') {
      if (fact.state === 'off') this.#forget(fact.node);
      return;
    }
    const host = this.#hosts.of(fact);
    switch (fact.kind) {
      case 'rg.configured':
        host.changedAt = fact.at;
        host.trees.clear();
        for (const { service, tree } of fact.services) {
          host.trees.set(service, new Set(tree.map(({ resource }) => resource)));
        }
        return;
      case 'rg.service':
        this.#records.set(fact.service, fact);
        return;
      case 'rg.request-started':
        host.busy.set(fact.service, (host.busy.get(fact.service) ?? 0) + 1);
        host.changedAt = fact.at;
        return;
      case 'rg.request-ended':
        host.busy.set(fact.service, (host.busy.get(fact.service) ?? 1) - 1);
        if (fact.request !== 'status') host.changedAt = fact.at;
        return;
      case 'rg.agent-ended':
        this.#onAgent(host, fact);
    }
  }

  tick(at: Nanos, verdict: Verdict): void {
    for (const [service, { state, owner, flags, at: since }] of this.#records) {
      const host = this.#hosts.latest(owner);
      if (state !== ServiceState.STARTED || host === undefined || this.#reported.has(service)) continue;
      const isBusy = [...host.busy.values()].some((count) => count > 0);
      if (isBusy || at - Math.max(since, host.changedAt) < SETTLED_AFTER) continue;
      const wrong = difference(host, service, (flags & ServiceFlag.PARTIAL) !== 0);
      if (wrong === undefined) continue;
      this.#reported.add(service);
      verdict.violate(`node ${owner}: ${service} has settled, and ${wrong}`, [owner]);
    }
  }

  #onAgent(
    host: Host,
    { service, resource, action, status, at }: Stamped<Extract<RgFact, { kind: 'rg.agent-ended' }>>,
  ): void {
    if (action !== 'start' && action !== 'stop') return;
    const agents = host.agents.get(service) ?? new Map<string, AgentState>();
    host.agents.set(
      service,
      agents.set(resource, status !== 0 ? 'failed' : action === 'start' ? 'started' : 'stopped'),
    );
    host.changedAt = at;
  }

  #forget(node: number): void {
    const host = this.#hosts.latest(node);
    host?.trees.clear();
    host?.agents.clear();
    host?.busy.clear();
    for (const [service, { owner }] of this.#records) if (owner === node) this.#records.delete(service);
  }
}

/** What runs that should not, or does not that should; what failed to start or stop is told elsewhere. */
function difference({ trees, agents }: Host, service: string, isPartial: boolean): string | undefined {
  const tree = trees.get(service);
  if (tree === undefined) return undefined;
  const states = agents.get(service) ?? new Map<string, AgentState>();
  const left = [...states].find(([resource, state]) => state === 'started' && !tree.has(resource));
  if (left !== undefined) return `${left[0]} runs, which is not in it`;
  if (isPartial) return undefined;
  const lacking = [...tree].find((resource) => (states.get(resource) ?? 'stopped') === 'stopped');
  return lacking === undefined ? undefined : `${lacking} does not run`;
}

/**
 * Whatever way a service came to be started, through new configurations too, its owner runs what a start from nothing would run.
 * Resources that were given up (flag partial), and those whose agent failed, do not count.
 *
 * Source: Quorate's rgmanager specification, section 17, rule 6.
 */
export const runningSet: Invariant = defineInvariant<RgFact | NodeStateFact>({
  id: 'rgmanager.R6',
  name: 'running-set',
  statement: 'The owner of a settled service runs all resources of its tree as it is now, and none that it had before.',
  kinds: ['node.state', 'rg.configured', 'rg.service', 'rg.request-started', 'rg.request-ended', 'rg.agent-ended'],
  start: () => new RunningSet(),
});
