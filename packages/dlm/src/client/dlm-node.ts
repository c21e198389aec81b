import type { Errno, Machine, Nanos } from '@quorate/kernel';
import type { CastOutput, DlmInput, DlmOutput, StartMember } from '../dlm-io.js';
import { LockError } from './lock-error.js';
import { LockspaceClient } from './lockspace-client.js';

/** Membership, what a file system is told, and what is for watchers. */
export type DlmNews = Exclude<
  DlmOutput,
  CastOutput | { readonly kind: 'bast' } | { readonly kind: 'call-refused' } | { readonly kind: 'packet' }
>;

/** Who knows the time, moves packets and wakes. */
export interface DlmHost {
  /** The node's monotonic clock. */
  now(): Nanos;
  /** Bytes for that node's `DlmNode.receive`, in order; lent. */
  send(to: number, bytes: Uint8Array): void;
  /** `DlmNode.wake` at that instant. Wishes before are not withdrawn: once too often does no harm. */
  wakeAt(at: Nanos): void;
  onNews?(news: DlmNews): void;
}

export interface OpenOptions {
  /** Bytes: a multiple of 8, the same on all nodes. 32 when absent. */
  readonly valueBlockLength?: number;
  /**
   * The nodes that open it, this one among them; later changes are `stop` and `start`. When absent whoever hears `online` and
   * `offline` says `start` and `left`, too (`DlmControld`).
   */
  readonly members?: readonly StartMember[];
  /** `onNews` hears `recover-prep`, `recover-slot` and `recover-done`. */
  readonly isFs?: boolean;
}

/** A lockspace from `open` to the end of `close`. */
interface Place {
  readonly client: LockspaceClient;
  readonly members: readonly StartMember[] | undefined;
  readonly opened: Settler<LockspaceClient>;
  closed: Settler<void> | undefined;
}

interface Settler<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/**
 * A lock manager with its clients: hands it inputs one at a time, and its outputs to whom they concern.
 *
 * What is called while the lock manager is on the stack (by the host, by observers) waits until its step is over. Callbacks of
 * clients come after the step that led to them; what one of them throws is thrown to whoever made that step, after the others.
 */
export class DlmNode {
  readonly #dlm: Machine<DlmInput, DlmOutput>;
  readonly #host: DlmHost;
  readonly #places = new Map<string, Place>();
  readonly #inputs: DlmInput[] = [];
  readonly #callbacks: (() => void)[] = [];
  readonly #emit: (output: DlmOutput) => void;
  #isOnStack = false;
  #wakeAt: Nanos = Infinity;

  constructor(dlm: Machine<DlmInput, DlmOutput>, host: DlmHost) {
    this.#dlm = dlm;
    this.#host = host;
    this.#emit = (output) => this.#onOutput(output);
  }

