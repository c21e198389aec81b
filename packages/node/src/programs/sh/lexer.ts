import { closingOf } from './closing.js';
import { ansiText } from './escapes.js';
import { bracedOf, type ParameterText } from './parameter.js';
import { type ArrayElement, type Operation, type Part, type Script, SyntaxComplaint, type Word } from './script.js';

/** A word, an operator, `((…))`, or the text of a here-document, which takes the place of its delimiter. */
export interface Token {
  readonly kind: 'word' | 'operator' | 'document' | 'arithmetic';
  /** As it stands in the line: reserved words are words that are not quoted. */
  readonly text: string;
  word: Word;
  /** The three of `for ((…; …; …))`, or the only one of `((…))`. */
  readonly expressions?: readonly Word[];
  readonly start: number;
  readonly end: number;
  /** 1 for the first. */
  readonly line: number;
}

interface Document {
  readonly token: Token;
  readonly delimiter: string;
  readonly isExpanded: boolean;
  /** `<<-`: tabs at the beginning of its lines are left out. */
  readonly isIndented: boolean;
}

// biome-ignore format: in the order in which they are tried
const OPERATORS = [
  '&&', '||', '|&', '&>>', '&>', '>&2', '>&1', '>>', '>|', '>', '<<<', '<<-', '<<', '<', '|', '&', ';;', ';', '(', ')', '\n',
];
/** Where no word has begun, these redirect one stream. */
const OF_STREAMS = ['2>&1', '1>&2', '2>>', '2>', '1>>', '1>'];
const DOCUMENTS = ['<<', '<<-'];
/** Words and operators behind which a command begins. */
const BEFORE_COMMANDS = new Set([...'&& || |& | & ; ;; ( ) if then elif else while until do ! { for'.split(' '), '\n']);
/** What an assignment begins with: a name, and the subscript of an element. */
const ASSIGNED = /^[A-Za-z_]\w*\+?=$/;
const NAME = /^[A-Za-z_]\w*/;
const SPECIAL = /^[?$#@*!0-9-]/;

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
  #lineNumber = 1;
  /** Up to here lines are counted. */
  #countedTo = 0;
  /** Between `[[` and `]]`. */
  #isInCondition = false;

  constructor(line: string, parse: (line: string) => Script) {
    this.#line = line;
    this.#parse = parse;
  }

  /** Where the last word begins. */
  get lastLine(): number {
    return this.#line.slice(0, this.#wordStart).split('\n').length;
  }

  /** Those before a mistake. */
  get before(): readonly Token[] {
    return this.#tokens;
  }

  tokens(): readonly Token[] {
    const line = this.#line;
    while (this.#at < line.length) {
      const character = line[this.#at]!;
      if (character === ' ' || character === '\t') this.#endWord(1);
      else if (character === '#' && this.#parts === undefined) this.#at = endOfLine(line, this.#at);
      else if (this.#isAtExpression()) this.#readExpression();
      else if (this.#isBehindMatch()) this.#readExpressionText();
      else if (this.#isInWord() || !this.#readOperator()) this.#readPart();
    }
    this.#endWord(0);
    for (const document of this.#awaited) this.#readDocument(document);
    return this.#tokens;
  }

  /** At a parenthesis that is none of the operators: of `<(…)`, or of the elements of an array. */
  #isInWord(): boolean {
    const isFile = /^[<>]\(/.test(this.#line.slice(this.#at, this.#at + 2));
    return isFile || (this.#line[this.#at] === '(' && ASSIGNED.test(this.#begun() ?? ''));
  }

  #push(token: Omit<Token, 'line'>): void {
    this.#lineNumber += this.#line.slice(this.#countedTo, token.start).split('\n').length - 1;
    this.#countedTo = Math.max(this.#countedTo, token.start);
    this.#tokens.push({ ...token, line: this.#lineNumber });
  }

  #readOperator(): boolean {
    const known = this.#parts === undefined && !this.#isInCondition ? [...OF_STREAMS, ...OPERATORS] : OPERATORS;
    const text = known.find((each) => this.#line.startsWith(each, this.#at));
    if (text === undefined) return false;
    this.#endWord(0);
    const start = this.#at;
    this.#at += text.length;
    this.#push({ kind: 'operator', text, word: [], start, end: this.#at });
    if (text === '\n') for (const document of this.#awaited.splice(0)) this.#readDocument(document);
    return true;
  }

  /** At `((` where a command could begin, unless the second parenthesis is closed before the first. */
  #isAtExpression(): boolean {
    if (this.#parts !== undefined || !this.#line.startsWith('((', this.#at)) return false;
    const last = this.#tokens.at(-1);
    return (
      (last === undefined || BEFORE_COMMANDS.has(last.text)) && arithmeticIn(this.#line.slice(this.#at)) !== undefined
    );
  }

  #readExpression(): void {
    const text = arithmeticIn(this.#line.slice(this.#at))!;
    const start = this.#at;
    this.#at += text.length + 4;
    const expressions = text.split(';').map((each) => this.#expression(each));
    this.#push({
      kind: 'arithmetic',
      text: `((${text}))`,
      word: this.#expression(text),
      expressions,
      start,
      end: this.#at,
    });
  }

  /** Behind `=~`: what follows is one word up to a blank that is not between parentheses. */
  #isBehindMatch(): boolean {
    return this.#isInCondition && this.#parts === undefined && this.#tokens.at(-1)?.text === '=~';
  }

  #readExpressionText(): void {
    for (let depth = 0; this.#at < this.#line.length; ) {
      const character = this.#line[this.#at]!;
      if (/\s/.test(character) && depth === 0) break;
      if (character === '(') depth += 1;
      if (character === ')') depth -= 1;
      this.#readPart();
    }
    this.#endWord(0);
  }

  #endWord(skipped: number): void {
    const start = this.#wordStart;
    const parts = this.#parts;
    const end = this.#at;
    this.#at += skipped;
    this.#parts = undefined;
    if (parts === undefined) return;
    const last = this.#tokens.at(-1);
    const isDelimiter = last?.kind === 'operator' && DOCUMENTS.includes(last.text);
    const text = this.#line.slice(start, end);
    this.#push({ kind: isDelimiter ? 'document' : 'word', text, word: parts, start, end });
    if (text === '[[' || text === ']]') this.#isInCondition = text === '[[';
    if (!isDelimiter) return;
    const token = this.#tokens.at(-1)!;
    const delimiter = parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
    this.#awaited.push({ token, delimiter, isExpanded: text === delimiter, isIndented: last.text === '<<-' });
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
    } else if (character === '$' && (line[this.#at + 1] === "'" || line[this.#at + 1] === '"')) this.#readMarked();
    else if (character === '$' || character === '`') this.#add(this.#substitution(false));
    else if (/^[<>]\(/.test(line.slice(this.#at, this.#at + 2))) this.#readFile();
    else if (!this.#readSubscript() && !this.#readArray()) {
      this.#add({ kind: 'text', text: character, isQuoted: false });
      this.#at += 1;
    }
  }

  /** `$'…'` with its escapes, and `$"…"`, which is translated to nothing else. */
  #readMarked(): void {
    this.#at += 1;
    if (this.#line[this.#at] !== "'") return this.#readPart();
    const text = /^'((?:[^'\\]|\\.)*)'/s.exec(this.#line.slice(this.#at));
    if (text === null) throw openQuote("'");
    this.#at += text[0].length;
    this.#add({ kind: 'text', text: ansiText(text[1]!), isQuoted: true });
  }

  /** `<(…)`. */
  #readFile(): void {
    const rest = this.#line.slice(this.#at + 1);
    const end = closingParenthesis(rest);
    this.#at += end + 2;
    this.#add({ kind: 'file', script: this.#parse(rest.slice(1, end)), isQuoted: true });
  }

  /** What the word is as yet, if nothing in it is quoted. */
  #begun(): string | undefined {
    const [only, ...others] = this.#parts ?? [];
    return only?.kind === 'text' && !only.isQuoted && others.length === 0 ? only.text : undefined;
  }

  /** `[SUBSCRIPT]` between a name and `=`, in which blanks are no end. */
  #readSubscript(): boolean {
    if (this.#line[this.#at] !== '[' || !/^[A-Za-z_]\w*$/.test(this.#begun() ?? '')) return false;
    const rest = this.#line.slice(this.#at);
    const end = closingOf(rest, '[', ']');
    if (end <= 1 || !/^\+?=/.test(rest.slice(end + 1))) return false;
    this.#add({ kind: 'subscript', subscript: this.#plainWord(rest.slice(1, end)), isQuoted: false });
    this.#at += end + 1;
    return true;
  }

  /** `(…)` behind `NAME=`. */
  #readArray(): boolean {
    if (this.#line[this.#at] !== '(' || !ASSIGNED.test(this.#begun() ?? '')) return false;
    const rest = this.#line.slice(this.#at);
    const end = closingParenthesis(rest);
    this.#at += end + 1;
    const tokens = new Lexer(rest.slice(1, end), this.#parse).tokens();
    const wrong = tokens.find(({ kind, text }) => kind !== 'word' && text !== '\n');
    if (wrong !== undefined) throw new SyntaxComplaint(`syntax error near unexpected token \`${wrong.text}'`);
    const words = tokens.filter(({ kind }) => kind === 'word');
    this.#add({ kind: 'array', elements: words.map((token) => this.#element(token)), isQuoted: false });
    return true;
  }

  #element({ text, word }: Token): ArrayElement {
    const end = text.startsWith('[') ? closingOf(text, '[', ']') : -1;
    if (end <= 1 || text[end + 1] !== '=') return { value: word };
    return { key: this.#plainWord(text.slice(1, end)), value: this.#plainWord(text.slice(end + 2)) };
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
      const text = /^(?:[^`\\]|\\.)*(?=`)/s.exec(rest)?.[0];
      if (text === undefined) throw openQuote('`');
      this.#at += text.length + 2;
      return { kind: 'output', script: this.#parse(text.replace(/\\([`\\$])/g, '$1')), isQuoted };
    }
    const arithmetic = rest.startsWith('((') ? arithmeticIn(rest) : undefined;
    if (arithmetic !== undefined) {
      this.#at += arithmetic.length + 5;
      return { kind: 'arithmetic', expression: this.#expression(arithmetic), isQuoted };
    }
    if (rest.startsWith('(')) {
      const end = closingParenthesis(rest);
      this.#at += end + 2;
      return { kind: 'output', script: this.#parse(rest.slice(1, end)), isQuoted };
    }
    if (rest.startsWith('{')) return this.#braced(rest, isQuoted);
    const old = rest.startsWith('[') ? closingOf(rest, '[', ']') : -1;
    if (old > 0) {
      this.#at += old + 2;
      return { kind: 'arithmetic', expression: this.#expression(rest.slice(1, old)), isQuoted };
    }
    const name = (NAME.exec(rest) ?? SPECIAL.exec(rest))?.[0];
    this.#at += 1 + (name?.length ?? 0);
    return name === undefined ? { kind: 'text', text: '$', isQuoted } : { kind: 'variable', name, isQuoted };
  }

  /** `${…}`. */
  #braced(rest: string, isQuoted: boolean): Part {
    const end = closingOf(rest, '{', '}');
    if (end < 0) throw openQuote('}');
    const text = rest.slice(1, end);
    const braced = bracedOf(text);
    if (braced === undefined) throw new SyntaxComplaint(`\${${text}}: bad substitution`);
    this.#at += end + 2;
    const { name, subscript: given, isIndirect } = braced;
    const isPlain = given === undefined && !isIndirect && braced.operation.kind === 'value';
    if (isPlain) return { kind: 'variable', name, isQuoted };
    const subscript = given === undefined ? undefined : this.#plainWord(given);
    return {
      kind: 'parameter',
      name,
      subscript,
      isIndirect,
      operation: this.#operation(braced.operation, isQuoted),
      isQuoted,
    };
  }

  #operation(operation: ParameterText, isQuoted: boolean): Operation {
    switch (operation.kind) {
      case 'instead':
        return { ...operation, word: isQuoted ? this.#insideQuotes(operation.word) : this.#plainWord(operation.word) };
      case 'replace':
        return { ...operation, word: this.#plainWord(operation.word), by: this.#plainWord(operation.by) };
      case 'slice': {
        const length = operation.length === undefined ? undefined : this.#expression(operation.length);
        return { ...operation, word: this.#expression(operation.word), length };
      }
      case 'cut':
      case 'case':
        return { ...operation, word: this.#plainWord(operation.word) };
      default:
        return operation;
    }
  }

  /** Between quotation marks those inside are gone, and quote nothing more. */
  #insideQuotes(text: string): Word {
    return this.#expandable(text.replace(/\\.|"/gs, (found) => (found === '"' ? '' : found)));
  }

  /** As `#insideQuotes`; what is quoted in an expression is a part of it. */
  #expression(text: string): Word {
    return /\$\(|`/.test(text) ? this.#expandable(text) : this.#insideQuotes(text);
  }

  /** A text in which quotes mean something, and blanks nothing. */
  #plainWord(text: string): Word {
    const lexer = new Lexer(text, this.#parse);
    while (lexer.#at < text.length) lexer.#readPart();
    return lexer.#parts ?? [{ kind: 'text', text: '', isQuoted: true }];
  }

  /** Puts the lines up to the delimiter in its place. */
  #readDocument({ token, delimiter, isExpanded, isIndented }: Document): void {
    const line = this.#line;
    const start = this.#at;
    const outdented = (text: string): string => (isIndented ? text.replace(/^\t+/gm, '') : text);
    let end = start;
    while (end < line.length && outdented(line.slice(end, endOfLine(line, end))) !== delimiter) {
      end = endOfLine(line, end) + 1;
    }
    if (line.slice(end) === '' && delimiter !== '') this.hasOpenDocument = true;
    const given = outdented(line.slice(start, end));
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
