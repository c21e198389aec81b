import { EXPONENTIAL_QUANTILES } from './exponential.js';
import { fmix32, murmur3 } from './murmur.js';
import { asciiBytes } from './text.js';

/** A 64-bit seed as two unsigned 32-bit halves. */
export interface Seed {
  readonly hi: number;
  readonly lo: number;
}

/**
 * One random stream: xoshiro128** by Blackman and Vigna, 32-bit operations only.
 *
 * A stream belongs to one consumer and is named by it, so that a new consumer never disturbs another's draws.
 */
export class Prng {
  #s0: number;
  #s1: number;
  #s2: number;
  #s3: number;

  /** @throws {RangeError} when all four words are 0: the generator would stay there. */
  constructor(s0: number, s1: number, s2: number, s3: number) {
    if ((s0 | s1 | s2 | s3) === 0) throw new RangeError('the state of a random stream must not be all zero');
    this.#s0 = s0 | 0;
    this.#s1 = s1 | 0;
    this.#s2 = s2 | 0;
    this.#s3 = s3 | 0;
  }

  /** The stream that `name` has under `seed`. Names are ASCII: `net/1>2`, `disk/0/3`, `node/2/totem`. */
  static derive(seed: Seed, name: string): Prng {
    const h = murmur3(asciiBytes(name), 0);
    const words = [0, 0, 0, 0];
    for (let i = 0; i < 4; i++) {
      const z = fmix32(seed.lo ^ Math.imul(h, 0x9e3779b1) ^ Math.imul(i + 1, 0x85ebca77));
      words[i] = fmix32(seed.hi ^ Math.imul(z, 0xc2b2ae3d) ^ h);
    }
    if ((words[0]! | words[1]! | words[2]! | words[3]!) === 0) words[0] = 1;
    return new Prng(words[0]!, words[1]!, words[2]!, words[3]!);
  }

  /** The next 32-bit word, unsigned. */
  next(): number {
    const s1 = this.#s1;
    const product = Math.imul(s1, 5);
    const result = Math.imul((product << 7) | (product >>> 25), 9);
    const t = s1 << 9;
    this.#s2 ^= this.#s0;
    this.#s3 ^= s1;
    this.#s1 ^= this.#s2;
    this.#s0 ^= this.#s3;
    this.#s2 ^= t;
    this.#s3 = (this.#s3 << 11) | (this.#s3 >>> 21);
    return result >>> 0;
  }

  /** An integer in [0, n). One draw up to n = 2^21, two above; n is at most 2^53. The bias of n / 2^32 is accepted. */
  below(n: number): number {
    if (n <= 0x200000) return Math.floor((this.next() * n) / 0x1_0000_0000);
    const high = this.next() * 0x200000;
    return (high + (this.next() >>> 11)) % n;
  }

  /** True with probability `threshold` / 2^32. Always takes exactly one draw. */
  happens(threshold: number): boolean {
    return this.next() < threshold;
  }

  /** An exponentially distributed integer with the given mean, made of integers only: equal in every engine. */
  exponential(mean: number): number {
    let carry = 0;
    for (;;) {
      const x = this.next();
      const i = x >>> 22;
      if (i < 1023) {
        const low = EXPONENTIAL_QUANTILES[i]!;
        const rise = EXPONENTIAL_QUANTILES[i + 1]! - low;
        const value = carry + low + Math.floor((rise * (x & 0x3fffff)) / 0x400000);
        return Math.floor((mean * value) / 65536);
      }
      carry += EXPONENTIAL_QUANTILES[1023]!;
    }
  }

  /** The state as four unsigned words. */
  inspect(): readonly number[] {
    return [this.#s0 >>> 0, this.#s1 >>> 0, this.#s2 >>> 0, this.#s3 >>> 0];
  }
}

/** Reads a seed as users write it: a decimal number or 0x with up to 16 hex digits; undefined for anything else. */
export function parseSeed(text: string): Seed | undefined {
  if (/^0x[0-9a-f]{1,16}$/i.test(text)) {
    const digits = text.slice(2).padStart(16, '0');
    return { hi: Number.parseInt(digits.slice(0, 8), 16), lo: Number.parseInt(digits.slice(8), 16) };
  }
  if (!/^[0-9]{1,20}$/.test(text)) return undefined;
  const value = BigInt(text);
  if (value > 0xffff_ffff_ffff_ffffn) return undefined;
  return { hi: Number(value >> 32n), lo: Number(value & 0xffff_ffffn) };
}
