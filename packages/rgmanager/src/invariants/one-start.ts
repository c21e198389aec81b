import { type Check, defineInvariant, type Invariant, type Stamped, type Verdict } from '@quorate/kernel';
import type { RgFact } from '../fact.js';
import { Result } from '../state/result.js';
import { ServiceState } from '../state/service-record.js';
import { PerLife } from './per-life.js';

/** As the log calls it: what an evaluation asks for. */
const START = 'start';
/** What a relocation asks another node for. */
const REMOTE: readonly string[] = ['remote start', 'start (recovery)'];

/** A node's start of a service while it is under way. */
interface Contender {
  /** It has written `starting` itself, or `started` for what it found running. */
  hasStarted: boolean;
  /**
   * It passed the service on, or found it `recovering`: then the original answers success and does nothing. Or its node has lost quorum since:
   * it starts the service all the same, and nobody has its record.
   */
  isExcused: boolean;
  /** Somebody had the service, or it was being stopped. */
  wasTaken: boolean;
}

const TAKEN: readonly number[] = [
  ServiceState.STARTING,
  ServiceState.STARTED,
  ServiceState.STOPPING,
  ServiceState.ERROR,
  ServiceState.MIGRATE,
];

const BEGUN: readonly number[] = [ServiceState.STARTING, ServiceState.STARTED];

class Race implements Check<RgFact> {
  readonly #contenders = new PerLife<Map<string, Contender>>(() => new Map());
  readonly #states = new Map<string, number>();

  observe(fact: Stamped<RgFact>, verdict: Verdict): void {
    if (fact.kind === 'rg.service') return this.#onRecord(fact);
    if (fact.kind === 'rg.members') {
      if (!fact.isQuorate) for (const each of this.#contenders.of(fact).values()) each.isExcused = true;
      return;
    }
    if (fact.kind !== 'rg.request-started' && fact.kind !== 'rg.request-ended') return;
    const contenders = this.#contenders.of(fact);
    const { service, node } = fact;
    if (fact.kind === 'rg.request-started') {
      if (REMOTE.includes(fact.request)) this.#excuseAll(service);
      if (fact.request !== START) return;
      const state = this.#states.get(service) ?? ServiceState.STOPPED;
      const isExcused = state === ServiceState.RECOVER;
      contenders.set(service, { hasStarted: false, isExcused, wasTaken: TAKEN.includes(state) });
      return;
    }
    const contender = contenders.get(service);
    if (fact.request !== START || contender === undefined) return;
    contenders.delete(service);
    if (fact.code === Result.SUCCESS && !contender.hasStarted && !contender.isExcused)
      verdict.violate(`node ${node}: a start of ${service} succeeds that has started nothing`, [node]);
    if (fact.code === Result.RUN && !contender.wasTaken)
      verdict.violate(`node ${node}: ${service} is said to run, and nobody has it`, [node]);
  }

  #onRecord({ service, state, node }: Stamped<Extract<RgFact, { kind: 'rg.service' }>>): void {
    this.#states.set(service, state);
    for (const each of this.#contendersFor(service)) {
      each.wasTaken ||= TAKEN.includes(state);
      each.isExcused ||= state === ServiceState.RECOVER;
    }
    const own = this.#contenders.latest(node)?.get(service);
    if (own !== undefined && BEGUN.includes(state)) own.hasStarted = true;
  }

  #excuseAll(service: string): void {
    for (const each of this.#contendersFor(service)) each.isExcused = true;
  }

  #contendersFor(service: string): readonly Contender[] {
    return this.#contenders.all.flatMap((contenders) => contenders.get(service) ?? []);
  }
}

/**
 * Of those who start a service because a node has come or gone, one starts it, and the others are told that it runs.
 *
 * Source: Quorate's rgmanager specification, section 17, rule 7.
 */
export const oneStart: Invariant = defineInvariant<RgFact>({
  id: 'rgmanager.R7',
  name: 'one-start',
  statement: 'Of several nodes that would start a service one does, and the others are answered that it is running.',
  kinds: ['rg.members', 'rg.service', 'rg.request-started', 'rg.request-ended'],
  judges: ['rg.request-started'],
  start: () => new Race(),
});
