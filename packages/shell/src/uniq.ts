import type { Program } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';
import { linesOf, readAll } from './read-all.js';

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
