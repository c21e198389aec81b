import type { Fact, Nanos } from '@quorate/kernel';

/** One operation on a register that is kept in a lock's value block. `operation` is the pid of the process that does it. */
export type RegisterFact = Fact & { readonly lockspace: string; readonly register: string } & (
    | { readonly kind: 'register.invoked'; readonly operation: number }
    /** It holds the lock and has read. */
    | {
        readonly kind: 'register.read';
        readonly operation: number;
        readonly outcome: ReadOutcome;
        /** What was read; 0 unless `valid`. */
        readonly value: number;
      }
    /** It is about to write: from now on others may read the value. */
    | { readonly kind: 'register.writing'; readonly operation: number; readonly value: number }
    /** It has given the lock back, or never got it. */
    | { readonly kind: 'register.ended'; readonly operation: number }
    /** A process holds a lock on the register from now on, until it is killed or its machine has no power. */
    | { readonly kind: 'register.kept'; readonly process: number }
  );

/** `none`: there is no value block, or there was never a value in it. `invalid`: it is reported as not valid. */
export type ReadOutcome = 'valid' | 'invalid' | 'none';

/** The values between two losses of the value block, each written over the one before it. */
interface Epoch {
  /** Epochs of which an operation began when one of this epoch was over: they are later. */
  readonly later: Set<Epoch>;
}

/** Where a value stands: values of an epoch are numbered in the order in which they replaced each other. */
interface Place {
  readonly epoch: Epoch;
  readonly position: number;
  /** What was written over it. */
  next: number | undefined;
}

interface Operation {
  readonly invokedAt: Nanos;
  /** For each epoch with operations that were over when this one began: the highest position among them. */
  readonly floors: ReadonlyMap<Epoch, number>;
  /** When it began, the value block was last known to be valid then. */
  readonly knownAt: Nanos;
  /** It has read a value, or written one. */
  isValid: boolean;
  hasWritten: boolean;
  place: Place | undefined;
}

/**
 * Whether operations on a register can be put in one order that fits what each of them read and does not contradict time: an
 * operation that was over when another one began comes before it.
 *
 * In general that is hard to decide (Wing and Gong). Here no value is written twice and a writer reads what it replaces, so
 * the values themselves say the order: each stands one place behind the one that its writer read. What is left to be checked when
 * an operation reads is
 *
 * - that somebody has begun to write this value;
 * - that nobody else has written over it, when the reader writes: otherwise one of both writes is lost;
 * - that no operation which was over when this one began had come further: otherwise the value is stale.
 *
 * A value block may be lost with a machine, and says so; the next writer begins a new epoch. Nothing says in which order two epochs are,
 * so they are ordered by time alone: an epoch is before another one when some operation of it was over when one of the other began,
 * and two that are each before the other contradict. (If any number of epochs contradict in a circle, two of them do: of the epoch
 * whose first operation was over first, all others have an operation that began later.) A loss has to have a reason since the value was
 * last known to be valid: a machine has lost its power or left the lockspace, in a lockspace
 * without a directory a recovery has begun, or a process was killed that may have been writing. That there is no value, and nobody says
 * that one is lost, needs a moment at which nobody kept a lock on the register.
 *
 * The lock manager forgets of a value block that it is not valid: when its master changes, a reader above CR is believed by the next
 * one though he was told so. So it is in Linux; the status does not travel with the lock. What is read from then until somebody has
 * written is in doubt, whatever it is.
 *
 * An operation that never ends may have written or not. Cost: one map entry for each epoch in each operation that ends.
 */
export class RegisterHistory {
  readonly #places = new Map<number, Place>();
  readonly #operations = new Map<string, Operation>();
  #initial: Place = { epoch: { later: new Set() }, position: 0, next: undefined };
  #floors: ReadonlyMap<Epoch, number> = new Map();
  #knownAt: Nanos = -1;
  #lostAt: Nanos = -1;
  /** When nobody kept the register last. */
  #unkeptAt: Nanos = 0;
  /** By node, the process that keeps it. */
  readonly #keepers = new Map<number, number>();
  /** A process was killed that had asked for a lock. */
  #isAbandoned = false;
  /** The value block has been found not valid, and nobody has written since. */
  #isInvalid = false;
  /** So it was when locks went to another master, and nobody has written since. */
  #isInDoubt = false;

