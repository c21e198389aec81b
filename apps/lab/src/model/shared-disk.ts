import type { Stamped } from '@quorate/kernel';
import type { AnyFact } from '@quorate/lab';

export interface Registration {
  /** Node id. */
  readonly nexus: number;
  /** Hex without leading zeros, as sg_persist prints it. */
  readonly key: string;
}

/** How the key of a node went. */
export interface Preempted {
  readonly victim: number;
  readonly by: number;
}

/** Names of reservation types as sg_persist prints them. */
const TYPE_TEXTS: ReadonlyMap<number, string> = new Map([
  [1, 'Write Exclusive'],
  [3, 'Exclusive Access'],
  [5, 'Write Exclusive, registrants only'],
  [6, 'Exclusive Access, registrants only'],
  [7, 'Write Exclusive, all registrants'],
  [8, 'Exclusive Access, all registrants'],
]);

/** The disk with the file system: who is registered, and who holds the reservation. */
export class SharedDisk {
  static readonly KINDS: readonly string[] = ['scsi.reservation-changed'];
  readonly #lun: number;
  registrations: readonly Registration[] = [];
  /** Node id of the holder; 0 for none. */
  holder = 0;
  /** Empty without a reservation. */
  type = '';
  /** PRGENERATION. */
  generation = 0;
  /** What PERSISTENT RESERVE OUT was done last: `preempt-and-abort`; empty before the first. */
  lastAction = '';
  /** Node id of who did it. */
  lastBy = 0;
  /** Nodes whose key somebody else took away, until they register again. */
  preempted: readonly Preempted[] = [];

  constructor(lun: number) {
    this.#lun = lun;
  }

  hear(fact: Stamped): void {
    if (fact.kind !== 'scsi.reservation-changed') return;
    const change = fact as AnyFact;
    if (change.lun !== this.#lun) return;
    this.registrations = change.registered as readonly Registration[];
    this.type = TYPE_TEXTS.get(Number(change.type)) ?? '';
    this.holder = this.type === '' ? 0 : Number(change.holder ?? 0);
    this.generation = Number(change.generation);
    this.lastAction = String(change.action);
    this.lastBy = Number(change.nexus);
    const victims = (change.preempted as readonly number[]).map((victim) => ({ victim, by: this.lastBy }));
    const isRegistered = (node: number): boolean => this.registrations.some(({ nexus }) => nexus === node);
    const others = this.preempted.filter(({ victim }) => !victims.some((each) => each.victim === victim));
    this.preempted = [...others, ...victims].filter(({ victim }) => !isRegistered(victim));
  }
}
