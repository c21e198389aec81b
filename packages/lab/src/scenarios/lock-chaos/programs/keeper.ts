import { LockFlag, Mode } from '@quorate/dlm';
import type { Observe, Program } from '@quorate/kernel';
import type { RegisterFact } from '../../../register-history.js';
import { UserLockspace } from './user-lockspace.js';

/**
 * `keeper LOCKSPACE NAME…`: makes the lockspace if need be and holds an NL lock on each name until it is killed, as everybody does who
 * wants a value block to stay.
 */
export const keeper: Program = function* keeper([, lockspace = '', ...names], os) {
  const space = new UserLockspace(os, lockspace);
  if ((yield* space.open()) !== undefined) return 1;
  for (const name of names) {
    const lock = yield* space.request(name, { mode: Mode.NL, flags: LockFlag.VALBLK });
    yield* space.settle(lock);
    if (lock.mode !== Mode.NL) return 1;
    const about = { now: os.now(), lockspace, register: name, process: os.pid };
    (os.observe as Observe<RegisterFact> | undefined)?.({ kind: 'register.kept', ...about });
  }
  yield* os.sleep(Infinity);
  return 0;
};
