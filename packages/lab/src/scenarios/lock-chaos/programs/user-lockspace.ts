import { LockFlag, Mode, Status } from '@quorate/dlm';
import { type Errno, isErrno, MILLISECOND, type Nanos, type Os, SECOND, type Task } from '@quorate/kernel';
import type { DlmCall, UserAst } from '@quorate/node';

/** Status of a lock whose last call did nothing. */
const REFUSED = -1;
/** As GFS2 waits. */
const BUSY: Nanos = 20 * MILLISECOND;

/** A lock of a program. */
export interface UserLock {
  /** 0 while there is none. */
  lkid: number;
  /** The granted mode; -1 without one. */
  mode: number;
  /** Calls that have not ended. */
  pending: number;
  /** What the last completion brought. */
  status: number;
  flags: number;
  lvb: Uint8Array | undefined;
}

/** What a call on a lock carries. */
export interface LockCall {
  readonly mode: number;
  readonly flags: number;
  readonly lvb?: Uint8Array;
}

/** A lockspace that a program has open: its locks, and their completions. */
export class UserLockspace {
  readonly #os: Os;
  readonly #name: string;
  readonly #locks = new Map<number, UserLock>();

  constructor(os: Os, name: string) {
    this.#os = os;
    this.#name = name;
  }

  /** Waits for dlm_controld, for as long as it takes. */
  *open(): Task<Errno | undefined> {
    for (;;) {
      const refused = yield* this.#call({ kind: 'open', lockspace: this.#name, process: this.#os.pid });
      if (refused !== 'ECONNREFUSED') return refused as Errno | undefined;
      yield* this.#os.sleep(SECOND);
    }
  }

  /** A lock on that name: it is there when its completion says so. */
  *request(name: string, call: LockCall): Task<UserLock> {
    const lock: UserLock = { lkid: 0, mode: Mode.IV, pending: 0, status: 0, flags: 0, lvb: undefined };
    yield* this.#lock(lock, name, call);
    return lock;
  }

  *convert(lock: UserLock, { flags, ...call }: LockCall): Task {
    yield* this.#lock(lock, '', { ...call, flags: flags | LockFlag.CONVERT });
  }

  *unlock(lock: UserLock, flags: number, lvb?: Uint8Array): Task {
    const refused = yield* this.#call({
      kind: 'unlock',
      ...this.#caller(),
      lkid: lock.lkid,
      flags,
      ...(lvb && { lvb }),
    });
    // A cancel has no completion of its own.
    if (refused === undefined && (flags & LockFlag.CANCEL) === 0) lock.pending += 1;
  }

  /** EBUSY while there are locks; EBADF without such a lockspace. */
  *release(): Task<Errno | undefined> {
    return (yield* this.#call({ kind: 'release', lockspace: this.#name })) as Errno | undefined;
  }

  *purge(): Task {
    yield* this.#call({ kind: 'purge', ...this.#caller() });
  }

  /** Takes completions in until nothing of that lock waits; false when that took longer than `timeout`. */
  *settle(lock: UserLock, timeout: Nanos = Infinity): Task<boolean> {
    const until = this.#os.now() + timeout;
    while (lock.pending > 0 && lock.lkid !== 0) {
      const left = until - this.#os.now();
      if (left <= 0) return false;
      const ast = yield* this.#call({ kind: 'read', ...this.#caller(), ...(left < Infinity && { timeout: left }) });
      if (ast === undefined || isErrno(ast)) return false;
      this.#take(ast as UserAst);
    }
    return true;
  }

  /** Makes a call and waits for its end; again after a while when it was refused because another one was under way. */
  *persist(lock: UserLock, call: () => Task): Task {
    do {
      if (lock.status === REFUSED) yield* this.#os.sleep(BUSY);
      lock.status = 0;
      yield* call();
      yield* this.settle(lock);
    } while (lock.status === REFUSED && lock.lkid !== 0);
  }

  *#lock(lock: UserLock, name: string, { mode, flags, lvb }: LockCall): Task {
    const lkid = yield* this.#call({
      kind: 'lock',
      ...this.#caller(),
      ...(lock.lkid !== 0 && { lkid: lock.lkid }),
      name,
      mode,
      flags,
      ...(lvb && { lvb }),
    });
    if (typeof lkid !== 'number') return;
    lock.lkid = lkid;
    lock.pending += 1;
    this.#locks.set(lkid, lock);
  }

  #take(ast: UserAst): void {
    const lock = this.#locks.get(ast.lkid);
    if (lock === undefined || ast.kind === 'bast') return;
    if (lock.pending > 0) lock.pending -= 1;
    if (ast.kind === 'refused') {
      lock.status = REFUSED;
      if (lock.mode === Mode.IV && lock.pending === 0) this.#gone(lock);
      return;
    }
    const { status, mode, flags, lvb } = ast;
    Object.assign(lock, { status, mode, flags, lvb });
    if (status === Status.EUNLOCK || mode === Mode.IV) this.#gone(lock);
  }

  #gone(lock: UserLock): void {
    this.#locks.delete(lock.lkid);
    lock.lkid = 0;
    lock.pending = 0;
    lock.mode = Mode.IV;
  }

  #caller(): { readonly lockspace: string; readonly process: number } {
    return { lockspace: this.#name, process: this.#os.pid };
  }

  *#call(call: DlmCall): Task<unknown> {
    return yield* this.#os.call('dlm', call);
  }
}
