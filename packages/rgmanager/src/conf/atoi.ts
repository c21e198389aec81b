/**
 * An integer as C's `atoi` reads it: blanks and a sign are taken, reading ends at the first other character, and a text
 * without digits is 0. Values outside a signed 32-bit number are cut to its bounds.
 */
export function atoi(text: string): number {
  const digits = /^\s*([+-]?\d+)/.exec(text)?.[1];
  if (digits === undefined) return 0;
  return Math.max(-0x8000_0000, Math.min(0x7fff_ffff, Number(digits)));
}
