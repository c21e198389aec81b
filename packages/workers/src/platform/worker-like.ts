/** Why a worker is no more. */
export interface Departure {
  /** `hung`: it did not acknowledge a slice for `hangTimeout`. */
  readonly reason: 'threw' | 'exited' | 'hung';
  readonly message: string;
}

/** A worker as the hub sees it, whichever platform it runs on. */
export interface WorkerLike {
  postMessage(message: unknown, transfer: readonly MessagePort[]): void;
  /** Calls back when the worker has thrown or ended by itself; further calls do no harm. */
  onGone(then: (departure: Departure) => void): void;
  /** Ends it, whatever it does. */
  terminate(): unknown;
}
