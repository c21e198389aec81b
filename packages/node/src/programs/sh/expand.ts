import type { Os, Task } from '@quorate/kernel';
import { type Character, isPattern, pathsLike } from './pattern.js';
import type { Script, Word } from './script.js';

/** What a shell puts in the place of variables and of `$(…)`. */
export interface Values {
  variable(name: string): string;
  /** What the commands print, without the line breaks at its end. */
  outputOf(script: Script): Task<string>;
}

/** The words that a word of a command becomes: its variables replaced and split at blanks, its patterns by the paths they name. */
export function* expandWord(os: Os, word: Word, values: Values): Task<readonly string[]> {
  const only = word.length === 1 && word[0]?.kind === 'text' ? word[0] : undefined;
  if (only !== undefined && (only.isQuoted || !/[*?[~]/.test(only.text))) return [only.text];
  const words: string[] = [];
  for (const field of yield* fieldsOf(word, values)) {
    const paths = isPattern(field) ? yield* pathsLike(os, field) : [];
    if (paths.length > 0) words.push(...paths);
    else words.push(textOf(field));
  }
  return words;
}

/** What a word is where nothing is split and no file is looked for: an assignment, a here-document, the name of a file. */
export function* expandText(word: Word, values: Values): Task<string> {
  const only = word.length === 1 && word[0]?.kind === 'text' ? word[0] : undefined;
  if (only !== undefined && (only.isQuoted || !only.text.startsWith('~'))) return only.text;
  const quoted = word.map((part) => (part.kind === 'text' ? part : { ...part, isQuoted: true }));
  return (yield* fieldsOf(quoted, values)).map(textOf).join(' ');
}

function textOf(field: readonly Character[]): string {
  return field.map(({ text }) => text).join('');
}

function* fieldsOf(word: Word, values: Values): Task<readonly (readonly Character[])[]> {
  const fields: Character[][] = [];
  let field: Character[] | undefined;
  const add = (text: string, isQuoted: boolean): void => {
    field ??= [];
    for (const character of text) field.push({ text: character, isQuoted });
  };
  const end = (): void => {
    if (field !== undefined) fields.push(field);
    field = undefined;
  };
  for (const [i, part] of word.entries()) {
    if (part.kind === 'text') {
      const isHome = i === 0 && !part.isQuoted && /^~(\/|$)/.test(part.text);
      add(isHome ? values.variable('HOME') + part.text.slice(1) : part.text, part.isQuoted);
      continue;
    }
    const value = part.kind === 'variable' ? values.variable(part.name) : yield* values.outputOf(part.script);
    if (part.isQuoted) {
      add(value, true);
      continue;
    }
    const pieces = value.split(/[ \t\n]+/);
    pieces.forEach((piece, at) => {
      if (at > 0) end();
      if (piece !== '') add(piece, false);
    });
  }
  end();
  return fields;
}
