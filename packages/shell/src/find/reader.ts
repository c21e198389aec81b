import type { Os, Task } from '@quorate/kernel';
import { FindComplaint, type PredicateReader, plain, type Search, type Test } from './expression.js';
import { predicate } from './predicates.js';

/** @throws FindComplaint for words that are no expression. */
export function* readExpression(os: Os, words: readonly string[]): Task<Search> {
  return yield* new Reader(os, words).read();
}

const OR = ['-o', '-or'];
const AND = ['-a', '-and'];
/** They count for the whole expression, wherever they stand. */
const GLOBAL = ['-maxdepth', '-mindepth', '-depth', '-xdev', '-mount'];

/** Recursive descent over the words of an expression: `,` binds least, then `-o`, `-a` and `!`. */
class Reader implements PredicateReader {
  readonly os: Os;
  readonly search: Search;
  readonly #words: readonly string[];
  #next = 0;
  /** The first test that was read. */
  #firstTest: string | undefined;

  constructor(os: Os, words: readonly string[]) {
    this.os = os;
    this.#words = words;
    this.search = {
      test: plain(() => true),
      isActing: false,
      least: 0,
      most: Number.POSITIVE_INFINITY,
      isDepthFirst: false,
      isPruned: false,
      hasQuit: false,
      status: 0,
      atEnd: [],
    };
  }

  *read(): Task<Search> {
    if (this.#words.length === 0) return this.search;
    const test = yield* this.#list();
    const left = this.#words[this.#next];
    if (left === ')') throw new FindComplaint("invalid expression; you have too many ')'");
    return Object.assign(this.search, { test });
  }

  operand(name: string): string {
    const word = this.#words[this.#next++];
    if (word === undefined) throw new FindComplaint(`missing argument to \`${name}'`);
    return word;
  }

  command(name: string): { readonly words: readonly string[]; readonly isOfAll: boolean } {
    const words: string[] = [];
    for (let word = this.operand(name); word !== ';'; word = this.operand(name)) {
      if (word === '+' && words.at(-1) === '{}') return { words, isOfAll: true };
      words.push(word);
    }
    if (words.length === 0) throw new FindComplaint(`missing argument to \`${name}'`);
    return { words, isOfAll: false };
  }

  get #peek(): string | undefined {
    return this.#words[this.#next];
  }

  #take(...words: readonly string[]): boolean {
    if (this.#peek === undefined || !words.includes(this.#peek)) return false;
    this.#next += 1;
    return true;
  }

  *#list(): Task<Test> {
    let left = yield* this.#either();
    while (this.#take(',')) {
      const [first, second] = [left, yield* this.#either()];
      left = function* (found) {
        yield* first(found);
        return yield* second(found);
      };
    }
    return left;
  }

  *#either(): Task<Test> {
    const left = yield* this.#all();
    const operator = this.#peek;
    if (!this.#take(...OR)) return left;
    if (this.#peek === undefined) throw new FindComplaint(`expected an expression after \`${operator}'`);
    const right = yield* this.#either();
    return function* (found) {
      return (yield* left(found)) || (yield* right(found));
    };
  }

  *#all(): Task<Test> {
    const tests: Test[] = [yield* this.#one()];
    for (;;) {
      const operator = this.#peek;
      const isJoined = this.#take(...AND);
      if (isJoined && this.#peek === undefined) {
        throw new FindComplaint(`expected an expression after \`${operator}'`);
      }
      if (!isJoined && (this.#peek === undefined || [...OR, ')', ','].includes(this.#peek))) break;
      tests.push(yield* this.#one());
    }
    return function* (found) {
      for (const test of tests) if (!(yield* test(found))) return false;
      return true;
    };
  }

  *#one(): Task<Test> {
    const word = this.#peek;
    if (this.#take('!', '-not')) {
      if (this.#peek === undefined) throw new FindComplaint(`expected an expression after \`${word}'`);
      const inner = yield* this.#one();
      return function* (found) {
        return !(yield* inner(found));
      };
    }
    if (this.#take('(')) return yield* this.#group();
    if (word !== undefined && [...OR, ...AND, ','].includes(word)) {
      throw new FindComplaint(`invalid expression; you have used a binary operator '${word}' with nothing before it.`);
    }
    return yield* this.#predicate();
  }

  *#group(): Task<Test> {
    if (this.#take(')')) throw new FindComplaint('invalid expression; empty parentheses are not allowed.');
    const none = "invalid expression; I was expecting to find a ')' somewhere but did not see one.";
    if (this.#peek === undefined) throw new FindComplaint(none);
    const inner = yield* this.#list();
    if (!this.#take(')')) throw new FindComplaint(none);
    return inner;
  }

  *#predicate(): Task<Test> {
    const name = this.#words[this.#next++]!;
    if (!name.startsWith('-')) {
      throw new FindComplaint(
        `paths must precede expression: ${name}\nUsage: find [-H] [-L] [-P] [-Olevel] [-D help|tree|search|stat|rates|opt|exec] [path...] [expression]`,
      );
    }
    if (GLOBAL.includes(name) && this.#firstTest !== undefined) this.#warn(name);
    const test = yield* predicate(name, this);
    if (test === undefined) throw new FindComplaint(`unknown predicate \`${name}'`);
    if (!GLOBAL.includes(name)) this.#firstTest ??= name;
    return test;
  }

  #warn(name: string): void {
    this.os.printError(
      `find: warning: you have specified the ${name} option after a non-option argument ${this.#firstTest}, but options are not positional (${name} affects tests specified before it as well as those specified after it).  Please specify options before other arguments.\n\n`,
    );
  }
}
