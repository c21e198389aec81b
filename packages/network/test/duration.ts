const UNITS: readonly [string, number][] = [
  ['ns', 1],
  ['us', 1_000],
  ['ms', 1_000_000],
  ['s', 1_000_000_000],
];

/** Reads `1.5s`, `200ms`, `10us`. */
export function duration(text: string): number {
  for (const [unit, size] of UNITS) {
    if (new RegExp(`^[0-9.]+${unit}$`).test(text)) return Math.round(Number.parseFloat(text) * size);
  }
  throw new Error(`not a duration: ${text}`);
}
