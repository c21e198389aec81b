import { isErrno, type Os, type Program, strerror, type Task, utf8Text } from '@quorate/kernel';
import { Shell } from './shell.js';
import { OPTIONS, ShellState, type Streams } from './state.js';

const HOME = '/root';

/** `sh [-efux] -c 'COMMAND LINE' [NAME [ARGUMENT…]]`, `sh [-efux] FILE [ARGUMENT…]`, and what comes in without either; also `bash`. */
export const sh: Program = function* (argv, os) {
  const [name = 'sh', ...words] = argv;
  const state = ShellState.of(os.environment);
  let isLine = false;
  while (/^-[a-z]+$/.test(words[0] ?? '')) {
    for (const letter of words.shift()!.slice(1)) {
      const option = OPTIONS.get(letter);
      if (letter === 'c') isLine = true;
      else if (option !== undefined) state.options.add(option);
    }
  }
  const [given, ...rest] = words;
  if (isLine && given === undefined) {
    os.printError(`${name}: -c: option requires an argument\n`);
    return 2;
  }
  const bytes = isLine || given === undefined ? undefined : yield* os.readFile(given);
  if (isErrno(bytes)) {
    os.printError(`${name}: ${given}: ${strerror(bytes)}\n`);
    return 127;
  }
  state.name = isLine ? (rest.shift() ?? name) : (given ?? name);
  state.positional = rest;
  const shell = new Shell(os, state, bytes === undefined ? undefined : given);
  const streams = streamsOf(os, given === undefined ? '' : os.input);
  yield* shell.runText(bytes === undefined ? (given ?? os.input) : utf8Text(bytes), streams);
  yield* shell.end(streams);
  return state.status;
};

/** Who is logged in at a machine: directory, variables and the last status stay from one line to the next, until `exit`. */
export class LoginShell {
  #state = ShellState.of({});
  #directory = HOME;

  /** Where a program of `run` is to be started. */
  get directory(): string {
    return this.#directory;
  }

  /** A program that does what a line says. */
  run(line: string): Program {
    return (_argv, os) => this.#run(os, line);
  }

  *#run(os: Os, line: string): Task<number> {
    const state = this.#state;
    const shell = new Shell(os, state);
    const streams = streamsOf(os, os.input);
    state.status = yield* shell.runText(line, streams);
    const hasLeft = shell.leaving === 'shell';
    if (hasLeft) yield* shell.end(streams);
    if (hasLeft) this.#state = ShellState.of({});
    this.#directory = hasLeft ? HOME : os.directory;
    return state.status;
  }
}

function streamsOf(os: Os, input: string): Streams {
  return {
    input: { rest: input },
    print: (text) => os.print(text),
    printError: (text) => os.printError(text),
  };
}