  /** A process of this node holds a lock on the register. */
  kept(node: number, process: number, at: Nanos): void {
    if (this.#keepers.size === 0) this.#unkeptAt = at;
    this.#keepers.set(node, process);
  }

  /** A node has lost its power or left the lockspace, and with it its locks. */
  off(node: number, at: Nanos): void {
    this.moved(at);
    this.#loseKeeper(node, at);
  }

  /** A process was killed that had a lock, or had asked for one: it takes the value with it when that is granted in PW or EX. */
  abandoned(node: number, process: number, at: Nanos): void {
    this.#isAbandoned = true;
    if (this.#keepers.get(node) === process) this.#loseKeeper(node, at);
  }

  /** The lock manager has found the value block not valid. */
  invalidated(at: Nanos): void {
    this.#isInvalid = true;
    if (this.#isAbandoned) this.#lostAt = at;
  }

  #loseKeeper(node: number, at: Nanos): void {
    if (this.#keepers.delete(node) && this.#keepers.size === 0) this.#unkeptAt = at;
  }

  /** All its locks have begun to move to another master, or to the same one anew, which believes no value of those who only look on. */
  moved(at: Nanos): void {
    this.#lostAt = at;
    if (this.#isInvalid) this.#isInDoubt = true;
  }

  invoked(key: string, at: Nanos): void {
    this.#operations.set(key, {
      invokedAt: at,
      floors: this.#floors,
      knownAt: this.#knownAt,
      isValid: false,
      hasWritten: false,
      place: undefined,
    });
  }

  /** Why that cannot have been read; undefined when it can. */
  read(key: string, outcome: ReadOutcome, value: number, at: Nanos): string | undefined {
    const operation = this.#operations.get(key);
    if (operation === undefined) return undefined;
    if (
      outcome === 'none' &&
      this.#staleness(operation, this.#initial) === undefined &&
      this.#initial.next === undefined
    ) {
      return this.#follow(operation, this.#initial);
    }
    if (outcome !== 'valid') return this.#readNothing(operation, outcome, at);
    operation.isValid = true;
    const place = this.#places.get(value);
    if (place === undefined) return `read ${value}, which nobody has written`;
    return this.#staleness(operation, place) ?? this.#follow(operation, place);
  }

  /** Lets what cannot have been read begin an epoch, if it can be what was believed of a reader; gives whether it can. */
  acceptInDoubt(key: string, outcome: ReadOutcome, value: number): boolean {
    const operation = this.#operations.get(key);
    if (operation === undefined || !this.#isInDoubt || outcome === 'invalid') return false;
    operation.place = { epoch: { later: new Set() }, position: 0, next: undefined };
    if (outcome === 'valid') this.#places.set(value, operation.place);
    return true;
  }

  /** Why one of two writes is lost; undefined when none is. */
  writing(key: string, value: number): string | undefined {
    const operation = this.#operations.get(key);
    const place = operation?.place;
    if (operation === undefined || place === undefined) return undefined;
    if (place.next !== undefined) return `writes ${value} over the value that ${place.next} was written over`;
    place.next = value;
    const written: Place = { epoch: place.epoch, position: place.position + 1, next: undefined };
    this.#places.set(value, written);
    operation.place = written;
    operation.isValid = operation.hasWritten = true;
    return undefined;
  }

  ended(key: string): void {
    const operation = this.#operations.get(key);
    this.#operations.delete(key);
    if (operation?.place === undefined) return;
    const { epoch, position } = operation.place;
    if ((this.#floors.get(epoch) ?? -1) < position) this.#floors = new Map(this.#floors).set(epoch, position);
    if (operation.hasWritten) this.#isInvalid = this.#isInDoubt = false;
    // Not since it wrote: a master that was dead by then, unnoticed, never hears of a conversion to a lower mode.
    if (operation.isValid) this.#knownAt = Math.max(this.#knownAt, operation.invokedAt);
  }

  #staleness({ floors }: Operation, { epoch, position }: Place): string | undefined {
    const floor = floors.get(epoch) ?? -1;
    return floor > position
      ? `read a value that had been replaced ${floor - position} times before it began`
      : undefined;
  }

  #readNothing(operation: Operation, outcome: ReadOutcome, at: Nanos): string | undefined {
    const { knownAt } = operation;
    if (this.#keepers.size === 0) this.#unkeptAt = at;
    if (outcome === 'none' && this.#unkeptAt <= knownAt)
      return 'has no value, is not reported as lost, and there was a lock on it all the time';
    if (outcome === 'invalid' && this.#lostAt <= knownAt)
      return 'lost its value, and nothing has happened that explains it since it was valid';
    return this.#follow(operation, { epoch: { later: new Set() }, position: 0, next: undefined });
  }

  /** The operation comes after all that was over when it began. */
  #follow(operation: Operation, place: Place): string | undefined {
    operation.place = place;
    for (const before of operation.floors.keys()) {
      if (before === place.epoch) continue;
      if (place.epoch.later.has(before)) return 'has a value again that was lost before';
      before.later.add(place.epoch);
    }
    return undefined;
  }
}
