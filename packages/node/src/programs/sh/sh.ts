import { isErrno, type Os, type Program, strerror, type Task, utf8Text } from '@quorate/kernel';
import { parseCommandLine } from './parser.js';
import { Shell } from './shell.js';
import { ShellState } from './state.js';

const HOME = '/root';

/** `sh -c 'COMMAND LINE' [NAME [ARGUMENT…]]` and `sh FILE [ARGUMENT…]`. */
export const sh: Program = function* (argv, os) {
  const words = argv.slice(1);
  const isLine = words[0] === '-c';
  const [given, ...rest] = isLine ? words.slice(1) : words;
  if (given === undefined || (!isLine && given.startsWith('-'))) {
    os.printError('sh: expected -c and a command line, or a file\n');
    return 2;
  }
  const bytes = isLine ? undefined : yield* os.readFile(given);
  if (isErrno(bytes)) {
    os.printError(`sh: ${given}: ${strerror(bytes)}\n`);
    return 127;
  }
  const state = new ShellState(os.environment);
  state.name = isLine ? (rest.shift() ?? 'sh') : given;
  state.positional = rest;
  return yield* runLine(new Shell(os, state), os, bytes === undefined ? given : utf8Text(bytes));
};

/** Who is logged in at a machine: directory, variables and the last status stay from one line to the next, until `exit`. */
export class LoginShell {
  #state = new ShellState({});
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
    state.status = yield* runLine(shell, os, line);
    const hasLeft = shell.leaving === 'shell';
    if (hasLeft) this.#state = new ShellState({});
    this.#directory = hasLeft ? HOME : os.directory;
    return state.status;
  }
}

function* runLine(shell: Shell, os: Os, line: string): Task<number> {
  const script = parseCommandLine(line);
  if (typeof script === 'string') {
    os.printError(`-bash: ${script}\n`);
    return 2;
  }
  return yield* shell.runSafely(script, {
    input: { rest: os.input },
    print: (text) => os.print(text),
    printError: (text) => os.printError(text),
  });
}