  /**
   * Settles when the lockspace has gone through its first recovery: all members have opened it.
   *
   * Rejects with a `LockError`: EEXIST, EINVAL, or EPROTO when members have another value block length.
   */
  open(
    lockspace: string,
    { valueBlockLength = 32, members, isFs = false }: OpenOptions = {},
  ): Promise<LockspaceClient> {
    if (this.#places.has(lockspace)) return Promise.reject(openError(lockspace, 'EEXIST'));
    const client = new LockspaceClient(lockspace, valueBlockLength, {
      call: (input) => this.step(input),
      later: (callback) => this.#later(callback),
    });
    return new Promise((resolve, reject) => {
      this.#places.set(lockspace, { client, members, opened: { resolve, reject }, closed: undefined });
      this.step({ kind: 'create', lockspace, lvbLength: valueBlockLength, isFs });
    });
  }

  /** Settles when the lockspace is left. Rejects with EBUSY while it has locks, unless forced; with EINVAL if it is not open. */
  close(lockspace: string, isForced = false): Promise<void> {
    const place = this.#places.get(lockspace);
    if (place === undefined || place.closed !== undefined) return Promise.reject(closeError(lockspace, 'EINVAL'));
    return new Promise((resolve, reject) => {
      place.closed = { resolve, reject };
      this.step({ kind: 'release', lockspace, isForced });
    });
  }

  /** Nothing is granted in the lockspace until `start`. */
  stop(lockspace: string): void {
    this.step({ kind: 'stop', lockspace });
  }

  /** Once all members have stopped and those that failed can do no harm. */
  start(lockspace: string, members: readonly StartMember[], failed?: readonly number[]): void {
    const input = { kind: 'start', lockspace, members } as const;
    this.step(failed === undefined ? input : { ...input, failed });
  }

  /** Whole packets from another node; lent. */
  receive(from: number, bytes: Uint8Array): void {
    this.step({ kind: 'packet', from, bytes });
  }

  /** The instant that `DlmHost.wakeAt` was told of has come. */
  wake(): void {
    this.#wakeAt = Infinity;
    this.step({ kind: 'wake' });
  }

  /** Any input of the lock manager. */
  step(input: DlmInput): void {
    if (this.#isOnStack) return void this.#inputs.push(kept(input));
    this.#isOnStack = true;
    try {
      this.#dlm.step(this.#host.now(), input, this.#emit);
      for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
        this.#dlm.step(this.#host.now(), next, this.#emit);
      }
    } finally {
      this.#isOnStack = false;
    }
    const deadline = this.#dlm.deadline();
    if (deadline < this.#wakeAt) {
      this.#wakeAt = deadline;
      this.#host.wakeAt(deadline);
    }
    if (this.#callbacks.length > 0) this.#callBack();
  }

  #later(callback: () => void): void {
    this.#callbacks.push(callback);
    if (!this.#isOnStack) this.#callBack();
  }

  #callBack(): void {
    const failures: unknown[] = [];
    for (let callback = this.#callbacks.shift(); callback !== undefined; callback = this.#callbacks.shift()) {
      try {
        callback();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }

  #onOutput(output: DlmOutput): void {
    switch (output.kind) {
      case 'packet':
        return this.#host.send(output.to, output.bytes);
      case 'cast':
        return this.#places.get(output.lockspace)?.client.onCast(output);
      case 'bast':
        return this.#places.get(output.lockspace)?.client.onBast(output.handle, output.mode);
      case 'call-refused':
        return this.#places.get(output.lockspace)?.client.onRefused(output.handle, output.errno);
    }
    this.#onNews(output);
    this.#host.onNews?.(output);
  }

  #onNews(news: DlmNews): void {
    const place = 'lockspace' in news ? this.#places.get(news.lockspace) : undefined;
    if (place === undefined) return;
    const { name: lockspace } = place.client;
    switch (news.kind) {
      case 'online':
        if (place.members !== undefined) this.step({ kind: 'start', lockspace, members: place.members });
        return;
      case 'created':
        return place.opened.resolve(place.client);
      case 'create-refused':
        // After EPROTO it is left like any other; otherwise there is nothing to leave.
        if (news.errno !== 'EPROTO') this.#places.delete(lockspace);
        return place.opened.reject(openError(lockspace, news.errno));
      case 'offline':
        if (place.members !== undefined) this.step({ kind: 'left', lockspace });
        return;
      case 'released':
        return this.#onReleased(place);
      case 'release-refused':
        place.closed?.reject(closeError(lockspace, news.errno));
        place.closed = undefined;
        return;
    }
  }

  #onReleased(place: Place): void {
    this.#places.delete(place.client.name);
    place.client.lose();
    place.opened.reject(openError(place.client.name, 'ECANCEL'));
    place.closed?.resolve();
  }
}

/** Bytes are lent, and the input waits. */
function kept(input: DlmInput): DlmInput {
  if (input.kind === 'packet') return { ...input, bytes: input.bytes.slice() };
  if ('lvb' in input && input.lvb !== undefined) return { ...input, lvb: input.lvb.slice() };
  return input;
}

function openError(lockspace: string, errno: Errno | 'ECANCEL'): LockError {
  switch (errno) {
    case 'EEXIST':
      return new LockError('EEXIST', lockspace, 'an open lockspace', 'a name that is free');
    case 'EPROTO':
      return new LockError('EPROTO', lockspace, 'members with another configuration', 'the same on all');
    case 'ECANCEL':
      return new LockError('ECANCEL', lockspace, 'the lockspace closed before it was open', 'patience');
  }
  return new LockError(
    errno,
    lockspace,
    'its name or value block length refused',
    '1 to 64 characters, a multiple of 8',
  );
}

function closeError(lockspace: string, errno: Errno): LockError {
  if (errno === 'EBUSY') return new LockError(errno, lockspace, 'locks in it', 'none, or isForced');
  return new LockError(errno, lockspace, 'no open lockspace', 'one that DlmNode.open gave');
}
