import { closingOf } from './closing.js';
import type { Operation } from './script.js';

/** What stands behind the name in `${NAME…}`, its words not yet read. */
export type ParameterText = Operation<string>;

export interface Braced {
  readonly name: string;
  /** What stands in the brackets behind the name. */
  readonly subscript: string | undefined;
  /** `${!NAME}`: of the variable whose name its value is. */
  readonly isIndirect: boolean;
  readonly operation: ParameterText;
}

const NAMED = /^(?:[A-Za-z_]\w*|\d+|[?$#@*!-])/;

/** What stands in `${…}`; undefined when it is not understood. */
export function bracedOf(text: string): Braced | undefined {
  if (/^#./.test(text)) {
    const counted = namedOf(text.slice(1));
    if (counted?.rest === '') return { ...counted, isIndirect: false, operation: { kind: 'length' } };
  }
  const prefix = /^!([A-Za-z_]\w*)[@*]$/.exec(text)?.[1];
  if (prefix !== undefined) {
    return { name: prefix, subscript: undefined, isIndirect: false, operation: { kind: 'names' } };
  }
  const isMarked = /^![\w@*#]/.test(text);
  const named = namedOf(isMarked ? text.slice(1) : text);
  if (named === undefined) return undefined;
  const { name, subscript, rest } = named;
  const isOfKeys = isMarked && (subscript === '@' || subscript === '*') && rest === '';
  const operation: ParameterText | undefined = isOfKeys ? { kind: 'keys' } : operationOf(rest);
  return operation && { name, subscript, isIndirect: isMarked && !isOfKeys, operation };
}

function namedOf(
  text: string,
): { readonly name: string; readonly subscript: string | undefined; readonly rest: string } | undefined {
  const name = NAMED.exec(text)?.[0];
  if (name === undefined) return undefined;
  const rest = text.slice(name.length);
  if (!rest.startsWith('[') || !/^[A-Za-z_]/.test(name)) return { name, subscript: undefined, rest };
  const end = closingOf(rest, '[', ']');
  return end <= 1 ? undefined : { name, subscript: rest.slice(1, end), rest: rest.slice(end + 1) };
}

function operationOf(text: string): ParameterText | undefined {
  if (text === '') return { kind: 'value' };
  const [, colon, instead, cut, changed, word = ''] = /^(?:(:?)([-=+?])|(##?|%%?)|(\^\^?|,,?))(.*)$/s.exec(text) ?? [];
  if (instead !== undefined) {
    return { kind: 'instead', operator: instead as '-', isEmptyNone: colon === ':', word };
  }
  if (cut !== undefined) return { kind: 'cut', operator: cut as '#', word };
  if (changed !== undefined) return { kind: 'case', operator: changed as '^', word };
  if (text.startsWith(':')) {
    const [offset, length] = splitAt(text.slice(1), ':');
    return { kind: 'slice', word: offset, length };
  }
  if (!text.startsWith('/')) return undefined;
  const where = /^[/#%]/.exec(text.slice(1))?.[0] ?? '';
  const [pattern, by = ''] = splitAt(text.slice(1 + where.length), '/');
  return { kind: 'replace', where: where as '/', word: pattern, by };
}

/** What stands before and behind the first of these characters that is not quoted or bracketed. */
function splitAt(text: string, separator: string): readonly [string, string | undefined] {
  let quote = '';
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text[i]!;
    if (character === '\\' && quote !== "'") i += 1;
    else if (quote !== '') quote = character === quote ? '' : quote;
    else if (character === "'" || character === '"') quote = character;
    else if ('({'.includes(character)) depth += 1;
    else if (')}'.includes(character)) depth -= 1;
    else if (character === separator && depth === 0) return [text.slice(0, i), text.slice(i + 1)];
  }
  return [text, undefined];
}

/** A value without its beginning (`#`) or its end (`%`) that fits a pattern: the shortest, with two signs the longest. */
export function withoutPart(value: string, operator: '#' | '##' | '%' | '%%', pattern: RegExp): string {
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  if (operator === '##' || operator === '%%') lengths.reverse();
  const isStart = operator.startsWith('#');
  const found = lengths.find((length) =>
    pattern.test(isStart ? value.slice(0, length) : value.slice(value.length - length)),
  );
  if (found === undefined) return value;
  return isStart ? value.slice(found) : value.slice(0, value.length - found);
}

/** A value in which what fits is replaced, each time the longest. */
export function replaced(value: string, where: '' | '/' | '#' | '%', pattern: RegExp, by: string): string {
  let result = '';
  for (let at = 0; at <= value.length; at++) {
    const length = where === '#' && at > 0 ? -1 : longestAt(value, at, pattern, where === '%');
    if (length > 0 || (length === 0 && (where === '#' || where === '%'))) {
      result += by;
      if (where !== '/') return result + value.slice(at + length);
      at += length - 1;
    } else result += value[at] ?? '';
  }
  return result;
}

function longestAt(value: string, at: number, pattern: RegExp, isToEnd: boolean): number {
  const shortest = isToEnd ? value.length - at : 0;
  for (let length = value.length - at; length >= shortest; length--) {
    if (pattern.test(value.slice(at, at + length))) return length;
  }
  return -1;
}

/** Characters that fit a pattern in capitals or small letters. */
export function inOtherCase(value: string, operator: '^' | '^^' | ',' | ',,', pattern: RegExp): string {
  const changed = (character: string): string => {
    if (!pattern.test(character)) return character;
    return operator.startsWith('^') ? character.toUpperCase() : character.toLowerCase();
  };
  return operator.length === 2 ? [...value].map(changed).join('') : changed(value.slice(0, 1)) + value.slice(1);
}
