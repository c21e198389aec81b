import { LockFlag, Mode, StatusFlag } from '@quorate/dlm';
import { MILLISECOND, type Observe, type Program, type Task } from '@quorate/kernel';
import type { ReadOutcome, RegisterFact } from '../../../register-history.js';
import { optionsOf } from './options.js';
import { type UserLock, UserLockspace } from './user-lockspace.js';

const LVB_BYTES = 32;

/** A register's value fills its value block, so that half of one is noticed. */
function blockOf(value: number): Uint8Array {
  const bytes = new Uint8Array(LVB_BYTES);
  const view = new DataView(bytes.buffer);
  for (let at = 0; at < LVB_BYTES; at += 4) view.setUint32(at, value);
  return bytes;
}

/** -1 for a block that nobody can have written. */
function valueIn(bytes: Uint8Array | undefined): number {
  if (bytes === undefined) return 0;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const value = view.getUint32(0);
  for (let at = 4; at < LVB_BYTES; at += 4) if (view.getUint32(at) !== value) return -1;
  return value;
}

/**
 * `register LOCKSPACE NAME [via=MODE] mode=MODE [value=N] [hold=MS] [patience=MS] [end=convert]`: one operation on a register.
 *
 * It locks NAME in a mode, in the first call or `via` another one, and reads the value block; PW and EX write `value` when they
 * give the lock back: with the unlock, or before it with a conversion to NL. Who has no more `patience` cancels. Facts tell what it does.
 */
export const register: Program = function* register(argv, os) {
  const [, lockspace = '', name = '', ...words] = argv;
  const options = optionsOf(words);
  const tell = (fact: DistributiveOmit<RegisterFact, 'now' | 'lockspace' | 'register'>): void =>
    (os.observe as Observe<RegisterFact> | undefined)?.({
      ...fact,
      now: os.now(),
      lockspace,
      register: name,
    } as RegisterFact);
  const space = new UserLockspace(os, lockspace);
  if ((yield* space.open()) !== undefined) return 1;
  const operation = os.pid;
  const mode = options.mode('mode', Mode.PR);
  const isWriter = mode >= Mode.PW;
  tell({ kind: 'register.invoked', operation });
  const lock = yield* acquire(space, name, mode, options);
  if (lock?.mode !== mode) {
    // Never in a mode that would write the value block.
    if (lock !== undefined) yield* space.persist(lock, () => space.unlock(lock, 0));
    tell({ kind: 'register.ended', operation });
    return 1;
  }
  const found = valueIn(lock.lvb);
  const isInvalid = (lock.flags & StatusFlag.VALNOTVALID) !== 0;
  const outcome: ReadOutcome = isInvalid ? 'invalid' : found === 0 ? 'none' : 'valid';
  tell({ kind: 'register.read', operation, outcome, value: isInvalid ? 0 : found });
  yield* os.sleep(options.number('hold', 0) * MILLISECOND);
  const value = options.number('value', 0);
  if (isWriter) tell({ kind: 'register.writing', operation, value });
  const lvb = isWriter ? blockOf(value) : undefined;
  if (isWriter && options.word('end') === 'convert') {
    yield* space.persist(lock, () =>
      space.convert(lock, { mode: Mode.NL, flags: LockFlag.VALBLK, ...(lvb && { lvb }) }),
    );
    tell({ kind: 'register.ended', operation });
    yield* space.persist(lock, () => space.unlock(lock, 0));
    return 0;
  }
  yield* space.persist(lock, () => space.unlock(lock, isWriter ? LockFlag.VALBLK : 0, lvb));
  tell({ kind: 'register.ended', operation });
  return 0;
};

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

/**
 * The lock, in the mode that was asked for or in another one if that was not to be had; undefined: there is none.
 *
 * Its buffer stays as it was read: a value block that is handed over with a conversion is in the buffer at once, and if the master dies
 * before the conversion is granted, the next one takes the buffer of a lock above CR for what was written last.
 */
function* acquire(
  space: UserLockspace,
  name: string,
  mode: number,
  options: ReturnType<typeof optionsOf>,
): Task<UserLock | undefined> {
  const flags = LockFlag.VALBLK | (options.word('try') === 'yes' ? LockFlag.NOQUEUE : 0);
  const via = options.mode('via', Mode.IV);
  const lock = yield* space.request(name, via < 0 ? { mode, flags } : { mode: via, flags: LockFlag.VALBLK });
  if (via >= 0) {
    yield* space.settle(lock);
    if (lock.lkid === 0) return undefined;
    yield* space.convert(lock, { mode, flags });
  }
  const patience = options.number('patience', 0) * MILLISECOND;
  if (!(yield* space.settle(lock, patience > 0 ? patience : undefined))) {
    yield* space.unlock(lock, LockFlag.CANCEL);
    yield* space.settle(lock);
  }
  // It may have been granted in spite of the cancel.
  return lock.lkid === 0 ? undefined : lock;
}
