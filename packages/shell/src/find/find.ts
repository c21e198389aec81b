import { isErrno, type Os, type Program, strerror, type Task } from '@quorate/kernel';
import { FindComplaint, type Found, type Search } from './expression.js';
import { readExpression } from './reader.js';

/** `find [PATH…] [EXPRESSION]`, in the order of the file system; symbolic links are not followed. */
export const find: Program = function* (argv, os) {
  const words = argv.slice(1).filter((word) => !/^-[HLP]$/.test(word));
  const begin = words.findIndex((word) => /^-.|^[!(),]$/.test(word));
  const paths = begin < 0 ? words : words.slice(0, begin);
  try {
    const search = yield* readExpression(os, begin < 0 ? [] : words.slice(begin));
    for (const path of paths.length === 0 ? ['.'] : paths) yield* new Walk(os, search).from(path);
    for (const act of search.atEnd) yield* act();
    return search.status;
  } catch (error) {
    if (!(error instanceof FindComplaint)) throw error;
    os.printError(`find: ${error.message}\n`);
    return 1;
  }
};

/** Looks at a path and at all below it. */
class Walk {
  readonly #os: Os;
  readonly #search: Search;

  constructor(os: Os, search: Search) {
    this.#os = os;
    this.#search = search;
  }

  *from(path: string, depth = 0): Task {
    const search = this.#search;
    if (search.hasQuit) return;
    const info = yield* this.#os.stat(path, false);
    if (isErrno(info)) {
      // One that is removed meanwhile is left out.
      if (depth === 0) this.#complain(path, strerror(info));
      return;
    }
    const name = path.replace(/(.)\/+$/, '$1').replace(/^.*\/(?=.)/, '');
    const found = { path, name, info, depth };
    search.isPruned = false;
    if (!search.isDepthFirst) yield* this.#look(found);
    const isEntered = info.type === 'directory' && depth < search.most && !(search.isPruned && !search.isDepthFirst);
    if (isEntered) yield* this.#into(path, depth + 1);
    if (search.isDepthFirst) yield* this.#look(found);
  }

  *#into(directory: string, depth: number): Task {
    const names = yield* this.#os.list(directory);
    if (isErrno(names)) return this.#complain(directory, strerror(names));
    for (const name of names) yield* this.from(`${directory.replace(/\/$/, '')}/${name}`, depth);
  }

  *#look(found: Found): Task {
    const search = this.#search;
    if (found.depth < search.least || search.hasQuit) return;
    if ((yield* search.test(found)) && !search.isActing) this.#os.print(`${found.path}\n`);
  }

  #complain(path: string, reason: string): void {
    this.#os.printError(`find: \`${path}': ${reason}\n`);
    this.#search.status = 1;
  }
}
