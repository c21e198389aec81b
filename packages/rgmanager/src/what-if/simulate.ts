import { type Nanos, SECOND } from '@quorate/kernel';
import { type ConfElement, childrenNamed, descend } from '../conf/conf-element.js';
import { RgCluster } from '../conformance/cluster.js';
import type { ServiceOperation } from '../io.js';
import { resultText } from '../state/result.js';
import { type ServiceRecord, stateText } from '../state/service-record.js';

/** What is supposed to happen. `node` is a node id. */
export type WhatIfEvent =
  /** Its power is lost; it is fenced at once. */
  | { readonly kind: 'node-down'; readonly node: number }
  | { readonly kind: 'node-up'; readonly node: number }
  | {
      readonly kind: 'service';
      readonly operation: ServiceOperation;
      /** `service:web`. */
      readonly service: string;
      readonly target?: number;
    };

/** A step of a plan: an agent that ends, what rgmanager says of it, or the answer to a request. */
interface PlanStep {
  /** Since the event. */
  readonly after: Nanos;
  readonly node: number;
  readonly kind: 'log' | 'agent' | 'reply';
  readonly text: string;
}

interface PlanPart {
  /** Absent: the cluster comes up. */
  readonly event?: WhatIfEvent;
  readonly steps: readonly PlanStep[];
  readonly services: readonly ServiceRecord[];
}

/** How long the cluster is watched after each event. */
const WATCHED: Nanos = 30 * SECOND;
const SAID: readonly string[] = ['notice', 'warning', 'err', 'crit', 'alert', 'emerg'];

/**
 * What a cluster would do: the rgmanagers of all its nodes run on a virtual clock, and agents end at once and well.
 *
 * @throws {RangeError} when a node that runs is to come up, one that does not run is to go down, or none is left.
 */
export function simulate(conf: ConfElement, events: readonly WhatIfEvent[]): readonly PlanPart[] {
  const cluster = new RgCluster(conf);
  const nodes = childrenNamed(descend(conf, 'clusternodes'), 'clusternode').map((each) =>
    each.attributes.get('nodeid'),
  );
  const part = (what: () => void, event?: WhatIfEvent): PlanPart => {
    const from = cluster.told.length;
    const since = cluster.now;
    what();
    cluster.run(WATCHED);
    const steps = cluster.told.slice(from).flatMap((told): PlanStep[] => {
      const at = { after: told.at - since, node: 'call' in told ? told.call.node : told.node };
      if (told.kind === 'log' && SAID.includes(told.priority)) return [{ ...at, kind: 'log', text: told.text }];
      if (told.kind === 'exec' && told.call.action !== 'status')
        return [{ ...at, kind: 'agent', text: `${told.call.action} ${told.call.resource}` }];
      if (told.kind === 'reply' && told.reply.kind === 'result')
        return [{ ...at, kind: 'reply', text: resultText(told.reply.code) }];
      return [];
    });
    return { ...(event && { event }), steps, services: cluster.inspect(cluster.running[0]!).services };
  };
  const start = part(() => {
    for (const node of nodes) cluster.start(Number(node));
  });
  return [start, ...events.map((event) => part(() => apply(cluster, event), event))];
}

function apply(cluster: RgCluster, event: WhatIfEvent): void {
  if (event.kind === 'service') {
    const owner = cluster.record(event.service)?.owner ?? 0;
    const { operation: kind, service, target } = event;
    const asked = owner === 0 ? cluster.running[0]! : owner;
    return cluster.request(asked, { kind, service, ...(target !== undefined && { target }) });
  }
  const { kind, node } = event;
  if (cluster.has(node) === (kind === 'node-up')) throw new RangeError(`${kind} ${node}: it is so already`);
  if (kind === 'node-up') return cluster.start(node);
  if (cluster.running.length === 1) throw new RangeError(`${kind} ${node}: no node is left`);
  cluster.kill(node);
  cluster.lose(node);
  cluster.fenced(node);
}

/** The plan for a reader: what was supposed, what follows from it and when (in seconds), and where services are then. */
export function formatPlan(parts: readonly PlanPart[]): string {
  return parts
    .map(({ event, steps, services }) => {
      const lines = steps.map(({ after, node, kind, text }) => {
        return `  ${(after / SECOND).toFixed(2).padStart(6)} node ${node} ${kind === 'agent' ? '> ' : kind === 'reply' ? '= ' : ''}${text}`;
      });
      const records = services.map(
        ({ name, state, owner }) => `  ${name} ${stateText(state)}${owner ? ` on node ${owner}` : ''}`,
      );
      return [title(event), ...lines, ...records, ''].join('\n');
    })
    .join('');
}

function title(event: WhatIfEvent | undefined): string {
  if (event === undefined) return 'start';
  if (event.kind !== 'service') return `${event.kind} ${event.node}`;
  return `${event.operation} ${event.service}${event.target === undefined ? '' : ` to node ${event.target}`}`;
}
