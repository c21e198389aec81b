import { isErrno, type Os, type Task } from '@quorate/kernel';
import { CHARACTER_CLASSES } from '../regular-expression.js';

/** A character of a word, and whether `*`, `?` and `[` are only themselves in it. */
export interface Character {
  readonly text: string;
  readonly isQuoted: boolean;
}

/** Whether a word names files by a pattern. */
export function isPattern(word: readonly Character[]): boolean {
  return word.some(({ text, isQuoted }) => !isQuoted && '*?['.includes(text));
}

/** Paths that a pattern names, sorted; empty when there are none. Hidden files are named by what begins with a dot. */
export function* pathsLike(os: Os, word: readonly Character[]): Task<readonly string[]> {
  const isAbsolute = word[0]?.text === '/';
  let found = [isAbsolute ? '/' : ''];
  for (const part of splitAtSlashes(word)) {
    const next: string[] = [];
    for (const directory of found) next.push(...(yield* namesLike(os, directory, part)));
    found = next;
  }
  return found.sort();
}

function* namesLike(os: Os, directory: string, part: readonly Character[]): Task<readonly string[]> {
  const join = (name: string): string => (directory === '' || directory === '/' ? directory : `${directory}/`) + name;
  const literal = part.map(({ text }) => text).join('');
  if (!isPattern(part)) {
    const path = join(literal);
    return isErrno(yield* os.stat(path)) ? [] : [path];
  }
  const entries = yield* os.list(directory === '' ? '.' : directory);
  if (isErrno(entries)) return [];
  const expression = expressionOf(part);
  const isHidden = literal.startsWith('.');
  return entries.filter((name) => expression.test(name) && (isHidden || !name.startsWith('.'))).map(join);
}

function splitAtSlashes(word: readonly Character[]): readonly (readonly Character[])[] {
  const parts: Character[][] = [[]];
  for (const character of word) {
    if (character.text === '/') parts.push([]);
    else parts.at(-1)!.push(character);
  }
  return parts.filter((part) => part.length > 0);
}

/** The regular expression of a pattern: `*` any text, `?` one character, `[a-z]` and `[!a-z]` one of those. */
export function expressionOf(pattern: readonly Character[]): RegExp {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const { text, isQuoted } = pattern[i]!;
    const end = isQuoted || text !== '[' ? -1 : endOfSet(pattern, i);
    if (end > 0) {
      const set = pattern.slice(i + 1, end).map((each) => each.text);
      const isNegated = set[0] === '!' || set[0] === '^';
      const members = membersOf((isNegated ? set.slice(1) : set).join(''));
      source += `[${isNegated ? '^' : ''}${members}]`;
      i = end;
    } else if (!isQuoted && text === '*') source += '.*';
    else if (!isQuoted && text === '?') source += '.';
    else source += text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');
  }
  try {
    return new RegExp(`^${source}$`, 's');
  } catch {
    // A range that runs backwards has no members.
    return /(?!)/;
  }
}

/** The regular expression of a pattern that a program gets: a backslash takes the meaning of what follows. */
export function wildcard(pattern: string): RegExp {
  const characters: Character[] = [];
  for (let i = 0; i < pattern.length; i++) {
    const isQuoted = pattern[i] === '\\' && i + 1 < pattern.length;
    if (isQuoted) i += 1;
    characters.push({ text: pattern[i]!, isQuoted });
  }
  return expressionOf(characters);
}

/** Where a set is closed that begins there; -1 when it is not. A bracket that comes first is a member. */
function endOfSet(pattern: readonly Character[], start: number): number {
  const first = pattern[start + 1]?.text === '!' || pattern[start + 1]?.text === '^' ? start + 3 : start + 2;
  for (let i = first; i < pattern.length; i++) {
    if (pattern[i]!.text === ']' && !isClassEnd(pattern, start, i)) return i;
  }
  return -1;
}

function isClassEnd(pattern: readonly Character[], start: number, end: number): boolean {
  const text = pattern.slice(start + 1, end + 1).map((each) => each.text);
  return /\[:[a-z]+:\]$/.test(text.join(''));
}

/** As they stand between the brackets of a regular expression, with classes (`[:digit:]`). */
function membersOf(set: string): string {
  return set.replace(/\[:([a-z]+):\]|[\\\]^[]/g, (found, name: string | undefined) =>
    name === undefined ? `\\${found}` : (CHARACTER_CLASSES.get(name) ?? ''),
  );
}
