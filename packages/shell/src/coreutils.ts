import type { Os } from '@quorate/kernel';
import { parseOptions, type ShortOptions } from '@quorate/node';

/**
 * Options of a program of coreutils, its long ones by the letter that means the same. Undefined when one is unknown, which is
 * complained about.
 */
export function coreOptions(
  argv: readonly string[],
  os: Os,
  known: { readonly flags: string; readonly values?: string; readonly long?: Readonly<Record<string, string>> },
): ShortOptions | undefined {
  const [name = '', ...given] = argv;
  const end = given.indexOf('--');
  const words: string[] = [];
  for (const [i, word] of given.entries()) {
    const isLong = word.startsWith('--') && word.length > 2 && (end < 0 || i < end);
    const letter = isLong ? known.long?.[word.slice(2)] : undefined;
    if (isLong && letter === undefined) return complain(os, name, `unrecognized option '${word}'`);
    words.push(letter === undefined ? word : `-${letter}`);
  }
  const options = parseOptions(words, { flags: known.flags, values: known.values ?? '' });
  return options.error === undefined ? options : complain(os, name, options.error);
}

function complain(os: Os, name: string, reason: string): undefined {
  os.printError(`${name}: ${reason}\nTry \`${name} --help' for more information.\n`);
  return undefined;
}
