import type { Token } from './lexer.js';
import type { Condition, Word } from './script.js';

/** Tokens of a line, from which a reader takes one after the other. */
export interface TokenReader {
  readonly peek: Token | undefined;
  /** Goes on if the next token is that operator or reserved word. */
  take(text: string): boolean;
  /** @throws SyntaxComplaint unless the next token is a word, which it gives. */
  word(): Token;
}

const UNARY = /^-[a-zA-Z]$/;
const BINARY = ['==', '=', '!=', '=~', '<', '>', '-eq', '-ne', '-lt', '-le', '-gt', '-ge', '-nt', '-ot', '-ef'];

/** Reads what stands between `[[` and `]]`, which is left: `||` binds least, then `&&`, `!` and parentheses. */
export function readCondition(reader: TokenReader): Condition {
  let left = readAnd(reader);
  while (reader.take('||')) {
    skipLines(reader);
    left = { kind: 'or', left, right: readAnd(reader) };
  }
  return left;
}

function readAnd(reader: TokenReader): Condition {
  let left = readNot(reader);
  while (reader.take('&&')) {
    skipLines(reader);
    left = { kind: 'and', left, right: readNot(reader) };
  }
  return left;
}

function readNot(reader: TokenReader): Condition {
  skipLines(reader);
  if (reader.take('!')) return { kind: 'not', condition: readNot(reader) };
  if (!reader.take('(')) return readQuestion(reader);
  const condition = readCondition(reader);
  skipLines(reader);
  if (!reader.take(')')) reader.word();
  return condition;
}

function readQuestion(reader: TokenReader): Condition {
  const first = reader.word();
  const next = reader.peek;
  const isBinary = next !== undefined && BINARY.includes(next.text);
  if (isBinary) {
    reader.take(next.text);
    return { kind: 'binary', operator: next.text, left: first.word, right: operand(reader) };
  }
  if (!UNARY.test(first.text) || next?.text === ']]') return { kind: 'unary', operator: '-n', operand: first.word };
  return { kind: 'unary', operator: first.text, operand: operand(reader) };
}

function operand(reader: TokenReader): Word {
  const { word } = reader.word();
  skipLines(reader);
  return word;
}

function skipLines(reader: TokenReader): void {
  while (reader.take('\n'));
}
