/** Members of the classes of characters (`[:alpha:]`), as they stand between brackets. */
export const CHARACTER_CLASSES: ReadonlyMap<string, string> = new Map([
  ['alpha', 'A-Za-z'],
  ['digit', '0-9'],
  ['alnum', 'A-Za-z0-9'],
  ['upper', 'A-Z'],
  ['lower', 'a-z'],
  ['space', '\\s'],
  ['blank', ' \\t'],
  ['punct', '!-\\/:-@\\[-`{-~'],
  ['xdigit', 'A-Fa-f0-9'],
]);

/** Characters that mean something in an extended expression, and in a basic one behind a backslash. */
const EXTENDED = '(){}|+?';

/**
 * A regular expression of POSIX (regex(7), with GNU's additions) as one of ECMAScript; undefined when it is none.
 *
 * @param kind basic: `\(`, `\{`, `\|`, `\+` and `\?` are operators; extended: the same without backslashes.
 */
export function posixRegExp(pattern: string, kind: 'basic' | 'extended', flags = ''): RegExp | undefined {
  let source = '';
  for (let i = 0; i < pattern.length; i++) {
    const character = pattern[i]!;
    if (character === '[') {
      const bracket = bracketAt(pattern, i);
      if (bracket === undefined) return undefined;
      source += bracket.source;
      i = bracket.end;
    } else if (character === '\\') {
      i += 1;
      const escaped = pattern[i];
      if (escaped === undefined) return undefined;
      source += escapedSource(escaped, kind);
    } else if (EXTENDED.includes(character)) source += kind === 'extended' ? character : `\\${character}`;
    else if (kind === 'basic' && isPlain(pattern, i)) source += `\\${character}`;
    else source += character === '/' ? '\\/' : character;
  }
  try {
    return new RegExp(source, flags);
  } catch {
    return undefined;
  }
}

function escapedSource(escaped: string, kind: 'basic' | 'extended'): string {
  if (EXTENDED.includes(escaped)) return kind === 'basic' ? escaped : `\\${escaped}`;
  if (escaped === '<' || escaped === '>') return '\\b';
  if (/[1-9bBwWsS]/.test(escaped)) return `\\${escaped}`;
  return /[A-Za-z0]/.test(escaped) ? escaped : `\\${escaped}`;
}

/** In a basic expression a star with nothing before it, `^` not at the beginning and `$` not at the end stand for themselves. */
function isPlain(pattern: string, i: number): boolean {
  const isFirst = i === 0 || pattern.endsWith('\\(', i) || pattern.endsWith('\\|', i);
  switch (pattern[i]) {
    case '*':
      return isFirst || (i === 1 && pattern[0] === '^');
    case '^':
      return !isFirst;
    case '$':
      return i < pattern.length - 1 && !pattern.startsWith('\\)', i + 1) && !pattern.startsWith('\\|', i + 1);
    default:
      return false;
  }
}

/** A bracket expression; `]` is in it when it comes first. */
function bracketAt(pattern: string, start: number): { readonly source: string; readonly end: number } | undefined {
  const isNegated = pattern[start + 1] === '^';
  const first = start + (isNegated ? 2 : 1);
  let source = isNegated ? '[^' : '[';
  for (let i = first; i < pattern.length; i++) {
    const character = pattern[i]!;
    const [named, name] = /^\[:([a-z]+):\]/.exec(pattern.slice(i)) ?? [];
    if (named !== undefined) {
      const known = CHARACTER_CLASSES.get(name!);
      if (known === undefined) return undefined;
      source += known;
      i += named.length - 1;
    } else if (character === ']' && i > first) return { source: `${source}]`, end: i };
    else source += '\\[]^'.includes(character) ? `\\${character}` : character;
  }
  return undefined;
}
