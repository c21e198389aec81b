import { type Program, utf8Bytes } from '@quorate/kernel';
import { parseOptions, posixRegExp } from '@quorate/node';
import { linesOf, readAll } from './read-all.js';

/** `cat [file…]`; without a file what came in. */
export const cat: Program = function* (argv, os) {
  return yield* readAll(os, 'cat', argv.slice(1), (text) => os.print(text));
};

/** `head [-n lines] [file…]`: the first lines, ten unless told; all but the last ones with a number below zero. */
export const head: Program = excerpt('head', (lines, count) => lines.slice(0, count));

/** `tail [-n lines] [file…]`: the last lines, ten unless told; from that line on with a `+`. */
export const tail: Program = excerpt('tail', (lines, count, isFromStart) => {
  if (isFromStart) return lines.slice(Math.max(0, count - 1));
  return count === 0 ? [] : lines.slice(-Math.abs(count));
});

function excerpt(
  program: string,
  cut: (lines: readonly string[], count: number, isFromStart: boolean) => readonly string[],
): Program {
  return function* (argv, os) {
    // The old form: `tail -5`.
    const words = argv
      .slice(1)
      .map((word, i) => (/^-\d+$/.test(word) && argv[i] !== '-n' ? `-n${word.slice(1)}` : word));
    const { values, operands, error } = parseOptions(words, { flags: 'f', values: 'n' });
    const count = values.get('n') ?? '10';
    if (error !== undefined || !/^[-+]?\d+$/.test(count)) {
      os.printError(`${program}: ${error ?? `${count}: invalid number of lines`}\n`);
      return 1;
    }
    return yield* readAll(os, program, operands, (text, path) => {
      if (operands.length > 1) os.print(`${path === operands[0] ? '' : '\n'}==> ${path} <==\n`);
      for (const line of cut(linesOf(text), Number(count), count.startsWith('+'))) os.print(`${line}\n`);
    });
  };
}

/** `wc [-lwc] [file…]`: lines, words and bytes. */
export const wc: Program = function* (argv, os) {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'lwc', values: '' });
  if (error !== undefined) {
    os.printError(`wc: ${error}\n`);
    return 1;
  }
  const counts: { readonly path: string; readonly numbers: readonly number[] }[] = [];
  const status = yield* readAll(os, 'wc', operands, (text, path) => {
    const all = [text.split('\n').length - 1, text.split(/\s+/).filter(Boolean).length, utf8Bytes(text).length];
    counts.push({ path, numbers: all.filter((_, i) => flags.size === 0 || flags.has('lwc'[i]!)) });
  });
  if (operands.length > 1) {
    const totals = counts[0]?.numbers.map((_, i) => counts.reduce((sum, { numbers }) => sum + numbers[i]!, 0));
    counts.push({ path: 'total', numbers: totals ?? [] });
  }
  const widest = Math.max(0, ...counts.flatMap(({ numbers }) => numbers)).toString().length;
  const isAlone = counts.length === 1 && counts[0]!.numbers.length === 1;
  const width = isAlone ? 1 : operands.length === 0 ? 7 : widest;
  for (const { path, numbers } of counts) {
    os.print(`${[...numbers.map((number) => String(number).padStart(width)), path].join(' ').trimEnd()}\n`);
  }
  return status;
};

/** `grep [-EFcilnqvw] [-e] pattern [file…]`: the lines in which the pattern is found. */
export const grep: Program = function* (argv, os) {
  const { flags, all, operands, error } = parseOptions(argv.slice(1), { flags: 'EFcilnqvw', values: 'e' });
  const given = all('e');
  const patterns = given.length === 0 ? operands.slice(0, 1) : given;
  const paths = given.length === 0 ? operands.slice(1) : operands;
  if (error !== undefined || patterns.length === 0) {
    if (error !== undefined) os.printError(`grep: ${error}\n`);
    os.printError("Usage: grep [OPTION]... PATTERN [FILE]...\nTry `grep --help' for more information.\n");
    return 2;
  }
  const regExpOf = (text: string): RegExp | undefined => {
    const expression = flags.has('F') ? text.replace(/[\\[\].*^$]/g, '\\$&') : text;
    const bounded = flags.has('w') ? `\\<${expression}\\>` : expression;
    return posixRegExp(bounded, flags.has('E') && !flags.has('F') ? 'extended' : 'basic', flags.has('i') ? 'i' : '');
  };
  const wanted: RegExp[] = [];
  for (const text of patterns) {
    const expression = regExpOf(text);
    if (expression === undefined) {
      os.printError(`grep: ${unmatchedIn(text)}\n`);
      return 2;
    }
    wanted.push(expression);
  }
  let hasFound = false;
  const failed = yield* readAll(os, 'grep', paths, (text, path) => {
    const label = paths.length > 1 ? `${path}:` : '';
    let count = 0;
    for (const [i, line] of linesOf(text).entries()) {
      if (wanted.some((expression) => expression.test(line)) === flags.has('v')) continue;
      count += 1;
      const isShown = !flags.has('c') && !flags.has('l') && !flags.has('q');
      if (isShown) os.print(`${label}${flags.has('n') ? `${i + 1}:` : ''}${line}\n`);
    }
    if (flags.has('c')) os.print(`${label}${count}\n`);
    if (flags.has('l') && count > 0) os.print(`${path || '(standard input)'}\n`);
    hasFound ||= count > 0;
  });
  return failed !== 0 ? 2 : hasFound ? 0 : 1;
};

/** What is wrong with an expression: there is no other mistake that grep is likely to be given. */
function unmatchedIn(pattern: string): string {
  if (/\[[^\]]*$/.test(pattern)) return 'Unmatched [ or [^';
  return pattern.includes('(') ? 'Unmatched ( or \\(' : 'Invalid regular expression';
}

/** `echo [-n] words`. */
export const echo: Program = function* (argv, os) {
  const isBare = argv[1] === '-n';
  os.print(argv.slice(isBare ? 2 : 1).join(' ') + (isBare ? '' : '\n'));
  return 0;
};
