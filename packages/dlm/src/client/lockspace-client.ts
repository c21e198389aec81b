import type { Errno } from '@quorate/kernel';
import type { CastOutput, LockInput, UnlockInput } from '../dlm-io.js';
import { type BlockingAst, Lock, type LockOwner, type RequestOptions } from './lock.js';
import type { LockAst } from './operation.js';

/** What a lockspace needs of its node. */
export interface LockspacePort {
  call(input: LockInput | UnlockInput): void;
  later(callback: () => void): void;
}

const NO_OPTIONS: RequestOptions = {};

/** A lockspace that this node takes part in; `DlmNode.open` gives it. */
export class LockspaceClient {
  readonly name: string;
  readonly #owner: LockOwner;
  /** By handle. */
  readonly #locks: (Lock | undefined)[] = [];
  readonly #freeHandles: number[] = [];
  #isLost = false;

  constructor(name: string, valueBlockLength: number, port: LockspacePort) {
    this.name = name;
    this.#owner = {
      lockspace: name,
      valueBlockLength,
      call: (input) => (this.#isLost ? this.onRefused(input.handle, 'EINVAL') : port.call(input)),
      forget: (lock) => this.#forget(lock),
      later: (callback) => port.later(callback),
    };
  }

  /** Locks of this node, held or asked for. */
  get size(): number {
    return this.#locks.length - this.#freeHandles.length;
  }

  /**
   * Settles when the lock is granted in that mode (`Mode`).
   *
   * Names have up to 64 characters, each one byte (Latin-1). Rejects with a `LockError`: EAGAIN, ECANCEL, EUNLOCK or EINVAL; or
   * with the signal's reason.
   */
  lock(name: string, mode: number, options: RequestOptions = NO_OPTIONS): Promise<Lock> {
    const lock = this.#newLock(name, options.onBlocking);
    return lock.request(mode, options, undefined).promise(lock);
  }

  /** Calls back instead. What it gives can be cancelled, or unlocked by force, before that. */
  lockAst(name: string, mode: number, options: RequestOptions, ast: LockAst): Lock {
    const lock = this.#newLock(name, options.onBlocking);
    lock.request(mode, options, ast);
    return lock;
  }

  #newLock(name: string, onBlocking: BlockingAst | undefined): Lock {
    const handle = this.#freeHandles.pop() ?? this.#locks.length;
    const lock = new Lock(this.#owner, handle, name, onBlocking);
    this.#locks[handle] = lock;
    return lock;
  }

  #forget(lock: Lock): void {
    this.#locks[lock.handle] = undefined;
    this.#freeHandles.push(lock.handle);
  }

  onCast(output: CastOutput): void {
    this.#locks[output.handle]?.complete(output);
  }

  onBast(handle: number, mode: number): void {
    const lock = this.#locks[handle];
    if (lock !== undefined) this.#owner.later(() => lock.onBlocking?.(mode, lock));
  }

  onRefused(handle: number, errno: Errno): void {
    this.#locks[handle]?.refuse(errno);
  }

  /** The lockspace was left. */
  lose(): void {
    this.#isLost = true;
    for (const lock of this.#locks) lock?.lose();
    this.#locks.length = this.#freeHandles.length = 0;
  }
}
