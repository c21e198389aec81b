import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEVICE, GROUP } from './scan-ways.js';

/** GB/s of C, the best of its runs. */
export interface InC {
  readonly byByte: number;
  readonly byWord: number;
  readonly countFree: number;
  readonly countStates: number;
  readonly run: number;
}

/** The same searches in C: byte by byte, and with words of 64 bits. Prints GB/s for each of them in both bitmaps. */
const C_PROGRAM = `
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
static _Alignas(64) uint8_t bitmap[${DEVICE.bytes}];
#define LOW 0x5555555555555555ull
__attribute__((noinline)) static long by_byte(long bytes) {
  for (long i = 0; i < bytes; i++)
    for (int pair = 0; pair < 4; pair++)
      if ((bitmap[i] >> 2 * pair & 3) == 0) return 4 * i + pair;
  return 4 * bytes;
}
__attribute__((noinline)) static long by_word(long bytes) {
  const uint64_t *words = (const uint64_t *)bitmap;
  for (long i = 0; i < bytes / 8; i++) {
    uint64_t w = words[i], hits = ~(w | w >> 1) & LOW;
    if (hits) return i * 32 + __builtin_ctzll(hits) / 2;
  }
  return 4 * bytes;
}
__attribute__((noinline)) static long count_free(long bytes) {
  const uint64_t *words = (const uint64_t *)bitmap;
  long count = 0;
  for (long i = 0; i < bytes / 8; i++) count += __builtin_popcountll(~(words[i] | words[i] >> 1) & LOW);
  return count;
}
static long states[4];
__attribute__((noinline)) static long count_states(long bytes) {
  const uint64_t *words = (const uint64_t *)bitmap;
  long lows = 0, highs = 0, boths = 0;
  for (long i = 0; i < bytes / 8; i++) {
    uint64_t low = words[i] & LOW, high = words[i] >> 1 & LOW;
    lows += __builtin_popcountll(low);
    highs += __builtin_popcountll(high);
    boths += __builtin_popcountll(low & high);
  }
  states[1] = lows - boths, states[2] = highs - boths, states[3] = boths;
  return states[0] = 4 * bytes - lows - highs + boths;
}
__attribute__((noinline)) static long run_of_32(long bytes) {
  const uint32_t *words = (const uint32_t *)bitmap;
  long last = bytes / 4 - 1;
  for (long i = 0; i <= last; i++) {
    if (words[i]) continue;
    long from = 16 * i, to = 16 * (i + 1);
    if (i > 0) from -= words[i - 1] ? __builtin_clz(words[i - 1]) / 2 : 16;
    for (; i < last && !words[i + 1]; i++) to += 16;
    if (i < last) to += __builtin_ctz(words[i + 1]) / 2;
    if (to - from >= 32) return from;
  }
  return 4 * bytes;
}
static void measure(long (*find)(long), long bytes, int scans) {
  double best = 0;
  long sum = 0;
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
static void all(long bytes, int scans) {
  memset(bitmap, 0x55, bytes);
  bitmap[bytes - 1] = 0x15;
  measure(by_byte, bytes, scans / 10);
  measure(by_word, bytes, scans);
  measure(count_free, bytes, scans / 4);
  measure(count_states, bytes, scans / 4);
  uint32_t x = 1;
  for (long i = 0; i < bytes; i++) {
    bitmap[i] = 0;
    for (int pair = 0; pair < 4; pair++) {
      x ^= x << 13, x ^= x >> 17, x ^= x << 5;
      if (x % 100 < 85) bitmap[i] |= 1 << 2 * pair;
    }
  }
  memset(bitmap + bytes - 8, 0, 8);
  measure(run_of_32, bytes, scans / 4);
}
int main(void) {
  all(${GROUP.bytes}, ${GROUP.scans});
  all(${DEVICE.bytes}, ${DEVICE.scans});
}
`;

/** In the bitmap of a group and in that of a device; undefined where no compiler is installed. */
export function scanInC(): readonly [InC, InC] | undefined {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-alloc-'));
  try {
    const [source, program] = [join(directory, 'scan.c'), join(directory, 'scan')];
    writeFileSync(source, C_PROGRAM);
    if (spawnSync('cc', ['-O2', '-o', program, source]).status !== 0) return undefined;
    const figures = spawnSync(program, { encoding: 'utf8' }).stdout.trim().split('\n').map(Number);
    const at = (i: number): InC => ({
      byByte: figures[i]!,
      byWord: figures[i + 1]!,
      countFree: figures[i + 2]!,
      countStates: figures[i + 3]!,
      run: figures[i + 4]!,
    });
    return [at(0), at(5)];
  } finally {
    rmSync(directory, { recursive: true });
  }
}
