import type { Program } from '@quorate/kernel';
import { parseOptions, posixRegExp } from '@quorate/node';
import { linesOf, readAll } from './read-all.js';

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
