import type { Os, Task } from '@quorate/kernel';
import type { CompoundCommand } from './script.js';
import { type Hidden, Variables } from './variables.js';

/** What comes in, as far as nobody has read it. */
export interface Input {
  rest: string;
}

/** The three streams of a command. */
export interface Streams {
  /** `read` takes a line of it; a program gets all that is left, and leaves it. */
  readonly input: Input;
  print(text: string): void;
  printError(text: string): void;
}

/** What `set` turns on and off, by its letter and its name. */
export const OPTIONS: ReadonlyMap<string, string> = new Map([
  ['e', 'errexit'],
  ['f', 'noglob'],
  ['n', 'noexec'],
  ['u', 'nounset'],
  ['v', 'verbose'],
  ['x', 'xtrace'],
]);

/** What a shell keeps from one line to the next, beside its directory. */
export class ShellState {
  readonly variables: Variables;
  /** Names of those that its commands get. */
  readonly exported: Set<string>;
  readonly functions: Map<string, CompoundCommand> = new Map();
  /** Names of options that are on. */
  readonly options: Set<string> = new Set();
  /** What is done at a signal, or at the `EXIT`. */
  readonly traps: Map<string, string> = new Map();
  /** `$0`. */
  name: string = '-bash';
  /** `$1`, `$2` and so on. */
  positional: readonly string[] = [];
  /** For each function that runs, what its local variables hide. */
  readonly hidden: Map<string, Hidden>[] = [];
  /** Where `getopts` is in its word. */
  optionPlace: number = 1;
  /** Of the last command. */
  status: number = 0;
  /** How many commands it did not wait for. */
  jobs: number = 0;
  /** `$!`: the last of them. */
  lastJob: number | undefined;
  /** Of the last pipe's commands: `${PIPESTATUS[@]}`. */
  pipeStatus: readonly number[] = [];

  constructor(variables: Variables, exported: Iterable<string>) {
    this.variables = variables;
    this.exported = new Set(exported);
  }

  /** A shell that begins with what its process got. */
  static of(environment: Readonly<Record<string, string>>): ShellState {
    const variables = new Variables();
    for (const [name, value] of Object.entries(environment)) variables.set(name, value);
    return new ShellState(variables, Object.keys(environment));
  }

  copy(): ShellState {
    const copy = new ShellState(this.variables.copy(), this.exported);
    for (const [name, body] of this.functions) copy.functions.set(name, body);
    for (const option of this.options) copy.options.add(option);
    for (const each of this.hidden) copy.hidden.push(new Map(each));
    copy.name = this.name;
    copy.positional = this.positional;
    copy.status = this.status;
    copy.lastJob = this.lastJob;
    return copy;
  }

  environment(): Readonly<Record<string, string>> {
    const pairs: [string, string][] = [];
    for (const name of this.exported) {
      const value = this.variables.get(name);
      if (value !== undefined) pairs.push([name, value]);
    }
    return Object.fromEntries(pairs);
  }
}

/** A shell, as the commands see it that change it. */
export interface RunningShell {
  readonly os: Os;
  readonly state: ShellState;
  /** What is left undone: all of it, or the function, the loop or the turn that it is in. */
  leaving: 'shell' | 'function' | 'loop' | 'turn' | undefined;
  /** How many more loops are left by `break` and `continue`. */
  loopsLeft: number;
  /** The value of a variable; empty when it has none. */
  variable(name: string): string;
  /** Gives a value to a variable, or to an element of an array. */
  assign(name: string, value: string, subscript?: string): void;
  /** Gives an array all of its elements. */
  assignAll(name: string, elements: readonly string[]): void;
  /** The value of an arithmetic expression. */
  valueOf(expression: string): string;
  /** A file is being read by `source`. */
  readonly isSourcing: boolean;
  /** What complaints begin with: the shell's name, or file and line. */
  readonly prefix: string;
  /** Does what a file says. */
  source(text: string, name: string, streams: Streams): Task<number>;
  /** Does what a text says here and now. */
  evaluate(text: string, streams: Streams): Task<number>;
  /** What `trap … EXIT` has for the end. */
  end(streams: Streams): Task;
  /** Whether the shell does that command itself. */
  isBuiltin(name: string): boolean;
  /** Where a program is; undefined when there is none of that name. */
  pathOf(name: string): Task<string | undefined>;
  /** Runs a command whose words are ready, but no function. */
  command(words: readonly string[], streams: Streams): Task<number>;
}

/** A command that the shell does itself, as it changes the shell, or needs no process. */
export type Builtin = (argv: readonly string[], shell: RunningShell, streams: Streams) => Task<number>;
