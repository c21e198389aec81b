import { withoutBraces } from './braces.js';
import { readCondition, type TokenReader } from './condition-parser.js';
import { Lexer, type Token } from './lexer.js';
import {
  type Assignment,
  type Command,
  type CompoundCommand,
  type FunctionDefinition,
  type Pipeline,
  type ReadScript,
  type Redirections,
  type Script,
  type SimpleCommand,
  type Statement,
  SyntaxComplaint,
  type Target,
  type Word,
} from './script.js';

const ASSIGNMENT = /^([A-Za-z_]\w*)(\+?=)?/;
const LINE_END: Word = [{ kind: 'text', text: '\n', isQuoted: true }];
/** Operators behind which the name of a file stands. */
const REDIRECTIONS = new Map<string, (path: Word) => Redirections>([
  ['<', (path) => ({ input: { path } })],
  ['<<', (text) => ({ input: { text } })],
  ['<<-', (text) => ({ input: { text } })],
  ['<<<', (text) => ({ input: { text: [...text, ...LINE_END] } })],
  ['>', (path) => ({ output: { path, append: false } })],
  ['>|', (path) => ({ output: { path, append: false } })],
  ['1>', (path) => ({ output: { path, append: false } })],
  ['1>>', (path) => ({ output: { path, append: true } })],
  ['>>', (path) => ({ output: { path, append: true } })],
  ['2>', (path) => ({ errors: { path, append: false } })],
  ['2>>', (path) => ({ errors: { path, append: true } })],
  ['&>', (path) => ({ output: { path, append: false }, errors: 'output' })],
  ['&>>', (path) => ({ output: { path, append: true }, errors: 'output' })],
]);
/** Operators that join one stream to the other. */
const JOINS = new Map<string, { readonly errors?: Target; readonly output?: Target }>([
  ['2>&1', { errors: 'output' }],
  ['>&2', { output: 'errors' }],
  ['1>&2', { output: 'errors' }],
  ['>&1', {}],
]);
const BEHIND_COMMANDS = ['then', 'elif', 'else', 'fi', 'do', 'done', 'esac', '}'];

/**
 * Reads a command line as a shell does: words with quotes, variables and `$(…)`, redirections, here-documents, pipes, `;`, `&`, `&&`,
 * `||`, `for`, `while`, `until`, `if`, `case`, `[[`, `((`, groups, functions, and several lines.
 *
 * Returns the complaint of bash when it is none: an open quote, or an operator without a command.
 */
export function parseCommandLine(line: string): Script | string {
  const { script, complaint } = parseScript(line);
  return complaint?.message ?? script;
}

/** As `parseCommandLine`, with the lines before the mistake. */
export function parseScript(text: string): ReadScript {
  const lexer = new Lexer(text, parse);
  let complaint: SyntaxComplaint | undefined;
  try {
    lexer.tokens();
  } catch (error) {
    if (!(error instanceof SyntaxComplaint)) throw error;
    complaint = new SyntaxComplaint(error.message, error.isIncomplete, error.line ?? lexer.lastLine);
  }
  return new Parser(text, lexer.before).lines(complaint);
}

/** Whether a quote, a here-document or a `do` is open at its end: bash would ask for another line. */
export function isIncomplete(line: string): boolean {
  try {
    const lexer = new Lexer(line, parse);
    new Parser(line, lexer.tokens()).script();
    return lexer.hasOpenDocument;
  } catch (error) {
    if (error instanceof SyntaxComplaint) return error.isIncomplete;
    throw error;
  }
}

function parse(line: string): Script {
  return new Parser(line, new Lexer(line, parse).tokens()).script();
}

