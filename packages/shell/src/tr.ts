import type { Os, Program } from '@quorate/kernel';
import { parseOptions } from '@quorate/node';

const RANGES: Readonly<Record<string, string>> = {
  alnum: '0-9A-Za-z',
  alpha: 'A-Za-z',
  blank: ' \t',
  digit: '0-9',
  lower: 'a-z',
  punct: '!-/:-@[-`{-~',
  space: '\t\n\v\f\r ',
  upper: 'A-Z',
  xdigit: '0-9A-Fa-f',
};
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r', '0': '\0', '\\': '\\' };

/** `tr [-cdst] SET1 [SET2]`: characters in place of others, without some (`-d`), or without repetition (`-s`). */
export const tr: Program = function* (argv, os) {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'cCdst', values: '' });
  if (error !== undefined) return complain(os, error);
  const [first, second, extra] = operands;
  const isTranslating = !flags.has('d') && (second !== undefined || !flags.has('s'));
  if (first === undefined) return complain(os, 'missing operand');
  if (isTranslating && second === undefined) {
    return complain(os, `missing operand after \`${first}'\nTwo strings must be given when translating.`);
  }
  if (extra !== undefined) return complain(os, `extra operand \`${extra}'`);
  const isNegated = flags.has('c') || flags.has('C');
  const from = membersOf(first);
  const to = membersOf(second ?? '');
  const isIn = (character: string): boolean => from.includes(character) !== isNegated;
  const squeezed = flags.has('s') ? (isTranslating || flags.has('d') ? to : undefined) : '';
  const isSqueezed = (character: string): boolean =>
    squeezed === undefined ? isIn(character) : squeezed.includes(character);
  let output = '';
  let last = '';
  for (const character of os.input) {
    if (flags.has('d') && isIn(character)) continue;
    const given = isTranslating && isIn(character) ? translated(character, isNegated ? '' : from, to) : character;
    if (given === last && isSqueezed(given)) continue;
    output += given;
    last = given;
  }
  os.print(output);
  return 0;
};

function complain(os: Os, reason: string): number {
  os.printError(`tr: ${reason}\nTry \`tr --help' for more information.\n`);
  return 1;
}

/** The last of the second set stands for all that the first has more. */
function translated(character: string, from: string, to: string): string {
  const at = from.lastIndexOf(character);
  return to[at < 0 ? to.length - 1 : Math.min(at, to.length - 1)] ?? character;
}

/** `a-z`, `[:digit:]`, `\n`. */
function membersOf(set: string): string {
  const plain = set.replace(/\[:([a-z]+):\]/g, (found, name: string) => RANGES[name] ?? found);
  const characters: { readonly text: string; readonly isPlain: boolean }[] = [];
  for (let i = 0; i < plain.length; i++) {
    const isEscaped = plain[i] === '\\' && i + 1 < plain.length;
    if (isEscaped) i += 1;
    characters.push({ text: isEscaped ? (ESCAPES[plain[i]!] ?? plain[i]!) : plain[i]!, isPlain: !isEscaped });
  }
  let members = '';
  for (let i = 0; i < characters.length; i++) {
    const [{ text }, dash, end] = [characters[i]!, characters[i + 1], characters[i + 2]];
    if (dash?.text !== '-' || !dash.isPlain || end === undefined) {
      members += text;
      continue;
    }
    for (let code = text.charCodeAt(0); code <= end.text.charCodeAt(0); code++) members += String.fromCharCode(code);
    i += 2;
  }
  return members;
}
