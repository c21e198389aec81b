import { type Nanos, SECOND } from '@quorate/kernel';
import type { EventScript } from '../central/event-script.js';
import { type ConfElement, childrenNamed, descend } from '../conf/conf-element.js';
import type { ServiceOperation } from '../io.js';
import type { Policy } from '../manager/policy.js';
import { resultText } from '../state/result.js';
import { type ServiceRecord, ServiceState, stateText } from '../state/service-record.js';
import { type AgentCall, RgCluster } from '../virtual-cluster.js';
import type { ClusterState } from './cluster-state.js';
import { type QuorumRule, Votes } from './votes.js';

/** What is supposed to happen. `node` is a node id. */
export type WhatIfEvent =
  /** Its power is lost. Where quorum is left it is fenced at once. */
  | { readonly kind: 'node-down'; readonly node: number }
  | { readonly kind: 'node-up'; readonly node: number }
  /** `clusvcadm -b` and `-B`. */
  | { readonly kind: 'standby' | 'unstandby'; readonly node: number }
  /** What its agent checks is broken until it is stopped: `script:web`. */
  | { readonly kind: 'resource-failed'; readonly resource: string }
  | {
      readonly kind: 'service';
      readonly operation: ServiceOperation;
      /** `service:web`. */
      readonly service: string;
      readonly target?: number;
    };

/** A step of a plan: what rgmanager decides or says, an agent that ends, or the answer to a request. Stops of what does not run are none. */
export interface PlanStep {
  /** Since the event. */
  readonly after: Nanos;
  readonly node: number;
  readonly kind: 'decision' | 'log' | 'agent' | 'reply';
  readonly text: string;
}

export interface PlanPart {
  /** Absent: the cluster comes up, or is found as it is. */
  readonly event?: WhatIfEvent;
  readonly steps: readonly PlanStep[];
  readonly isQuorate: boolean;
  readonly services: readonly ServiceRecord[];
  /** Nothing has happened yet: this is the state that was handed in. */
  readonly isFound?: boolean;
}

/** How long agents take and what they end with. */
export type Agents = (call: AgentCall) => { readonly takes: Nanos; readonly status: number };

export interface WhatIfOptions {
  /** `usualAgents` when absent. */
  readonly agents?: Agents;
  /** Counts in place of what `<policy>` says. */
  readonly policy?: Partial<Policy>;
  /** Scripts that `<events>` can name, by their files; for central processing. */
  readonly eventScripts?: ReadonlyMap<string, EventScript>;
  /** Who has quorum, by the votes of cluster.conf; when absent, whoever is left. */
  readonly quorum?: QuorumRule;
  /** The cluster is found like that. When absent all its nodes are started together. */
  readonly state?: ClusterState;
}

/** How long the cluster is watched after each event: failures are noticed by a status check, a minute later. */
const WATCHED: Nanos = 120 * SECOND;
const COMPLAINTS: readonly string[] = ['warning', 'err', 'crit', 'alert', 'emerg'];
const SAID: readonly string[] = ['notice', ...COMPLAINTS];

/** What an address takes: the ping that nobody may answer and two ARP announcements; and the `sleeptime` of its stop. */
const USUAL = new Map<string, Nanos>([
  ['ip start', 3 * SECOND],
  ['ip stop', 10 * SECOND],
  ['postgres-8 stop', 5 * SECOND],
]);

/** Agents that succeed, and take what the original's take by their own sleeps; all else takes no time. */
export const usualAgents: Agents = ({ resource, action }) => {
  const type = resource.slice(0, resource.indexOf(':'));
  return { takes: USUAL.get(`${type} ${action}`) ?? 0, status: 0 };
};

/**
 * What a cluster would do: the rgmanagers of all its nodes run on a virtual clock, from all of them up on, or from a state.
 *
 * @param conf - the root of cluster.conf.
 * @throws {RangeError} when a node is to come up that runs or is not configured, one is to go down that does not run or is the last, or
 *   there is no such service or resource; when a state has no quorum, or nobody whose rgmanager runs.
 */
export function simulate(
  conf: ConfElement,
  events: readonly WhatIfEvent[],
  options: WhatIfOptions = {},
): readonly PlanPart[] {
  return new WhatIf(conf, options).plan(events);
}

class WhatIf {
  readonly #conf: ConfElement;
  readonly #cluster: RgCluster;
  readonly #votes: Votes;
  readonly #nodes: readonly number[];
  readonly #broken = new Set<string>();
  /** `1 ip:10.0.0.9`: what runs where. */
  readonly #started = new Set<string>();
  /** Calls that found nothing to stop, as at the start of rgmanager. */
  readonly #idle = new Set<AgentCall>();
  readonly #unfenced = new Set<number>();

