import { isErrno, type Os, type Program, strerror, type Task, utf8Text } from '@quorate/kernel';
import { parseOptions, posixRegExp, type ShortOptions, wildcard } from '@quorate/node';
import { linesOf } from './read-all.js';

const LONG: Readonly<Record<string, string>> = {
  count: 'c',
  'extended-regexp': 'E',
  'files-with-matches': 'l',
  'files-without-match': 'L',
  'fixed-strings': 'F',
  'ignore-case': 'i',
  'invert-match': 'v',
  'line-number': 'n',
  'line-regexp': 'x',
  'no-filename': 'h',
  'no-messages': 's',
  'only-matching': 'o',
  quiet: 'q',
  recursive: 'r',
  silent: 'q',
  'with-filename': 'H',
  'word-regexp': 'w',
};

/** `grep [-EFGHhiclLnoqrsvwx] [-m N] [-A N] [-B N] [-C N] [-e PATTERN]… [-f FILE] [--include=GLOB] PATTERN [FILE…]`. */
export const grep: Program = function* (argv, os) {
  const includes: RegExp[] = [];
  const words = argv.slice(1).flatMap((word) => {
    const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/s.exec(word) ?? [];
    if (name === undefined) return [word.replace(/^-(\d+)$/, '-C$1')];
    if (name === 'include') includes.push(wildcard(value ?? ''));
    return name === 'include' || name.startsWith('color') ? [] : [`-${LONG[name] ?? name}`];
  });
  const options = parseOptions(words, { flags: 'EFGHhiyclLnoqrRsvwx', values: 'efmABC' });
  const { flags, all, error } = options;
  const operands = [...options.operands];
  const patterns = [...all('e')];
  for (const path of all('f')) {
    const bytes = yield* os.readFile(path);
    if (isErrno(bytes)) return complain(os, `${path}: ${strerror(bytes)}`);
    patterns.push(...linesOf(utf8Text(bytes)));
  }
  if (patterns.length === 0 && all('f').length === 0 && operands.length > 0) patterns.push(operands.shift()!);
  if (error !== undefined || (patterns.length === 0 && all('f').length === 0)) {
    if (error !== undefined) os.printError(`grep: ${error}\n`);
    os.printError("Usage: grep [OPTION]... PATTERN [FILE]...\nTry `grep --help' for more information.\n");
    return 2;
  }
  const wanted: RegExp[] = [];
  for (const text of patterns.flatMap((each) => each.split('\n'))) {
    const expression = expressionOf(text, flags);
    if (expression === undefined) return complain(os, unmatchedIn(text));
    wanted.push(expression);
  }
  const isWhole = flags.has('r') || flags.has('R');
  return yield* new Search(os, options, wanted, operands.length > 1 || isWhole).run(operands, isWhole, includes);
};

function complain(os: Os, reason: string): number {
  os.printError(`grep: ${reason}\n`);
  return 2;
}

function expressionOf(text: string, flags: ReadonlySet<string>): RegExp | undefined {
  const escaped = flags.has('F') ? text.replace(/[\\[\].*^$]/g, '\\$&') : text;
  const kind = flags.has('E') && !flags.has('F') ? 'extended' : 'basic';
  const source = posixRegExp(escaped, kind)?.source;
  if (source === undefined) return undefined;
  const bounded = flags.has('x') ? `^(?:${source})$` : flags.has('w') ? `(?<!\\w)(?:${source})(?!\\w)` : source;
  return new RegExp(bounded, flags.has('i') || flags.has('y') ? 'gi' : 'g');
}

/** What is wrong with an expression: there is no other mistake that grep is likely to be given. */
function unmatchedIn(pattern: string): string {
  if (/\[[^\]]*$/.test(pattern)) return 'Unmatched [ or [^';
  return pattern.includes('(') ? 'Unmatched ( or \\(' : 'Invalid regular expression';
}

/** Looks through one file after the other. */
class Search {
  readonly #os: Os;
  readonly #flags: ReadonlySet<string>;
  readonly #wanted: readonly RegExp[];
  readonly #isNamed: boolean;
  readonly #before: number;
  readonly #after: number;
  readonly #most: number;
  #hasFound = false;
  #hasFailed = false;
  /** Groups of lines were printed: the next one is set apart. */
  #hasGroup = false;

