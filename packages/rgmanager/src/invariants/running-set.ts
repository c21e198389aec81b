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
import type { RgFact, TreeFact } from '../fact.js';
import { ServiceFlag, ServiceState } from '../state/service-record.js';
import { PerLife } from './per-life.js';
import { SETTLING_KINDS, SettledHosts } from './settled-hosts.js';

/** Nothing but checks has happened to a service on its owner for so long. */
const SETTLED_AFTER: Nanos = 10 * SECOND;

type Of<K extends RgFact['kind']> = Stamped<Extract<RgFact, { readonly kind: K }>>;

/** Places of each resource in a service's tree. */
type Tree = ReadonlyMap<string, readonly string[]>;

/** What the agents of one resource of a service have said; it may stand in several places. */
interface Instances {
  /** Places whose last start or stop was a start. */
  readonly started: Set<string>;
  /** The last start or stop of all has failed. */
  isFailed: boolean;
}

/** What one node runs. */
interface Host {
  /** By service, as the configuration in use has them. */
  readonly trees: Map<string, Tree>;
  /** By service and resource. */
  readonly agents: Map<string, Map<string, Instances>>;
}

class RunningSet implements Check<RgFact | NodeStateFact> {
  readonly #hosts = new PerLife<Host>(() => ({ trees: new Map(), agents: new Map() }));
  readonly #records = new Map<string, Of<'rg.service'>>();
  readonly #settled = new SettledHosts();
  readonly #reported = new Set<string>();
  /** Services that were frozen when a new configuration came to their owner, and have not been started since. */
  readonly #changedFrozen = new Set<string>();

  observe(fact: Stamped<RgFact | NodeStateFact>, verdict: Verdict): void {
    this.#settled.observe(fact);
    switch (fact.kind) {
      case 'rg.service':
        return this.#onRecord(fact);
      case 'rg.configured':
        return this.#onConfigured(fact, verdict);
      case 'rg.agent-ended':
        return this.#onAgent(fact);
    }
  }

  tick(at: Nanos, verdict: Verdict): void {
    for (const [service, { state, owner, flags, at: since }] of this.#records) {
      const host = this.#hosts.latest(owner);
      if (state !== ServiceState.STARTED || host === undefined || this.#reported.has(service)) continue;
      const settledAt = this.#settled.settledSince(owner, at) ?? at;
      if (at - Math.max(since, settledAt) < SETTLED_AFTER) continue;
      const wrong = difference(host, service, (flags & ServiceFlag.PARTIAL) !== 0);
      if (wrong === undefined) continue;
      this.#reported.add(service);
      if (this.#changedFrozen.has(service)) verdict.count('svc-changed-frozen');
      else verdict.violate(`node ${owner}: ${service} has settled, and ${wrong}`, [owner]);
    }
  }

  #onRecord(fact: Of<'rg.service'>): void {
    const { service, state, owner, node } = fact;
    // It has come there while it ran, or was found there.
    const isMoved = state === ServiceState.STARTED && owner !== node && owner !== this.#records.get(service)?.owner;
    this.#records.set(service, fact);
    this.#reported.delete(service);
    if (state !== ServiceState.STARTED) this.#changedFrozen.delete(service);
    if (isMoved) this.#hosts.latest(owner)?.agents.set(service, new Map([[service, running(['0'])]]));
  }

  #onConfigured(fact: Of<'rg.configured'>, verdict: Verdict): void {
    const { trees, agents } = this.#hosts.of(fact);
    trees.clear();
    for (const { service, tree } of fact.services) {
      const places = placesOf(tree);
      trees.set(service, places);
      const record = this.#records.get(service);
      if (record?.owner === fact.node && (record.flags & ServiceFlag.FROZEN) !== 0) this.#changedFrozen.add(service);
      const states = agents.get(service);
      for (const [resource, { started, isFailed }] of states ?? []) {
        // What goes on in another place than before has not been started there.
        const kept = places.get(resource)?.slice(0, started.size);
        if (kept !== undefined && !isFailed) states!.set(resource, running(kept));
        else if (kept === undefined && record !== undefined && record.owner !== fact.node && started.size > 0) {
          states!.delete(resource);
          verdict.count('svc-left-behind');
        }
      }
    }
  }

  #onAgent(fact: Of<'rg.agent-ended'>): void {
    const { service, resource, path, action, status } = fact;
    if (action !== 'start' && action !== 'stop') return;
    const { agents } = this.#hosts.of(fact);
    const states = agents.get(service) ?? new Map<string, Instances>();
    const instances = states.get(resource) ?? running([]);
    agents.set(service, states.set(resource, instances));
    instances.isFailed = status !== 0;
    if (action === 'start' && status === 0) instances.started.add(path);
    else instances.started.delete(path);
  }
}

function running(places: readonly string[]): Instances {
  return { started: new Set(places), isFailed: false };
}

function placesOf(tree: readonly TreeFact[]): Tree {
  const places = new Map<string, string[]>();
  for (const { resource, path } of tree) places.set(resource, [...(places.get(resource) ?? []), path]);
  return places;
}

/** What runs that should not, or does not that should; where an agent failed, what comes after it need not run. */
function difference({ trees, agents }: Host, service: string, isPartial: boolean): string | undefined {
  const tree = trees.get(service);
  if (tree === undefined) return undefined;
  const states = agents.get(service) ?? new Map<string, Instances>();
  const runs = (resource: string): boolean => (states.get(resource)?.started.size ?? 0) > 0;
  const left = [...states.keys()].find((resource) => runs(resource) && !tree.has(resource));
  if (left !== undefined) return `${left} runs, which is not in it`;
  if (isPartial || [...states.values()].some(({ isFailed }) => isFailed)) return undefined;
  const lacking = [...tree.keys()].find((resource) => !runs(resource));
  return lacking === undefined ? undefined : `${lacking} does not run`;
}

/**
 * Whatever way a service came to be started, through new configurations too, its owner runs what a start from nothing would run.
 *
 * It is judged when nothing has been under way on the owner for ten seconds, which has quorum and is not ending, has not stood still, and has
 * waited for no lock of the dead and no answer of members: a node that has lost its quorum has stopped everything, and its records say
 * otherwise until it can disown them. What was given up (flag partial), and what an agent failed to start, need not run. Of a resource that
 * stands in several places one has to. Counted: a frozen service that a new configuration has changed (`svc-changed-frozen`): it is not disabled,
 * but the new one is stopped before it is taken into use, and the record goes on saying that it is started; and what still runs of a service
 * whose stop failed, when a new configuration no longer has it (`svc-left-behind`): nobody ever stops it.
 *
 * Source: Quorate's rgmanager specification, section 17, rule 6.
 */
export const runningSet: Invariant = defineInvariant<RgFact | NodeStateFact>({
  id: 'rgmanager.R6',
  name: 'running-set',
  statement: 'The owner of a settled service runs all resources of its tree as it is now, and none that it had before.',
  kinds: [...SETTLING_KINDS, 'rg.service'],
  start: () => new RunningSet(),
});
