import type { Os, Task } from '@quorate/kernel';
import { withoutPart } from './parameter.js';
import { type Character, expressionOf, isPattern, pathsLike } from './pattern.js';
import { ExpansionComplaint, type Part, type Script, type Word } from './script.js';

/** What a shell puts in the place of variables and of `$(…)`. */
export interface Values {
  variable(name: string): string;
  /** `$1`, `$2` and so on. */
  readonly positional: readonly string[];
  /** Whether it has a value, empty ones among them. */
  isSet(name: string): boolean;
  assign(name: string, value: string): void;
  /** The value of an expression of `$((…))`. */
  valueOf(expression: string): string;
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

/** What a pattern of `case` fits. */
export function* expandPattern(word: Word, values: Values): Task<RegExp> {
  return expressionOf((yield* fieldsOf(word, values, false)).flat());
}

function textOf(field: readonly Character[]): string {
  return field.map(({ text }) => text).join('');
}

function* fieldsOf(word: Word, values: Values, isSplit: boolean = true): Task<readonly (readonly Character[])[]> {
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
      // "$@" without any is no word, and not an empty one.
      if (part.text === '' && isAllOf(word[i + 1])) continue;
      const isHome = i === 0 && !part.isQuoted && /^~(\/|$)/.test(part.text);
      add(isHome ? values.variable('HOME') + part.text.slice(1) : part.text, part.isQuoted);
      continue;
    }
    if (part.kind === 'variable' && part.name === '@' && part.isQuoted) {
      values.positional.forEach((value, at) => {
        if (at > 0) end();
        add(value, true);
      });
      continue;
    }
    const value = yield* valueOfPart(part, values);
    if (part.isQuoted || !isSplit) {
      add(value, part.isQuoted);
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

function isAllOf(part: Part | undefined): boolean {
  return part?.kind === 'variable' && part.name === '@' && part.isQuoted;
}

function* valueOfPart(part: Exclude<Part, { kind: 'text' }>, values: Values): Task<string> {
  switch (part.kind) {
    case 'variable':
      return values.variable(part.name);
    case 'parameter':
      return yield* valueOfParameter(part, values);
    case 'output':
      return yield* values.outputOf(part.script);
    case 'arithmetic':
      return values.valueOf(yield* expandText(part.expression, values));
  }
}

function* valueOfParameter(part: Extract<Part, { kind: 'parameter' }>, values: Values): Task<string> {
  const { name, operator, isEmptyNone, word } = part;
  const value = values.variable(name);
  const isThere = isEmptyNone ? value !== '' : values.isSet(name);
  switch (operator) {
    case '-':
      return isThere ? value : yield* expandText(word, values);
    case '+':
      return isThere ? yield* expandText(word, values) : '';
    case '=':
      if (isThere) return value;
      values.assign(name, yield* expandText(word, values));
      return values.variable(name);
    case '?':
      if (isThere) return value;
      throw new ExpansionComplaint(`${name}: ${(yield* expandText(word, values)) || 'parameter null or not set'}`);
    case 'length':
      return name === '@' || name === '*' ? String(values.positional.length) : String(value.length);
    default:
      return withoutPart(value, operator, yield* expandPattern(word, values));
  }
}
