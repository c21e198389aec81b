import { MICROSECOND, type Nanos, type Prng, sleep, type Task } from '@quorate/kernel';
import type { Runtime } from '../runtime/runtime.js';
import { type Resume, suspend } from '../runtime/suspend.js';

/** DLM lockspace of rgmanager. */
export const LOCKSPACE = 'rgmanager';

const Mode = { NL: 0, EX: 5 } as const;
const NOQUEUE = 0x1;
const CONVERT = 0x4;

/** The original pauses up to 32767 µs. */
const PAUSE_MAX_US = 32_768;

/** A lock held, to be released. */
export interface HeldLock {
  readonly handle: number;
  readonly name: string;
}

/**
 * Exclusive locks in the lockspace `rgmanager`.
 *
 * Differs from rgmanager: a request queues at the DLM. With `pauses` it is as in the original: a null lock first, then
 * conversions that do not queue, with a random pause after each failure and after each release.
 */
export class Locks {
  readonly #runtime: Runtime;
  readonly #pauses: Prng | undefined;
  readonly #waiting = new Map<number, Resume<number>>();
  #lastHandle = 0;

  constructor(runtime: Runtime, pauses: Prng | undefined) {
    this.#runtime = runtime;
    this.#pauses = pauses;
  }

  /** Waits as long as the lockspace stands still; undefined when the DLM refuses. */
  *acquire(name: string): Task<HeldLock | undefined> {
    this.#lastHandle += 1;
    const handle = this.#lastHandle;
    this.#tell('asked', name);
    const isGranted = yield* this.#pauses === undefined
      ? this.#queue(handle, name)
      : this.#retry(handle, name, this.#pauses);
    this.#tell(isGranted ? 'granted' : 'refused', name);
    return isGranted ? { handle, name } : undefined;
  }

  /** Does not wait for whoever has it: undefined then. */
  *tryAcquire(name: string): Task<HeldLock | undefined> {
    this.#lastHandle += 1;
    const handle = this.#lastHandle;
    this.#tell('asked', name);
    const isGranted = (yield* this.#call(handle, name, Mode.EX, NOQUEUE)) === 0;
    this.#tell(isGranted ? 'granted' : 'refused', name);
    return isGranted ? { handle, name } : undefined;
  }

  *release({ handle, name }: HeldLock): Task {
    this.#tell('released', name);
    this.#runtime.emit({ kind: 'unlock', handle, flags: 0 });
    if (this.#pauses !== undefined) yield* sleep(pause(this.#pauses));
  }

  /** A completion of the DLM; one that nobody waits for is that of a release. */
  onCast(handle: number, status: number): void {
    const resume = this.#waiting.get(handle);
    this.#waiting.delete(handle);
    resume?.(status);
  }

  /** Number of requests that the DLM has not answered. */
  get pending(): number {
    return this.#waiting.size;
  }

  #tell(event: 'asked' | 'granted' | 'refused' | 'released', name: string): void {
    this.#runtime.observe?.({ kind: 'rg.lock', now: this.#runtime.now, event, name });
  }

  *#queue(handle: number, name: string): Task<boolean> {
    return (yield* this.#call(handle, name, Mode.EX, 0)) === 0;
  }

  *#retry(handle: number, name: string, pauses: Prng): Task<boolean> {
    if ((yield* this.#call(handle, name, Mode.NL, 0)) !== 0) return false;
    while ((yield* this.#call(handle, name, Mode.EX, NOQUEUE | CONVERT)) !== 0) yield* sleep(pause(pauses));
    return true;
  }

  *#call(handle: number, name: string, mode: number, flags: number): Task<number> {
    return yield* suspend<number>((resume) => {
      this.#waiting.set(handle, resume);
      this.#runtime.emit({ kind: 'lock', handle, name, mode, flags, wantsBast: false });
    });
  }
}

function pause(pauses: Prng): Nanos {
  return pauses.below(PAUSE_MAX_US) * MICROSECOND;
}
