import { Lexer, type Token } from './lexer.js';
import {
  type Command,
  type CompoundCommand,
  type FunctionDefinition,
  type Pipeline,
  type Redirections,
  type Script,
  type SimpleCommand,
  type Statement,
  SyntaxComplaint,
  type Target,
  type Word,
} from './script.js';

const ASSIGNMENT = /^([A-Za-z_]\w*)=/;
/** Operators behind which the name of a file stands. */
const REDIRECTIONS = new Map<string, (path: Word) => Redirections>([
  ['<', (path) => ({ input: { path } })],
  ['>', (path) => ({ output: { path, append: false } })],
  ['>>', (path) => ({ output: { path, append: true } })],
  ['2>', (path) => ({ errors: { path, append: false } })],
  ['2>>', (path) => ({ errors: { path, append: true } })],
  ['&>', (path) => ({ output: { path, append: false }, errors: 'output' })],
]);
/** Operators that join one stream to the other. */
const JOINS = new Map<string, { readonly errors?: Target; readonly output?: Target }>([
  ['2>&1', { errors: 'output' }],
  ['>&2', { output: 'errors' }],
  ['1>&2', { output: 'errors' }],
]);
const BEHIND_COMMANDS = ['then', 'elif', 'else', 'fi', 'do', 'done', 'esac', '}'];

/**
 * Reads a command line as a shell does: words with quotes, variables and `$(…)`, redirections, here-documents, pipes, `;`, `&`, `&&`,
 * `||`, `for`, `while`, `until`, `if`, `case`, groups, functions, and several lines.
 *
 * Returns the complaint of bash when it is none: an open quote, or an operator without a command.
 */
