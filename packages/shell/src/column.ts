import type { Program } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';
import { linesOf, readAll } from './read-all.js';

/** `column -t [-s SEPARATORS] [FILE…]`: a table whose columns stand below each other. Without `-t` lines stay as they are. */
export const column: Program = function* (argv, os) {
  const { flags, values, operands, error } = parseOptions(argv.slice(1), { flags: 'tx', values: 'sc' });
  if (error !== undefined) {
    os.printError(`column: ${error}\nusage: column [-tx] [-c columns] [-s sep] [file ...]\n`);
    return 1;
  }
  const separators = new Set(values.get('s') ?? ' \t');
  const rows: string[][] = [];
  const status = yield* readAll(os, 'column', operands, (text) => {
    for (const line of linesOf(text).filter((each) => each.trim() !== '')) {
      rows.push(flags.has('t') ? cellsOf(line, separators) : [line]);
    }
  });
  const widths: number[] = [];
  for (const row of rows) for (const [i, cell] of row.entries()) widths[i] = Math.max(widths[i] ?? 0, cell.length);
  for (const row of rows) {
    const cells = row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!)));
    os.print(`${cells.join('  ')}\n`);
  }
  return status;
};

/** Separators together are one. */
function cellsOf(line: string, separators: ReadonlySet<string>): string[] {
  const cells: string[] = [];
  let cell = '';
  for (const character of line) {
    if (!separators.has(character)) cell += character;
    else if (cell !== '') {
      cells.push(cell);
      cell = '';
    }
  }
  return cell === '' ? cells : [...cells, cell];
}
