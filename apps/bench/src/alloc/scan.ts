import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFree } from '@quorate/gfs2/allocator';
import { newSearch } from '../../../../tooling/simd-search.js';
import type { Figure } from '../figures.js';
import { seconds } from './alone.js';

/** The bitmaps of one resource group of 65,536 blocks, and of a device of 128 GiB. */
const GROUP = { name: '16 KiB', bytes: 16_384, scans: 20_000 };
const DEVICE = { name: '8 MiB', bytes: 8 * 2 ** 20, scans: 40 };

type Bitmap = typeof GROUP;

/** The same search in C, byte by byte and with words of 64 bits. Prints GB/s for both in both bitmaps, the best of its runs. */
const C_PROGRAM = `
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#define MOST ${DEVICE.bytes}
static _Alignas(64) uint8_t bitmap[MOST];
__attribute__((noinline)) static long by_byte(long bytes) {
  for (long i = 0; i < bytes; i++)
    for (int pair = 0; pair < 4; pair++)
      if ((bitmap[i] >> 2 * pair & 3) == 0) return 4 * i + pair;
  return 4 * bytes;
}
__attribute__((noinline)) static long by_word(long bytes) {
  const uint64_t *words = (const uint64_t *)bitmap;
  for (long i = 0; i < bytes / 8; i++) {
    uint64_t w = words[i], hits = ~(w | w >> 1) & 0x5555555555555555ull;
    if (hits) return i * 32 + __builtin_ctzll(hits) / 2;
  }
  return 4 * bytes;
}
static void measure(long (*find)(long), long bytes, int scans) {
  double best = 0;
  long sum = 0;
  memset(bitmap, 0x55, bytes);
  bitmap[bytes - 1] = 0x15;
  for (int run = 0; run < 15; run++) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < scans; i++) {
      bitmap[0] ^= (i & 1) << 1;
      sum += find(bytes);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    double gb = (double)scans * bytes / ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec));
    if (gb > best) best = gb;
  }
  printf("%f\\n", sum ? best : 0);
}
int main(void) {
  measure(by_byte, ${GROUP.bytes}, ${GROUP.scans / 10});
  measure(by_word, ${GROUP.bytes}, ${GROUP.scans});
  measure(by_byte, ${DEVICE.bytes}, ${DEVICE.scans / 10});
  measure(by_word, ${DEVICE.bytes}, ${DEVICE.scans});
}
`;

/** Finding the one free block at the end of a bitmap, in several ways. */
export function scanFigures(): Figure[] {
  const c = inC();
  return [GROUP, DEVICE].flatMap((bitmap, i) => {
    const ours = inJavaScript(bitmap);
    const simd = inWebAssembly(bitmap);
    const wasm = simd === undefined ? [] : [gigabytes(`Wasm, vectors of 128 bits, ${bitmap.name}`, simd)];
    const figures = [
      gigabytes(`JavaScript, bytes and shifts, ${bitmap.name}`, byByte(bitmap)),
      gigabytes(`JavaScript, words of 64 bits as BigInt, ${bitmap.name}`, byBigInt(bitmap)),
      gigabytes(`JavaScript, four words of 32 bits: ours, ${bitmap.name}`, ours),
      ...wasm,
    ];
    if (c === undefined) return [...figures, { name: 'no C compiler is installed', value: 0, unit: '' }];
    const [bytes, words] = [c[2 * i]!, c[2 * i + 1]!];
    // What the bars are for: one resource group.
    const bars = bitmap === GROUP ? [{ bar: { atLeast: 0.4 } }, { bar: { atLeast: 1 } }] : [];
    return [
      ...figures,
      gigabytes(`C -O2, bytes and shifts, ${bitmap.name}`, bytes),
      gigabytes(`C -O2, words of 64 bits, ${bitmap.name}`, words),
      { name: 'ours beside C', value: ours / words, unit: 'of it', ...bars[0] },
      ...(simd === undefined ? [] : [{ name: 'Wasm beside C', value: simd / words, unit: 'of it', ...bars[1] }]),
    ];
  });
}

function gigabytes(name: string, value: number): Figure {
  return { name, value, unit: 'GB/s' };
}

/** GB/s of the search that the allocator has, the best of some runs. */
export function inJavaScript(bitmap: Bitmap = GROUP, runs = 15): number {
  const words = allTaken(new Int32Array(bitmap.bytes / 4));
  return best(bitmap, (end) => findFree(words, 0, end), runs);
}

function inWebAssembly(bitmap: Bitmap): number | undefined {
  const search = newSearch(bitmap.bytes);
  if (!search.isWasm) return undefined;
  allTaken(search.words);
  const { find } = search;
  return best(bitmap, (end) => find(0, end));
}

function byByte(bitmap: Bitmap): number {
  const bytes = new Uint8Array(allTaken(new Int32Array(bitmap.bytes / 4)).buffer);
  const find = (end: number): number => {
    for (let pair = 0; pair < end; pair++) if (((bytes[pair >> 2]! >> ((pair & 3) << 1)) & 3) === 0) return pair;
    return end;
  };
  return best({ ...bitmap, scans: bitmap.scans / 20 }, find, 5);
}

function byBigInt(bitmap: Bitmap): number {
  const words = new BigUint64Array(allTaken(new Int32Array(bitmap.bytes / 4)).buffer);
  const find = (end: number): number => {
    for (let i = 0; i < words.length; i++) {
      const word = words[i]!;
      const hits = ~(word | (word >> 1n)) & 0x5555_5555_5555_5555n;
      for (let pair = 0; hits !== 0n; pair++) if ((hits >> BigInt(2 * pair)) & 1n) return 32 * i + pair;
    }
    return end;
  };
  return best({ ...bitmap, scans: bitmap.scans / 40 }, find, 5);
}

/** All pairs but the last. */
function allTaken(words: Int32Array): Int32Array<ArrayBuffer> {
  words.fill(0x5555_5555);
  words[words.length - 1] = 0x1555_5555;
  return words as Int32Array<ArrayBuffer>;
}

function best({ bytes, scans }: Bitmap, find: (end: number) => number, runs = 15): number {
  const end = 4 * bytes;
  let most = 0;
  for (let run = 0; run < runs; run++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < scans; i++) if (find(end) !== end - 1) throw new Error('wrong');
    most = Math.max(most, (scans * bytes) / seconds(start) / 1e9);
  }
  return most;
}

function inC(): number[] | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-alloc-'));
  try {
    const [source, program] = [join(directory, 'scan.c'), join(directory, 'scan')];
    writeFileSync(source, C_PROGRAM);
    if (spawnSync('cc', ['-O2', '-o', program, source]).status !== 0) return undefined;
    return spawnSync(program, { encoding: 'utf8' }).stdout.trim().split('\n').map(Number);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