  constructor(os: Os, { flags, number }: ShortOptions, wanted: readonly RegExp[], areSeveral: boolean) {
    this.#os = os;
    this.#flags = flags;
    this.#wanted = wanted;
    this.#isNamed = flags.has('H') || (areSeveral && !flags.has('h'));
    this.#before = number('B', number('C', 0));
    this.#after = number('A', number('C', 0));
    this.#most = number('m', Number.POSITIVE_INFINITY);
  }

  *run(paths: readonly string[], isWhole: boolean, includes: readonly RegExp[]): Task<number> {
    if (paths.length === 0 && isWhole) yield* this.#path('.', true, includes);
    else if (paths.length === 0) this.#text(this.#os.input, '(standard input)');
    for (const path of paths) yield* this.#path(path, isWhole, includes);
    if (this.#hasFound && this.#flags.has('q')) return 0;
    return this.#hasFailed ? 2 : this.#hasFound ? 0 : 1;
  }

  *#path(path: string, isWhole: boolean, includes: readonly RegExp[]): Task {
    if (path === '-') return this.#text(this.#os.input, '(standard input)');
    const info = isWhole ? yield* this.#os.stat(path) : undefined;
    if (info === undefined || isErrno(info) || info.type !== 'directory') {
      const name = path.slice(path.lastIndexOf('/') + 1);
      if (includes.length > 0 && isWhole && !includes.some((pattern) => pattern.test(name))) return;
      const bytes = yield* this.#os.readFile(path);
      return isErrno(bytes) ? this.#complain(path, strerror(bytes)) : this.#text(utf8Text(bytes), path);
    }
    const names = yield* this.#os.list(path);
    if (isErrno(names)) return this.#complain(path, strerror(names));
    for (const name of names) yield* this.#path(`${path.replace(/\/$/, '')}/${name}`, true, includes);
  }

  #complain(path: string, reason: string): void {
    this.#hasFailed = true;
    if (!this.#flags.has('s')) this.#os.printError(`grep: ${path}: ${reason}\n`);
  }

  #text(text: string, path: string): void {
    const flags = this.#flags;
    const lines = linesOf(text);
    const found = lines.flatMap((line, i) => (this.#fits(line) ? [i] : [])).slice(0, this.#most);
    this.#hasFound ||= found.length > 0;
    if (flags.has('q')) return;
    if (flags.has('l') || flags.has('L')) {
      if (found.length > 0 === flags.has('l')) this.#os.print(`${path}\n`);
    } else if (flags.has('c')) this.#os.print(`${this.#isNamed ? `${path}:` : ''}${found.length}\n`);
    else this.#printLines(lines, new Set(found), path);
  }

  #fits(line: string): boolean {
    const isFound = this.#wanted.some((expression) => {
      expression.lastIndex = 0;
      return expression.test(line);
    });
    return isFound !== this.#flags.has('v');
  }

  #printLines(lines: readonly string[], found: ReadonlySet<number>, path: string): void {
    let last = -1;
    for (const at of found) {
      const start = Math.max(last + 1, at - this.#before);
      if ((this.#before > 0 || this.#after > 0) && this.#hasGroup && (last < 0 || start > last + 1)) {
        this.#os.print('--\n');
      }
      this.#hasGroup = true;
      for (let i = start; i < at; i++) this.#printLine(lines[i]!, i, path, '-');
      if (at > last) this.#printLine(lines[at]!, at, path, ':');
      last = Math.max(last, at);
      for (let i = at + 1; i < lines.length && i <= at + this.#after && !found.has(i); i++, last++) {
        this.#printLine(lines[i]!, i, path, '-');
      }
    }
  }

  #printLine(line: string, at: number, path: string, mark: ':' | '-'): void {
    const flags = this.#flags;
    const label = `${this.#isNamed ? path + mark : ''}${flags.has('n') ? at + 1 + mark : ''}`;
    if (!flags.has('o')) this.#os.print(`${label}${line}\n`);
    else if (mark === ':' && !flags.has('v')) {
      for (const part of this.#partsOf(line)) this.#os.print(`${label}${part}\n`);
    }
  }

  /** What was found, from left to right, the longest first. */
  #partsOf(line: string): readonly string[] {
    const parts: string[] = [];
    for (let at = 0; at <= line.length; ) {
      const next = this.#wanted.flatMap((expression) => {
        expression.lastIndex = at;
        const each = expression.exec(line);
        return each === null ? [] : [each];
      });
      next.sort((a, b) => a.index - b.index || b[0].length - a[0].length);
      const [first] = next;
      if (first === undefined) break;
      if (first[0] !== '') parts.push(first[0]);
      at = first.index + Math.max(1, first[0].length);
    }
    return parts;
  }
}
