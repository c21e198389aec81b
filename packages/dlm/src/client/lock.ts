import type { Errno } from '@quorate/kernel';
import type { CastOutput, LockInput, UnlockInput } from '../dlm-io.js';
import { LockFlag, Status, StatusFlag } from '../lock-flags.js';
import { Mode, modeName } from '../mode.js';
import type { AbortSignalLike } from './abort-signal.js';
import { LockError, statusError } from './lock-error.js';
import { type LockAst, Operation } from './operation.js';

/** Blocking AST: somebody wants `mode`, and the lock is in the way. */
export type BlockingAst = (mode: number, lock: Lock) => void;

export interface ConvertOptions {
  /** Exchange the value block. When absent: as in the lock's last call; not in its first. */
  readonly valueBlock?: boolean;
  /** Fail with EAGAIN instead of waiting. */
  readonly noQueue?: boolean;
  /**
   * When it aborts the call is cancelled and fails with the signal's reason. A lock that was granted meanwhile is unlocked; a
   * conversion that was, stays.
   */
  readonly signal?: AbortSignalLike;
  /** Further `LockFlag`s; CONVERT, CANCEL and ORPHAN are not for calls of this kind. */
  readonly flags?: number;
}

export interface RequestOptions extends ConvertOptions {
  readonly onBlocking?: BlockingAst;
  /** Whose the lock is (`process-exit`); 0 when absent. */
  readonly process?: number;
}

export interface UnlockOptions {
  /** Also while a request or a conversion is under way, which fails with EUNLOCK. */
  readonly isForced?: boolean;
  /** `LockFlag.IVVALBLK` leaves the value block invalid. */
  readonly flags?: number;
}

/** The lockspace, as its locks see it. */
export interface LockOwner {
  readonly lockspace: string;
  readonly valueBlockLength: number;
  call(input: LockInput | UnlockInput): void;
  forget(lock: Lock): void;
  /** Calls back once the lock manager is off the stack. */
  later(callback: () => void): void;
}

const NO_OPTIONS = {};
const NOT_FOR_CALLS = LockFlag.CONVERT | LockFlag.CANCEL | LockFlag.ORPHAN;

/**
 * A lock, from the request until it is gone: unlocked, or never granted.
 *
 * One request or conversion at a time can be under way. Methods in `Ast` call back when the lock manager has done its step,
 * in the order of completions and blocking ASTs; the others give promises.
 */
export class Lock {
  readonly name: string;
  /** The lock manager's name for it, unique in the lockspace on this node while the lock is there. */
  readonly handle: number;
  /** Without one in its request nobody tells the lock what it is in the way of. */
  readonly onBlocking: BlockingAst | undefined;
  readonly #owner: LockOwner;
  #mode: number = Mode.IV;
  #statusFlags = 0;
  #valueBlock: Uint8Array | undefined = undefined;
  #exchangesValueBlock = false;
  #isGone = false;
  /** The request or conversion under way. */
  #call: Operation | undefined = undefined;
  #unlock: Operation | undefined = undefined;
  /** The reply to a cancel of the last call may still be under way: it would hold up an unlock that is not forced. */
  #wasCancelled = false;

  /** `LockspaceClient.lock` makes it. */
  constructor(owner: LockOwner, handle: number, name: string, onBlocking: BlockingAst | undefined) {
    this.name = name;
    this.handle = handle;
    this.onBlocking = onBlocking;
    this.#owner = owner;
  }

  /** The mode granted; `Mode.IV` before the first grant and when the lock is gone. */
  get mode(): number {
    return this.#mode;
  }

  /**
   * The lock's buffer; undefined until a call exchanged the value block. Grants that read fill it; conversions down from PW or
   * EX, and the unlock, write what is in it.
   */
  get valueBlock(): Uint8Array | undefined {
    return this.#valueBlock;
  }

