/**
 * First pair of the first run of `length` free ones in [from, to) of a bitmap, 31 or more: such a run has a whole word of 32 bits.
 * `to` when there is none.
 */
export function findRun(words: Int32Array, from: number, to: number, length: number): number {
  if (from >= to) return to;
  const last = (to - 1) >> 4;
  for (let i = from >> 4; i <= last; i++) {
    if (words[i] !== 0) continue;
    let start = i << 4;
    if (start > from) start -= Math.clz32(words[i - 1]!) >> 1;
    start = Math.max(start, from);
    do i += 1;
    while (i <= last && words[i] === 0);
    const end = i > last ? to : Math.min((i << 4) + (trailingZeros(words[i]!) >> 1), to);
    if (end - start >= length) return start;
  }
  return to;
}

function trailingZeros(word: number): number {
  return 31 - Math.clz32(word & -word);
}
