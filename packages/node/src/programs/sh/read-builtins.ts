import { parseOptions } from '../options.js';
import { Fields } from './fields.js';
import type { Builtin, Input } from './state.js';

/**
 * `read [-r] [-a ARRAY] [-d END] [-n N] [-p PROMPT] [NAME…]`: a line of what comes in, cut at `$IFS`; the last name gets the rest. 1 at
 * its end.
 */
export const read: Builtin = function* (argv, shell, streams) {
  const { flags, values, operands, error } = parseOptions(argv.slice(1), { flags: 'rs', values: 'adnptu' });
  if (error !== undefined) {
    streams.printError(`${shell.prefix}: read: ${error.replace(/^(.*) -- '(.)'$/, '-$2: $1')}\n`);
    return 2;
  }
  const wrong = operands.find((name) => !/^[A-Za-z_]\w*$/.test(name));
  if (wrong !== undefined) {
    streams.printError(`${shell.prefix}: read: \`${wrong}': not a valid identifier\n`);
    return 1;
  }
  const limit = values.has('n') ? Number(values.get('n')) : Infinity;
  const end = values.has('d') ? (values.get('d')![0] ?? '\0') : '\n';
  const { line, isWhole } = takeLine(streams.input, { isRaw: flags.has('r'), end, limit });
  const separators = shell.variable('IFS');
  const array = values.get('a');
  if (array !== undefined) shell.assignAll(array, wordsOf(line, separators));
  else if (operands.length === 0) shell.assign('REPLY', line);
  else {
    let rest = withoutBlanks(line, separators);
    for (const name of operands.slice(0, -1)) {
      const { word, after } = firstWord(rest, separators);
      shell.assign(name, word);
      rest = after;
    }
    shell.assign(operands.at(-1)!, lastWord(rest, separators));
  }
  return isWhole ? 0 : 1;
};

/** `mapfile [-t] [ARRAY]`, also `readarray`: each line that comes in is an element. */
export const mapfile: Builtin = function* (argv, shell, streams) {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 't', values: '' });
  if (error !== undefined) {
    streams.printError(`${shell.prefix}: ${argv[0]}: ${error.replace(/^(.*) -- '(.)'$/, '-$2: $1')}\n`);
    return 2;
  }
  const lines = streams.input.rest.match(/[^\n]*\n|[^\n]+$/g) ?? [];
  streams.input.rest = '';
  shell.assignAll(operands[0] ?? 'MAPFILE', flags.has('t') ? lines.map((line) => line.replace(/\n$/, '')) : lines);
  return 0;
};

function wordsOf(line: string, separators: string): readonly string[] {
  const fields = new Fields(separators);
  fields.addSplit(line);
  return fields.all().map((field) => field.map(({ text }) => text).join(''));
}

/** Blanks among the separators do not count at the ends. */
function withoutBlanks(line: string, separators: string): string {
  const isBlank = (character: string | undefined): boolean =>
    character !== undefined && separators.includes(character) && /\s/.test(character);
  let [start, end] = [0, line.length];
  while (start < end && isBlank(line[start])) start += 1;
  while (end > start && isBlank(line[end - 1])) end -= 1;
  return line.slice(start, end);
}

function firstWord(text: string, separators: string): { readonly word: string; readonly after: string } {
  const at = [...text].findIndex((character) => separators.includes(character));
  if (at < 0) return { word: text, after: '' };
  // Blanks beside a separator belong to it.
  const after = withoutBlanks(text.slice(at), separators);
  const isSeparated = after !== '' && separators.includes(after[0]!);
  return { word: text.slice(0, at), after: isSeparated ? withoutBlanks(after.slice(1), separators) : after };
}

/** A separator at the very end is none when it is the only one. */
function lastWord(text: string, separators: string): string {
  const { word, after } = firstWord(text, separators);
  return after === '' ? word : text;
}

interface Wanted {
  /** A backslash is only itself; else it is gone, and a line that ends in one goes on in the next. */
  readonly isRaw: boolean;
  readonly end: string;
  /** Characters at most. */
  readonly limit: number;
}

function takeLine(input: Input, { isRaw, end, limit }: Wanted): { readonly line: string; readonly isWhole: boolean } {
  let line = '';
  for (let at = 0; at < input.rest.length; at++) {
    const character = input.rest[at]!;
    if (character === end || line.length === limit) {
      input.rest = input.rest.slice(at + Number(character === end));
      return { line, isWhole: true };
    }
    if (isRaw || character !== '\\') line += character;
    else {
      at += 1;
      if (input.rest[at] !== '\n') line += input.rest[at] ?? '';
    }
  }
  input.rest = '';
  return { line, isWhole: line.length === limit };
}
