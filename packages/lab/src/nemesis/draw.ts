import type { Choices } from '@quorate/kernel';

/** Outcomes of choices as values; the first of each list, and the least of each range, is the mildest. */

/** One of these. */
export function pick<T>(choices: Choices, kind: string, values: readonly T[]): T {
  return values[choices.choose(kind, values.length)]!;
}

/** A whole number from `least` to `most`, in so many steps. */
export function range(choices: Choices, kind: string, least: number, most: number, steps = 64): number {
  return Math.round(least + ((most - least) * choices.choose(kind, steps)) / (steps - 1));
}

/** A number of them, in the order given: at least `least`, and fewer than all of them when `isProper`. */
export function subset<T>(
  choices: Choices,
  kind: string,
  values: readonly T[],
  least: number,
  isProper: boolean,
): readonly T[] {
  const most = isProper ? values.length - 1 : values.length;
  const count = range(choices, `${kind}-count`, least, most, most - least + 1);
  const left = [...values];
  const taken = new Set<T>();
  for (let i = 0; i < count; i++) taken.add(left.splice(choices.choose(kind, left.length), 1)[0]!);
  return values.filter((value) => taken.has(value));
}
