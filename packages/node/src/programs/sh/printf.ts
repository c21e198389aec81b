import { escapeAt, withEscapes } from './escapes.js';
import { escapedWord } from './word-quotes.js';

const DIRECTIVE = /%([-+ 0#]*)(\*|\d+)?(?:\.(\*|\d+)?)?([a-zA-Z%])/y;

/** What printf(1) makes of a format and its arguments, and the complaints about them. */
interface Formatted {
  readonly text: string;
  readonly complaints: readonly string[];
}

/** The format is used again as long as there are arguments. */
export function formatted(format: string, args: readonly string[]): Formatted {
  const left = [...args];
  const complaints: string[] = [];
  let text = '';
  for (let isFirst = true; isFirst || left.length > 0; isFirst = false) {
    const before = left.length;
    const turn = formatOnce(format, left, complaints);
    text += turn.text;
    if (turn.isEnd || left.length === before) break;
  }
  return { text, complaints };
}

function formatOnce(
  format: string,
  args: string[],
  complaints: string[],
): { readonly text: string; readonly isEnd: boolean } {
  let text = '';
  for (let i = 0; i < format.length; ) {
    if (format[i] === '\\') {
      const { character, length } = escapeAt(format, i);
      if (character === undefined) return { text, isEnd: true };
      text += character;
      i += length;
      continue;
    }
    if (format[i] !== '%') {
      text += format[i];
      i += 1;
      continue;
    }
    DIRECTIVE.lastIndex = i;
    const found = DIRECTIVE.exec(format);
    const [, flags = '', width, precision, letter = ''] = found ?? [];
    if (found === null || !'diouxXcsbq%'.includes(letter)) {
      complaints.push(`\`${format.slice(i, i + 2)}': invalid format character`);
      return { text, isEnd: true };
    }
    i = DIRECTIVE.lastIndex;
    if (letter === '%') {
      text += '%';
      continue;
    }
    const number = (given: string | undefined): number | undefined =>
      given === undefined ? undefined : Number(given === '*' ? (args.shift() ?? 0) : given);
    const [columns = 0, digits] = [number(width), number(precision)];
    const value = converted(letter, args.shift(), flags, digits, complaints);
    text += padded(
      value,
      Math.abs(columns),
      flags.includes('-') || columns < 0,
      flags.includes('0') && 'diouxX'.includes(letter),
    );
  }
  return { text, isEnd: false };
}

function converted(
  letter: string,
  argument: string | undefined,
  flags: string,
  precision: number | undefined,
  complaints: string[],
): string {
  const given = argument ?? '';
  switch (letter) {
    case 's':
      return given.slice(0, precision);
    case 'q':
      return escapedWord(given);
    case 'b':
      return withEscapes(given).text.slice(0, precision);
    case 'c':
      return given.slice(0, 1);
    default: {
      const value = integerOf(argument, complaints);
      const radix = letter === 'o' ? 8 : letter.toLowerCase() === 'x' ? 16 : 10;
      const digits = (value < 0n && radix !== 10 ? value + 0x1_0000_0000_0000_0000n : value).toString(radix);
      const sign = digits.startsWith('-') ? '-' : flags.includes('+') ? '+' : '';
      const text = digits.replace('-', '').padStart(precision ?? 0, '0');
      return sign + (letter === 'X' ? text.toUpperCase() : text);
    }
  }
}

/** `12`, `0x1f`, `017`, or `'a` for the code of a character. */
function integerOf(argument: string | undefined, complaints: string[]): bigint {
  const given = argument?.trim() ?? '';
  if (given === '') return 0n;
  if (/^["']./u.test(given)) return BigInt(given.codePointAt(1)!);
  const [whole, sign = '', digits = ''] = /^([-+]?)(0[xX][0-9a-fA-F]+|\d+)/.exec(given) ?? [];
  if (whole !== given) complaints.push(`${given}: invalid number`);
  if (digits === '') return 0n;
  const magnitude = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return sign === '-' ? -magnitude : magnitude;
}

function padded(text: string, width: number, isLeft: boolean, hasZeros: boolean): string {
  if (isLeft) return text.padEnd(width);
  if (!hasZeros) return text.padStart(width);
  const [sign] = /^[-+]?/.exec(text)!;
  return sign + text.slice(sign.length).padStart(width - sign.length, '0');
}
