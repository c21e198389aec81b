import { type Program, utf8Bytes, utf8Text } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';
import { readAll } from './read-all.js';

/** `head [-n LINES] [-c BYTES] [-qv] [FILE…]`: the beginning, ten lines unless told; all but the last with a number below zero. */
export const head: Program = excerpt('head', (parts, count) => parts.slice(0, count));

/**
 * `tail [-n LINES] [-c BYTES] [-fFqv] [FILE…]`: the end, ten lines unless told; from that line on with a `+`. `-f` does not wait for
 * more: what a command prints is seen when it has ended.
 */
export const tail: Program = excerpt('tail', (parts, count, isFromStart) => {
  if (isFromStart) return parts.slice(Math.max(0, count - 1));
  return count === 0 ? parts.slice(0, 0) : parts.slice(-Math.abs(count));
});

/** Lines with their ends, or bytes. */
interface Parts {
  slice(start: number, end?: number): Parts;
}

function excerpt(program: string, cut: (parts: Parts, count: number, isFromStart: boolean) => Parts): Program {
  return function* (argv, os) {
    // The old form: `tail -5`, `tail +2`.
    const words = argv.slice(1).map((word, i) => {
      const isOld = /^-\d+[fF]?$/.test(word) || (program === 'tail' && /^\+\d+$/.test(word));
      return isOld && !/^-[nc]$/.test(argv[i]!) ? `-n${word.replace(/^-|[fF]$/g, '')}` : word;
    });
    const plain = words.map((word) =>
      word.replace(/^--(lines|bytes)=/, (_, name: string) => (name === 'lines' ? '-n' : '-c')),
    );
    const { flags, values, operands, error } = parseOptions(plain, { flags: 'fFqv', values: 'nc' });
    const [bytes, count = '10'] = [values.get('c'), values.get('c') ?? values.get('n')];
    if (error !== undefined || !/^[-+]?\d+$/.test(count)) {
      os.printError(
        `${program}: ${error ?? `${count}: invalid number of ${bytes === undefined ? 'lines' : 'bytes'}`}\n`,
      );
      return 1;
    }
    const isHeaded = (operands.length > 1 && !flags.has('q')) || flags.has('v');
    let isFirst = true;
    return yield* readAll(os, program, operands, (text, path) => {
      if (isHeaded) os.print(`${isFirst ? '' : '\n'}==> ${path || 'standard input'} <==\n`);
      isFirst = false;
      const parts: Parts = bytes === undefined ? (text.match(/[^\n]*\n|[^\n]+$/g) ?? []) : utf8Bytes(text);
      const shown = cut(parts, Number(count), count.startsWith('+'));
      os.print(shown instanceof Uint8Array ? utf8Text(shown) : (shown as readonly string[]).join(''));
    });
  };
}
