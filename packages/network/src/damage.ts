import type { Damage } from './link-parameters.js';

/** A place in a frame, or an amount of damage, is drawn as one of this many. */
export const DAMAGE_STEPS = 0x10_0000;

/**
 * A damaged copy of a frame; `step` in 0..DAMAGE_STEPS-1 says where.
 *
 * `bit` turns one bit, `byte` changes one byte, `truncate` cuts the end off (at worst everything), `splice` goes on
 * with what `previous` has from there. Without a previous frame a splice is a truncation.
 */
export function damaged(frame: Uint8Array, how: Damage, step: number, previous: Uint8Array): Uint8Array {
  const at = Math.floor((step * frame.length) / DAMAGE_STEPS);
  if (how === 'truncate') return frame.slice(0, at);
  if (how === 'splice') {
    const spliced = new Uint8Array(Math.max(at, previous.length));
    spliced.set(frame.subarray(0, at));
    if (previous.length > at) spliced.set(previous.subarray(at), at);
    return spliced;
  }
  const copy = frame.slice();
  const flip = how === 'bit' ? 1 << (Math.floor((step * frame.length * 8) / DAMAGE_STEPS) & 7) : 1 + (step % 255);
  if (at < copy.length) copy[at] = copy[at]! ^ flip;
  return copy;
}
