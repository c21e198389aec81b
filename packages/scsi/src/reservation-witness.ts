import type { ReservationChangedFact } from './facts.js';

/** What may be asked of a nexus that stands outside of a reservation: the columns of the access table of the types. */
const READERS_UNDER: ReadonlyMap<number, 'all' | 'registered' | 'nobody'> = new Map([
  [1, 'all'],
  [3, 'nobody'],
  [5, 'all'],
  [6, 'registered'],
  [7, 'all'],
  [8, 'registered'],
]);

/** MODE SENSE, READ, PRE-FETCH, VERIFY and READ DEFECT DATA. */
const READS: ReadonlySet<number> = new Set([
  0x08, 0x1a, 0x28, 0x2f, 0x34, 0x37, 0x5a, 0x88, 0x8f, 0x90, 0xa8, 0xaf, 0xb7,
]);
/** WRITE in all its forms, MODE SELECT, SYNCHRONIZE CACHE, UNMAP. */
const WRITES: ReadonlySet<number> = new Set([
  0x0a, 0x15, 0x2a, 0x2e, 0x35, 0x41, 0x42, 0x55, 0x89, 0x8a, 0x8b, 0x8e, 0x91, 0x93, 0x9c, 0xaa, 0xae,
]);
/** SANITIZE, EXTENDED COPY and RECEIVE COPY RESULTS: as WRITES, with service actions that may be unknown. */
const WRITES_WITH_ACTIONS: ReadonlySet<number> = new Set([0x48, 0x83, 0x84]);
const GET_LBA_STATUS = { opcode: 0x9e, serviceAction: 0x12 } as const;
const PERSISTENT_RESERVE_OUT = 0x5f;

/**
 * Who is registered and who holds the reservation of one logical unit, and what follows from it.
 *
 * For checkers: it is worked out anew from what was asked with GOOD, and decides rights by the access table of the types,
 * so that a mistake in the target's own state or conflict table shows as a difference. Source: SPC-4, "Persistent
 * reservations".
 */
export class ReservationWitness {
  readonly #keys = new Map<number, string>();
  #type = 0;
  #holder: number | undefined;
  #isKept = false;

  isRegistered(nexus: number): boolean {
    return this.#keys.has(nexus);
  }

  /** Takes note of a PERSISTENT RESERVE OUT that ended with GOOD. Returns who else lost a registration to it. */
  note(fact: ReservationChangedFact): readonly number[] {
    const { nexus, serviceActionKey } = fact;
    switch (fact.action) {
      case 'register':
      case 'register-and-ignore':
        this.#isKept = fact.aptpl;
        if (serviceActionKey === '0') this.#forget(nexus);
        else this.#enter([nexus, ...fact.alsoRegister.filter((each) => !this.#keys.has(each))], serviceActionKey);
        return [];
      case 'reserve':
        this.#take(nexus, fact.requestedType);
        return [];
      case 'release':
        if (this.#holds(nexus)) this.#take(undefined, 0);
        return [];
      case 'clear':
        this.#keys.clear();
        this.#take(undefined, 0);
        return [];
      case 'preempt':
      case 'preempt-and-abort':
        return this.#preempt(nexus, serviceActionKey, fact.requestedType);
      case 'register-and-move':
        this.#isKept = fact.aptpl;
        this.#enter([fact.destination!], serviceActionKey);
        this.#holder = fact.destination;
        if (fact.unregister) this.#keys.delete(nexus);
        return [];
    }
  }

  powerCycle(): void {
    if (this.#isKept) return;
    this.#keys.clear();
    this.#take(undefined, 0);
  }

  /**
   * Whether a command may run; undefined for commands whose rights do not depend on persistent reservations, and for a
   * service action that the target does not know.
   */
  mayRun(nexus: number, opcode: number, serviceAction: number | undefined): boolean | undefined {
    if (this.#type === 0 || this.#holds(nexus)) return true;
    const isRegistered = this.#keys.has(nexus);
    const isStatus = opcode === GET_LBA_STATUS.opcode && serviceAction === GET_LBA_STATUS.serviceAction;
    if (READS.has(opcode) || isStatus) {
      const readers = READERS_UNDER.get(this.#type);
      return readers === 'all' || (readers === 'registered' && isRegistered);
    }
    const isWrite = WRITES.has(opcode) || (WRITES_WITH_ACTIONS.has(opcode) && serviceAction !== undefined);
    if (isWrite) return this.#type >= 5 && isRegistered;
    if (opcode !== PERSISTENT_RESERVE_OUT || serviceAction === undefined) return undefined;
    const isOpenToAll = serviceAction === 0 || serviceAction === 6;
    const isOpenToRegistered = serviceAction !== 1 && serviceAction !== 7;
    return isOpenToAll || (isOpenToRegistered && isRegistered);
  }

  #holds(nexus: number): boolean {
    return this.#type >= 7 ? this.#keys.has(nexus) : this.#type !== 0 && this.#holder === nexus;
  }

  #enter(nexuses: readonly number[], key: string): void {
    for (const nexus of nexuses) this.#keys.set(nexus, key);
  }

  #forget(nexus: number): void {
    const held = this.#holds(nexus);
    this.#keys.delete(nexus);
    if (held && (this.#type < 7 || this.#keys.size === 0)) this.#take(undefined, 0);
  }

  #take(holder: number | undefined, type: number): void {
    this.#holder = holder;
    this.#type = type;
  }

  #preempt(caller: number, victimKey: string, type: number): readonly number[] {
    const isForAll = this.#type >= 7;
    const holderKey = this.#holder === undefined ? undefined : this.#keys.get(this.#holder);
    const takesOver = isForAll ? victimKey === '0' : this.#type !== 0 && holderKey === victimKey;
    const isVictim = (key: string): boolean => key === victimKey || (takesOver && isForAll);
    const victims = [...this.#keys].filter(([nexus, key]) => nexus !== caller && isVictim(key)).map(([nexus]) => nexus);
    for (const nexus of victims) this.#keys.delete(nexus);
    if (!takesOver && !isForAll && this.#keys.get(caller) === victimKey) this.#keys.delete(caller);
    if (takesOver) this.#take(caller, type);
    return victims;
  }
}
