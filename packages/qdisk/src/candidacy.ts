import type { Ack } from './election.js';
import { Message } from './status-block.js';

/**
 * What a node says in the election of a master: its message, whom it votes for, and how long its own bid stands.
 *
 * Source: cluster.git cman/qdisk/main.c, `quorum_loop`: `msg`, `bid_pending`, `upgrade`.
 */
export class Candidacy {
  #message: number = Message.NONE;
  #sequence = 0;
  /** Whom an ACK is for. It stays when the message changes. */
  #argument = 0;
  #bidCycles = 0;
  #upgrade = 0;

  get message(): number {
    return this.#message;
  }

  get sequence(): number {
    return this.#sequence;
  }

  get argument(): number {
    return this.#argument;
  }

  /** Cycles that our bid has stood, its first one included; 0 without a bid. */
  get bidCycles(): number {
    return this.#bidCycles;
  }

  /** Whether it came up too recently to bid. */
  get isUpgrading(): boolean {
    return this.#upgrade > 0;
  }

  nextCycle(): void {
    if (this.#upgrade > 0) this.#upgrade -= 1;
  }

  /** Its score is sufficient, or it gave up being master: it may bid again after so many cycles. */
  upgrade(cycles: number): void {
    this.#upgrade = cycles;
    this.drop();
  }

  /** Takes back whatever it said. */
  drop(): void {
    this.#message = Message.NONE;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#bidCycles = 0;
  }

  bid(): void {
    this.#message = Message.BID;
    this.#sequence = (this.#sequence + 1) & 0xffff;
    this.#bidCycles = 1;
  }

  bidOn(): void {
    this.#bidCycles += 1;
  }

  /** The bid is over: it is master, or somebody said no. */
  endBid(): void {
    this.#message = Message.NONE;
    this.#bidCycles = 0;
  }

  /** Votes for another bidder, which ends an own bid. */
  vote({ bidder, sequence }: Ack): void {
    this.#message = Message.ACK;
    this.#argument = bidder;
    this.#sequence = sequence;
    this.#bidCycles = 0;
  }
}