/** Recursive descent over the tokens of a line. */
class Parser implements TokenReader {
  readonly #line: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(line: string, tokens: readonly Token[]) {
    this.#line = line;
    this.#tokens = tokens;
  }

  script(): Script {
    const statements = this.#statements(() => false);
    if (this.peek !== undefined) throw this.#unexpected();
    return statements;
  }

  /** The lines before a mistake; that of the lexer comes behind all tokens. */
  lines(complaint: SyntaxComplaint | undefined): ReadScript {
    const statements: Statement[] = [];
    try {
      this.#skipLines();
      while (this.peek !== undefined) {
        statements.push(this.#statement());
        this.#skipLines();
      }
      if (complaint === undefined) return { script: statements };
      return { script: wholeLines(statements), complaint };
    } catch (error) {
      if (!(error instanceof SyntaxComplaint)) throw error;
      return { script: wholeLines(statements), complaint: (this.peek === undefined && complaint) || error };
    }
  }

  get peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #unexpected(): SyntaxComplaint {
    const token = this.peek;
    if (token === undefined) return new SyntaxComplaint('syntax error: unexpected end of file', true);
    const text = token.text === '\n' ? 'newline' : token.text;
    return new SyntaxComplaint(`syntax error near unexpected token \`${text}'`, false, token.line);
  }

  #isOperator(...texts: readonly string[]): boolean {
    const token = this.peek;
    return token?.kind === 'operator' && texts.includes(token.text);
  }

  /** A word that is reserved where a command could begin. */
  #isReserved(...words: readonly string[]): boolean {
    const token = this.peek;
    return token?.kind === 'word' && words.includes(token.text);
  }

  /** Goes on if the next token is that one. */
  take(text: string): boolean {
    if (!this.#isOperator(text) && !this.#isReserved(text)) return false;
    this.#next += 1;
    return true;
  }

  word(): Token {
    const token = this.peek;
    if (token?.kind !== 'word') throw this.#unexpected();
    this.#next += 1;
    return token;
  }

  #need(text: string): void {
    if (!this.take(text)) throw this.#unexpected();
  }

  #skipLines(): void {
    while (this.take('\n'));
  }

  #statements(isEnd: () => boolean): Script {
    const statements: Statement[] = [];
    this.#skipLines();
    while (this.peek !== undefined && !isEnd()) {
      statements.push(this.#statement());
      this.#skipLines();
    }
    return statements;
  }

  /** Commands up to one of these words, which is left. At least one. */
  #block(...ends: readonly string[]): Script {
    const statements = this.#statements(() => this.#isReserved(...ends) || this.#isOperator(...ends));
    if (statements.length === 0 || this.peek === undefined) throw this.#unexpected();
    return statements;
  }

  #statement(): Statement {
    const start = this.peek!.start;
    const pipelines: Pipeline[] = [];
    for (let when: Pipeline['when'] = 'always'; ; ) {
      pipelines.push(this.#pipeline(when));
      if (this.take('&&')) when = 'success';
      else if (this.take('||')) when = 'failure';
      else break;
      this.#skipLines();
    }
    const { end } = this.#tokens[this.#next - 1]!;
    const background = this.take('&') ? { background: this.#line.slice(start, end) } : {};
    const isSeparated = 'background' in background || this.take(';');
    if (!isSeparated && this.peek !== undefined && !this.#isOperator('\n', ')', ';;')) throw this.#unexpected();
    return { pipelines, ...background, ...(this.#isOperator('\n') ? { isLineEnd: true } : {}) };
  }

  #pipeline(when: Pipeline['when']): Pipeline {
    const isNegated = this.take('!');
    const commands = [this.#command()];
    for (;;) {
      const takesErrors = this.take('|&');
      if (!takesErrors && !this.take('|')) return { commands, isNegated, when };
      if (takesErrors) commands.push({ ...commands.pop()!, errors: 'output' });
      this.#skipLines();
      commands.push(this.#command());
    }
  }

  #command(): Command {
    const defined = this.#definition();
    if (defined !== undefined) return defined;
    const compound = this.#compound();
    return compound === undefined ? this.#simple() : this.#redirected(compound);
  }

  /** `NAME() BODY` and `function NAME BODY`. */
  #definition(): FunctionDefinition | undefined {
    const [first, second, third] = this.#tokens.slice(this.#next, this.#next + 3);
    const hasParentheses = second?.kind === 'operator' && second.text === '(' && third?.text === ')';
    if (first?.kind !== 'word' || (first.text !== 'function' && !hasParentheses)) return undefined;
    if (first.text === 'function') {
      this.#next += 1;
      if (this.peek?.kind !== 'word') throw this.#unexpected();
    }
    const name = this.peek!.text;
    if (!/^[A-Za-z_][\w.-]*$/.test(name)) throw new SyntaxComplaint(`\`${name}': not a valid identifier`);
    this.#next += 1;
    if (this.take('(')) this.#need(')');
    this.#skipLines();
    const body = this.#compound();
    if (body === undefined) throw this.#unexpected();
    return { kind: 'function', name, body: this.#redirected(body) };
  }

  #redirected(compound: CompoundCommand): CompoundCommand {
    let redirections: Redirections = {};
    for (let more = this.#redirection(); more !== undefined; more = this.#redirection()) {
      redirections = { ...redirections, ...more };
    }
    return { ...compound, ...redirections };
  }

  #compound(): CompoundCommand | undefined {
    if (this.take('for')) return this.#for();
    if (this.peek?.kind === 'arithmetic') {
      const { word: expression, line } = this.peek;
      this.#next += 1;
      return { kind: 'arithmetic', expression, line };
    }
    if (this.#isReserved('[[')) {
      const { line } = this.word();
      const condition = readCondition(this);
      this.#need(']]');
      return { kind: 'condition', condition, line };
    }
    if (this.#isReserved('while', 'until')) {
      const isUntil = this.take('until') || !this.take('while');
      const condition = this.#block('do');
      return { kind: 'while', isUntil, condition, body: this.#doneBlock() };
    }
    if (this.take('if')) return this.#if();
    if (this.take('case')) return this.#case();
    if (this.take('(')) {
      const body = this.#block(')');
      this.#need(')');
      return { kind: 'group', isSubshell: true, body };
    }
    if (this.take('{')) {
      const body = this.#block('}');
      this.#need('}');
      return { kind: 'group', isSubshell: false, body };
    }
    return undefined;
  }

  #for(): CompoundCommand {
    if (this.peek?.kind === 'arithmetic') return this.#count();
    const name = this.word();
    if (!/^[A-Za-z_]\w*$/.test(name.text)) throw new SyntaxComplaint(`\`${name.text}': not a valid identifier`);
    const words: Word[] = [];
    this.#skipLines();
    if (this.take('in')) {
      while (this.peek?.kind === 'word') words.push(...withoutBraces(this.word().word));
    } else words.push([{ kind: 'variable', name: '@', isQuoted: true }]);
    if (!this.take(';') && !this.#isOperator('\n') && !this.#isReserved('do')) throw this.#unexpected();
    this.#skipLines();
    return { kind: 'for', name: name.text, words, body: this.#doneBlock() };
  }

  #count(): CompoundCommand {
    const { expressions = [] } = this.peek!;
    const [first, condition, next, ...others] = expressions;
    if (first === undefined || condition === undefined || next === undefined || others.length > 0) {
      throw new SyntaxComplaint('syntax error: arithmetic expression required');
    }
    this.#next += 1;
    this.take(';');
    this.#skipLines();
    return { kind: 'count', expressions: [first, condition, next], body: this.#doneBlock() };
  }

  #doneBlock(): Script {
    this.#need('do');
    const body = this.#block('done');
    this.#need('done');
    return body;
  }

  #if(): CompoundCommand {
    const branches = [];
    do {
      const condition = this.#block('then');
      this.#need('then');
      branches.push({ condition, body: this.#block('elif', 'else', 'fi') });
    } while (this.take('elif'));
    const otherwise = this.take('else') ? { otherwise: this.#block('fi') } : {};
    this.#need('fi');
    return { kind: 'if', branches, ...otherwise };
  }

  #case(): CompoundCommand {
    const subject = this.peek;
    if (subject?.kind !== 'word') throw this.#unexpected();
    this.#next += 1;
    this.#skipLines();
    this.#need('in');
    this.#skipLines();
    const choices = [];
    while (!this.take('esac')) {
      this.take('(');
      const patterns: Word[] = [];
      do {
        if (this.peek?.kind !== 'word') throw this.#unexpected();
        patterns.push(this.peek.word);
        this.#next += 1;
      } while (this.take('|'));
      this.#need(')');
      const body = this.#statements(() => this.#isReserved('esac') || this.#isOperator(';;'));
      choices.push({ patterns, body });
      if (!this.take(';;') && !this.#isReserved('esac')) throw this.#unexpected();
      this.#skipLines();
    }
    return { kind: 'case', subject: subject.word, text: subject.text, choices };
  }

  #simple(): SimpleCommand {
    const assignments: Assignment[] = [];
    const words: Word[] = [];
    let redirections: Redirections = {};
    if (this.#isReserved(...BEHIND_COMMANDS)) throw this.#unexpected();
    const { line } = this.peek ?? { line: 0 };
    for (;;) {
      const more = this.#redirection();
      if (more !== undefined) {
        redirections = { ...redirections, ...more };
        continue;
      }
      const token = this.peek;
      if (token?.kind !== 'word') break;
      this.#next += 1;
      const assignment = words.length === 0 ? assignmentOf(token.word) : undefined;
      if (assignment !== undefined) assignments.push(assignment);
      else if (isDeclaring(words[0]) && assignmentOf(token.word) !== undefined) words.push(token.word);
      else words.push(...withoutBraces(this.#plain(token)));
    }
    const isEmpty = words.length === 0 && assignments.length === 0 && Object.keys(redirections).length === 0;
    if (isEmpty) throw this.#unexpected();
    return { kind: 'simple', assignments, words, line, ...redirections };
  }

  /** A word that assigns nothing: brackets in it are themselves, and a list of elements is a mistake. */
  #plain({ word }: Token): Word {
    if (word.some(({ kind }) => kind === 'array')) throw new SyntaxComplaint("syntax error near unexpected token `('");
    return word.flatMap((part) => (part.kind === 'subscript' ? bracketed(part.subscript) : [part]));
  }

  #redirection(): Redirections | undefined {
    const operator = this.peek;
    if (operator?.kind !== 'operator') return undefined;
    const join = JOINS.get(operator.text);
    const redirect = REDIRECTIONS.get(operator.text);
    if (join === undefined && redirect === undefined) return undefined;
    this.#next += 1;
    if (join !== undefined) return join;
    const operand = this.peek;
    if (operand === undefined) throw new SyntaxComplaint("syntax error near unexpected token `newline'");
    if (operand.kind === 'operator') throw this.#unexpected();
    this.#next += 1;
    return redirect!(operand.word);
  }
}

/** Without what stands in the line that did not end. */
function wholeLines(statements: readonly Statement[]): Script {
  return statements.slice(0, statements.map(({ isLineEnd }) => isLineEnd).lastIndexOf(true) + 1);
}

/** Commands whose operands may be assignments. */
const DECLARING = ['local', 'export', 'declare', 'typeset', 'readonly'];

/** Whether a command's operands may be assignments, in which nothing is split. */
export function isDeclaring(command: Word | undefined): boolean {
  const [only, ...others] = command ?? [];
  return only?.kind === 'text' && others.length === 0 && DECLARING.includes(only.text);
}

/** What a word assigns; undefined when it does not. */
export function assignmentOf(word: Word): Assignment | undefined {
  const [first, second] = word;
  if (first?.kind !== 'text' || first.isQuoted) return undefined;
  const [begin, name, sign] = ASSIGNMENT.exec(first.text) ?? [];
  if (begin === undefined || name === undefined) return undefined;
  if (sign !== undefined) return assigned(name, sign, undefined, withoutBeginning(word, begin));
  const isElement = begin === first.text && second?.kind === 'subscript';
  return isElement ? assignedElement(name, second.subscript, word.slice(2)) : undefined;
}

function assignedElement(name: string, subscript: Word, rest: Word): Assignment | undefined {
  const [sign] = rest[0]?.kind === 'text' ? (/^\+?=/.exec(rest[0].text) ?? []) : [];
  return sign === undefined ? undefined : assigned(name, sign, subscript, withoutBeginning(rest, sign));
}

function assigned(name: string, sign: string, subscript: Word | undefined, value: Word): Assignment {
  const list = value.find((part) => part.kind === 'array');
  return {
    name,
    value: list === undefined ? value : [],
    ...(subscript === undefined ? {} : { subscript }),
    ...(sign === '+=' ? { isAppended: true } : {}),
    ...(list === undefined ? {} : { elements: list.elements }),
  };
}

function bracketed(subscript: Word): Word {
  const text = (character: string): Word => [{ kind: 'text', text: character, isQuoted: false }];
  return [...text('['), ...subscript, ...text(']')];
}

/** What is assigned: the word behind `NAME=`. */
function withoutBeginning(word: Word, begin: string): Word {
  const [first, ...rest] = word;
  if (first?.kind !== 'text') return word;
  const text = first.text.slice(begin.length);
  return text === '' && rest.length > 0 ? rest : [{ ...first, text }, ...rest];
}
