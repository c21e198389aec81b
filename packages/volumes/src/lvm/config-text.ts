/** A value of LVM's configuration text. Integers are exact up to 2^53 - 1. */
export type ConfigValue = string | number | readonly ConfigValue[];

/** `key = value`, or `key { … }`. */
export type ConfigNode =
  | { readonly key: string; readonly value: ConfigValue }
  | { readonly key: string; readonly nodes: readonly ConfigNode[] };

/** A text that does not follow the grammar. */
export class ConfigSyntaxError extends Error {
  override readonly name = 'ConfigSyntaxError';
  /** In characters from the start of the text. */
  readonly index: number;

  constructor(index: number, why: string) {
    super(why);
    this.index = index;
  }
}

/** Sections within sections. LVM itself has no limit but its stack; metadata needs four. */
const MAX_DEPTH = 32;

/**
 * Reads the text of a volume group, or of lvm.conf.
 *
 * text    = { node }
 * node    = key ( [ "=" ] value | "{" { node } "}" )
 * value   = string | integer | float | "[" [ value { "," value } [ "," ] ] "]"
 * string  = `"` with `\"` and `\\` `"` | `'` without escapes `'`
 * comment = "#" to the end of the line, wherever a blank may stand
 *
 * @throws {ConfigSyntaxError}
 * Source: LVM2 libdm/libdm-config.c, `_file`, `_section`, `_value`, `_type`.
 */
export function parseConfig(text: string): readonly ConfigNode[] {
  return new Parser(text).file();
}

/** The value of a key, or the nodes of a section; the first, if there are several of that name. */
export function findNode(nodes: readonly ConfigNode[], key: string): ConfigNode | undefined {
  return nodes.find((node) => node.key === key);
}

type TokenKind = 'word' | 'string' | 'number' | '{' | '}' | '[' | ']' | '=' | ',' | 'end';

interface Token {
  readonly kind: TokenKind;
  readonly index: number;
  readonly text: string;
}

const BLANKS = ' \t\n\v\f\r\0';
const MARKS = '{}[]=,';
const ENDS_WORD = `${BLANKS}${MARKS}#"'`;
const NUMBER = /^[+-]?\d+(\.\d*)?$/;

class Parser {
  readonly #text: string;
  #at = 0;
  #next: Token;

  constructor(text: string) {
    this.#text = text;
    this.#next = this.#scan();
  }

  file(): readonly ConfigNode[] {
    const nodes: ConfigNode[] = [];
    while (this.#next.kind !== 'end') nodes.push(this.#node(0));
    return nodes;
  }

  #node(depth: number): ConfigNode {
    const { index } = this.#next;
    const key = this.#key();
    if (this.#next.kind === '{') return { key, nodes: this.#section(index, depth) };
    if (this.#next.kind === '=') this.#take('=');
    return { key, value: this.#value(depth) };
  }

  #key(): string {
    const { kind, index, text } = this.#next;
    if (kind !== 'word' && kind !== 'string' && kind !== 'number') {
      throw new ConfigSyntaxError(index, `${nameOf(this.#next)}, expected a key`);
    }
    this.#next = this.#scan();
    return text;
  }

  #section(index: number, depth: number): readonly ConfigNode[] {
    if (depth >= MAX_DEPTH) throw new ConfigSyntaxError(index, `more than ${MAX_DEPTH} sections within each other`);
    this.#take('{');
    const nodes: ConfigNode[] = [];
    while (this.#next.kind !== '}') nodes.push(this.#node(depth + 1));
    this.#take('}');
    return nodes;
  }

  #value(depth: number): ConfigValue {
    const { kind, index, text } = this.#next;
    if (kind === '[') return this.#array(index, depth);
    if (kind !== 'string' && kind !== 'number') {
      throw new ConfigSyntaxError(index, `${nameOf(this.#next)}, expected a value`);
    }
    this.#next = this.#scan();
    return kind === 'string' ? text : numberOf(text, index);
  }

  #array(index: number, depth: number): readonly ConfigValue[] {
    if (depth >= MAX_DEPTH) throw new ConfigSyntaxError(index, `more than ${MAX_DEPTH} arrays within each other`);
    this.#take('[');
    const values: ConfigValue[] = [];
    while (this.#next.kind !== ']') {
      values.push(this.#value(depth + 1));
      if (this.#next.kind !== ',') break;
      this.#take(',');
    }
    this.#take(']');
    return values;
  }

  #take(kind: TokenKind): void {
    if (this.#next.kind !== kind) {
      throw new ConfigSyntaxError(this.#next.index, `${nameOf(this.#next)}, expected "${kind}"`);
    }
    this.#next = this.#scan();
  }

  #scan(): Token {
    const text = this.#text;
    const index = skipBlank(text, this.#at);
    const first = text[index];
    if (first === undefined) return this.#token('end', index, index);
    if (first === '"' || first === "'") return this.#scanString(index, first);
    if (MARKS.includes(first)) return this.#token(first as TokenKind, index, index + 1);
    let end = index + 1;
    while (end < text.length && !ENDS_WORD.includes(text[end]!)) end++;
    return this.#token(NUMBER.test(text.slice(index, end)) ? 'number' : 'word', index, end);
  }

  /** Only double quotes know escapes. */
  #scanString(index: number, quote: string): Token {
    const text = this.#text;
    let hasEscapes = false;
    let end = index + 1;
    while (end < text.length && text[end] !== quote) {
      const isEscape = quote === '"' && text[end] === '\\';
      hasEscapes ||= isEscape;
      end += isEscape ? 2 : 1;
    }
    if (end >= text.length) throw new ConfigSyntaxError(index, 'a string without end');
    const token = this.#token('string', index, end + 1);
    const inner = token.text.slice(1, -1);
    return { ...token, text: hasEscapes ? inner.replace(/\\([\s\S])/g, '$1') : inner };
  }

  #token(kind: TokenKind, index: number, end: number): Token {
    this.#at = end;
    return { kind, index, text: this.#text.slice(index, end) };
  }
}

/** Blanks, NULs at the end of a text, and comments. */
function skipBlank(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    if (text[at] === '#') while (at + 1 < text.length && text[at + 1] !== '\n') at++;
    else if (!BLANKS.includes(text[at]!)) return at;
  }
  return at;
}

function nameOf({ kind, text }: Token): string {
  return kind === 'end' ? 'the end of the text' : JSON.stringify(text.slice(0, 40));
}

function numberOf(text: string, index: number): number {
  const value = Number(text);
  if (Number.isSafeInteger(value) || (text.includes('.') && Number.isFinite(value))) return value;
  throw new ConfigSyntaxError(index, `${text.slice(0, 40)}, expected an integer of at most 2^53 - 1`);
}

/** A value as LVM writes it, on one line. */
export function formatValue(value: ConfigValue): string {
  if (typeof value === 'string') return `"${value.replace(/["\\]/g, '\\$&')}"`;
  if (typeof value === 'number') return String(value);
  return `[${value.map(formatValue).join(', ')}]`;
}
