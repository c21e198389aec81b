import type { Os, Task } from '@quorate/kernel';
import { Fields } from './fields.js';
import { type Expansion, joined, referenceOf } from './parameter-value.js';
import { type Character, expressionOf, isPattern, pathsLike } from './pattern.js';
import type { Part, Script, Word } from './script.js';

/** What a shell puts in the place of variables and of `$(…)`. */
export interface Values {
  /** The value of a variable, or of an element of an array; undefined when it has none. */
  lookup(name: string, subscript?: string): string | undefined;
  /** The value of what has none: empty, or with `set -u` a complaint. */
  unset(name: string): string;
  /** Keys and values of an array. */
  elements(name: string): readonly (readonly [string, string])[];
  /** Names of all variables. */
  names(): readonly string[];
  /** `$1`, `$2` and so on. */
  readonly positional: readonly string[];
  /** `$IFS`. */
  readonly separators: string;
  /** Words with `*` and its like name files: not so with `set -f`. */
  readonly hasPatterns: boolean;
  assign(name: string, value: string, subscript?: string): void;
  /** The value of an expression of `$((…))`. */
  valueOf(expression: string): string;
  /** What the commands print, without the line breaks at its end. */
  outputOf(script: Script): Task<string>;
  /** The path of a file with what the commands print. */
  fileOf(script: Script): Task<string>;
}

/** The words that a word of a command becomes: its variables replaced and split at blanks, its patterns by the paths they name. */
export function* expandWord(os: Os, word: Word, values: Values): Task<readonly string[]> {
  const only = word.length === 1 && word[0]?.kind === 'text' ? word[0] : undefined;
  if (only !== undefined && (only.isQuoted || !/[*?[~]/.test(only.text))) return [only.text];
  const words: string[] = [];
  const fields = new Fields(values.separators);
  yield* append(fields, word, values, true);
  for (const field of fields.all()) {
    const paths = values.hasPatterns && isPattern(field) ? yield* pathsLike(os, field) : [];
    if (paths.length > 0) words.push(...paths);
    else words.push(textOf(field));
  }
  return words;
}

/** What a word is where nothing is split and no file is looked for: an assignment, a here-document, the name of a file. */
export function* expandText(word: Word, values: Values): Task<string> {
  const only = word.length === 1 && word[0]?.kind === 'text' ? word[0] : undefined;
  if (only !== undefined && (only.isQuoted || !only.text.startsWith('~'))) return only.text;
  return textOf(yield* expandCharacters(word, values));
}

/** As `expandText`, with what is quoted in it. */
export function* expandCharacters(word: Word, values: Values): Task<readonly Character[]> {
  const fields = new Fields(values.separators);
  yield* append(fields, word, values, false);
  return fields.all().flat();
}

/** What a pattern of `case` fits. */
export function* expandPattern(word: Word, values: Values): Task<RegExp> {
  return expressionOf(yield* expandCharacters(word, values));
}

const EXPANSION: Expansion = { text: expandText, pattern: expandPattern };

function textOf(field: readonly Character[]): string {
  return field.map(({ text }) => text).join('');
}

/**
 * @param isSplit - unquoted values are cut at separators, and lists at their elements.
 * @param isValue - the word stands for a value: what is not quoted in it is cut too.
 */
function* append(fields: Fields, word: Word, values: Values, isSplit: boolean, isValue = false): Task {
  for (const [i, part] of word.entries()) {
    switch (part.kind) {
      case 'text': {
        // "$@" without any is no word, and not an empty one.
        if (part.text === '' && isAllOf(word[i + 1])) break;
        const isHome = i === 0 && !part.isQuoted && /^~(\/|$)/.test(part.text);
        const text = isHome ? (values.lookup('HOME') ?? '') + part.text.slice(1) : part.text;
        add(fields, text, part.isQuoted, isValue);
        break;
      }
      case 'variable':
      case 'parameter':
        yield* appendParameter(fields, part, values, isSplit);
        break;
      case 'output':
        add(fields, yield* values.outputOf(part.script), part.isQuoted, isSplit);
        break;
      case 'file':
        fields.add(yield* values.fileOf(part.script), true);
        break;
      case 'arithmetic':
        add(fields, values.valueOf(yield* expandText(part.expression, values)), part.isQuoted, isSplit);
        break;
      case 'subscript':
      case 'array':
        throw new TypeError(`${part.kind} outside of an assignment`);
    }
  }
}

function add(fields: Fields, value: string, isQuoted: boolean, isSplit: boolean): void {
  if (isSplit && !isQuoted) fields.addSplit(value);
  else fields.add(value, isQuoted);
}

function* appendParameter(
  fields: Fields,
  part: Extract<Part, { kind: 'variable' | 'parameter' }>,
  values: Values,
  isSplit: boolean,
): Task {
  const found = yield* referenceOf(part, values, EXPANSION);
  if (found.kind === 'word') {
    if (part.isQuoted) fields.add(yield* expandText(found.word, values), true);
    else yield* append(fields, found.word, values, isSplit, isSplit);
    return;
  }
  const isWhole = !isSplit || (part.isQuoted && found.kind === 'star');
  if (found.kind === 'one' || isWhole) add(fields, joined(found, values), part.isQuoted, isSplit);
  else fields.addEach(found.list, (value) => add(fields, value, part.isQuoted, isSplit));
}

function isAllOf(part: Part | undefined): boolean {
  if (part?.kind === 'variable') return part.name === '@' && part.isQuoted;
  if (part?.kind !== 'parameter' || !part.isQuoted) return false;
  const [only] = part.subscript ?? [];
  return part.name === '@' || (only?.kind === 'text' && only.text === '@');
}
