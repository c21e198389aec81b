import type { AbortSignalLike } from './abort-signal.js';
import type { Lock } from './lock.js';

/**
 * Hears of a completion: the error is undefined, or says why the call failed (a `LockError`, or the reason of the signal
 * that ended it).
 */
export type LockAst = (error: unknown, lock: Lock) => void;

/** A call whose completion is awaited. */
export class Operation {
  /** For texts: the mode that was asked for. */
  readonly asked: string;
  /** Of a new lock: it is gone if this fails. */
  readonly isRequest: boolean;
  readonly ast: LockAst | undefined;
  isDone = false;
  error: unknown = undefined;
  isCancelled = false;
  #resolve: ((lock: Lock) => void) | undefined = undefined;
  #reject: ((error: unknown) => void) | undefined = undefined;
  #signal: AbortSignalLike | undefined = undefined;
  #onAbort: (() => void) | undefined = undefined;

  constructor(asked: string, isRequest: boolean, ast: LockAst | undefined) {
    this.asked = asked;
    this.isRequest = isRequest;
    this.ast = ast;
  }

  get isAborted(): boolean {
    return this.#signal?.aborted === true;
  }

  /** Settles as the operation does, or has done. */
  promise(lock: Lock): Promise<Lock> {
    if (this.isDone) return this.error === undefined ? Promise.resolve(lock) : Promise.reject(this.error);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  listen(signal: AbortSignalLike, onAbort: () => void): void {
    this.#signal = signal;
    this.#onAbort = onAbort;
    signal.addEventListener('abort', onAbort);
  }

  /** Resumes whoever awaits the promise; whoever gave an AST is called by the node. */
  settle(lock: Lock, error: unknown): void {
    this.isDone = true;
    this.error = error;
    if (this.#signal !== undefined) this.#forget(this.#signal);
    if (error === undefined) this.#resolve?.(lock);
    else this.#reject?.(this.error);
  }

  #forget(signal: AbortSignalLike): void {
    signal.removeEventListener('abort', this.#onAbort!);
    if (this.error !== undefined && this.isCancelled && signal.aborted) this.error = signal.reason ?? this.error;
  }
}
