import type { Program } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';
import { linesOf, readAll } from './read-all.js';

/** What lines are compared by: fields from one to another, counted from 1, and how. */
interface Key {
  readonly from: number;
  readonly to: number;
  readonly isNumeric: boolean;
  readonly isReversed: boolean;
}

/**
 * `sort [-nru] [-t SEPARATOR] [-k FROM[,TO][nr]]… [FILE…]`: in the order of the C locale, or of the numbers that lines or fields begin
 * with; lines that are alike by all keys in that of the whole line.
 */
export const sort: Program = function* (argv, os) {
  const { flags, values, all, operands, error } = parseOptions(argv.slice(1), { flags: 'nru', values: 'kt' });
  const isReversed = flags.has('r');
  const keys = all('k').map((text) => keyOf(text, flags));
  const wrong = all('k').find((_, i) => keys[i] === undefined);
  const separator = values.get('t');
  if (error !== undefined || wrong !== undefined || (separator !== undefined && separator.length !== 1)) {
    os.printError(
      `sort: ${error ?? (wrong === undefined ? `multi-character tab \`${separator}'` : `${wrong}: invalid field specification`)}\n`,
    );
    return 2;
  }
  const lines: string[] = [];
  const failed = yield* readAll(os, 'sort', operands, (text) => lines.push(...linesOf(text)));
  if (failed !== 0) return 2;
  const whole: Key = { from: 1, to: Number.POSITIVE_INFINITY, isNumeric: flags.has('n'), isReversed };
  const byKeys = (a: string, b: string): number => {
    for (const key of keys.length === 0 ? [whole] : (keys as readonly Key[])) {
      const order = compare(partOf(a, key, separator), partOf(b, key, separator), key.isNumeric);
      if (order !== 0) return key.isReversed ? -order : order;
    }
    return 0;
  };
  const sorted = lines.sort(
    (a, b) => byKeys(a, b) || (flags.has('u') ? 0 : compare(a, b, false) * (isReversed ? -1 : 1)),
  );
  for (const [i, line] of sorted.entries()) {
    if (!flags.has('u') || i === 0 || byKeys(sorted[i - 1]!, line) !== 0) os.print(`${line}\n`);
  }
  return 0;
};

/** `2`, `2,3`, `2n`, `2,2nr`; its letters count in place of the options. */
function keyOf(text: string, flags: ReadonlySet<string>): Key | undefined {
  const [, from, first = '', to, last = ''] = /^([1-9]\d*)([nr]*)(?:,(\d+)([nr]*))?$/.exec(text) ?? [];
  if (from === undefined) return undefined;
  const letters = first + last;
  const has = (letter: string): boolean => (letters === '' ? flags.has(letter) : letters.includes(letter));
  return { from: Number(from), to: Number(to ?? Infinity), isNumeric: has('n'), isReversed: has('r') };
}

/** Without a separator a field has the blanks before it. */
function partOf(line: string, { from, to }: Key, separator: string | undefined): string {
  if (from === 1 && to === Number.POSITIVE_INFINITY) return line;
  const fields = separator === undefined ? (line.match(/\s*\S+/g) ?? []) : line.split(separator);
  return fields.slice(from - 1, to).join(separator ?? '');
}

function compare(a: string, b: string, isNumeric: boolean): number {
  if (isNumeric) return number(a) - number(b);
  return a < b ? -1 : a > b ? 1 : 0;
}

function number(text: string): number {
  return Number(/^\s*-?\d+(\.\d+)?/.exec(text)?.[0] ?? 0);
}
