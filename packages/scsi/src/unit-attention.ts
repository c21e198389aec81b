import { isSameSense, type Sense } from './sense.js';

const RESET_ASC = 0x29;

/**
 * Unit attentions that wait for one nexus on one logical unit, first in first out.
 *
 * A reset (29/xx) replaces everything queued before it; one that equals the newest is not queued twice.
 * Source: SAM-5, "Unit attention condition".
 */
export class UnitAttentions {
  readonly #pending: Sense[] = [];

  get size(): number {
    return this.#pending.length;
  }

  pending(): readonly Sense[] {
    return this.#pending;
  }

  add(sense: Sense): void {
    if (sense.asc === RESET_ASC) this.#pending.length = 0;
    const newest = this.#pending.at(-1);
    const isSame = newest !== undefined && isSameSense(newest, sense) && newest.information === sense.information;
    if (!isSame) this.#pending.push(sense);
  }

  /** Takes the oldest away; undefined when none is pending. */
  take(): Sense | undefined {
    return this.#pending.shift();
  }

  /** Forgets every pending one that equals `sense`: the initiator learnt it otherwise. */
  drop(sense: Sense): void {
    for (let i = this.#pending.length - 1; i >= 0; i--) {
      if (isSameSense(this.#pending[i]!, sense)) this.#pending.splice(i, 1);
    }
  }

  clear(): void {
    this.#pending.length = 0;
  }
}
