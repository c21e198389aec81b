import { type Nanos, SECOND, type Stamped } from '@quorate/kernel';
import { type AnyFact, PHASE_KINDS, type Phase, phasesOf } from '@quorate/lab';
import { ServiceState } from '@quorate/rgmanager';
import { BoundedList } from './bounded-list.js';

/** A press of F5 and what came of it. */
export interface Press {
  readonly sentAt: Nanos;
  /** `early`: not answered, but nobody had a page yet that could be missed. */
  readonly outcome: 'served' | 'failed' | 'early';
}

/** A time without the page, from the first request that failed to the first that was answered. */
export interface OutageRecord {
  readonly from: Nanos;
  /** How far it has come, while it goes on. */
  readonly to: Nanos;
  readonly isOver: boolean;
  readonly failed: number;
  /** Node ids of the owner before and after; 0 for none. */
  readonly ownerBefore: number;
  readonly ownerAfter: number;
  readonly phases: readonly Phase[];
}

/** Facts from before the first failed press is known: it was sent a second ago at most. */
const LOOK_BACK: Nanos = 5 * SECOND;
const MOST_FACTS = 2000;

/** What somebody who keeps pressing F5 sees, and what the times without a page are made of. */
export class Outages {
  static readonly KINDS: readonly string[] = ['client.request', 'client.outage-ended', 'rg.service', ...PHASE_KINDS];
  /** Ten minutes. */
  readonly presses = new BoundedList<Press>(600);
  readonly ended = new BoundedList<OutageRecord>(50);
  served = 0;
  failed = 0;
  #facts: AnyFact[] = [];
  #owner = 0;
  #from: Nanos | undefined;
  #failedInThis = 0;
  #ownerBefore = 0;

  hear(fact: Stamped): void {
    const any = fact as AnyFact;
    switch (fact.kind) {
      case 'client.request':
        this.#onRequest(any);
        break;
      case 'client.outage-ended':
        this.#onEnded(any);
        break;
      case 'rg.service':
        if (any.state === ServiceState.STARTED) this.#owner = Number(any.owner);
        break;
      default:
        if (PHASE_KINDS.includes(fact.kind)) this.#keep(any);
    }
  }

  /** The one that goes on, as far as `now`; undefined while the page comes, or before it came for the first time. */
  current(now: Nanos): OutageRecord | undefined {
    if (this.#from === undefined || this.served === 0) return undefined;
    return {
      from: this.#from,
      to: now,
      isOver: false,
      failed: this.#failedInThis,
      ownerBefore: this.#ownerBefore,
      ownerAfter: 0,
      phases: phasesOf({ from: this.#from, to: now }, this.#facts, false),
    };
  }

  #onRequest({ sentAt, isAnswered }: AnyFact): void {
    const isServed = isAnswered === true;
    const outcome = isServed ? 'served' : this.served === 0 ? 'early' : 'failed';
    this.presses.add({ sentAt: Number(sentAt), outcome });
    if (outcome === 'served') this.served += 1;
    if (outcome !== 'failed') return;
    this.failed += 1;
    this.#failedInThis += 1;
    if (this.#from !== undefined) return;
    this.#from = Number(sentAt);
    this.#ownerBefore = this.#owner;
  }

  #onEnded({ at, from, failed }: AnyFact): void {
    if (this.#from !== undefined && from === this.#from) {
      this.ended.add({
        from: this.#from,
        to: at,
        isOver: true,
        failed: Number(failed),
        ownerBefore: this.#ownerBefore,
        ownerAfter: this.#owner,
        phases: phasesOf({ from: this.#from, to: at }, this.#facts),
      });
    }
    this.#from = undefined;
    this.#failedInThis = 0;
  }

  #keep(fact: AnyFact): void {
    this.#facts.push(fact);
    const isLong = this.#facts.length > MOST_FACTS;
    const oldest = (this.#from ?? fact.at) - LOOK_BACK;
    if (isLong || this.#facts[0]!.at < oldest) {
      this.#facts = this.#facts.filter(({ at }) => at >= oldest).slice(-MOST_FACTS / 2);
    }
  }
}
