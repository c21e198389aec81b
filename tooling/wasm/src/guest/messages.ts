import type { Nanos } from '@quorate/kernel';
import type { StopReason } from '@quorate/simulator';

/** One run of a scenario in the simulator, all invariants checked. */
export interface SimulateRequest {
  readonly kind: 'simulate';
  /** `hyperv-blog` or `isolated-node-fences-majority`. */
  readonly scenario: string;
  /** As users write it: a number below 2^64, or 0x and up to 16 hex digits. */
  readonly seed: string;
  /** Where the run breaks off; absent: at its end. */
  readonly until?: Nanos;
  /** Between two marks. */
  readonly every: Nanos;
}

/** What had happened by an instant. */
export interface Mark {
  readonly at: Nanos;
  readonly events: number;
  /** Over all events so far. */
  readonly hash: string;
}

export interface SimulateReply extends Mark {
  readonly reason: StopReason;
  /** What was violated, what the script missed and what was thrown; empty when the run holds. */
  readonly troubles: readonly string[];
  /** One for every step of `every` that the run came to. */
  readonly marks: readonly Mark[];
}

/** A ring of machines with trivial handlers. */
export interface RingRequest {
  readonly kind: 'ring';
  readonly events: number;
}

export type RingReply = Mark;

export type Request = SimulateRequest | RingRequest;

export type ReplyTo<R extends Request> = R extends SimulateRequest ? SimulateReply : RingReply;
