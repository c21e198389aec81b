import { closingOf } from './closing.js';
import { parameterText } from './parameter.js';
import { type Part, type Script, SyntaxComplaint, type Word } from './script.js';

/** A word, an operator, or the text of a here-document, which takes the place of its delimiter. */
export interface Token {
  readonly kind: 'word' | 'operator' | 'document';
  /** As it stands in the line: reserved words are words that are not quoted. */
  readonly text: string;
  word: Word;
  readonly start: number;
  readonly end: number;
}

interface Document {
  readonly token: Token;
  readonly delimiter: string;
  readonly isExpanded: boolean;
}

const OPERATORS = ['&&', '||', '&>', '>&2', '>>', '>', '<<', '<', '|', '&', ';;', ';', '(', ')', '\n'];
/** Where no word has begun, these redirect the complaints. */
const OF_ERRORS = ['2>&1', '1>&2', '2>>', '2>'];
const NAME = /^[A-Za-z_]\w*/;
const SPECIAL = /^[?$#@*0-9]/;

/**
 * Cuts a command line into tokens.
 *
 * @param parse - reads what stands in `$(…)` and between backquotes.
 * @throws SyntaxComplaint when a quote or a `$(` is open at its end.
 */
export class Lexer {
  /** The end of a here-document has not come: its text is all the rest. */
  hasOpenDocument = false;
  readonly #line: string;
  readonly #parse: (line: string) => Script;
  readonly #tokens: Token[] = [];
  /** Whose texts begin behind the line that is being read. */
  readonly #awaited: Document[] = [];
  #at = 0;
  /** Parts of the word that is being read; undefined between words. */
  #parts: Part[] | undefined;
  #wordStart = 0;

  constructor(line: string, parse: (line: string) => Script) {
    this.#line = line;
    this.#parse = parse;
  }

  tokens(): readonly Token[] {
    const line = this.#line;
    while (this.#at < line.length) {
      const character = line[this.#at]!;
      if (character === ' ' || character === '\t') this.#endWord(1);
      else if (character === '#' && this.#parts === undefined) this.#at = endOfLine(line, this.#at);
      else if (!this.#readOperator()) this.#readPart();
    }
    this.#endWord(0);
    for (const document of this.#awaited) this.#readDocument(document);
    return this.#tokens;
  }

  #readOperator(): boolean {
    const known = this.#parts === undefined ? [...OF_ERRORS, ...OPERATORS] : OPERATORS;
    const text = known.find((each) => this.#line.startsWith(each, this.#at));
    if (text === undefined) return false;
    this.#endWord(0);
    const start = this.#at;
    this.#at += text.length;
    this.#tokens.push({ kind: 'operator', text, word: [], start, end: this.#at });
    if (text === '\n') for (const document of this.#awaited.splice(0)) this.#readDocument(document);
    return true;
  }

  #endWord(skipped: number): void {
    const start = this.#wordStart;
    const parts = this.#parts;
    const end = this.#at;
    this.#at += skipped;
    this.#parts = undefined;
    if (parts === undefined) return;
    const isDelimiter = this.#tokens.at(-1)?.kind === 'operator' && this.#tokens.at(-1)?.text === '<<';
    const text = this.#line.slice(start, end);
    const token: Token = { kind: isDelimiter ? 'document' : 'word', text, word: parts, start, end };
    this.#tokens.push(token);
    if (!isDelimiter) return;
    const delimiter = parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
    this.#awaited.push({ token, delimiter, isExpanded: text === delimiter });
  }

  #add(part: Part): void {
    this.#parts ??= [];
    const last = this.#parts.at(-1);
    if (part.kind === 'text' && last?.kind === 'text' && last.isQuoted === part.isQuoted) {
      this.#parts[this.#parts.length - 1] = { ...last, text: last.text + part.text };
    } else this.#parts.push(part);
  }

  #readPart(): void {
    const line = this.#line;
    if (line.startsWith('\\\n', this.#at)) {
      this.#at += 2;
      return;
    }
    if (this.#parts === undefined) this.#wordStart = this.#at;
    const character = line[this.#at]!;
    if (character === "'") {
      const end = line.indexOf("'", this.#at + 1);
      if (end < 0) throw openQuote("'");
      this.#add({ kind: 'text', text: line.slice(this.#at + 1, end), isQuoted: true });
      this.#at = end + 1;
    } else if (character === '"') {
      this.#add({ kind: 'text', text: '', isQuoted: true });
      this.#at += 1;
      for (const part of this.#quoted('"')) this.#add(part);
      if (line[this.#at] !== '"') throw openQuote('"');
      this.#at += 1;
    } else if (character === '\\') {
      this.#add({ kind: 'text', text: line[this.#at + 1] ?? '', isQuoted: true });
      this.#at += 2;
    } else if (character === '$' || character === '`') this.#add(this.#substitution(false));
    else {
      this.#add({ kind: 'text', text: character, isQuoted: false });
      this.#at += 1;
    }
  }

  /** Parts up to an unquoted `end`, or the end of the line; `end` is left. */
  *#quoted(end: string): Generator<Part> {
    const line = this.#line;
    while (this.#at < line.length && line[this.#at] !== end) {
      const character = line[this.#at]!;
      if (character === '\\' && line[this.#at + 1] === '\n') this.#at += 2;
      else if (character === '\\' && '"\\$`'.includes(line[this.#at + 1] ?? ' ')) {
        yield { kind: 'text', text: line[this.#at + 1]!, isQuoted: true };
        this.#at += 2;
      } else if (character === '$' || character === '`') yield this.#substitution(true);
      else {
        yield { kind: 'text', text: character, isQuoted: true };
        this.#at += 1;
      }
    }
  }

  /** `$…` or backquotes; a `$` that begins nothing is itself. */
  #substitution(isQuoted: boolean): Part {
    const rest = this.#line.slice(this.#at + 1);
    if (this.#line[this.#at] === '`') {
      const end = rest.indexOf('`');
      if (end < 0) throw openQuote('`');
      this.#at += end + 2;
      return { kind: 'output', script: this.#parse(rest.slice(0, end)), isQuoted };
    }
    const arithmetic = rest.startsWith('((') ? arithmeticIn(rest) : undefined;
    if (arithmetic !== undefined) {
      this.#at += arithmetic.length + 5;
      return { kind: 'arithmetic', expression: this.#expandable(arithmetic), isQuoted };
    }
    if (rest.startsWith('(')) {
      const end = closingParenthesis(rest);
      this.#at += end + 2;
      return { kind: 'output', script: this.#parse(rest.slice(1, end)), isQuoted };
    }
    if (rest.startsWith('{')) return this.#braced(rest, isQuoted);
    const name = (NAME.exec(rest) ?? SPECIAL.exec(rest))?.[0];
    this.#at += 1 + (name?.length ?? 0);
    return name === undefined ? { kind: 'text', text: '$', isQuoted } : { kind: 'variable', name, isQuoted };
  }

  /** `${…}`. */
  #braced(rest: string, isQuoted: boolean): Part {
    const end = closingOf(rest, '{', '}');
    if (end < 0) throw openQuote('}');
    const text = rest.slice(1, end);
    const parameter = parameterText(text);
    if (parameter === undefined) throw new SyntaxComplaint(`\${${text}}: bad substitution`);
    this.#at += end + 2;
    const { name, operator, isEmptyNone, word } = parameter;
    if (operator === undefined) return { kind: 'variable', name, isQuoted };
    const isPattern = /^[#%]/.test(operator);
    // Between quotation marks those inside are gone, and quote nothing more.
    const bare = word.replace(/\\.|"/gs, (found) => (found === '"' ? '' : found));
    const parts = isQuoted && !isPattern ? this.#expandable(bare) : this.#plainWord(word);
    return { kind: 'parameter', name, operator, isEmptyNone, word: parts, isQuoted };
  }

  /** A text in which quotes mean something, and blanks nothing. */
  #plainWord(text: string): Word {
    const lexer = new Lexer(text, this.#parse);
    while (lexer.#at < text.length) lexer.#readPart();
    return lexer.#parts ?? [{ kind: 'text', text: '', isQuoted: true }];
  }

  /** Puts the lines up to the delimiter in its place. */
  #readDocument({ token, delimiter, isExpanded }: Document): void {
    const line = this.#line;
    const start = this.#at;
    let end = start;
    while (end < line.length && line.slice(end, endOfLine(line, end)) !== delimiter) end = endOfLine(line, end) + 1;
    if (line.slice(end) === '' && delimiter !== '') this.hasOpenDocument = true;
    const given = line.slice(start, end);
    const text = this.hasOpenDocument && given !== '' && !given.endsWith('\n') ? `${given}\n` : given;
    token.word = isExpanded ? this.#expandable(text) : [{ kind: 'text', text, isQuoted: true }];
    this.#at = Math.min(line.length, endOfLine(line, end) + 1);
  }

  #expandable(text: string): Word {
    const lexer = new Lexer(text, this.#parse);
    // Quotation marks mean nothing there.
    for (const part of lexer.#quoted('')) lexer.#add(part);
    return lexer.#parts ?? [{ kind: 'text', text: '', isQuoted: true }];
  }
}

function openQuote(mark: string): SyntaxComplaint {
  return new SyntaxComplaint(`unexpected EOF while looking for matching \`${mark}'`, true);
}

/** Place of the line break, or the end of the text. */
function endOfLine(text: string, from: number): number {
  const at = text.indexOf('\n', from);
  return at < 0 ? text.length : at;
}

/** What stands in `((…))`; undefined when the second parenthesis is closed before the first. */
function arithmeticIn(text: string): string | undefined {
  const end = closingParenthesis(text);
  const inner = closingParenthesis(text.slice(1));
  return inner + 2 === end ? text.slice(2, inner + 1) : undefined;
}

/** Where the parenthesis is closed that a text begins with. */
function closingParenthesis(text: string): number {
  const end = closingOf(text, '(', ')');
  if (end === -1) throw openQuote(')');
  return end;
}
