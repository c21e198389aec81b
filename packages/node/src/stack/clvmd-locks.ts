import { Mode, Status } from '@quorate/dlm';
import type { LockManager, LockspaceUser } from './lock-manager.js';

/** Lockspace of clvmd. */
export const CLVMD_LOCKSPACE = 'clvmd';

/** Told when a lock is granted, refused, or gone. */
type Done = (status: number, handle: number) => void;

interface Lock {
  readonly name: string;
  readonly mode: number;
  /** Process that holds a group's lock; 0 for the lock of an active volume, which clvmd holds itself. */
  readonly holder: number;
  isGranted: boolean;
  done: Done | undefined;
}

/** The locks of one clvmd, and what waits for them. */
export class ClvmdLocks {
  readonly #lockManager: LockManager;
  readonly #process: number;
  readonly #locks = new Map<number, Lock>();
  #lastHandle: number;

  constructor(lockManager: LockManager, process: number) {
    this.#lockManager = lockManager;
    this.#process = process;
    // Those of another one that was killed may still be on their way out of the lockspace.
    this.#lastHandle = process * 0x10000;
  }

  lock(name: string, mode: number, flags: number, holder: number, done: Done): void {
    this.#lastHandle += 1;
    const handle = this.#lastHandle;
    this.#locks.set(handle, { name, mode, holder, isGranted: false, done });
    this.#lockManager.locks({
      kind: 'lock',
      lockspace: CLVMD_LOCKSPACE,
      handle,
      name,
      mode,
      flags,
      wantsBast: false,
      process: this.#process,
    });
  }

  unlock(handle: number, done: Done = () => {}): void {
    const lock = this.#locks.get(handle);
    if (lock === undefined) return;
    lock.done = done;
    this.#lockManager.locks({ kind: 'unlock', lockspace: CLVMD_LOCKSPACE, handle, flags: 0 });
  }

  /** The lock of that name and holder; `isSettled` unless it waits to be granted or given back. */
  find(name: string, holder: number): { handle: number; mode: number; isSettled: boolean } | undefined {
    for (const [handle, lock] of this.#locks) {
      if (lock.name !== name || lock.holder !== holder) continue;
      return { handle, mode: lock.mode, isSettled: lock.isGranted && lock.done === undefined };
    }
    return undefined;
  }

  cast({ handle, status }: Pick<Parameters<LockspaceUser['cast']>[0], 'handle' | 'status'>): void {
    const lock = this.#locks.get(handle);
    if (lock === undefined) return;
    lock.isGranted = status === Status.granted;
    if (!lock.isGranted) this.#locks.delete(handle);
    const { done } = lock;
    lock.done = undefined;
    done?.(status, handle);
  }

  /** A command has ended, and gives back what it did not. */
  processEnded(pid: number): void {
    for (const [handle, lock] of this.#locks) {
      if (lock.holder === pid && lock.isGranted && lock.done === undefined) this.unlock(handle);
    }
  }

  /** The lockspace is gone: whoever waits hears so. */
  clear(): void {
    const locks = [...this.#locks.values()];
    this.#locks.clear();
    for (const { done } of locks) done?.(Status.ECANCEL, 0);
  }

  inspect(): unknown {
    return [...this.#locks.values()].map(({ name, mode, holder, isGranted }) => ({ name, mode, holder, isGranted }));
  }
}

/** What a volume is locked in: shared when it is active on any number of nodes, exclusive when on one. */
export const VolumeMode: { readonly shared: number; readonly exclusive: number } = {
  shared: Mode.CR,
  exclusive: Mode.EX,
};
