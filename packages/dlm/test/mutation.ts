import type { Prng } from '@quorate/kernel';

/** Offsets of 32-bit fields that decide what becomes of a message of locking or of recovery. */
const FIELDS = [8, 16, 20, 24, 28, 32, 36, 40, 44, 48, 52, 56, 60, 64, 68, 72, 76, 80, 84];
const NUMBERS = [0, 1, 2, 3, 4, 5, 7, 8, 0x40, 0x1000, 0x10000, 0x7fffffff, 0x80000000, 0xfffffffb, 0xffffffff];

/** A message that is nearly right: some of its fields have another number, some of its bytes are others, or its end is missing. */
export function mutated(bytes: Uint8Array, prng: Prng, inner: number): Uint8Array {
  const copy = bytes.slice();
  const view = new DataView(copy.buffer);
  for (let changes = 1 + prng.below(3); changes > 0; changes--) {
    const field = inner + FIELDS[prng.below(FIELDS.length)]!;
    if (prng.below(3) === 0 || field + 4 > copy.length) copy[prng.below(copy.length)] = prng.below(256);
    else view.setUint32(field, NUMBERS[prng.below(NUMBERS.length)]!, true);
  }
  return prng.below(12) === 0 ? copy.subarray(0, prng.below(copy.length + 1)) : copy;
}
