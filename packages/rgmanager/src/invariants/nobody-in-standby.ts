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
import { SETTLING_KINDS, SettledHosts } from './settled-hosts.js';

/** Nothing but checks has happened on the node for so long. */
const SETTLED_AFTER: Nanos = 10 * SECOND;

/** What one node knows. */
interface Knowledge {
  /** In its configuration: it leaves the records of others as they are. */
  services: ReadonlySet<string>;
  members: readonly number[];
  standby: readonly number[];
  /** When that has changed, or services were unlocked here; Infinity while they are locked. */
  changedAt: Nanos;
  isLocked: boolean;
}

interface Record {
  readonly fact: Stamped<Extract<RgFact, { kind: 'rg.service' }>>;
  /** Life of its owner when it was written: in another life it does not run there. */
  readonly ownerLife: number | undefined;
  isTold: boolean;
}

class Standby implements Check<RgFact | NodeStateFact> {
  readonly #settled = new SettledHosts();
  readonly #nodes = new PerLife<Knowledge>(() => ({
    services: new Set(),
    members: [],
    standby: [],
    changedAt: 0,
    isLocked: false,
  }));
  readonly #records = new Map<string, Record>();
  /** One node decides for all. */
  #isCentral = false;
  /** The master has been at an event. */
  #masterChangedAt: Nanos = 0;
  readonly #scripts = new Set<number>();

  observe(fact: Stamped<RgFact | NodeStateFact>): void {
    this.#settled.observe(fact);
    switch (fact.kind) {
      case 'node.state':
        if (fact.state === 'off') this.#scripts.delete(fact.node);
        return;
      case 'rg.exited':
        this.#scripts.delete(fact.node);
        return;
      case 'rg.master':
      case 'rg.script':
        return this.#onMaster(fact);
      case 'rg.configured':
        this.#nodes.of(fact).services = new Set(fact.services.map(({ service }) => service));
        return;
      case 'rg.members':
        return this.#onMembers(fact);
      case 'rg.lockdown': {
        const node = this.#nodes.of(fact);
        node.isLocked = fact.isLocked;
        node.changedAt = fact.at;
        return;
      }
      case 'rg.service':
        this.#records.set(fact.service, { fact, ownerLife: this.#settled.lifeOf(fact.owner), isTold: false });
    }
  }

  tick(at: Nanos, verdict: Verdict): void {
    for (const [service, record] of this.#records) {
      const { state, owner, flags } = record.fact;
      if (state !== ServiceState.STARTED || record.isTold || record.ownerLife !== this.#settled.lifeOf(owner)) continue;
      const node = this.#nodes.latest(owner);
      if (node?.standby.includes(owner) !== true || !node.services.has(service)) continue;
      if (at - Math.max(record.fact.at, this.#settledSince(owner, node, at)) < SETTLED_AFTER) continue;
      record.isTold = true;
      const isFrozen = (flags & ServiceFlag.FROZEN) !== 0;
      if (isFrozen || this.#isLocked(node)) verdict.count('svc-left-in-standby');
      else verdict.violate(`${service} has settled on node ${owner}, which is in standby`, [owner]);
    }
  }

  #onMaster(fact: Stamped<Extract<RgFact, { kind: 'rg.master' | 'rg.script' }>>): void {
    this.#isCentral = true;
    this.#masterChangedAt = fact.at;
    if (fact.kind === 'rg.master') this.#scripts.clear();
    else if (fact.event === 'started') this.#scripts.add(fact.node);
    else this.#scripts.delete(fact.node);
  }

  #onMembers(fact: Stamped<Extract<RgFact, { kind: 'rg.members' }>>): void {
    const node = this.#nodes.of(fact);
    // Who regains quorum has forgotten the lock.
    if (!fact.isQuorate) node.isLocked = false;
    node.members = fact.members;
    node.standby = fact.standby ?? [];
    node.changedAt = fact.at;
  }

  /** The owner hands over its services itself; the master does it for all, and any of them may keep it waiting. */
  #settledSince(owner: number, node: Knowledge, at: Nanos): Nanos {
    const since = (each: number): Nanos => this.#settled.settledSince(each, at) ?? at;
    if (!this.#isCentral) return Math.max(since(owner), node.changedAt);
    if (this.#scripts.size > 0) return at;
    return Math.max(this.#masterChangedAt, node.changedAt, ...node.members.map(since));
  }

  #isLocked(node: Knowledge): boolean {
    return this.#isCentral ? this.#nodes.all.some(({ isLocked }) => isLocked) : node.isLocked;
  }
}

/**
 * A service that is started on a node in standby leaves it: it is handed to another node, or stopped where there is none. Counted: one
 * that is frozen or was left there because services are locked (`svc-left-in-standby`). The record of a service that the owner's
 * configuration is without is not judged: that was stopped when the configuration was loaded.
 *
 * It is judged when nothing has been under way on its owner for ten seconds, which has quorum and is not ending, does not stand still, and waits
 * for no lock of the dead and no answer of members; where a master decides, on all members, and the master is at no event.
 */
export const nobodyInStandby: Invariant = defineInvariant<RgFact | NodeStateFact>({
  id: 'rgmanager.B1',
  name: 'nobody-in-standby',
  statement: 'No settled service runs on a node in standby.',
  kinds: [...SETTLING_KINDS, 'rg.exited', 'rg.master', 'rg.script', 'rg.lockdown', 'rg.service'],
  judges: ['rg.service'],
  start: () => new Standby(),
});
