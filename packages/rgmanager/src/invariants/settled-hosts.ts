import type { Nanos, NodeStateFact, Stamped } from '@quorate/kernel';
import type { RgFact } from '../fact.js';
import { LockWaits } from './lock-waits.js';
import { PerLife } from './per-life.js';

/** Kinds of facts that say whether a node has settled. */
export const SETTLING_KINDS = [
  'node.state',
  'rg.configured',
  'rg.members',
  'rg.stopping',
  'rg.lock',
  'rg.view',
  'rg.request-started',
  'rg.request-ended',
  'rg.agent-ended',
] as const;

interface Host {
  /** Requests under way, by service. */
  readonly busy: Map<string, number>;
  isQuorate: boolean;
  isPaused: boolean;
  changedAt: Nanos;
}

/**
 * Nodes on which nothing is under way: which have quorum and are not ending, do not stand still, and wait for no lock of the dead and no
 * answer of members. Checks of services are no change.
 */
export class SettledHosts {
  readonly #hosts = new PerLife<Host>(() => ({ busy: new Map(), isQuorate: false, isPaused: false, changedAt: 0 }));
  readonly #lockWaits = new LockWaits();

  observe(fact: Stamped<RgFact | NodeStateFact>): void {
    switch (fact.kind) {
      case 'rg.lock':
      case 'rg.view':
        return this.#lockWaits.observe(fact);
      case 'node.state':
        this.#lockWaits.observe(fact);
        return this.#onNode(fact);
      case 'rg.configured':
        this.#hosts.of(fact).changedAt = fact.at;
        return;
      case 'rg.members': {
        const host = this.#hosts.of(fact);
        if (host.isQuorate !== fact.isQuorate) host.changedAt = fact.at;
        host.isQuorate = fact.isQuorate;
        return;
      }
      case 'rg.stopping':
        this.#hosts.of(fact).isQuorate = false;
        return;
      case 'rg.request-started':
      case 'rg.request-ended': {
        const { busy } = this.#hosts.of(fact);
        const change = fact.kind === 'rg.request-started' ? 1 : -1;
        busy.set(fact.service, (busy.get(fact.service) ?? 0) + change);
        if (fact.request !== 'status') this.#hosts.of(fact).changedAt = fact.at;
        return;
      }
      case 'rg.agent-ended':
        if (fact.action === 'start' || fact.action === 'stop') this.#hosts.of(fact).changedAt = fact.at;
    }
  }

  /** Since when a node has settled; `at` while it has not. Undefined: nothing was heard of it. */
  settledSince(node: number, at: Nanos): Nanos | undefined {
    const host = this.#hosts.latest(node);
    if (host === undefined) return undefined;
    const { isQuorate, isPaused, busy } = host;
    const isBusy = [...busy.values()].some((count) => count > 0);
    const hasSettled = isQuorate && !isPaused && !isBusy && this.#lockWaits.delayOf(node) === undefined;
    if (!hasSettled) host.changedAt = at;
    return host.changedAt;
  }

  lifeOf(node: number): number | undefined {
    return this.#hosts.lifeOf(node);
  }

  #onNode({ node, state }: Stamped<NodeStateFact>): void {
    const host = this.#hosts.latest(node);
    if (host === undefined) return;
    host.isPaused = state === 'paused';
    // What it owned runs nowhere until somebody takes it over.
    if (state === 'off') host.isQuorate = false;
  }
}
