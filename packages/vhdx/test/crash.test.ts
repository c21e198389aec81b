import { Prng } from '@quorate/kernel';
import type { ByteFile } from '@quorate/scsi';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { checkVhdx, type VhdxImage } from '../src/index.js';
import { CrashFile } from './crash-file.js';
import { MIB, newImage, open, openReadOnly } from './images.js';
import type { PageFile } from './page-file.js';

const SECTOR = 512;
/** Of many writes under one flush, one in so many is the last before a crash. */
const SAMPLED = isThorough ? 24 : 480;
const SUBSETS = isThorough ? 2 : 1;

/**
 * What every sector of the disk may hold after a crash. A sector is filled with one number, its version; what the last
 * flush made durable is the floor, and each write since then is another possibility.
 */
class Expectation {
  readonly #possible = new Map<number, Set<number>>();
  readonly #latest = new Map<number, number>();

  wrote(sector: number, version: number): void {
    this.#latest.set(sector, version);
    const possible = this.#possible.get(sector) ?? new Set([0]);
    this.#possible.set(sector, possible.add(version));
  }

  flushed(): void {
    for (const [sector, version] of this.#latest) this.#possible.set(sector, new Set([version]));
  }

  /** Sectors that hold what they must not, as text. */
  violations(image: VhdxImage): string[] {
    const found: string[] = [];
    const bytes = new Uint8Array(SECTOR);
    for (const [sector, possible] of this.#possible) {
      if (sector >= image.blocks) continue;
      image.read(sector, 1, bytes);
      const version = bytes[0]!;
      if (possible.has(version) && isFilled(bytes, version)) continue;
      found.push(`sector ${sector} holds ${version}, may hold ${[...possible].join(', ')}`);
    }
    return found;
  }
}

/** A run of writes, flushes and what else is done to an image, with a check after every possible crash. */
class CrashRun {
  readonly file: CrashFile;
  readonly image: VhdxImage;
  readonly expected = new Expectation();
  readonly #prng: Prng;
  states = 0;
  #version = 0;

  constructor(base: ByteFile, name: string) {
    this.file = new CrashFile(base);
    this.#prng = Prng.derive({ hi: 0, lo: 21 }, name);
    this.image = open(this.file);
    this.file.onStep = () => this.#crashHere();
  }

  write(sector: number, count = 1): void {
    this.#version = (this.#version % 250) + 1;
    for (let i = 0; i < count; i++) this.expected.wrote(sector + i, this.#version);
    this.image.write(sector, new Uint8Array(count * SECTOR).fill(this.#version));
  }

  unmap(sector: number, count: number): void {
    for (let i = 0; i < count; i++) this.expected.wrote(sector + i, 0);
    this.image.unmap!(sector, count);
  }

  flush(): void {
    this.image.flush();
    this.expected.flushed();
  }

  /** Tries every prefix of what is pending, the last operation torn in two sizes, and a few subsets. */
  #crashHere(): void {
    const { pending } = this.file;
    // Where one flush covers many writes, not after each of them.
    if (pending > 8 && pending % SAMPLED !== 0) return;
    for (const torn of [0, 512, 4096]) this.#survives(this.file.afterPrefix(Math.max(0, pending - 1), torn));
    this.#survives(this.file.afterPrefix(pending));
    for (let i = 0; i < SUBSETS; i++) this.#survives(this.file.afterSubset(this.#prng));
  }

  #survives(file: PageFile): void {
    this.states += 1;
    const before = checkVhdx(file).filter(({ severity }) => severity === 'error');
    expect(before).toEqual([]);
    expect(this.expected.violations(openReadOnly(file))).toEqual([]);
    const image = open(file);
    expect(this.expected.violations(image)).toEqual([]);
    image.close();
    expect(checkVhdx(file).filter(({ severity }) => severity === 'error')).toEqual([]);
  }
}

function isFilled(bytes: Uint8Array, value: number): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== value) return false;
  return true;
}

describe('after a crash at any moment', () => {
  it('a dynamic image holds what was flushed, or later', () => {
    const run = new CrashRun(newImage({ size: 8 * MIB }), 'dynamic');
    run.write(0, 3);
    run.write(2048 * 3 + 5);
    run.flush();
    run.write(1, 9);
    run.write(2048 * 5);
    run.write(2048 - 2, 4);
    run.flush();
    run.write(2048 * 5, 2);
    run.flush();
    run.image.close();
    expect(run.states).toBeGreaterThan(100);
  });

  it('room that was given back belongs to its old block until the new one is durable', () => {
    const run = new CrashRun(newImage({ size: 6 * MIB }), 'unmap');
    run.write(0, 4);
    run.write(2048, 4);
    run.flush();
    run.unmap(0, 2048);
    run.write(2 * 2048, 4);
    run.flush();
    run.write(3 * 2048 + 7, 4);
    run.write(0, 1);
    run.flush();
    run.unmap(2048 + 1, 2);
    run.flush();
    run.image.close();
  });

  it('a fixed image too', () => {
    const run = new CrashRun(newImage({ size: 4 * MIB, kind: 'fixed' }), 'fixed');
    run.write(0, 9);
    run.flush();
    run.write(5, 9);
    run.write(8191);
    run.flush();
    run.image.close();
  });

  it.each([4 * MIB, 2000 * MIB, 140_000 * MIB])('growing to %i bytes leaves the old size or the new one', (size) => {
    const base = newImage({ size: 3 * MIB + 512 });
    const run = new CrashRun(base, 'grow');
    run.write(0, 2);
    run.write(3 * 2048);
    run.flush();
    run.image.resize(size);
    expect(run.image.blocks).toBe(size / 512);
    run.write(3 * 2048 + 1, 2);
    run.flush();
    run.image.close();
  });

  it('so does shrinking', () => {
    const run = new CrashRun(newImage({ size: 6 * MIB }), 'shrink');
    run.write(0, 2);
    run.write(4 * 2048, 2);
    run.flush();
    run.image.resize(2 * MIB, { isDiscarding: true });
    run.write(3, 2);
    run.flush();
    run.image.close();
  });

  it('a flush that takes several log entries', () => {
    const run = new CrashRun(newImage({ size: 72_000 * MIB }), 'entries');
    for (let i = 0; i < 140; i++) run.write(i * 512 * 2048);
    run.flush();
    run.image.close();
  });

  it('random writes, unmaps and flushes', () => {
    const prng = Prng.derive({ hi: 0, lo: 4 }, 'load');
    const run = new CrashRun(newImage({ size: 8 * MIB }), 'random');
    for (let i = 0; i < 16; i++) {
      const sector = prng.below(8 * 2048 - 8);
      const what = prng.below(8);
      if (what === 0) run.flush();
      else if (what === 1) run.unmap(2048 * prng.below(8), 2048);
      else run.write(sector, 1 + prng.below(8));
    }
    run.image.close();
  });
});
