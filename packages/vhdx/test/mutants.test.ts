import { Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { seal } from '../src/format/checksum.js';
import { checkVhdx, openVhdx, VhdxError } from '../src/index.js';
import { CrashFile } from './crash-file.js';
import { MIB, newImage, open, openReadOnly, random, sectors } from './images.js';
import type { PageFile } from './page-file.js';

/** Where the structures of an image with a log of 1 MiB stand, and which of them carry a checksum over how much. */
const STRUCTURES = [
  { name: 'file type identifier', offset: 0, length: 64 },
  { name: 'header 1', offset: 64 * 1024, length: 80, sealed: 4096 },
  { name: 'header 2', offset: 128 * 1024, length: 80, sealed: 4096 },
  { name: 'region table 1', offset: 192 * 1024, length: 80, sealed: 64 * 1024 },
  { name: 'region table 2', offset: 256 * 1024, length: 80, sealed: 64 * 1024 },
  { name: 'log', offset: MIB, length: 128, sealed: 8192 },
  { name: 'metadata table', offset: 2 * MIB, length: 192 },
  { name: 'metadata items', offset: 2 * MIB + 64 * 1024, length: 40 },
  { name: 'BAT', offset: 3 * MIB, length: 64 },
] as const;

/** An image with blocks in several states; its log holds one entry of two sectors that is not yet replayed. */
function victim(): PageFile {
  const file = new CrashFile(newImage({ size: 8 * MIB }));
  const image = open(file);
  image.write(0, sectors(1, 3));
  image.write(5 * 2048, sectors(2));
  image.flush();
  return file.afterPrefix(file.pending);
}

function mutate(file: PageFile, prng: Prng): void {
  for (let changes = 1 + prng.below(3); changes > 0; changes--) {
    const structure = STRUCTURES[prng.below(STRUCTURES.length)]!;
    const bytes = new Uint8Array('sealed' in structure ? structure.sealed : structure.length);
    file.read(structure.offset, bytes);
    const at = prng.below(structure.length);
    const width = [1, 2, 4, 8][prng.below(4)]!;
    const values = [0, 0xff, 0x7f, 0x80, 1, prng.below(256)];
    const value = values[prng.below(values.length)]!;
    for (let i = at; i < Math.min(at + width, structure.length); i++) bytes[i] = value;
    // A right checksum lets wrong fields through to where they are used.
    if ('sealed' in structure && prng.below(4) > 0) seal(bytes);
    file.write(structure.offset, bytes);
  }
}

const MUTANTS = isThorough ? 10_000 : 1500;

describe('mutated structures', () => {
  it(`${MUTANTS} of them: refused with structure and offset, or opened; nothing else`, () => {
    const original = victim();
    expect(checkVhdx(original).map(({ severity }) => severity)).toEqual(['warning']);
    const prng = Prng.derive({ hi: 0, lo: 77 }, 'mutants');
    const refusals = new Map<string, number>();
    let opened = 0;
    for (let i = 0; i < MUTANTS; i++) {
      const file = original.copy();
      mutate(file, prng);
      try {
        const image = i % 2 === 0 ? openReadOnly(file) : openVhdx(file, { random });
        image.read(0, Math.min(16, image.blocks), new Uint8Array(16 * image.blockLength));
        if (!image.isReadOnly) {
          image.write(0, new Uint8Array(image.blockLength).fill(9));
          image.close();
        }
        opened += 1;
      } catch (error) {
        if (!(error instanceof VhdxError)) throw error;
        expect(error.message).toBe(
          `${error.structure} at byte ${error.offset}: found ${error.found}, expected ${error.expected}`,
        );
        refusals.set(error.structure, (refusals.get(error.structure) ?? 0) + 1);
      }
      if (i % 10 === 0) expect(Array.isArray(checkVhdx(file))).toBe(true);
      // A log may claim a longer file, but none that is longer than any image.
      expect(file.size).toBeLessThanOrEqual(128 * 1024 ** 4);
    }
    expect(opened).toBeGreaterThan(500);
    expect([...refusals.keys()].sort()).toEqual(
      expect.arrayContaining(['file type identifier', 'headers', 'log', 'metadata table', 'file parameters']),
    );
  });
});
