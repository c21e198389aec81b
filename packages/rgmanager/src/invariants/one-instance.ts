import {
  type Check,
  defineInvariant,
  type Fact,
  type Invariant,
  type NodeStateFact,
  type Stamped,
  type Verdict,
} from '@quorate/kernel';
import type { RgFact } from '../fact.js';
import { ServiceFlag } from '../state/service-record.js';

/** Registrations that a disk has removed; told by the disk. */
interface PreemptedFact extends Fact {
  readonly kind: 'scsi.reservation-changed';
  /** Node ids. */
  readonly preempted: readonly number[];
}

type InstanceFact = RgFact | NodeStateFact | PreemptedFact;

/** Why an instance may go on beside another, as in the original. */
type Departure = 'svc-left-behind' | 'svc-left-frozen' | 'svc-on-fenced';

/** Where the resources of services run, as their agents say. */
class Instances implements Check<InstanceFact> {
  /** By service and resource, the nodes on which it was started and not stopped, and why nobody cares any more. */
  readonly #running = new Map<string, Map<number, Departure | undefined>>();
  readonly #frozen = new Set<string>();
  /** Nodes that were fenced by their storage and run on. */
  readonly #fenced = new Set<number>();

  observe(fact: Stamped<InstanceFact>, verdict: Verdict): void {
    switch (fact.kind) {
      case 'node.state':
        if (fact.state !== 'off') return;
        this.#fenced.delete(fact.node);
        for (const nodes of this.#running.values()) nodes.delete(fact.node);
        return;
      case 'scsi.reservation-changed':
        for (const node of fact.preempted) this.#fenced.add(node);
        return;
      case 'rg.service':
        if ((fact.flags & ServiceFlag.FROZEN) !== 0) this.#frozen.add(fact.service);
        else this.#frozen.delete(fact.service);
        return;
      case 'rg.exited':
        return this.#onExited(fact.node);
      case 'rg.agent-started':
        if (fact.action === 'start') this.#onStart(fact, verdict);
        return;
      case 'rg.agent-ended':
        if (fact.action === 'stop') this.#onStopped(fact);
    }
  }

  #nodesOf({
    service,
    resource,
  }: {
    readonly service: string;
    readonly resource: string;
  }): Map<number, Departure | undefined> {
    const key = `${service} ${resource}`;
    const nodes = this.#running.get(key) ?? new Map<number, Departure | undefined>();
    this.#running.set(key, nodes);
    return nodes;
  }

  #onStart(fact: Stamped<Extract<RgFact, { kind: 'rg.agent-started' }>>, verdict: Verdict): void {
    const { node, service, resource } = fact;
    const nodes = this.#nodesOf(fact);
    for (const [other, left] of nodes) {
      if (other === node) continue;
      const departure = left ?? (this.#fenced.has(other) ? 'svc-on-fenced' : undefined);
      if (departure !== undefined) verdict.count(departure);
      else
        verdict.violate(`${resource} of ${service} starts on node ${node}, and runs on node ${other}`, [node, other]);
    }
    nodes.set(node, undefined);
  }

  #onStopped(fact: Stamped<Extract<RgFact, { kind: 'rg.agent-ended' }>>): void {
    const nodes = this.#nodesOf(fact);
    if (fact.status === 0) nodes.delete(fact.node);
    else if (nodes.has(fact.node)) nodes.set(fact.node, 'svc-left-behind');
  }

  /** A frozen service is not stopped when rgmanager ends. */
  #onExited(node: number): void {
    for (const [key, nodes] of this.#running) {
      if (nodes.has(node) && this.#frozen.has(key.split(' ')[0]!)) nodes.set(node, 'svc-left-frozen');
    }
  }
}

/**
 * Whoever starts a resource of a service is the only one. An instance does not count that failed to stop (`svc-left-behind`: the original
 * stops a failed service where that is asked for, not where it failed), that was left frozen by an rgmanager that has ended
 * (`svc-left-frozen`), or whose node is fenced by its storage and runs on (`svc-on-fenced`).
 *
 * Source: Quorate's rgmanager specification, section 17, rule 3.
 */
export const oneInstance: Invariant = defineInvariant<InstanceFact>({
  id: 'rgmanager.R3',
  name: 'one-instance',
  statement: 'At no instant a resource of a service is started, or being started, on two nodes.',
  kinds: ['node.state', 'scsi.reservation-changed', 'rg.service', 'rg.exited', 'rg.agent-started', 'rg.agent-ended'],
  start: () => new Instances(),
});
