import type { Prng } from '@quorate/kernel';

const ALPHABET = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
const GROUPS = [6, 4, 4, 4, 4, 4, 6];

/** Characters of an identifier on disk, where the dashes are left out. */
export const UUID_CHARACTERS = 32;

/** A new identifier of a volume or a group: `QXn7tV-L0Gk-wB2f-c8pZ-Tn1e-Hy4R-aJ5dKs`. Takes 32 draws. */
export function newUuid(prng: Prng): string {
  let characters = '';
  for (let i = 0; i < UUID_CHARACTERS; i++) characters += ALPHABET[prng.below(ALPHABET.length)];
  return dashed(characters);
}

/** Puts the dashes between 32 characters. */
export function dashed(characters: string): string {
  let at = 0;
  return GROUPS.map((length) => {
    at += length;
    return characters.slice(at - length, at);
  }).join('-');
}

export function undashed(uuid: string): string {
  return uuid.replaceAll('-', '');
}

/** Whether the text is an identifier with its dashes. Old ones may have `!` and `#` in them. */
export function isUuid(text: string): boolean {
  return /^[\w!#]{6}(-[\w!#]{4}){5}-[\w!#]{6}$/.test(text) && !text.includes('_');
}
