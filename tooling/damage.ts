import fc from 'fast-check';

/**
 * Reads a file again and again with one byte changed, and also cut off. `read` fails the test where that is not as it should be.
 *
 * `reseal` sets right the checksum over what stands at `at` or behind; undefined where there is none to set right.
 */
export function readDamaged(
  whole: Uint8Array,
  read: (bytes: Uint8Array) => void,
  reseal: (broken: Uint8Array, at: number) => Uint8Array | undefined,
): void {
  const place = fc.nat(whole.length - 1);
  fc.assert(
    fc.property(place, fc.nat(255), place, (at, byte, length) => {
      const broken = whole.slice();
      broken[at] = byte;
      read(broken);
      read(broken.subarray(0, length));
      const resealed = reseal(broken, at);
      if (resealed !== undefined) read(resealed);
    }),
    { numRuns: 200 },
  );
}
