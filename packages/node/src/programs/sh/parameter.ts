/** What `${NAME…}` does with a value: gives another one in its place, sets or demands it, cuts something off, or counts. */
export type ParameterOperator = '-' | '=' | '+' | '?' | '#' | '##' | '%' | '%%' | 'length';

/** What stands in `${…}`, its word not yet read. */
interface ParameterText {
  readonly name: string;
  readonly operator: ParameterOperator | undefined;
  /** With a colon an empty value is none. */
  readonly isEmptyNone: boolean;
  readonly word: string;
}

const NAMED = /^([A-Za-z_]\w*|\d+|[?$#@*])(?:(:?)([-=+?])|(##?|%%?))?(.*)$/s;
const COUNTED = /^#([A-Za-z_]\w*|\d+|[?$#@*])$/;

/** Undefined when it is not understood. */
export function parameterText(text: string): ParameterText | undefined {
  const counted = COUNTED.exec(text)?.[1];
  if (counted !== undefined) return { name: counted, operator: 'length', isEmptyNone: false, word: '' };
  const [, name, colon, substituting, cutting, word = ''] = NAMED.exec(text) ?? [];
  const operator = (substituting ?? cutting) as ParameterOperator | undefined;
  if (name === undefined || (operator === undefined && word !== '')) return undefined;
  return { name, operator, isEmptyNone: colon === ':', word };
}

/** A value without its beginning (`#`) or its end (`%`) that fits a pattern: the shortest, with two signs the longest. */
export function withoutPart(value: string, operator: ParameterOperator, pattern: RegExp): string {
  const lengths = Array.from({ length: value.length + 1 }, (_, length) => length);
  if (operator === '##' || operator === '%%') lengths.reverse();
  const isStart = operator.startsWith('#');
  const found = lengths.find((length) =>
    pattern.test(isStart ? value.slice(0, length) : value.slice(value.length - length)),
  );
  if (found === undefined) return value;
  return isStart ? value.slice(found) : value.slice(0, value.length - found);
}
