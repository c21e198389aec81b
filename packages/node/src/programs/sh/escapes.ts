const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  E: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

/** A text whose backslashes mean characters, as `printf %b` and `echo -e` read them; `\c` ends it. */
export function withEscapes(text: string): { readonly text: string; readonly isEnded: boolean } {
  let result = '';
  for (let i = 0; i < text.length; ) {
    const { character, length } = text[i] === '\\' ? escapeAt(text, i, 4) : { character: text[i], length: 1 };
    if (character === undefined) return { text: result, isEnded: true };
    result += character;
    i += length;
  }
  return { text: result, isEnded: false };
}

/** The text of `$'…'`: quotes may be escaped too, and `\c` is none of them. */
export function ansiText(text: string): string {
  let result = '';
  for (let i = 0; i < text.length; ) {
    const isQuote = text[i] === '\\' && /['"?]/.test(text[i + 1] ?? '');
    const { character, length } =
      text[i] !== '\\' || isQuote
        ? { character: text[i + Number(isQuote)], length: 1 + Number(isQuote) }
        : escapeAt(text, i);
    result += character ?? text.slice(i, i + length);
    i += length;
  }
  return result;
}

/**
 * What a backslash and what follows it stand for; undefined for `\c`. One that means nothing is itself.
 *
 * @param octalMax - digits behind a backslash that begin with 0.
 */
export function escapeAt(
  text: string,
  at: number,
  octalMax: 3 | 4 = 3,
): { readonly character: string | undefined; readonly length: number } {
  const next = text[at + 1] ?? '';
  if (next === 'c') return { character: undefined, length: 2 };
  const known = ESCAPES[next];
  if (known !== undefined) return { character: known, length: 2 };
  const rest = text.slice(at + 1);
  const [octal] = (octalMax === 4 ? /^0?[0-7]{1,3}/ : /^[0-7]{1,3}/).exec(rest) ?? [];
  if (octal !== undefined) {
    return { character: String.fromCharCode(Number.parseInt(octal, 8) & 0xff), length: 1 + octal.length };
  }
  const [hex, digits] = /^x([0-9a-fA-F]{1,2})/.exec(rest) ?? [];
  if (hex !== undefined) {
    return { character: String.fromCharCode(Number.parseInt(digits!, 16)), length: 1 + hex.length };
  }
  return { character: `\\${next}`, length: 1 + next.length };
}
