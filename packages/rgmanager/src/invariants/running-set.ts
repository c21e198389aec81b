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
import { LockWaits } from './lock-waits.js';
import { PerLife } from './per-life.js';

/** Nothing but checks has happened to a service on its owner for so long. */
const SETTLED_AFTER: Nanos = 10 * SECOND;

type Of<K extends RgFact['kind']> = Stamped<Extract<RgFact, { readonly kind: K }>>;

type AgentState = 'started' | 'stopped' | 'failed';

/** What one node runs. */
interface Host {
  /** Resources by service, as the configuration in use has them. */
  readonly trees: Map<string, ReadonlySet<string>>;
  /** How the last start or stop of each resource ended, by service. */
  readonly agents: Map<string, Map<string, AgentState>>;
  /** Requests under way, by service. */
  readonly busy: Map<string, number>;
  isQuorate: boolean;
  isPaused: boolean;
  changedAt: Nanos;
}

class RunningSet implements Check<RgFact | NodeStateFact> {
  readonly #hosts = new PerLife<Host>(freshHost);
  readonly #records = new Map<string, Of<'rg.service'>>();
  readonly #lockWaits = new LockWaits();
  readonly #reported = new Set<string>();

  observe(fact: Stamped<RgFact | NodeStateFact>): void {
    switch (fact.kind) {
      case 'rg.lock':
      case 'rg.view':
        return this.#lockWaits.observe(fact);
      case 'node.state':
        this.#lockWaits.observe(fact);
        return this.#onNode(fact);
      case 'rg.service':
        return this.#onRecord(fact);
      case 'rg.configured':
        return this.#onConfigured(fact);
      case 'rg.members':
        return this.#onMembers(fact);
      case 'rg.stopping':
        this.#hosts.of(fact).isQuorate = false;
        return;
      case 'rg.request-started':
      case 'rg.request-ended':
        return this.#onRequest(fact);
      case 'rg.agent-ended':
        return this.#onAgent(fact);
    }
  }

  tick(at: Nanos, verdict: Verdict): void {
    for (const [service, { state, owner, flags, at: since }] of this.#records) {
      const host = this.#hosts.latest(owner);
      if (state !== ServiceState.STARTED || host === undefined || this.#reported.has(service)) continue;
      if (!this.#hasSettled(host, owner)) host.changedAt = at;
      if (at - Math.max(since, host.changedAt) < SETTLED_AFTER) continue;
      const wrong = difference(host, service, (flags & ServiceFlag.PARTIAL) !== 0);
      if (wrong === undefined) continue;
      this.#reported.add(service);
      verdict.violate(`node ${owner}: ${service} has settled, and ${wrong}`, [owner]);
    }
  }

  /** Neither is anything under way there, nor does the node stand still, wait for others, or have no say. */
  #hasSettled({ isQuorate, isPaused, busy }: Host, node: number): boolean {
    const isBusy = [...busy.values()].some((count) => count > 0);
    return isQuorate && !isPaused && !isBusy && this.#lockWaits.delayOf(node) === undefined;
  }

  #onNode({ node, state }: Stamped<NodeStateFact>): void {
    const host = this.#hosts.latest(node);
    if (host === undefined) return;
    host.isPaused = state === 'paused';
    // What it owned runs nowhere until somebody takes it over.
    if (state === 'off') host.isQuorate = false;
  }

  #onRecord(fact: Of<'rg.service'>): void {
    const { service, state, owner, node } = fact;
    // It has come there while it ran, or was found there.
    const isMoved = state === ServiceState.STARTED && owner !== node && owner !== this.#records.get(service)?.owner;
    this.#records.set(service, fact);
    this.#reported.delete(service);
    if (isMoved) this.#hosts.latest(owner)?.agents.set(service, new Map([[service, 'started']]));
  }

  #onConfigured(fact: Of<'rg.configured'>): void {
    const host = this.#hosts.of(fact);
    host.changedAt = fact.at;
    host.trees.clear();
    for (const { service, tree } of fact.services) {
      host.trees.set(service, new Set(tree.map(({ resource }) => resource)));
    }
  }

  #onMembers(fact: Of<'rg.members'>): void {
    const host = this.#hosts.of(fact);
    if (host.isQuorate !== fact.isQuorate) host.changedAt = fact.at;
    host.isQuorate = fact.isQuorate;
  }

  #onRequest(fact: Of<'rg.request-started' | 'rg.request-ended'>): void {
    const host = this.#hosts.of(fact);
    const change = fact.kind === 'rg.request-started' ? 1 : -1;
    host.busy.set(fact.service, (host.busy.get(fact.service) ?? 0) + change);
    if (fact.request !== 'status') host.changedAt = fact.at;
  }

  #onAgent(fact: Of<'rg.agent-ended'>): void {
    const { service, resource, action, status } = fact;
    if (action !== 'start' && action !== 'stop') return;
    const host = this.#hosts.of(fact);
    const agents = host.agents.get(service) ?? new Map<string, AgentState>();
    const state = status !== 0 ? 'failed' : action === 'start' ? 'started' : 'stopped';
    host.agents.set(service, agents.set(resource, state));
    host.changedAt = fact.at;
  }
}

function freshHost(): Host {
  return {
    trees: new Map(),
    agents: new Map(),
    busy: new Map(),
    isQuorate: false,
    isPaused: false,
    changedAt: 0,
  };
}

/** What runs that should not, or does not that should; where an agent failed, what comes after it need not run. */
function difference({ trees, agents }: Host, service: string, isPartial: boolean): string | undefined {
  const tree = trees.get(service);
  if (tree === undefined) return undefined;
  const states = agents.get(service) ?? new Map<string, AgentState>();
  const left = [...states].find(([resource, state]) => state === 'started' && !tree.has(resource));
  if (left !== undefined) return `${left[0]} runs, which is not in it`;
  if (isPartial || [...states.values()].includes('failed')) return undefined;
  const lacking = [...tree].find((resource) => (states.get(resource) ?? 'stopped') === 'stopped');
  return lacking === undefined ? undefined : `${lacking} does not run`;
}

/**
 * Whatever way a service came to be started, through new configurations too, its owner runs what a start from nothing would run.
 *
 * It is judged when nothing has been under way on the owner for ten seconds, which has quorum and is not ending, has not stood still, and has
 * waited for no lock of the dead and no answer of members: a node that has lost its quorum has stopped everything, and its records say
 * otherwise until it can disown them. What was given up (flag partial), and what an agent failed to start, need not run.
 *
 * Source: Quorate's rgmanager specification, section 17, rule 6.
 */
export const runningSet: Invariant = defineInvariant<RgFact | NodeStateFact>({
  id: 'rgmanager.R6',
  name: 'running-set',
  statement: 'The owner of a settled service runs all resources of its tree as it is now, and none that it had before.',
  kinds: [
    'node.state',
    'rg.configured',
    'rg.members',
    'rg.stopping',
    'rg.lock',
    'rg.view',
    'rg.service',
    'rg.request-started',
    'rg.request-ended',
    'rg.agent-ended',
  ],
  start: () => new RunningSet(),
});
