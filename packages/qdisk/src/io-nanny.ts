import { type Nanos, SECOND } from '@quorate/kernel';

/** What qdiskd's main thread is doing with the disk, by the code that it sends to other nodes. */
export const IoState = { NONE: 0, READ: 1, WRITE: 2, SEEK: 3 } as const;
export type IoState = (typeof IoState)[keyof typeof IoState];

/** Name of the system call in log lines. */
export function ioStateName(code: number): string {
  return ['none', 'read', 'write', 'seek'][code] ?? 'unknown';
}

/** The message to the other nodes' port 178: the call that hangs, 32 bits big-endian. */
export function encodeHang(state: IoState): Uint8Array {
  return new Uint8Array([0, 0, 0, state]);
}

/** The code of a hang message; undefined when it is none. */
export function decodeHang(payload: Uint8Array): number | undefined {
  if (payload.length !== 4) return undefined;
  return ((payload[0]! << 24) | (payload[1]! << 16) | (payload[2]! << 8) | payload[3]!) >>> 0;
}

/**
 * The I/O watchdog: notices that one system call does not return.
 *
 * It complains after half the time in which the node would be evicted, and again after each such span; the others then
 * forgive its missed heartbeats, so that a node with hung storage but a working network is not evicted.
 *
 * Source: cluster.git cman/qdisk/iostate.c, `io_nanny_thread`.
 */
export class IoNanny {
  readonly #patience: Nanos;
  #isActive = false;
  #state: IoState = IoState.NONE;
  #whineAt: Nanos = Infinity;
  #hasLogged = false;

  /** @param timeoutSec `tko * interval`. Its half is at least a second here; the original would spin below that. */
  constructor(timeoutSec: number) {
    this.#patience = Math.max(1, Math.floor(timeoutSec / 2)) * SECOND;
  }

  get state(): IoState {
    return this.#state;
  }

  get patience(): Nanos {
    return this.#patience;
  }

  start(): void {
    this.#isActive = true;
  }

  stop(): void {
    this.#isActive = false;
    this.#whineAt = Infinity;
  }

  begin(now: Nanos, state: IoState): void {
    this.#state = state;
    this.#hasLogged = false;
    this.#whineAt = this.#isActive ? now + this.#patience : Infinity;
  }

  end(): void {
    this.#state = IoState.NONE;
    this.#whineAt = Infinity;
  }

  deadline(): Nanos {
    return this.#whineAt;
  }

  /** Called when its deadline has come. Returns whether this hang has not been logged yet. */
  whine(now: Nanos): boolean {
    const isNews = !this.#hasLogged;
    this.#hasLogged = true;
    this.#whineAt = now + this.#patience;
    return isNews;
  }
}
