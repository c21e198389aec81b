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
    const state = this.#state;
    return function* (this: LoginShell, _argv: readonly string[], os: Os): Task<number> {
      const shell = new Shell(os, state);
      const status = yield* runLine(shell, os, line);
      state.status = status;
      this.#directory = os.directory;
      if (shell.leaving === 'shell') this.#logOut();
      return status;
    }.bind(this);
  }

  #logOut(): void {
    this.#state = new ShellState({});
    this.#directory = HOME;
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
