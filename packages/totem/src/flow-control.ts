import type { TotemTimings } from './timings.js';
import type { OrfToken } from './wire/orf-token.js';

/**
 * How many packets a node may send with the token in hand.
 *
 * `fcc` on the token is what all nodes together sent in the last rotation, `backlog` the sum of their queues; each node
 * keeps its share of both up to date. Unsigned 32-bit arithmetic, as in the original: where `window_size - fcc` wraps,
 * only `max_messages` limits.
 *
 * Source: Totem, flow control; corosync exec/totemsrp.c, `fcc_calculate` and `fcc_token_update`.
 */
export class FlowControl {
  /** Sent last time (`my_trc`). */
  #trc = 0;
  /** Backlog at the last token and at this one (`my_pbl`, `my_cbl`). */
  #pbl = 0;
  #cbl = 0;

  reset(): void {
    this.#trc = 0;
    this.#pbl = 0;
    this.#cbl = 0;
  }

  allowed(token: OrfToken, backlog: number, { windowSize, maxMessages }: TotemTimings): number {
    let allowed = Math.min(maxMessages, (windowSize - token.fcc) >>> 0);
    this.#cbl = backlog;
    const ringBacklog = (token.backlog + this.#cbl - this.#pbl) >>> 0;
    if (ringBacklog !== 0) {
      const share = Math.floor((windowSize * this.#pbl) / ringBacklog);
      if (share > 0) allowed = Math.min(allowed, share);
    }
    return allowed;
  }

  /** Enters into the token what was sent, new and again. */
  update(token: OrfToken, sent: number): void {
    token.fcc = (token.fcc + sent - this.#trc) >>> 0;
    token.backlog = (token.backlog + this.#cbl - this.#pbl) >>> 0;
    this.#trc = sent;
    this.#pbl = this.#cbl;
  }

  inspect(): { readonly trc: number; readonly pbl: number; readonly cbl: number } {
    return { trc: this.#trc, pbl: this.#pbl, cbl: this.#cbl };
  }
}
