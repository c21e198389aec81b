import type { Program } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';
import { linesOf, readAll } from './read-all.js';

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
