import type { Nanos } from '@quorate/kernel';

/** When each timer of totemsrp fires next; Infinity for one that does not run. */
export class RingTimers {
  token: Nanos = Infinity;
  tokenWarning: Nanos = Infinity;
  tokenRetransmit: Nanos = Infinity;
  heartbeat: Nanos = Infinity;
  hold: Nanos = Infinity;
  join: Nanos = Infinity;
  /** A join that waits for its random delay (`send_join`). */
  sendJoin: Nanos = Infinity;
  consensus: Nanos = Infinity;
  merge: Nanos = Infinity;
  downcheck: Nanos = Infinity;

  deadline(): Nanos {
    return Math.min(
      this.token,
      this.tokenWarning,
      this.tokenRetransmit,
      this.heartbeat,
      this.hold,
      this.join,
      this.sendJoin,
      this.consensus,
      this.merge,
      this.downcheck,
    );
  }

  stop(): void {
    this.stopTokenTimers();
    this.hold = this.join = this.sendJoin = this.consensus = this.merge = this.downcheck = Infinity;
  }

  /** Those that wait for the next token. */
  stopTokenTimers(): void {
    this.token = this.tokenWarning = this.tokenRetransmit = this.heartbeat = Infinity;
  }
}
