import type { Os, Program, Task } from '@quorate/kernel';
import { parseCommandLine } from './parser.js';
import { Shell } from './shell.js';
import { ShellState } from './state.js';

const HOME = '/root';

/** `sh -c 'command line'`. */
export const sh: Program = function* (argv, os) {
  const at = argv.indexOf('-c');
  const line = argv[at + 1];
  if (at < 0 || line === undefined) {
    os.printError('sh: expected -c and a command line\n');
    return 2;
  }
  const shell = new Shell(os, new ShellState(os.environment));
  return yield* runLine(shell, os, line);
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
  return yield* shell.run(script, {
    input: os.input,
    print: (text) => os.print(text),
    printError: (text) => os.printError(text),
  });
}
