import type { Program } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';
import { linesOf, readAll } from './read-all.js';
import { posixRegExp } from './regular-expression.js';

/** `uniq [-cdu] [FILE]`: lines that repeat the one before are left out; with their number, or only those that do or do not. */
export const uniq: Program = function* (argv, os) {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'cdu', values: '' });
  if (error !== undefined || operands.length > 1) {
    os.printError(`uniq: ${error ?? `extra operand \`${operands[1]}'`}\nTry \`uniq --help' for more information.\n`);
    return 1;
  }
  return yield* readAll(os, 'uniq', operands, (text) => {
    const runs: { line: string; count: number }[] = [];
    for (const line of linesOf(text)) {
      const last = runs.at(-1);
      if (last?.line === line) last.count += 1;
      else runs.push({ line, count: 1 });
    }
    for (const { line, count } of runs) {
      if ((flags.has('d') && count === 1) || (flags.has('u') && count > 1)) continue;
      os.print(`${flags.has('c') ? `${String(count).padStart(7)} ` : ''}${line}\n`);
    }
  });
};

/** `cut -c LIST | -f LIST [-d DELIMITER] [-s] [FILE…]`: characters or fields of lines, `1,3-5,7-`. */
export const cut: Program = function* (argv, os) {
  const { flags, values, operands, error } = parseOptions(argv.slice(1), { flags: 's', values: 'cdfb' });
  const [characters, fields] = [values.get('c') ?? values.get('b'), values.get('f')];
  const delimiter = values.get('d') ?? '\t';
  const isWanted = rangesOf(fields ?? characters ?? '');
  const reason =
    error ??
    ((characters === undefined) === (fields === undefined)
      ? 'you must specify a list of characters or of fields'
      : delimiter.length !== 1
        ? 'the delimiter must be a single character'
        : isWanted === undefined
          ? 'invalid byte or field list'
          : undefined);
  if (reason !== undefined) {
    os.printError(`cut: ${reason}\nTry \`cut --help' for more information.\n`);
    return 1;
  }
  return yield* readAll(os, 'cut', operands, (text) => {
    for (const line of linesOf(text)) {
      const parts = fields === undefined ? [...line] : line.split(delimiter);
      // A line without a delimiter is whole.
      if (fields !== undefined && parts.length === 1) {
        if (!flags.has('s')) os.print(`${line}\n`);
        continue;
      }
      os.print(`${parts.filter((_, i) => isWanted!(i + 1)).join(fields === undefined ? '' : delimiter)}\n`);
    }
  });
};

/** Whether a number is in a list; undefined when it is none. */
function rangesOf(list: string): ((number: number) => boolean) | undefined {
  const ranges: (readonly [number, number])[] = [];
  for (const word of list.split(',')) {
    const [, low = '', dash, high = ''] = /^(\d*)(-?)(\d*)$/.exec(word) ?? [];
    if (low === '' && high === '') return undefined;
    ranges.push([Number(low || 1), dash === '' ? Number(low) : Number(high || Infinity)]);
  }
  return (number) => ranges.some(([low, high]) => number >= low && number <= high);
}

/**
 * `awk [-F SEPARATOR] '[/PATTERN/] [{print [$N|$NF|NF|NR|"TEXT"]…}]' [FILE…]`: lines, and fields of them. What is beside each other is
 * joined, a comma is a blank. No more of awk is here.
 */
export const awk: Program = function* (argv, os) {
  const { values, operands, error } = parseOptions(argv.slice(1), { flags: '', values: 'F' });
  const [program, ...paths] = operands;
  if (error !== undefined || program === undefined) {
    os.printError(`awk: ${error ?? 'expected a program'}\n`);
    return 2;
  }
  const [, pattern, action] =
    /^\s*(?:\/((?:[^/\\]|\\.)*)\/)?\s*(?:\{\s*print\s*([^{}]*?);?\s*\})?\s*$/s.exec(program) ?? [];
  const wanted = pattern === undefined ? undefined : posixRegExp(pattern, 'extended');
  const items = action === undefined ? undefined : itemsOf(action);
  const isUnknown = (pattern === undefined && action === undefined) || (action !== undefined && items === undefined);
  if (isUnknown || (pattern !== undefined && wanted === undefined)) {
    os.printError(`awk: ${program}: only \`/PATTERN/ {print $N, …}' is served here\n`);
    return 2;
  }
  const separator = values.get('F');
  const splitter =
    separator === undefined || separator === ' '
      ? undefined
      : posixRegExp(separator.replace(/^[|.*+?]$/, '[$&]'), 'extended');
  let row = 0;
  return yield* readAll(os, 'awk', paths, (text) => {
    for (const line of linesOf(text)) {
      row += 1;
      if (wanted !== undefined && !wanted.test(line)) continue;
      const fields = splitter === undefined ? line.trim().split(/\s+/).filter(Boolean) : line.split(splitter);
      const printed =
        items === undefined || items.length === 0 ? line : items.map((item) => item(line, fields, row)).join('');
      os.print(`${printed}\n`);
    }
  });
};

type Item = (line: string, fields: readonly string[], row: number) => string;

/** What a print statement prints; undefined when it is none of this subset. */
function itemsOf(action: string): readonly Item[] | undefined {
  const items: Item[] = [];
  const token = /\s*(?:"((?:[^"\\]|\\.)*)"|\$(\d+)|(\$NF)|(NF)|(NR)|(,))\s*/y;
  for (let at = 0; at < action.length; at = token.lastIndex) {
    token.lastIndex = at;
    const found = token.exec(action);
    if (found === null) return undefined;
    const [, text, number, last, count, row, comma] = found;
    if (text !== undefined) {
      const plain = text.replace(/\\(.)/g, (_, letter: string) => ({ n: '\n', t: '\t' })[letter] ?? letter);
      items.push(() => plain);
    } else if (number !== undefined) {
      items.push((line, fields) => (number === '0' ? line : (fields[Number(number) - 1] ?? '')));
    } else if (last !== undefined) items.push((_line, fields) => fields.at(-1) ?? '');
    else if (count !== undefined) items.push((_line, fields) => String(fields.length));
    else if (row !== undefined) items.push((_line, _fields, at) => String(at));
    else if (comma !== undefined) items.push(() => ' ');
  }
  return items;
}
