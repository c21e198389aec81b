/**
 * Persistent reservations in the fewest words: registrations as a list, every rule as one predicate over it.
 *
 * Written from the rules P1 to P18, not from the target: it answers each request with status and told initiators.
 */
export interface Answer {
  /** `00`, `18`, or key, ASC and ASCQ. */
  readonly outcome: string;
  /** Who is told what, by initiator. */
  readonly told: ReadonlyMap<number, string>;
}

export type ModelRequest =
  | { readonly kind: 'register' | 'ignore'; readonly rk: number; readonly sark: number }
  | { readonly kind: 'reserve' | 'release'; readonly rk: number; readonly type: number }
  | { readonly kind: 'clear'; readonly rk: number }
  | { readonly kind: 'preempt' | 'preempt-abort'; readonly rk: number; readonly sark: number; readonly type: number };

interface Registrant {
  readonly id: number;
  key: number;
}

const AR = (type: number): boolean => type > 6;
const RO_OR_AR = (type: number): boolean => type > 4;

export class ReferenceModel {
  registrants: Registrant[] = [];
  /** Type held, 0 for none. */
  type = 0;
  /** Holder unless All Registrants. */
  holder = 0;
  generation = 0;

  holds(id: number): boolean {
    return this.type !== 0 && (AR(this.type) ? this.keyOf(id) !== 0 : this.holder === id);
  }

  keyOf(id: number): number {
    return this.registrants.find((each) => each.id === id)?.key ?? 0;
  }

  /** Whether an initiator may read and write, by the table of the types. */
  rights(id: number): { readonly read: boolean; readonly write: boolean } {
    if (this.type === 0 || this.holds(id)) return { read: true, write: true };
    const isIn = RO_OR_AR(this.type) && this.keyOf(id) !== 0;
    const isExclusive = this.type === 3 || this.type === 6 || this.type === 8;
    return { read: isIn || !isExclusive, write: isIn };
  }

  ask(id: number, request: ModelRequest): Answer {
    const told = new Map<number, string>();
    const outcome = this.#ask(id, request, told);
    const counts = request.kind !== 'reserve' && request.kind !== 'release';
    if (outcome === '00' && counts) this.generation += 1;
    return { outcome, told };
  }

  #ask(id: number, request: ModelRequest, told: Map<number, string>): string {
    const key = this.keyOf(id);
    if (request.kind === 'register' && request.rk !== key) return '18';
    if (request.kind === 'register' || request.kind === 'ignore') return this.#setKey(id, request.sark, told);
    if (key === 0 || request.rk !== key) return '18';
    switch (request.kind) {
      case 'reserve': {
        if (this.type !== 0) return this.holds(id) && this.type === request.type ? '00' : '18';
        this.#hold(id, request.type);
        return '00';
      }
      case 'release': {
        if (!this.holds(id)) return '00';
        if (this.type !== request.type) return '5/26/04';
        if (RO_OR_AR(this.type)) this.#tell(told, '6/2A/04', (each) => each.id !== id);
        this.type = 0;
        return '00';
      }
      case 'clear': {
        this.#tell(told, '6/2A/03', (each) => each.id !== id);
        this.registrants = [];
        this.type = 0;
        return '00';
      }
      case 'preempt':
      case 'preempt-abort':
        return this.#preempt(id, request, told);
    }
  }

  #setKey(id: number, sark: number, told: Map<number, string>): string {
    const mine = this.registrants.find((each) => each.id === id);
    if (sark !== 0) {
      if (mine === undefined) this.registrants.push({ id, key: sark });
      else mine.key = sark;
      return '00';
    }
    const held = this.holds(id);
    this.registrants = this.registrants.filter((each) => each.id !== id);
    const isOver = held && (!AR(this.type) || this.registrants.length === 0);
    if (isOver && RO_OR_AR(this.type)) this.#tell(told, '6/2A/04', () => true);
    if (isOver) this.type = 0;
    return '00';
  }

  #preempt(id: number, request: { readonly sark: number; readonly type: number }, told: Map<number, string>): string {
    const wasFor = this.type;
    const isTakeOver = AR(wasFor) ? request.sark === 0 : wasFor !== 0 && this.keyOf(this.holder) === request.sark;
    if (request.sark === 0 && !AR(wasFor)) return '5/26/00';
    const isVictim = (each: Registrant): boolean => request.sark === 0 || each.key === request.sark;
    if (request.sark !== 0 && !this.registrants.some(isVictim)) return '18';
    this.#tell(told, '6/2A/05', (each) => each.id !== id && isVictim(each));
    const keepsCaller = isTakeOver || AR(wasFor);
    this.registrants = this.registrants.filter((each) => !isVictim(each) || (keepsCaller && each.id === id));
    if (!isTakeOver) return '00';
    if (request.type !== wasFor) this.#tell(told, '6/2A/04', (each) => each.id !== id);
    this.#hold(id, request.type);
    return '00';
  }

  #hold(id: number, type: number): void {
    this.type = type;
    this.holder = id;
  }

  #tell(told: Map<number, string>, sense: string, whom: (each: Registrant) => boolean): void {
    for (const each of this.registrants) if (whom(each)) told.set(each.id, sense);
  }
}
