const SECONDS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
  ['w', 604_800],
  ['y', 31_536_000],
]);

/**
 * Seconds that a time text stands for: pieces of digits and a unit (s m h d w y, either case) that add up; digits
 * without a unit are seconds.
 *
 * A piece with another unit counts nothing, and so does a character outside a piece: `-3` is 3. What does not fit a
 * signed 32-bit number makes the whole 0.
 *
 * Source: rgmanager src/daemons/resrules.c, `expand_time`.
 */
export function expandTime(text: string): number {
  let seconds = 0;
  for (const [, digits, unit] of text.matchAll(/(\d+)(\D?)|\D/g)) {
    if (digits === undefined) continue;
    seconds += Number(digits) * (unit === '' ? 1 : (SECONDS.get(unit!.toLowerCase()) ?? 0));
    if (seconds > 0x7fff_ffff) return 0;
  }
  return seconds;
}
