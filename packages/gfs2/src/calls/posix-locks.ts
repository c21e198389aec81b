import type { Errno, Task } from '@quorate/kernel';
import { Refusal } from '../refusal.js';
import { type Scheduler, Signal, wait } from '../scheduler.js';
import type { OpenFile } from './descriptors.js';
import type { ByteRange, FlockMode, LockInTheWay } from './operation.js';

/**
 * A posix lock that the node is to ask dlm_controld for. Answered by `plock-done` with the same `id`, unless `isClose`: then what
 * its owner has and still asks for there goes, and nobody answers.
 */
export interface PlockCall {
  readonly kind: 'plock';
  readonly id: number;
  readonly op: 'lock' | 'unlock' | 'get';
  /** Inode. */
  readonly number: bigint;
  readonly start: bigint;
  readonly end: bigint;
  readonly owner: bigint;
  readonly pid: number;
  readonly isExclusive: boolean;
  readonly isWaiting: boolean;
  readonly isClose: boolean;
}

/** Undefined: granted, or nobody is in the way. */
export interface PlockDone {
  readonly kind: 'plock-done';
  readonly id: number;
  readonly result: LockInTheWay | Errno | undefined;
}

interface Waiting {
  readonly call: PlockCall;
  readonly process: number;
  readonly signal: Signal;
  isDone: boolean;
  result: PlockDone['result'];
}

const MAX_OFFSET = 0x7fff_ffff_ffff_ffffn;

/**
 * Posix locks of a mount's processes. They are kept by dlm_controld; here is who waits for its answers, and who has any.
 *
 * A process is the owner of its locks, whichever descriptor they were taken with, and closing one of a file's gives up all.
 *
 * Source: Linux fs/dlm/plock.c, `dlm_posix_lock`; fs/gfs2/file.c, `gfs2_lock`.
 */
export class PosixLocks {
  readonly #scheduler: Scheduler;
  readonly #emit: (call: PlockCall) => void;
  readonly #waiting = new Map<number, Waiting>();
  /** Processes that may have locks, by inode. */
  readonly #owners = new Map<number, Set<number>>();
  #lastId = 0;

  constructor(scheduler: Scheduler, emit: (call: PlockCall) => void) {
    this.#scheduler = scheduler;
    this.#emit = emit;
  }

  /** F_SETLK, F_SETLKW. @throws {Refusal} EAGAIN, EINTR when the process was killed meanwhile, or what dlm_controld refuses */
  *set(file: OpenFile, how: FlockMode, range: ByteRange, isWaiting: boolean): Task<undefined> {
    this.#ownersOf(file).add(file.process);
    const op = how === 'unlock' ? 'unlock' : 'lock';
    const result = yield* this.#ask(this.#call(file, op, range, how === 'exclusive', isWaiting), file.process);
    // There was nothing to unlock.
    if (op === 'unlock' && result === 'ENOENT') return undefined;
    if (typeof result === 'string') throw new Refusal(result);
    return undefined;
  }

  /** F_GETLK. */
  *get(file: OpenFile, how: 'shared' | 'exclusive', range: ByteRange): Task<LockInTheWay | undefined> {
    const result = yield* this.#ask(this.#call(file, 'get', range, how === 'exclusive', false), file.process);
    if (typeof result === 'string') throw new Refusal(result);
    return result;
  }

  done({ id, result }: PlockDone): void {
    const waiting = this.#waiting.get(id);
    if (waiting !== undefined) this.#end(waiting, result);
  }

  /** A process closes a descriptor of a file: all its locks there go. */
  closed(file: OpenFile): void {
    const owners = this.#owners.get(file.inode.addr);
    if (owners?.delete(file.process) !== true) return;
    if (owners.size === 0) this.#owners.delete(file.inode.addr);
    this.#emit({ ...this.#call(file, 'unlock', { start: 0 }, false, false), isClose: true });
  }

  /** A process is gone: what it waits for is taken back, or nobody would hold it. */
  killed(process: number): void {
    for (const waiting of [...this.#waiting.values()]) {
      if (waiting.process !== process) continue;
      const { call } = waiting;
      this.#emit({
        ...call,
        op: 'unlock',
        start: 0n,
        end: MAX_OFFSET,
        isExclusive: false,
        isWaiting: false,
        isClose: true,
      });
      this.#end(waiting, 'EINTR');
    }
  }

  #ownersOf({ inode }: OpenFile): Set<number> {
    const owners = this.#owners.get(inode.addr) ?? new Set();
    this.#owners.set(inode.addr, owners);
    return owners;
  }

  #call(
    { inode, process }: OpenFile,
    op: PlockCall['op'],
    { start, length }: ByteRange,
    isExclusive: boolean,
    isWaiting: boolean,
  ): PlockCall {
    if (start < 0 || (length !== undefined && length <= 0)) throw new Refusal('EINVAL');
    this.#lastId += 1;
    const end = length === undefined ? MAX_OFFSET : BigInt(start) + BigInt(length) - 1n;
    const range = { number: BigInt(inode.addr), start: BigInt(start), end };
    const owner = { owner: BigInt(process), pid: process };
    return { kind: 'plock', id: this.#lastId, op, ...range, ...owner, isExclusive, isWaiting, isClose: false };
  }

  *#ask(call: PlockCall, process: number): Task<PlockDone['result']> {
    const waiting: Waiting = { call, process, signal: new Signal(), isDone: false, result: undefined };
    this.#waiting.set(call.id, waiting);
    this.#emit(call);
    while (!waiting.isDone) yield* wait(waiting.signal);
    return waiting.result;
  }

  #end(waiting: Waiting, result: PlockDone['result']): void {
    this.#waiting.delete(waiting.call.id);
    waiting.isDone = true;
    waiting.result = result;
    this.#scheduler.notify(waiting.signal);
  }
}
