import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { findFree } from '@quorate/gfs2/allocator';
import type { Figure } from '../figures.js';
import { seconds } from './alone.js';

const BITMAP_BYTES = 16_384;
const SCANS = 20_000;

/** The same search in C, with words of 64 bits. Prints GB/s, the best of its runs. */
const C_PROGRAM = `
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#define BYTES ${BITMAP_BYTES}
#define SCANS ${SCANS}
__attribute__((noinline)) static long find_free(const uint64_t *words, long n) {
  for (long i = 0; i < n; i++) {
    uint64_t w = words[i], hits = ~(w | w >> 1) & 0x5555555555555555ull;
    if (hits) return i * 32 + __builtin_ctzll(hits) / 2;
  }
  return n * 32;
}
int main(void) {
  static uint64_t words[BYTES / 8];
  double best = 0;
  long sum = 0;
  memset(words, 0x55, BYTES);
  words[BYTES / 8 - 1] &= ~(3ull << 62);
  for (int run = 0; run < 15; run++) {
    struct timespec a, b;
    clock_gettime(CLOCK_MONOTONIC, &a);
    for (int i = 0; i < SCANS; i++) {
      words[0] ^= (uint64_t)(i & 1) << 1;
      sum += find_free(words, BYTES / 8);
    }
    clock_gettime(CLOCK_MONOTONIC, &b);
    double gb = (double)SCANS * BYTES / ((b.tv_sec - a.tv_sec) * 1e9 + (b.tv_nsec - a.tv_nsec));
    if (gb > best) best = gb;
  }
  printf("%f %ld\\n", best, sum);
}
`;

/** Finding the one free block at the end of a bitmap of one resource group. */
export function scanFigures(): Figure[] {
  const ours = javascript();
  const theirs = inC();
  const figures: Figure[] = [{ name: 'first free block of 16 KiB, JavaScript', value: ours, unit: 'GB/s' }];
  if (theirs === undefined) return [...figures, { name: 'no C compiler is installed', value: 0, unit: '' }];
  return [
    ...figures,
    { name: 'C, -O2, words of 64 bits', value: theirs, unit: 'GB/s' },
    { name: 'JavaScript beside C', value: ours / theirs, unit: 'of it', bar: { atLeast: 0.4 } },
  ];
}

/** GB/s, the best of some runs. */
export function javascript(runs = 15): number {
  const words = new Int32Array(BITMAP_BYTES / 4).fill(0x5555_5555);
  words[words.length - 1] = 0x1555_5555;
  const end = 4 * BITMAP_BYTES;
  let best = 0;
  for (let run = 0; run < runs; run++) {
    const start = process.hrtime.bigint();
    for (let i = 0; i < SCANS; i++) if (findFree(words, 0, end) !== end - 1) throw new Error('wrong');
    best = Math.max(best, (SCANS * BITMAP_BYTES) / seconds(start) / 1e9);
  }
  return best;
}

function inC(): number | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-alloc-'));
  try {
    const [source, program] = [join(directory, 'scan.c'), join(directory, 'scan')];
    writeFileSync(source, C_PROGRAM);
    if (spawnSync('cc', ['-O2', '-o', program, source]).status !== 0) return undefined;
    return Number(spawnSync(program, { encoding: 'utf8' }).stdout.split(' ')[0]);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
