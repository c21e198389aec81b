import { type FileInfo, isErrno, type Os, type Program, strerror, type Task } from '@quorate/kernel';
import { wildcard } from '@quorate/node';

/** A file that is looked at. */
interface Found {
  readonly path: string;
  readonly name: string;
  readonly info: FileInfo;
}

/** Whether an expression holds for a file; it may do something. */
type Test = (found: Found) => Task<boolean>;

interface Expression {
  readonly test: Test;
  /** It prints or runs something: else what it holds for is printed. */
  readonly isActing: boolean;
  readonly least: number;
  readonly most: number;
}

class FindComplaint extends Error {}

/**
 * `find [PATH…] [-name PATTERN] [-iname PATTERN] [-type f|d|l] [-size N[ckMG]] [-newer FILE] [-mmin N] [-mtime N] [-empty] [-maxdepth N]
 * [-mindepth N] [!] [-o] [-print] [-exec COMMAND {} \;]`, in the order of the file system.
 */
export const find: Program = function* (argv, os) {
  const words = argv.slice(1);
  const begin = words.findIndex((word) => word.startsWith('-') || word === '!' || word === '(');
  const paths = begin < 0 ? words : words.slice(0, begin);
  try {
    const expression = yield* new Reader(os, begin < 0 ? [] : words.slice(begin)).expression();
    let status = 0;
    for (const path of paths.length === 0 ? ['.'] : paths) status |= yield* walk(os, path, 0, expression);
    return status;
  } catch (error) {
    if (!(error instanceof FindComplaint)) throw error;
    os.printError(`find: ${error.message}\n`);
    return 1;
  }
};

function* walk(os: Os, path: string, depth: number, expression: Expression): Task<number> {
  const info = yield* os.stat(path);
  if (isErrno(info)) {
    // One that is removed meanwhile is left out.
    if (depth > 0) return 0;
    os.printError(`find: \`${path}': ${strerror(info)}\n`);
    return 1;
  }
  const name = path.replace(/(.)\/+$/, '$1').replace(/^.*\/(?=.)/, '');
  if (depth >= expression.least) {
    const holds = yield* expression.test({ path, name, info });
    if (holds && !expression.isActing) os.print(`${path}\n`);
  }
  if (info.type !== 'directory' || depth >= expression.most) return 0;
  const names = yield* os.list(path);
  if (isErrno(names)) {
    os.printError(`find: \`${path}': ${strerror(names)}\n`);
    return 1;
  }
  let status = 0;
  for (const each of names) status |= yield* walk(os, `${path.replace(/\/$/, '')}/${each}`, depth + 1, expression);
  return status;
}

const TYPES: Readonly<Record<string, FileInfo['type']>> = { f: 'file', d: 'directory', l: 'symlink' };
const UNITS: Readonly<Record<string, number>> = { c: 1, b: 512, '': 512, k: 1024, M: 1 << 20, G: 2 ** 30 };

/** Recursive descent over the words of an expression. */
class Reader {
  readonly #os: Os;
  readonly #words: readonly string[];
  #next = 0;
  #isActing = false;
  #least = 0;
  #most = Number.POSITIVE_INFINITY;

  constructor(os: Os, words: readonly string[]) {
    this.#os = os;
    this.#words = words;
  }

