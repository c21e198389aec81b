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

/** One that was started and not stopped. */
interface Instance {
  readonly service: string;
  /** Why nobody cares any more. */
  departure?: Departure;
}

/** Where the resources of services run, as their agents say. */
class Instances implements Check<InstanceFact> {
  /** By resource, and by service where each may have one, the instances on each node. */
  readonly #running = new Map<string, Map<number, Instance>>();
  /** Resources of which there may be one, whatever the service. */
  readonly #single = new Set<string>();
  readonly #frozen = new Set<string>();
  /** Nodes that were fenced by their storage and run on. */
  readonly #fenced = new Set<number>();

  observe(fact: Stamped<InstanceFact>, verdict: Verdict): void {
    switch (fact.kind) {
      case 'node.state':
        // Who was off when it was fenced is a new one as soon as it boots.
        if (fact.state === 'off' || fact.state === 'booting') this.#fenced.delete(fact.node);
        if (fact.state !== 'off') return;
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
      case 'rg.configured':
        for (const { resource, isSingle } of fact.services.flatMap(({ tree }) => tree)) {
          if (isSingle) this.#single.add(resource);
        }
        return;
      case 'rg.agent-started':
        if (fact.action === 'start') this.#onStart(fact, verdict);
        return;
      case 'rg.agent-ended':
        if (fact.action === 'stop') this.#onStopped(fact);
    }
  }

  #nodesOf({ service, resource }: { readonly service: string; readonly resource: string }): Map<number, Instance> {
    const key = this.#single.has(resource) ? resource : `${service} ${resource}`;
    const nodes = this.#running.get(key) ?? new Map<number, Instance>();
    this.#running.set(key, nodes);
    return nodes;
  }

  #onStart(fact: Stamped<Extract<RgFact, { kind: 'rg.agent-started' }>>, verdict: Verdict): void {
    const { node, service, resource } = fact;
    const nodes = this.#nodesOf(fact);
    for (const [other, instance] of nodes) {
      if (other === node) continue;
      const isOnFenced = this.#fenced.has(other) || this.#fenced.has(node);
      const departure = instance.departure ?? (isOnFenced ? 'svc-on-fenced' : undefined);
      const whose = instance.service === service ? '' : ` for ${instance.service}`;
      if (departure !== undefined) verdict.count(departure);
      else
        verdict.violate(`${resource} of ${service} starts on node ${node}, and runs on node ${other}${whose}`, [
          node,
          other,
        ]);
    }
    nodes.set(node, { service });
  }

  #onStopped(fact: Stamped<Extract<RgFact, { kind: 'rg.agent-ended' }>>): void {
    const nodes = this.#nodesOf(fact);
    const instance = nodes.get(fact.node);
    if (fact.status === 0) nodes.delete(fact.node);
    else if (instance !== undefined) instance.departure = 'svc-left-behind';
  }

  /** A frozen service is not stopped when rgmanager ends. */
  #onExited(node: number): void {
    for (const nodes of this.#running.values()) {
      const instance = nodes.get(node);
      if (instance !== undefined && this.#frozen.has(instance.service)) instance.departure = 'svc-left-frozen';
    }
  }
}

/**
 * Whoever starts a resource of a service is the only one; where the agent allows for one instance (`maxinstances`), of all services. An instance does not count that failed to stop (`svc-left-behind`: the original
 * stops a failed service where that is asked for, not where it failed), that was left frozen by an rgmanager that has ended
 * (`svc-left-frozen`), or whose node is fenced by its storage and runs on (`svc-on-fenced`): the one that runs, or the one that starts.
 *
 * Source: Quorate's rgmanager specification, section 17, rule 3.
 */
export const oneInstance: Invariant = defineInvariant<InstanceFact>({
  id: 'rgmanager.R3',
  name: 'one-instance',
  statement: 'At no instant a resource of a service is started, or being started, on two nodes.',
  kinds: [
    'node.state',
    'scsi.reservation-changed',
    'rg.configured',
    'rg.service',
    'rg.exited',
    'rg.agent-started',
    'rg.agent-ended',
  ],
  start: () => new Instances(),
});