  readonly #state: ClusterState | undefined;

  constructor(conf: ConfElement, options: WhatIfOptions) {
    const { agents = usualAgents, policy = {}, eventScripts = new Map(), quorum = () => 0, state } = options;
    this.#state = state;
    this.#conf = conf;
    this.#votes = new Votes(conf, quorum);
    this.#nodes = childrenNamed(descend(conf, 'clusternodes'), 'clusternode').map((each) =>
      Number(each.attributes.get('nodeid')),
    );
    this.#cluster = new RgCluster(conf, { policy, eventScripts });
    this.#cluster.isQuorate = (members) => this.#votes.isQuorate(members);
    this.#cluster.agent = (call) => this.#agent(call, agents);
    this.#cluster.fence = (victim) => this.#lost(victim);
  }

  #agent(call: AgentCall, agents: Agents): ReturnType<Agents> {
    const { node, resource, action } = call;
    const place = `${node} ${resource}`;
    if (action === 'stop' && !this.#started.delete(place)) {
      this.#idle.add(call);
      return { takes: 0, status: 0 };
    }
    if (action === 'stop') this.#broken.delete(resource);
    if (action === 'start') this.#started.add(place);
    const { takes, status } = agents(call);
    return { takes, status: action === 'status' && this.#broken.has(resource) ? 1 : status };
  }

  plan(events: readonly WhatIfEvent[]): readonly PlanPart[] {
    const start = this.#part(() => this.#start(), undefined, this.#state === undefined ? SAID : COMPLAINTS);
    const first = this.#state === undefined ? start : { ...start, isFound: true };
    return [first, ...events.map((event) => this.#part(() => this.#apply(event), event))];
  }

  #start(): void {
    const state = this.#state;
    if (state !== undefined) return this.#resume(state);
    for (const node of this.#nodes) this.#cluster.start(node);
  }

  #resume({ members, running, services, standby, master }: ClusterState): void {
    if (running.length === 0) throw new RangeError('found no node whose rgmanager runs');
    if (!this.#votes.isQuorate(members)) {
      throw new RangeError(`found members ${members.join(', ')}, which have no quorum by the votes of cluster.conf`);
    }
    // Whoever asks for the master's lock first has it.
    const inOrder = [...running].sort((a, b) => Number(b === master) - Number(a === master) || a - b);
    this.#cluster.resume(members, inOrder, { records: services, standby, master });
    this.#cluster.settle();
    const configured = this.#cluster.facts.find((fact) => fact.kind === 'rg.configured');
    for (const { name, state, owner } of services) {
      if (state !== ServiceState.STARTED) continue;
      const tree = configured?.services.find(({ service }) => service === name)?.tree ?? [];
      for (const { resource } of tree) this.#started.add(`${owner} ${resource}`);
    }
  }

  /** `said`: priorities of the log that are steps. */
  #part(what: () => void, event?: WhatIfEvent, said: readonly string[] = SAID): PlanPart {
    const cluster = this.#cluster;
    const [from, fromFact, since] = [cluster.told.length, cluster.facts.length, cluster.now];
    what();
    cluster.run(WATCHED);
    const decisions = cluster.facts.slice(fromFact).flatMap((fact): PlanStep[] => {
      if (fact.kind !== 'rg.evaluated' || fact.decision === 'nothing') return [];
      const where = fact.target === 0 || fact.target === fact.node ? '' : ` on node ${fact.target}`;
      const text = `${fact.service}: ${fact.decision.replaceAll('-', ' ')}${where}`;
      return [{ after: fact.at - since, node: fact.node, kind: 'decision', text }];
    });
    const told = cluster.told.slice(from).flatMap((each): PlanStep[] => {
      const at = { after: each.at - since, node: 'call' in each ? each.call.node : each.node };
      if (each.kind === 'log' && said.includes(each.priority)) return [{ ...at, kind: 'log', text: each.text }];
      if (each.kind === 'reply' && each.reply.kind === 'result')
        return [{ ...at, kind: 'reply', text: resultText(each.reply.code) }];
      if (each.kind === 'fence') return [{ ...at, kind: 'decision', text: `fence node ${each.victim}` }];
      if (each.kind !== 'exec' || this.#idle.has(each.call)) return [];
      if (each.call.action === 'status' && each.status === 0) return [];
      const outcome = each.status === 0 ? '' : ` fails with ${each.status}`;
      return [{ ...at, kind: 'agent', text: `${each.call.action} ${each.call.resource}${outcome}` }];
    });
    return {
      ...(event && { event }),
      steps: [...decisions, ...told].sort((a, b) => a.after - b.after),
      isQuorate: this.#votes.isQuorate(cluster.members),
      services: recordsOf(cluster),
    };
  }

  #apply(event: WhatIfEvent): void {
    switch (event.kind) {
      case 'node-down':
        return this.#down(event.node);
      case 'node-up':
        return this.#up(event.node);
      case 'standby':
      case 'unstandby':
        return this.#standby(event);
      case 'resource-failed':
        return this.#fail(event.resource);
      case 'service':
        return this.#request(event);
    }
  }

  #down(node: number): void {
    if (!this.#cluster.has(node)) throw new RangeError(`node ${node} cannot go down: it does not run`);
    if (this.#cluster.running.length === 1) throw new RangeError(`node ${node} cannot go down: no other is left`);
    this.#lost(node);
  }

  #lost(node: number): void {
    this.#unfenced.add(node);
    for (const place of this.#started) if (place.startsWith(`${node} `)) this.#started.delete(place);
    this.#cluster.kill(node);
    this.#cluster.lose(node);
    this.#fenceIfQuorate();
  }

  #up(node: number): void {
    if (!this.#nodes.includes(node)) throw new RangeError(`node ${node} cannot come up: it is not in cluster.conf`);
    if (this.#cluster.has(node)) throw new RangeError(`node ${node} cannot come up: it runs`);
    this.#cluster.start(node);
    this.#fenceIfQuorate();
  }

  #standby(event: Extract<WhatIfEvent, { kind: 'standby' | 'unstandby' }>): void {
    const { node, kind } = event;
    if (!this.#nodes.includes(node)) throw new RangeError(`node ${node} cannot ${kind}: it is not in cluster.conf`);
    this.#cluster.request(this.#cluster.running[0]!, event);
  }

  /** Nobody is fenced without quorum, and nobody gets a lock before that. */
  #fenceIfQuorate(): void {
    if (!this.#votes.isQuorate(this.#cluster.members)) return;
    this.#cluster.fenced(...this.#unfenced);
    this.#unfenced.clear();
  }

  #fail(resource: string): void {
    const isStarted = [...this.#started].some((place) => place.endsWith(` ${resource}`));
    if (!isStarted) throw new RangeError(`resource ${resource} cannot fail: no node has started it`);
    this.#broken.add(resource);
  }

  #request({ operation, service, target }: Extract<WhatIfEvent, { kind: 'service' }>): void {
    const record = recordsOf(this.#cluster).find(({ name }) => name === service);
    const rm = descend(this.#conf, 'rm');
    const [type = '', name] = service.split(':');
    const isKnown = childrenNamed(rm, type).some((each) => each.attributes.get('name') === name);
    if (record === undefined && !isKnown) throw new RangeError(`${service} is not in cluster.conf`);
    const asked = this.#cluster.has(record?.owner ?? 0) ? record!.owner : this.#cluster.running[0]!;
    this.#cluster.request(asked, { kind: operation, service, ...(target !== undefined && { target }) });
  }
}

/** As the nodes have them: who has just come may not know them all. */
function recordsOf(cluster: RgCluster): readonly ServiceRecord[] {
  const known = cluster.running.map((id) => cluster.inspect(id).services);
  return known.reduce((most, services) => (services.length > most.length ? services : most), []);
}

const MARKS = { decision: '? ', log: '', agent: '> ', reply: '= ' } as const;

/** The plan for a reader: what is supposed, what follows from it and when (in seconds), and where services are then. */
export function formatPlan(parts: readonly PlanPart[]): string {
  return parts
    .map(({ event, steps, isQuorate, services, isFound }) => {
      const lines = steps.map(
        ({ after, node, kind, text }) =>
          `${(after / SECOND).toFixed(2).padStart(8)}  node ${node}  ${MARKS[kind]}${text}`,
      );
      const records = services.map(
        ({ name, state, owner }) => `      =>  ${name} ${stateText(state)}${owner > 0 ? ` on node ${owner}` : ''}`,
      );
      return [
        `${isFound ? 'as it is found' : titleOf(event)}${isQuorate ? '' : ' (no quorum)'}`,
        ...lines,
        ...records,
        '',
      ].join('\n');
    })
    .join('');
}

function titleOf(event: WhatIfEvent | undefined): string {
  switch (event?.kind) {
    case undefined:
      return 'all nodes up';
    case 'node-down':
      return `node ${event.node} down`;
    case 'node-up':
      return `node ${event.node} up`;
    case 'standby':
      return `node ${event.node} goes into standby`;
    case 'unstandby':
      return `node ${event.node} is back from standby`;
    case 'resource-failed':
      return `${event.resource} fails`;
    case 'service':
      return `${event.operation} ${event.service}${event.target === undefined ? '' : ` to node ${event.target}`}`;
  }
}
