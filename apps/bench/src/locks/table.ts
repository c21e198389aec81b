import { gaps, grants, type Locks, latency, pairs, quantile, sum } from './lockers.js';

/** How many lockers are at it at once. */
const LOCKERS = [1, 4, 16, 64];

/** A line of the table. Times in microseconds; pairs of acquire and awaited release a second. */
export interface Row {
  readonly name: string;
  readonly p50: number;
  readonly p99: number;
  /** By `LOCKERS`. */
  readonly own: readonly number[];
  readonly same: readonly number[];
  readonly handOff: number;
  /** Least by most of 16 lockers on one name. */
  readonly fairness: number;
}

/** What a line is measured by; a lock manager of many threads has its own. */
export interface Measured {
  latency(names: readonly string[]): Promise<{ readonly acquire: Float64Array }>;
  pairs(names: readonly string[], seconds: number): Promise<number[]>;
  /** Instants at which two lockers on one name had it. */
  grants(name: string, seconds: number): Promise<Float64Array>;
}

const SECONDS = 0.5;
/** Long enough that the lockers which began first do not count. */
const FAIR_SECONDS = 2;
const NAMES = Array.from({ length: 64 }, (_, i) => `own ${i}`);

export function measured(locks: Locks<unknown>): Measured {
  return {
    latency: (names) => latency(locks, names, 20_000, SECONDS),
    pairs: (names, seconds) => pairs(locks, names, seconds),
    grants: (name, seconds) => grants(locks, name, 2, seconds),
  };
}

export async function rowOf(name: string, by: Measured): Promise<Row> {
  await by.latency(NAMES);
  await by.pairs(Array(4).fill('same'), SECONDS);
  const { acquire } = await by.latency(NAMES);
  const own: number[] = [];
  const same: number[] = [];
  let fairness = Number.NaN;
  for (const lockers of LOCKERS) {
    own.push(sum(await by.pairs(NAMES.slice(0, lockers), SECONDS)) / SECONDS);
    const seconds = lockers === 16 ? FAIR_SECONDS : SECONDS;
    const counts = await by.pairs(Array(lockers).fill('same'), seconds);
    same.push(sum(counts) / seconds);
    if (lockers === 16) fairness = Math.min(...counts) / Math.max(...counts);
  }
  const handOff = quantile(gaps([...(await by.grants('handed', SECONDS))]), 0.5);
  return { name, p50: quantile(acquire, 0.5), p99: quantile(acquire, 0.99), own, same, handOff, fairness };
}

const HEADS = ['p50 µs', 'p99 µs', ...LOCKERS.map((n) => `${n} own/same`), 'hand-off', 'fair 16'];
const WIDTHS = [9, 9, ...LOCKERS.map(() => 15), 10, 9];

export function headLine(): string {
  return line('acquire; pairs/s by lockers', HEADS);
}

export function rowLine({ name, p50, p99, own, same, handOff, fairness }: Row): string {
  const rates = LOCKERS.map((_, i) => `${short(own[i]!)}/${short(same[i]!)}`);
  return line(name, [p50.toFixed(1), p99.toFixed(1), ...rates, handOff.toFixed(1), fairness.toFixed(2)]);
}

function line(name: string, cells: readonly string[]): string {
  return `  ${name.padEnd(34)}${cells.map((cell, i) => cell.padStart(WIDTHS[i]!)).join('')}`;
}

/** 1234567 is `1.23M`. */
function short(value: number): string {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M`;
  return value >= 1e4
    ? `${(value / 1e3).toFixed(0)}k`
    : value >= 1e3
      ? `${(value / 1e3).toFixed(1)}k`
      : value.toFixed(0);
}