export function parseCommandLine(line: string): Script | string {
  try {
    return parse(line);
  } catch (error) {
    if (error instanceof SyntaxComplaint) return error.message;
    throw error;
  }
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
class Parser {
  readonly #line: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(line: string, tokens: readonly Token[]) {
    this.#line = line;
    this.#tokens = tokens;
  }

  script(): Script {
    const statements = this.#statements(() => false);
    if (this.#peek !== undefined) throw this.#unexpected();
    return statements;
  }

  get #peek(): Token | undefined {
    return this.#tokens[this.#next];
  }

  #unexpected(): SyntaxComplaint {
    const token = this.#peek;
    if (token === undefined) return new SyntaxComplaint('syntax error: unexpected end of file', true);
    return new SyntaxComplaint(`syntax error near unexpected token \`${token.text === '\n' ? 'newline' : token.text}'`);
  }

  #isOperator(...texts: readonly string[]): boolean {
    const token = this.#peek;
    return token?.kind === 'operator' && texts.includes(token.text);
  }

  /** A word that is reserved where a command could begin. */
  #isReserved(...words: readonly string[]): boolean {
    const token = this.#peek;
    return token?.kind === 'word' && words.includes(token.text);
  }

  /** Goes on if the next token is that one. */
  #take(text: string): boolean {
    if (!this.#isOperator(text) && !this.#isReserved(text)) return false;
    this.#next += 1;
    return true;
  }

  #need(text: string): void {
    if (!this.#take(text)) throw this.#unexpected();
  }

  #skipLines(): void {
    while (this.#take('\n'));
  }

  #statements(isEnd: () => boolean): Script {
    const statements: Statement[] = [];
    this.#skipLines();
    while (this.#peek !== undefined && !isEnd()) {
      statements.push(this.#statement());
      this.#skipLines();
    }
    return statements;
  }

  /** Commands up to one of these words, which is left. At least one. */
  #block(...ends: readonly string[]): Script {
    const statements = this.#statements(() => this.#isReserved(...ends) || this.#isOperator(...ends));
    if (statements.length === 0 || this.#peek === undefined) throw this.#unexpected();
    return statements;
  }

  #statement(): Statement {
    const start = this.#peek!.start;
    const pipelines: Pipeline[] = [];
    for (let when: Pipeline['when'] = 'always'; ; ) {
      pipelines.push(this.#pipeline(when));
      if (this.#take('&&')) when = 'success';
      else if (this.#take('||')) when = 'failure';
      else break;
      this.#skipLines();
    }
    const { end } = this.#tokens[this.#next - 1]!;
    if (this.#take('&')) return { pipelines, background: this.#line.slice(start, end) };
    if (!this.#take(';') && this.#peek !== undefined && !this.#isOperator('\n', ')', ';;')) throw this.#unexpected();
    return { pipelines };
  }

  #pipeline(when: Pipeline['when']): Pipeline {
    const isNegated = this.#take('!');
    const commands = [this.#command()];
    while (this.#take('|')) {
      this.#skipLines();
      commands.push(this.#command());
    }
    return { commands, isNegated, when };
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
      if (this.#peek?.kind !== 'word') throw this.#unexpected();
    }
    const name = this.#peek!.text;
    if (!/^[A-Za-z_][\w.-]*$/.test(name)) throw new SyntaxComplaint(`\`${name}': not a valid identifier`);
    this.#next += 1;
    if (this.#take('(')) this.#need(')');
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
    if (this.#take('for')) return this.#for();
    if (this.#isReserved('while', 'until')) {
      const isUntil = this.#take('until') || !this.#take('while');
      const condition = this.#block('do');
      return { kind: 'while', isUntil, condition, body: this.#doneBlock() };
    }
    if (this.#take('if')) return this.#if();
    if (this.#take('case')) return this.#case();
    if (this.#take('(')) {
      const body = this.#block(')');
      this.#need(')');
      return { kind: 'group', isSubshell: true, body };
    }
    if (this.#take('{')) {
      const body = this.#block('}');
      this.#need('}');
      return { kind: 'group', isSubshell: false, body };
    }
    return undefined;
  }

  #for(): CompoundCommand {
    const name = this.#peek;
    if (name === undefined || name.kind !== 'word') throw this.#unexpected();
    if (!/^[A-Za-z_]\w*$/.test(name.text)) throw new SyntaxComplaint(`\`${name.text}': not a valid identifier`);
    this.#next += 1;
    const words: Word[] = [];
    if (this.#take('in')) {
      for (; this.#peek?.kind === 'word'; this.#next += 1) words.push(this.#peek.word);
    }
    if (!this.#take(';') && !this.#isOperator('\n') && !this.#isReserved('do')) throw this.#unexpected();
    this.#skipLines();
    return { kind: 'for', name: name.text, words, body: this.#doneBlock() };
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
    } while (this.#take('elif'));
    const otherwise = this.#take('else') ? { otherwise: this.#block('fi') } : {};
    this.#need('fi');
    return { kind: 'if', branches, ...otherwise };
  }

  #case(): CompoundCommand {
    const subject = this.#peek;
    if (subject?.kind !== 'word') throw this.#unexpected();
    this.#next += 1;
    this.#skipLines();
    this.#need('in');
    this.#skipLines();
    const choices = [];
    while (!this.#take('esac')) {
      this.#take('(');
      const patterns: Word[] = [];
      do {
        if (this.#peek?.kind !== 'word') throw this.#unexpected();
        patterns.push(this.#peek.word);
        this.#next += 1;
      } while (this.#take('|'));
      this.#need(')');
      const body = this.#statements(() => this.#isReserved('esac') || this.#isOperator(';;'));
      choices.push({ patterns, body });
      if (!this.#take(';;') && !this.#isReserved('esac')) throw this.#unexpected();
      this.#skipLines();
    }
    return { kind: 'case', subject: subject.word, choices };
  }

  #simple(): SimpleCommand {
    const assignments: { name: string; value: Word }[] = [];
    const words: Word[] = [];
    let redirections: Redirections = {};
    if (this.#isReserved(...BEHIND_COMMANDS)) throw this.#unexpected();
    for (;;) {
      const more = this.#redirection();
      if (more !== undefined) {
        redirections = { ...redirections, ...more };
        continue;
      }
      const token = this.#peek;
      if (token?.kind !== 'word') break;
      this.#next += 1;
      const [begin, name] = (words.length === 0 && ASSIGNMENT.exec(token.text)) || [];
      if (begin === undefined) words.push(token.word);
      else assignments.push({ name: name!, value: withoutBeginning(token.word, begin) });
    }
    const isEmpty = words.length === 0 && assignments.length === 0 && Object.keys(redirections).length === 0;
    if (isEmpty) throw this.#unexpected();
    return { kind: 'simple', assignments, words, ...redirections };
  }

  #redirection(): Redirections | undefined {
    const operator = this.#peek;
    if (operator?.kind !== 'operator') return undefined;
    const join = JOINS.get(operator.text);
    const redirect = REDIRECTIONS.get(operator.text);
    if (join === undefined && redirect === undefined && operator.text !== '<<') return undefined;
    this.#next += 1;
    if (join !== undefined) return join;
    const operand = this.#peek;
    if (operand === undefined) throw new SyntaxComplaint("syntax error near unexpected token `newline'");
    if (operand.kind === 'operator') throw this.#unexpected();
    this.#next += 1;
    return redirect === undefined ? { input: { text: operand.word } } : redirect(operand.word);
  }
}

/** What is assigned: the word behind `NAME=`. */
function withoutBeginning(word: Word, begin: string): Word {
  const [first, ...rest] = word;
  return first?.kind === 'text' ? [{ ...first, text: first.text.slice(begin.length) }, ...rest] : word;
}
