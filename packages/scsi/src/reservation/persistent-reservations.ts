import { assert } from '@quorate/kernel';
import { ReserveOut } from '../opcode.js';
import {
  INSUFFICIENT_REGISTRATION_RESOURCES,
  INVALID_RELEASE_OF_PERSISTENT_RESERVATION,
  invalidFieldInCdb,
  invalidFieldInParameterList,
  REGISTRATIONS_PREEMPTED,
  RESERVATIONS_PREEMPTED,
  RESERVATIONS_RELEASED,
  type Sense,
} from '../sense.js';
import { Standing } from './conflict.js';
import {
  admitsRegistrants,
  isAllRegistrants,
  isExclusiveAccess,
  isReservationType,
  ReservationType,
} from './reservation-type.js';

/** What one nexus registered. */
export interface Registration {
  readonly nexus: number;
  readonly key: bigint;
  /** ALL_TG_PT: made for every target port. */
  readonly allTargetPorts: boolean;
}

/** Everything that a logical unit knows of its persistent reservations. */
export interface ReservationsSnapshot {
  /** In the order of registration. */
  readonly registrations: readonly Registration[];
  readonly type: ReservationType;
  readonly holder: number | undefined;
  readonly generation: number;
  readonly isAptplActive: boolean;
}

/** PERSISTENT RESERVE OUT of one nexus, with initiator ports already resolved to nexuses. */
export interface ReservationRequest {
  readonly nexus: number;
  readonly action: ReserveOut;
  /** Scope and type as the CDB has them; checked by the actions that use them. */
  readonly scope: number;
  readonly type: number;
  readonly key: bigint;
  readonly serviceActionKey: bigint;
  readonly aptpl: boolean;
  readonly allTargetPorts: boolean;
  /** SPEC_I_PT: nexuses to register as well; undefined when the bit is 0. */
  readonly alsoRegister: readonly number[] | undefined;
  /** REGISTER AND MOVE: who gets the reservation. */
  readonly destination: number | undefined;
  /** REGISTER AND MOVE: UNREG. */
  readonly unregister: boolean;
}

export interface Attention {
  readonly nexus: number;
  readonly sense: Sense;
}

export type ReservationOutcome =
  | {
      readonly kind: 'done';
      /** Unit attentions for others; never for the caller. */
      readonly attentions: readonly Attention[];
      /** Nexuses whose registration a PREEMPT removed, the caller left out. */
      readonly preempted: readonly number[];
    }
  | { readonly kind: 'conflict' }
  | { readonly kind: 'refused'; readonly sense: Sense };

/** Registrations that one logical unit has room for. */
export const MAX_REGISTRATIONS = 128;

const CONFLICT: ReservationOutcome = { kind: 'conflict' };
const DONE: ReservationOutcome = { kind: 'done', attentions: [], preempted: [] };

function refused(sense: Sense): ReservationOutcome {
  return { kind: 'refused', sense };
}

/**
 * Registrations and the reservation of one logical unit, and how PERSISTENT RESERVE OUT changes them.
 *
 * It knows nexuses by number and nothing of bytes, tasks or time. Whether a command conflicts with a reservation held by
 * somebody else was asked before (`conflictsWithReservation`); here are the rules of the actions themselves.
 *
 * Source: SPC-4, "Persistent reservations". The comments name the rules as the specification of this project does.
 */
export class PersistentReservations {
  /** By nexus, in the order of registration. */
  readonly #registrations = new Map<number, Registration>();
  #type: ReservationType = ReservationType.none;
  /** The holding nexus; undefined without a reservation, and under All Registrants: there every registered nexus holds. */
  #holder: number | undefined;
  #generation = 0;
  #isAptplActive = false;

  /** PRGENERATION. */
  get generation(): number {
    return this.#generation;
  }

  get type(): ReservationType {
    return this.#type;
  }

  /** The one holder; undefined without a reservation and under All Registrants. */
  get holder(): number | undefined {
    return this.#holder;
  }

