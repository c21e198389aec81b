import { fmix32 } from '@quorate/kernel';

/**
 * The running hash over the events of a run: two 32-bit lanes.
 *
 * Two runs with equal digests saw the same events at the same instants with the same payloads, short of a collision.
 */
export class EventHash {
  #a = 0x243f6a88 | 0;
  #b = 0x85a308d3 | 0;

  word(w: number): void {
    const mixed = Math.imul(this.#a ^ w, 0x9e3779b1);
    this.#a = (mixed << 13) | (mixed >>> 19);
    const turned = this.#b ^ w;
    this.#b = (Math.imul((turned << 17) | (turned >>> 15), 0x85ebca77) + 0x27220a95) | 0;
  }

  /** 16 hex digits. */
  digest(): string {
    const high = fmix32(this.#a ^ (this.#b >>> 7));
    const low = fmix32(this.#b ^ Math.imul(this.#a, 5));
    return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
  }
}