  *expression(): Task<Expression> {
    const test = this.#words.length === 0 ? always : yield* this.#either();
    const left = this.#words[this.#next];
    if (left !== undefined) throw new FindComplaint(`${left}: unexpected`);
    return { test, isActing: this.#isActing, least: this.#least, most: this.#most };
  }

  *#either(): Task<Test> {
    const left = yield* this.#all();
    if (!this.#take('-o') && !this.#take('-or')) return left;
    const right = yield* this.#either();
    return function* (found) {
      return (yield* left(found)) || (yield* right(found));
    };
  }

  *#all(): Task<Test> {
    const tests: Test[] = [];
    while (this.#next < this.#words.length && !['-o', '-or', ')'].includes(this.#words[this.#next]!)) {
      tests.push(yield* this.#one());
      while (this.#take('-a') || this.#take('-and'));
    }
    return function* (found) {
      for (const test of tests) if (!(yield* test(found))) return false;
      return true;
    };
  }

  *#one(): Task<Test> {
    if (this.#take('!') || this.#take('-not')) {
      const inner = yield* this.#one();
      return function* (found) {
        return !(yield* inner(found));
      };
    }
    if (this.#take('(')) {
      const inner = yield* this.#either();
      if (!this.#take(')')) throw new FindComplaint("invalid expression; expected to find a ')' but did not see one");
      return inner;
    }
    return yield* this.#predicate(this.#words[this.#next++]!);
  }

  *#predicate(name: string): Task<Test> {
    switch (name) {
      case '-name':
      case '-iname': {
        const pattern = wildcard(this.#operand(name));
        const wanted = name === '-name' ? pattern : new RegExp(pattern.source, 'is');
        return plain((found) => wanted.test(found.name));
      }
      case '-type': {
        const type = TYPES[this.#operand(name)];
        if (type === undefined) throw new FindComplaint('Unknown argument to -type: expected f, d or l');
        return plain(({ info }) => info.type === type);
      }
      case '-size':
        return this.#size();
      case '-newer': {
        const other = this.#operand(name);
        const info = yield* this.#os.stat(other);
        if (isErrno(info)) throw new FindComplaint(`\`${other}': ${strerror(info)}`);
        return plain((found) => found.info.modifiedAt > info.modifiedAt);
      }
      case '-mmin':
      case '-mtime': {
        const [compare, unit] = [this.#comparison(name), name === '-mmin' ? 60 : 86_400];
        const age = ({ info }: Found): number => (this.#os.wall().sec - info.modifiedAt) / unit;
        return plain((found) => compare(name === '-mmin' ? Math.ceil(age(found)) : Math.floor(age(found))));
      }
      case '-empty':
        return this.#empty();
      case '-maxdepth':
        this.#most = this.#depth(name);
        return always;
      case '-mindepth':
        this.#least = this.#depth(name);
        return always;
      case '-print':
        this.#isActing = true;
        return plain(({ path }) => {
          this.#os.print(`${path}\n`);
          return true;
        });
      case '-exec':
        return this.#exec();
      default:
        throw new FindComplaint(`unknown predicate \`${name}'`);
    }
  }

  #take(word: string): boolean {
    if (this.#words[this.#next] !== word) return false;
    this.#next += 1;
    return true;
  }

  #operand(predicate: string): string {
    const word = this.#words[this.#next++];
    if (word === undefined) throw new FindComplaint(`missing argument to \`${predicate}'`);
    return word;
  }

  #depth(predicate: string): number {
    const word = this.#operand(predicate);
    if (/^\d+$/.test(word)) return Number(word);
    throw new FindComplaint(`Expected a positive decimal integer argument to ${predicate}, but got \`${word}'`);
  }

  /** `+N` more, `-N` less, `N` exactly. */
  #comparison(predicate: string): (value: number) => boolean {
    const word = this.#operand(predicate);
    const [, sign, digits] = /^([-+]?)(\d+)$/.exec(word) ?? [];
    if (digits === undefined) throw new FindComplaint(`invalid argument \`${word}' to \`${predicate}'`);
    return compared(sign!, Number(digits));
  }

  /** In units that are begun. */
  #size(): Test {
    const word = this.#operand('-size');
    const [, sign, digits, unit] = /^([-+]?)(\d+)([cbkMG]?)$/.exec(word) ?? [];
    if (digits === undefined) throw new FindComplaint(`Invalid argument \`${word}' to -size`);
    const compare = compared(sign!, Number(digits));
    return plain(({ info }) => compare(Math.ceil(info.size / UNITS[unit!]!)));
  }

  #empty(): Test {
    const os = this.#os;
    return function* ({ path, info }) {
      if (info.type !== 'directory') return info.type === 'file' && info.size === 0;
      const names = yield* os.list(path);
      return !isErrno(names) && names.length === 0;
    };
  }

  #exec(): Test {
    const os = this.#os;
    const end = this.#words.indexOf(';', this.#next);
    if (end <= this.#next) throw new FindComplaint("missing argument to `-exec'");
    const command = this.#words.slice(this.#next, end);
    this.#next = end + 1;
    this.#isActing = true;
    return function* ({ path }) {
      const { status, output, errors } = yield* os.run(command.map((word) => word.replaceAll('{}', path)));
      os.print(output);
      os.printError(errors);
      return status === 0;
    };
  }
}

function compared(sign: string, wanted: number): (value: number) => boolean {
  if (sign === '+') return (value) => value > wanted;
  return sign === '-' ? (value) => value < wanted : (value) => value === wanted;
}

function plain(test: (found: Found) => boolean): Test {
  return function* (found) {
    return test(found);
  };
}

const always: Test = plain(() => true);
