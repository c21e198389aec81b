import { type Program, utf8Bytes } from '@quorate/kernel';
import { parseOptions, withEscapes } from '@quorate/node';
import { linesOf, readAll } from './read-all.js';

/** `cat [-nbAsE] [file…]`; without a file what came in. With `-n` lines have numbers. */
export const cat: Program = function* (argv, os) {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'nbsAEetTvu', values: '' });
  if (error !== undefined) {
    os.printError(`cat: ${error}\nTry \`cat --help' for more information.\n`);
    return 1;
  }
  let row = 0;
  let wasEmpty = false;
  const isMarked = flags.has('A') || flags.has('E') || flags.has('e');
  const hasTabs = flags.has('A') || flags.has('T') || flags.has('t');
  return yield* readAll(os, 'cat', operands, (text) => {
    if (flags.size === 0) return os.print(text);
    for (const part of text.match(/[^\n]*\n|[^\n]+$/g) ?? []) {
      const line = part.replace(/\n$/, '');
      if (flags.has('s') && line === '' && wasEmpty) continue;
      wasEmpty = line === '';
      const isNumbered = flags.has('b') ? line !== '' : flags.has('n');
      if (isNumbered) row += 1;
      const label = isNumbered ? `${String(row).padStart(6)}\t` : '';
      const end = part.endsWith('\n') ? `${isMarked ? '$' : ''}\n` : '';
      os.print(`${label}${hasTabs ? line.replaceAll('\t', '^I') : line}${end}`);
    }
  });
};

/** `tac [file…]`: lines from the last to the first. */
export const tac: Program = function* (argv, os) {
  return yield* readAll(os, 'tac', argv.slice(1), (text) => {
    for (const line of linesOf(text).slice().reverse()) os.print(`${line}\n`);
  });
};

/** `wc [-lwc] [file…]`: lines, words and bytes. */
export const wc: Program = function* (argv, os) {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'lwc', values: '' });
  if (error !== undefined) {
    os.printError(`wc: ${error}\n`);
    return 1;
  }
  let bytes = 0;
  const counts: { readonly path: string; readonly numbers: readonly number[] }[] = [];
  const status = yield* readAll(os, 'wc', operands, (text, path) => {
    bytes += utf8Bytes(text).length;
    const all = [text.split('\n').length - 1, text.split(/\s+/).filter(Boolean).length, utf8Bytes(text).length];
    counts.push({ path, numbers: all.filter((_, i) => flags.size === 0 || flags.has('lwc'[i]!)) });
  });
  if (operands.length > 1) {
    const totals = counts[0]?.numbers.map((_, i) => counts.reduce((sum, { numbers }) => sum + numbers[i]!, 0));
    counts.push({ path: 'total', numbers: totals ?? [] });
  }
  const widest = String(bytes).length;
  const isAlone = counts.length === 1 && counts[0]!.numbers.length === 1;
  const width = isAlone ? 1 : operands.length === 0 ? 7 : widest;
  for (const { path, numbers } of counts) {
    os.print(`${[...numbers.map((number) => String(number).padStart(width)), path].join(' ').trimEnd()}\n`);
  }
  return status;
};

/** `echo [-neE] words`: with `-e` backslashes mean characters. */
export const echo: Program = function* (argv, os) {
  const words = argv.slice(1);
  const letters: string[] = [];
  while (/^-[neE]+$/.test(words[0] ?? '')) letters.push(...words.shift()!.slice(1));
  const text = words.join(' ');
  const isEscaped = letters.lastIndexOf('e') > letters.lastIndexOf('E');
  const shown = isEscaped ? withEscapes(text) : { text, isEnded: false };
  os.print(shown.text + (letters.includes('n') || shown.isEnded ? '' : '\n'));
  return 0;
};