  get isAptplActive(): boolean {
    return this.#isAptplActive;
  }

  /** In the order of registration. */
  registrations(): Iterable<Registration> {
    return this.#registrations.values();
  }

  /** Number of registrations. */
  get size(): number {
    return this.#registrations.size;
  }

  registrationOf(nexus: number): Registration | undefined {
    return this.#registrations.get(nexus);
  }

  isRegistered(nexus: number): boolean {
    return this.#registrations.has(nexus);
  }

  isHolder(nexus: number): boolean {
    return isAllRegistrants(this.#type) ? this.#registrations.has(nexus) : this.#holder === nexus;
  }

  standing(nexus: number): Standing {
    const type = this.#type;
    if (type === ReservationType.none || this.isHolder(nexus)) return Standing.unrestricted;
    if (!admitsRegistrants(type)) {
      return isExclusiveAccess(type) ? Standing.underExclusiveAccess : Standing.underWriteExclusive;
    }
    if (this.#registrations.has(nexus)) return Standing.registrant;
    return isExclusiveAccess(type) ? Standing.strangerUnderExclusiveAccess : Standing.strangerUnderWriteExclusive;
  }

  /** Carries out one PERSISTENT RESERVE OUT, whole or not at all. */
  out(request: ReservationRequest): ReservationOutcome {
    const outcome = this.#act(request);
    if (outcome.kind === 'done' && countsInGeneration(request.action)) this.#generation = (this.#generation + 1) >>> 0;
    this.#check();
    return outcome;
  }

  /** P18, P20: the target lost power. Without APTPL everything is gone; the generation starts at 0 either way. */
  powerCycle(): void {
    this.#generation = 0;
    if (this.#isAptplActive) return;
    this.#registrations.clear();
    this.#release();
  }

  /** All of it, to be restored when a change cannot be kept. */
  snapshot(): ReservationsSnapshot {
    return {
      registrations: [...this.#registrations.values()],
      type: this.#type,
      holder: this.#holder,
      generation: this.#generation,
      isAptplActive: this.#isAptplActive,
    };
  }

  restore(snapshot: ReservationsSnapshot): void {
    this.#registrations.clear();
    for (const registration of snapshot.registrations) this.#registrations.set(registration.nexus, registration);
    this.#type = snapshot.type;
    this.#holder = snapshot.holder;
    this.#generation = snapshot.generation;
    this.#isAptplActive = snapshot.isAptplActive;
    this.#check();
  }

  /** A nexus gets another number; the order of registration stays. */
  renumber(from: number, to: number): void {
    if (!this.#registrations.has(from)) return;
    const before = this.snapshot();
    const renumbered = (nexus: number): number => (nexus === from ? to : nexus);
    this.restore({
      ...before,
      registrations: before.registrations.map((each) => ({ ...each, nexus: renumbered(each.nexus) })),
      holder: before.holder === undefined ? undefined : renumbered(before.holder),
    });
  }

  #act(request: ReservationRequest): ReservationOutcome {
    const own = this.#registrations.get(request.nexus);
    switch (request.action) {
      case ReserveOut.register:
        return this.#register(request, own);
      case ReserveOut.registerAndIgnoreExistingKey:
        return this.#registerAndIgnoreExistingKey(request, own);
    }
    if (own === undefined || own.key !== request.key) return CONFLICT;
    switch (request.action) {
      case ReserveOut.reserve:
        return this.#reserve(request);
      case ReserveOut.release:
        return this.#releaseBy(request);
      case ReserveOut.clear:
        return this.#clear(request);
      case ReserveOut.preempt:
      case ReserveOut.preemptAndAbort:
        return this.#preempt(request);
      case ReserveOut.registerAndMove:
        return this.#registerAndMove(request);
    }
  }

  /** P1, P2. */
  #register(request: ReservationRequest, own: Registration | undefined): ReservationOutcome {
    if (request.key !== (own?.key ?? 0n)) return CONFLICT;
    if (own !== undefined && request.alsoRegister !== undefined) return refused(invalidFieldInParameterList(20));
    return this.#setKey(request, own);
  }

  /** P3. */
  #registerAndIgnoreExistingKey(request: ReservationRequest, own: Registration | undefined): ReservationOutcome {
    return this.#setKey(request, own);
  }

  #setKey(request: ReservationRequest, own: Registration | undefined): ReservationOutcome {
    const { nexus, serviceActionKey } = request;
    // P23: what was registered for every target port is changed for every target port only.
    if (own?.allTargetPorts === true && !request.allTargetPorts) return refused(invalidFieldInCdb(1));
    let outcome = DONE;
    if (serviceActionKey !== 0n) {
      const added = [nexus, ...(request.alsoRegister ?? [])].filter((each) => !this.#registrations.has(each));
      if (this.#registrations.size + new Set(added).size > MAX_REGISTRATIONS) {
        return refused(INSUFFICIENT_REGISTRATION_RESOURCES); // P22
      }
      this.#setRegistration(nexus, serviceActionKey, request.allTargetPorts);
      for (const other of added) this.#setRegistration(other, serviceActionKey, request.allTargetPorts);
    } else if (own !== undefined) {
      outcome = this.#unregister(nexus);
    }
    this.#isAptplActive = request.aptpl;
    return outcome;
  }

  #setRegistration(nexus: number, key: bigint, allTargetPorts: boolean): void {
    this.#registrations.set(nexus, { nexus, key, allTargetPorts });
  }

  /** P4, P5. */
  #unregister(nexus: number): ReservationOutcome {
    const type = this.#type;
    const wasHolder = this.isHolder(nexus);
    this.#registrations.delete(nexus);
    if (!wasHolder) return DONE;
    if (isAllRegistrants(type)) {
      if (this.#registrations.size === 0) this.#release();
      return DONE;
    }
    this.#release();
    if (!admitsRegistrants(type)) return DONE;
    return { kind: 'done', attentions: this.#tellOthers(nexus, RESERVATIONS_RELEASED), preempted: [] };
  }

  /** P6. */
  #reserve({ nexus, type, scope }: ReservationRequest): ReservationOutcome {
    if (scope !== 0 || !isReservationType(type)) return refused(invalidFieldInCdb(2));
    if (this.#type !== ReservationType.none) return this.isHolder(nexus) && type === this.#type ? DONE : CONFLICT;
    this.#hold(nexus, type);
    return DONE;
  }

  /** P7. */
  #releaseBy({ nexus, type, scope }: ReservationRequest): ReservationOutcome {
    if (scope !== 0 || !isReservationType(type)) return refused(invalidFieldInCdb(2));
    if (this.#type === ReservationType.none || !this.isHolder(nexus)) return DONE;
    if (type !== this.#type) return refused(INVALID_RELEASE_OF_PERSISTENT_RESERVATION);
    this.#release();
    if (!admitsRegistrants(type)) return DONE;
    return { kind: 'done', attentions: this.#tellOthers(nexus, RESERVATIONS_RELEASED), preempted: [] };
  }

  /** P8. */
  #clear({ nexus }: ReservationRequest): ReservationOutcome {
    const attentions = this.#tellOthers(nexus, RESERVATIONS_PREEMPTED);
    this.#registrations.clear();
    this.#release();
    return { kind: 'done', attentions, preempted: [] };
  }

  /** P9 to P16; the tasks of who was preempted are the caller's to abort. */
  #preempt(request: ReservationRequest): ReservationOutcome {
    const victimKey = request.serviceActionKey;
    if (isAllRegistrants(this.#type)) {
      return victimKey === 0n ? this.#takeOver(request, () => true) : this.#preemptKey(request, true);
    }
    if (victimKey === 0n) return refused(invalidFieldInParameterList(8)); // P10
    const holder = this.#holder === undefined ? undefined : this.#registrations.get(this.#holder);
    if (holder?.key === victimKey) return this.#takeOver(request, (registration) => registration.key === victimKey);
    return this.#preemptKey(request, false);
  }

  /** P11, P12, P15: registrations go, the reservation stays. */
  #preemptKey({ nexus, serviceActionKey }: ReservationRequest, keepsCaller: boolean): ReservationOutcome {
    const matching = [...this.registrations()].filter((registration) => registration.key === serviceActionKey);
    if (matching.length === 0) return CONFLICT; // P11
    const preempted = this.#remove(matching.filter((registration) => registration.nexus !== nexus));
    // P12: a caller with the victim's key loses its own registration as well. Differs from tgt, which keeps it.
    if (!keepsCaller && this.#registrations.get(nexus)?.key === serviceActionKey) this.#registrations.delete(nexus);
    return { kind: 'done', attentions: tell(preempted, REGISTRATIONS_PREEMPTED), preempted };
  }

  /** P13, P14: the caller becomes the holder with the type of the CDB. */
  #takeOver(request: ReservationRequest, isVictim: (registration: Registration) => boolean): ReservationOutcome {
    const { nexus, type, scope } = request;
    if (scope !== 0 || !isReservationType(type)) return refused(invalidFieldInCdb(2));
    const victims = [...this.registrations()].filter((each) => each.nexus !== nexus && isVictim(each));
    const preempted = this.#remove(victims);
    const hasTypeChanged = type !== this.#type;
    this.#hold(nexus, type);
    const attentions = tell(preempted, REGISTRATIONS_PREEMPTED);
    if (hasTypeChanged) attentions.push(...this.#tellOthers(nexus, RESERVATIONS_RELEASED));
    return { kind: 'done', attentions, preempted };
  }

  /** P17. */
  #registerAndMove(request: ReservationRequest): ReservationOutcome {
    const { nexus, serviceActionKey, destination } = request;
    if (serviceActionKey === 0n) return refused(invalidFieldInParameterList(8));
    if (destination === undefined || destination === nexus) return refused(invalidFieldInParameterList(24));
    if (this.#type === ReservationType.none) return refused(invalidFieldInCdb(1));
    if (this.#holder !== nexus) return CONFLICT;
    if (this.#registrations.size === MAX_REGISTRATIONS && !this.#registrations.has(destination)) {
      return refused(INSUFFICIENT_REGISTRATION_RESOURCES);
    }
    this.#setRegistration(destination, serviceActionKey, false);
    this.#holder = destination;
    if (request.unregister) this.#registrations.delete(nexus);
    this.#isAptplActive = request.aptpl;
    return DONE;
  }

  #hold(nexus: number, type: ReservationType): void {
    this.#type = type;
    this.#holder = isAllRegistrants(type) ? undefined : nexus;
  }

  #release(): void {
    this.#type = ReservationType.none;
    this.#holder = undefined;
  }

  #remove(registrations: readonly Registration[]): number[] {
    for (const { nexus } of registrations) this.#registrations.delete(nexus);
    return registrations.map((registration) => registration.nexus);
  }

  #tellOthers(caller: number, sense: Sense): Attention[] {
    return tell(
      [...this.#registrations.keys()].filter((nexus) => nexus !== caller),
      sense,
    );
  }

  #check(): void {
    const isHeld = this.#type !== ReservationType.none;
    assert(!isHeld || this.#registrations.size > 0, 'a reservation needs a registration');
    const needsHolder = isHeld && !isAllRegistrants(this.#type);
    assert(needsHolder === (this.#holder !== undefined), 'a reservation has one holder, or is for all registrants');
    assert(this.#holder === undefined || this.#registrations.has(this.#holder), 'the holder is registered');
  }
}

function tell(nexuses: readonly number[], sense: Sense): Attention[] {
  return nexuses.map((nexus) => ({ nexus, sense }));
}

/** P18. */
function countsInGeneration(action: ReserveOut): boolean {
  return action !== ReserveOut.reserve && action !== ReserveOut.release;
}
