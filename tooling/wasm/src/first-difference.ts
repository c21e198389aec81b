import { SECOND } from '@quorate/kernel';
import type { Mark } from './guest/messages.js';

/** Where two runs part, in words; undefined when all marks are equal. */
export function firstDifference(one: readonly Mark[], other: readonly Mark[]): string | undefined {
  const at = Array.from({ length: Math.max(one.length, other.length) }, (_, i) => i).find(
    (i) => textOf(one[i]) !== textOf(other[i]),
  );
  return at === undefined ? undefined : `${textOf(one[at])} and ${textOf(other[at])}`;
}

function textOf(mark: Mark | undefined): string {
  return mark === undefined ? 'nothing' : `by ${mark.at / SECOND} s ${mark.events} events, hash ${mark.hash}`;
}
