import { fmix32, type Nanos } from '@quorate/kernel';

// An engine without a compiler looks a global up each time.
const { imul } = Math;

const FIRST = 0x9e3779b1;
const SECOND = 0x85ebca77;
const THIRD = 0x27220a95;

/**
 * The running hash over the events of a run: two 32-bit lanes.
 *
 * Two runs with equal digests saw the same events at the same instants with the same payloads, short of a collision.
 */
export class EventHash {
  #a = 0x243f6a88 | 0;
  #b = 0x85a308d3 | 0;

  word(w: number): void {
    let a = this.#a;
    let b = this.#b;
    a = imul(a ^ w, FIRST);
    a = (a << 13) | (a >>> 19);
    b ^= w;
    b = (imul((b << 17) | (b >>> 15), SECOND) + THIRD) | 0;
    this.#a = a;
    this.#b = b;
  }

  /**
   * The five words of an event: its instant in ns, low half and high half; class, node and kind; two of its own.
   *
   * The same as `word` five times, written out: where nothing is compiled, calls are most of what a hash costs.
   */
  event(now: Nanos, what: number, first: number, second: number): void {
    const high = now / 0x1_0000_0000;
    let a = this.#a;
    let b = this.#b;
    a = imul(a ^ now, FIRST);
    a = (a << 13) | (a >>> 19);
    b ^= now;
    b = (imul((b << 17) | (b >>> 15), SECOND) + THIRD) | 0;
    a = imul(a ^ high, FIRST);
    a = (a << 13) | (a >>> 19);
    b ^= high;
    b = (imul((b << 17) | (b >>> 15), SECOND) + THIRD) | 0;
    a = imul(a ^ what, FIRST);
    a = (a << 13) | (a >>> 19);
    b ^= what;
    b = (imul((b << 17) | (b >>> 15), SECOND) + THIRD) | 0;
    a = imul(a ^ first, FIRST);
    a = (a << 13) | (a >>> 19);
    b ^= first;
    b = (imul((b << 17) | (b >>> 15), SECOND) + THIRD) | 0;
    a = imul(a ^ second, FIRST);
    a = (a << 13) | (a >>> 19);
    b ^= second;
    b = (imul((b << 17) | (b >>> 15), SECOND) + THIRD) | 0;
    this.#a = a;
    this.#b = b;
  }

  /** 16 hex digits. */
  digest(): string {
    const high = fmix32(this.#a ^ (this.#b >>> 7));
    const low = fmix32(this.#b ^ imul(this.#a, 5));
    return high.toString(16).padStart(8, '0') + low.toString(16).padStart(8, '0');
  }
}
