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
import { ServiceFlag, ServiceState, stateText } from '../state/service-record.js';
import { PerLife } from './per-life.js';

/** Nobody has come, gone, or done anything about services for so long: what waits for fencing or for votes is over. */
const QUIET: Nanos = 60 * SECOND;

const PASSING: readonly number[] = [
  ServiceState.STARTING,
  ServiceState.STOPPING,
  ServiceState.ERROR,
  ServiceState.RECOVER,
];

interface Member {
  members: readonly number[];
  isQuorate: boolean;
  /** Requests under way, by service. */
  readonly busy: Map<string, number>;
}

class Settled implements Check<RgFact | NodeStateFact> {
  readonly #nodes = new PerLife<Member>(() => ({ members: [], isQuorate: false, busy: new Map() }));
  readonly #records = new Map<string, Stamped<Extract<RgFact, { kind: 'rg.service' }>>>();
  readonly #reported = new Set<string>();
  /** When services were locked the last time; Infinity while they are. */
  #lockedAt: Nanos = -Infinity;
  #changedAt: Nanos = 0;

  observe(fact: Stamped<RgFact | NodeStateFact>): void {
    const isCheck = 'request' in fact && fact.request === 'status';
    if (!isCheck) this.#changedAt = fact.at;
    switch (fact.kind) {
      case 'node.state': {
        const node = this.#nodes.latest(fact.node);
        if (fact.state !== 'off' || node === undefined) return;
        node.isQuorate = false;
        node.members = [];
        node.busy.clear();
        return;
      }
      case 'rg.exited':
        this.#nodes.of(fact).isQuorate = false;
        return;
      case 'rg.members': {
        const node = this.#nodes.of(fact);
        node.members = fact.members;
        node.isQuorate = fact.isQuorate;
        return;
      }
      case 'rg.lockdown':
        this.#lockedAt = fact.isLocked ? Infinity : fact.at;
        return;
      case 'rg.service':
        this.#records.set(fact.service, fact);
        this.#reported.delete(fact.service);
        return;
      case 'rg.request-started':
      case 'rg.request-ended': {
        const { busy } = this.#nodes.of(fact);
        const change = fact.kind === 'rg.request-started' ? 1 : -1;
        busy.set(fact.service, (busy.get(fact.service) ?? 0) + change);
      }
    }
  }

  tick(at: Nanos, verdict: Verdict): void {
    if (at - this.#changedAt < QUIET) return;
    const online = new Set(this.#nodes.all.filter(({ isQuorate }) => isQuorate).flatMap(({ members }) => members));
    if (online.size === 0) return;
    for (const [service, record] of this.#records) {
      const isBusy = this.#nodes.all.some(({ busy }) => (busy.get(service) ?? 0) > 0);
      if (isBusy || this.#reported.has(service)) continue;
      this.#judge(service, record, online, verdict);
    }
  }

  #judge(
    service: string,
    { state, owner, flags, at: since }: Stamped<Extract<RgFact, { kind: 'rg.service' }>>,
    online: ReadonlySet<number>,
    verdict: Verdict,
  ): void {
    const isOrphan = owner !== 0 && !online.has(owner);
    if (!PASSING.includes(state) && !isOrphan) return;
    this.#reported.add(service);
    const isLeftAlone = (flags & ServiceFlag.FROZEN) !== 0 || this.#lockedAt >= since;
    if (isLeftAlone) return verdict.count('svc-left-alone');
    if (state === ServiceState.STOPPING) return verdict.count('svc-left-stopping');
    const whose = isOrphan ? `, owned by node ${owner}, which is gone` : '';
    verdict.violate(`${service} is ${stateText(state)}${whose}, and nobody does anything about it`, [owner]);
  }
}

/**
 * When nobody has come, gone, or done anything about any service for a minute, none is starting, failed (`recoverable`) or recovering, nor
 * owned by a node that is gone. Counted: who is left alone because it is frozen or services are or were locked (`svc-left-alone`), and a
 * stop whose end could not be written (`svc-left-stopping`).
 *
 * Source: Quorate's rgmanager specification, section 17, rule 4.
 */
export const nothingInPassing: Invariant = defineInvariant<RgFact | NodeStateFact>({
  id: 'rgmanager.R4',
  name: 'nothing-in-passing',
  statement: 'After quiet no service is between two states, nor owned by a node that is gone.',
  kinds: [
    'node.state',
    'rg.exited',
    'rg.members',
    'rg.lockdown',
    'rg.service',
    'rg.request-started',
    'rg.request-ended',
  ],
  start: () => new Settled(),
});
