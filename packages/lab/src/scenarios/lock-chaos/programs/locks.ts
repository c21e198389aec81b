import { LockFlag, Mode } from '@quorate/dlm';
import { MILLISECOND, type Nanos, type Program, SECOND, type Task } from '@quorate/kernel';
import { modeOf } from './options.js';
import { type LockCall, type UserLock, UserLockspace } from './user-lockspace.js';

/**
 * `locks LOCKSPACE PATIENCE STEP…`: does what its steps say with locks that it calls by letters.
 *
 *     a=NAME:MODE+FLAG…   asks for a lock                a:MODE+FLAG…   converts it
 *     a-FLAG…             unlocks it                     a!             cancels
 *     .                   waits for all completions      ~MS            sleeps
 *
 * With a PATIENCE in ms whoever waits longer cancels; 0: nobody does. At the end everything is unlocked, unless the last step is
 * `exit`: then the end of the process has to do that.
 */
export const locks: Program = function* locks([, lockspace = '', patience = '0', ...steps], os) {
  const space = new UserLockspace(os, lockspace);
  if ((yield* space.open()) !== undefined) return 1;
  const script = new Script(space, Number(patience) * MILLISECOND || Infinity);
  for (const step of steps) {
    if (step === 'exit') return 0;
    if (step === '.') yield* script.settle();
    else if (step.startsWith('~')) yield* os.sleep(Number(step.slice(1)) * MILLISECOND);
    else yield* script.act(step);
  }
  yield* script.end();
  return 0;
};

/** `purge LOCKSPACE`: unlocks what processes of this node have left behind. */
export const purge: Program = function* purge([, lockspace = ''], os) {
  const space = new UserLockspace(os, lockspace);
  if ((yield* space.open()) !== undefined) return 1;
  yield* space.purge();
  return 0;
};

/** `leave LOCKSPACE`: leaves the lockspace as soon as no lock of this node is in it; fails when that takes more than 10 s. */
export const leave: Program = function* leave([, lockspace = ''], os) {
  const space = new UserLockspace(os, lockspace);
  for (const until = os.now() + 10 * SECOND; os.now() < until; yield* os.sleep(100 * MILLISECOND)) {
    if ((yield* space.release()) !== 'EBUSY') return 0;
  }
  return 1;
};

class Script {
  readonly #space: UserLockspace;
  readonly #patience: Nanos;
  readonly #locks = new Map<string, UserLock>();
  #count = 0;

  constructor(space: UserLockspace, patience: Nanos) {
    this.#space = space;
    this.#patience = patience;
  }

  *act(step: string): Task {
    const letter = step[0] ?? '';
    const lock = this.#locks.get(letter);
    const rest = step.slice(2);
    switch (step[1]) {
      case '=': {
        const [name = '', call = ''] = rest.split(':');
        if (lock === undefined || lock.lkid === 0)
          this.#locks.set(letter, yield* this.#space.request(name, this.#callOf(call)));
        break;
      }
      case ':':
        if (lock !== undefined && lock.lkid !== 0) yield* this.#space.convert(lock, this.#callOf(rest));
        break;
      case '-':
        if (lock !== undefined && lock.lkid !== 0) yield* this.#space.unlock(lock, flagsOf(rest.split('+')));
        break;
      case '!':
        if (lock !== undefined && lock.lkid !== 0) yield* this.#space.unlock(lock, LockFlag.CANCEL);
        break;
    }
  }

  /** Waits for all; what takes too long is canceled. */
  *settle(): Task {
    for (const lock of this.#locks.values()) {
      if (yield* this.#space.settle(lock, this.#patience)) continue;
      yield* this.#space.unlock(lock, LockFlag.CANCEL);
      yield* this.#space.settle(lock);
    }
  }

  *end(): Task {
    yield* this.settle();
    for (const lock of this.#locks.values()) {
      if (lock.lkid === 0) continue;
      yield* this.#space.persist(lock, () => this.#space.unlock(lock, LockFlag.FORCEUNLOCK));
    }
  }

  #callOf(text: string): LockCall {
    const [mode = '', ...flags] = text.split('+');
    this.#count += 1;
    const lvb = new Uint8Array(32).fill(this.#count);
    return { mode: modeOf(mode) ?? Mode.NL, flags: flagsOf(flags), lvb };
  }
}

function flagsOf(names: readonly string[]): number {
  const values: Readonly<Record<string, number>> = LockFlag;
  return names.reduce((flags, name) => flags | (values[name] ?? 0), 0);
}
