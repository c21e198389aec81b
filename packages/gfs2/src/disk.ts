import type { Nanos, Task } from '@quorate/kernel';
import { Refusal } from './refusal.js';
import { type Scheduler, Signal, wait } from './scheduler.js';

export type DiskOutput =
  /** Read `count` blocks; answered by `io-done` with their bytes. */
  | { readonly kind: 'read'; readonly id: number; readonly block: number; readonly count: number }
  /** Write a whole number of blocks. `data` is lent. */
  | { readonly kind: 'write'; readonly id: number; readonly block: number; readonly data: Uint8Array }
  /** What is in these blocks is of no use any more. A disk that cannot discard answers with the error `EOPNOTSUPP`. */
  | { readonly kind: 'discard'; readonly id: number; readonly block: number; readonly count: number }
  /** Bring every write that has completed to the medium. */
  | { readonly kind: 'flush'; readonly id: number };

export interface IoDone {
  readonly kind: 'io-done';
  readonly id: number;
  /** What was read. Lent. */
  readonly data?: Uint8Array;
  /** Why it failed, in any words: `EIO`, `RESERVATION CONFLICT`. */
  readonly error?: string;
}

/** A write has ended. */
export interface WriteDoneFact {
  readonly kind: 'gfs2.write-done';
  readonly now: Nanos;
  readonly write: number;
  /** False when the disk refused it, or could not do it. */
  readonly isSuccess: boolean;
}

/** What happens when one transfer is done. Bytes are lent. */
export type Done = (data: Uint8Array | undefined, error: string | undefined) => void;

/** The shared disk as one mount sees it: numbered requests, and what waits for their completion. */
export class Disk {
  readonly blockSize: number;
  readonly #scheduler: Scheduler;
  readonly #emit: (output: DiskOutput) => void;
  readonly #observe: ((fact: WriteDoneFact) => void) | undefined;
  readonly #pending = new Map<number, Done>();
  /** Writes under way, while somebody watches. */
  readonly #writes = new Set<number>();
  #lastId = 0;
  /** After a withdraw nothing leaves this node any more: every request fails. */
  isCut = false;

  constructor(
    blockSize: number,
    scheduler: Scheduler,
    emit: (output: DiskOutput) => void,
    observe: ((fact: WriteDoneFact) => void) | undefined,
  ) {
    this.blockSize = blockSize;
    this.#scheduler = scheduler;
    this.#emit = emit;
    this.#observe = observe;
  }

  /** Requests without an answer. */
  get inFlight(): number {
    return this.#pending.size;
  }

  read(block: number, count: number, done: Done): void {
    const id = this.#newId(done);
    if (id > 0) this.#emit({ kind: 'read', id, block, count });
  }

  write(block: number, data: Uint8Array, done: Done): void {
    const id = this.#newId(done);
    if (id > 0) this.#emit({ kind: 'write', id, block, data });
    if (id > 0 && this.#observe !== undefined) this.#writes.add(id);
  }

  discard(block: number, count: number, done: Done): void {
    const id = this.#newId(done);
    if (id > 0) this.#emit({ kind: 'discard', id, block, count });
  }

  /** Id that the next request will have. */
  get nextId(): number {
    return this.#lastId + 1;
  }

  complete(input: IoDone): void {
    const done = this.#pending.get(input.id);
    this.#pending.delete(input.id);
    if (this.#writes.delete(input.id)) {
      const isSuccess = input.error === undefined;
      this.#observe?.({ kind: 'gfs2.write-done', now: this.#scheduler.now, write: input.id, isSuccess });
    }
    done?.(input.data, input.error);
  }

  /** Reads blocks and copies them. @throws {Refusal} EIO */
  *readBlocks(block: number, count: number): Task<Uint8Array<ArrayBuffer>> {
    const bytes = new Uint8Array(count * this.blockSize);
    const batch = new Batch(this.#scheduler);
    const done = batch.expect();
    this.read(block, count, (data, error) => {
      const isShort = data === undefined || data.length < bytes.length;
      if (!isShort) bytes.set(data.subarray(0, bytes.length));
      done(undefined, error ?? (isShort ? 'short read' : undefined));
    });
    yield* batch.settle();
    return bytes;
  }

  /** Makes every write that has completed durable. @throws {Refusal} EIO */
  *flush(): Task {
    const batch = new Batch(this.#scheduler);
    const id = this.#newId(batch.expect());
    if (id > 0) this.#emit({ kind: 'flush', id });
    yield* batch.settle();
  }

  /** 0 when the disk is cut and `done` was told so. */
  #newId(done: Done): number {
    if (this.isCut) {
      done(undefined, 'withdrawn');
      return 0;
    }
    this.#lastId += 1;
    this.#pending.set(this.#lastId, done);
    return this.#lastId;
  }
}

/** Several requests whose completion one task awaits. */
export class Batch {
  readonly #scheduler: Scheduler;
  readonly #signal = new Signal();
  #left = 0;
  #error: string | undefined = undefined;

  constructor(scheduler: Scheduler) {
    this.#scheduler = scheduler;
  }

  /** One more request: what it must call when it is done. */
  expect(): Done {
    this.#left += 1;
    return (_data, error) => {
      this.#error ??= error;
      this.#left -= 1;
      if (this.#left === 0) this.#scheduler.notify(this.#signal);
    };
  }

  /** Waits for all of them and gives the first error. */
  *finish(): Task<string | undefined> {
    while (this.#left > 0) yield* wait(this.#signal);
    return this.#error;
  }

  /** Waits for all of them. @throws {Refusal} EIO when one has failed. */
  *settle(): Task {
    if ((yield* this.finish()) !== undefined) throw new Refusal('EIO');
  }
}
