/**
 * What a series grew by: the mean of its last third over the mean of its first third.
 *
 * @throws {RangeError} for fewer than three values.
 */
export function growth(values: readonly number[]): number {
  const third = Math.floor(values.length / 3);
  if (third === 0) throw new RangeError(`growth: found ${values.length} values, expected at least 3`);
  return sum(values.slice(-third)) / sum(values.slice(0, third));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