  /** Whether the value block was valid at the last completion: nobody who may have been writing it was lost. */
  get isValueBlockValid(): boolean {
    return (this.#statusFlags & StatusFlag.VALNOTVALID) === 0;
  }

  /** The last conversion went by way of NL (CONVDEADLK): what the lock protects may have changed. */
  get wasDemoted(): boolean {
    return (this.#statusFlags & StatusFlag.DEMOTED) !== 0;
  }

  /**
   * Settles when the lock has the mode. After a failure it keeps the one that it had.
   *
   * Rejects with a `LockError`: EAGAIN, EDEADLK, ECANCEL, EUNLOCK, EBUSY, EINVAL or ENOENT.
   */
  convert(mode: number, options: ConvertOptions = NO_OPTIONS): Promise<Lock> {
    return this.#convert(mode, options, undefined).promise(this);
  }

  convertAst(mode: number, options: ConvertOptions, ast: LockAst): void {
    this.#convert(mode, options, ast);
  }

  /** Settles when the lock is gone. Rejects with EBUSY, ENOENT or EINVAL. */
  unlock(options: UnlockOptions = NO_OPTIONS): Promise<Lock> {
    return this.#release(options, undefined).promise(this);
  }

  unlockAst(options: UnlockOptions, ast: LockAst): void {
    this.#release(options, ast);
  }

  /** The request or conversion under way fails with ECANCEL, unless it is granted before. */
  cancel(): void {
    const call = this.#call;
    if (call === undefined || call.isCancelled) return;
    call.isCancelled = true;
    this.#wasCancelled = true;
    const { lockspace } = this.#owner;
    this.#owner.call({ kind: 'unlock', lockspace, handle: this.handle, flags: LockFlag.CANCEL });
  }

  /** The request itself: `LockspaceClient.lock` makes it, once. */
  request(mode: number, options: RequestOptions, ast: LockAst | undefined): Operation {
    return this.#begin(mode, options, true, options.process ?? 0, ast);
  }

  #convert(mode: number, options: ConvertOptions, ast: LockAst | undefined): Operation {
    if (this.#isGone) return this.#failed('ENOENT', `a conversion to ${modeName(mode)}`, ast);
    if (this.#call !== undefined || this.#unlock !== undefined) {
      return this.#failed('EBUSY', `a conversion to ${modeName(mode)}`, ast);
    }
    return this.#begin(mode, options, false, 0, ast);
  }

  #begin(
    mode: number,
    options: ConvertOptions,
    isRequest: boolean,
    process: number,
    ast: LockAst | undefined,
  ): Operation {
    const { valueBlock = this.#exchangesValueBlock, noQueue = false, signal, flags = 0 } = options;
    if ((flags & NOT_FOR_CALLS) !== 0) {
      throw new RangeError(`flags 0x${flags.toString(16)}: CONVERT, CANCEL and ORPHAN are not for this call`);
    }
    const operation = new Operation(modeName(mode), isRequest, ast);
    this.#call = operation;
    this.#wasCancelled = false;
    if (signal?.aborted === true) {
      this.#fail(operation, signal.reason ?? statusError(Status.ECANCEL, this.name, operation.asked));
      return operation;
    }
    this.#exchangesValueBlock = valueBlock;
    let all = flags;
    if (noQueue) all |= LockFlag.NOQUEUE;
    if (valueBlock) all |= LockFlag.VALBLK;
    if (!isRequest) all |= LockFlag.CONVERT;
    const { lockspace } = this.#owner;
    const { handle, name } = this;
    const hasBast = this.onBlocking !== undefined;
    const input = { kind: 'lock', lockspace, handle, name, mode, flags: all, process, hasBast } as const;
    this.#owner.call(valueBlock ? { ...input, lvb: this.#buffer() } : input);
    if (signal !== undefined && !operation.isDone) operation.listen(signal, () => this.cancel());
    return operation;
  }

  #buffer(): Uint8Array {
    this.#valueBlock ??= new Uint8Array(this.#owner.valueBlockLength);
    return this.#valueBlock;
  }

  #release({ isForced = false, flags = 0 }: UnlockOptions, ast: LockAst | undefined): Operation {
    if (this.#isGone) return this.#failed('ENOENT', 'an unlock', ast);
    if (this.#unlock !== undefined || (this.#call !== undefined && !isForced))
      return this.#failed('EBUSY', 'an unlock', ast);
    const operation = new Operation('an unlock', false, ast);
    this.#unlock = operation;
    this.#sendUnlock(isForced || this.#wasCancelled ? flags | LockFlag.FORCEUNLOCK : flags);
    return operation;
  }

  #sendUnlock(flags: number): void {
    const { lockspace } = this.#owner;
    const input = { kind: 'unlock', lockspace, handle: this.handle, flags } as const;
    // Whether it is written the lock manager knows from the call before.
    this.#owner.call(this.#exchangesValueBlock ? { ...input, lvb: this.#buffer() } : input);
  }

  /** The lock manager is not asked at all. */
  #failed(code: 'ENOENT' | 'EBUSY', asked: string, ast: LockAst | undefined): Operation {
    const operation = new Operation(asked, false, ast);
    const found = code === 'ENOENT' ? 'a lock that is gone' : 'a lock with another call under way';
    this.#settle(operation, new LockError(code, this.name, found, `one that allows ${asked}`));
    return operation;
  }

  /** A completion AST came. */
  complete({ status, mode, flags, lvb }: CastOutput): void {
    this.#mode = mode;
    this.#statusFlags = flags;
    if (lvb !== undefined) this.#buffer().set(lvb);
    const call = this.#call;
    if (call !== undefined) {
      // It was granted before the cancel came there, and nobody wants it any more.
      if (status === Status.granted && call.isRequest && call.isAborted) return this.#sendUnlock(LockFlag.FORCEUNLOCK);
      if (status === Status.granted) this.#succeed(call);
      else this.#fail(call, statusError(status, this.name, call.asked));
    }
    if (status === Status.EUNLOCK) this.#unlocked();
  }

  #unlocked(): void {
    const unlock = this.#unlock;
    this.#unlock = undefined;
    this.#end();
    if (unlock !== undefined) this.#settle(unlock, undefined);
  }

  /** A call was refused: nothing happened. */
  refuse(errno: Errno): void {
    const operation = this.#call ?? this.#unlock;
    if (operation === undefined) return;
    if (operation === this.#unlock) this.#unlock = undefined;
    this.#fail(operation, new LockError(errno, this.name, 'a refusal', `one that takes ${operation.asked}`));
  }

  /** The lockspace is gone, and the lock with it. */
  lose(): void {
    const error = new LockError('ENOENT', this.name, `lockspace ${this.#owner.lockspace} closed`, 'an open one');
    this.#mode = Mode.IV;
    this.#isGone = true;
    for (const operation of [this.#call, this.#unlock]) if (operation !== undefined) this.#settle(operation, error);
    this.#call = this.#unlock = undefined;
  }

  #succeed(call: Operation): void {
    this.#call = undefined;
    this.#settle(call, undefined);
  }

  #fail(operation: Operation, error: unknown): void {
    this.#call = undefined;
    if (operation.isRequest) this.#end();
    this.#settle(operation, error);
  }

  #settle(operation: Operation, error: unknown): void {
    operation.settle(this, error);
    const { ast } = operation;
    if (ast !== undefined) this.#owner.later(() => ast(operation.error, this));
  }

  #end(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#owner.forget(this);
  }
}
