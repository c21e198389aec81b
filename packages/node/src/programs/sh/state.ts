import type { Os, Task } from '@quorate/kernel';
import type { CompoundCommand } from './script.js';

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

/** What a shell keeps from one line to the next, beside its directory. */
export class ShellState {
  readonly variables: Map<string, string>;
  /** Names of those that its commands get. */
  readonly exported: Set<string>;
  readonly functions: Map<string, CompoundCommand> = new Map();
  /** `$0`. */
  name: string = '-bash';
  /** `$1`, `$2` and so on. */
  positional: readonly string[] = [];
  /** For each function that runs, what its local variables hide; undefined where there was nothing. */
  readonly hidden: Map<string, string | undefined>[] = [];
  /** Of the last command. */
  status: number = 0;
  /** How many commands it did not wait for. */
  jobs: number = 0;

  constructor(environment: Readonly<Record<string, string>>) {
    this.variables = new Map(Object.entries(environment));
    this.exported = new Set(this.variables.keys());
  }

  copy(): ShellState {
    const copy = new ShellState(this.environment());
    for (const [name, value] of this.variables) copy.variables.set(name, value);
    for (const [name, body] of this.functions) copy.functions.set(name, body);
    for (const each of this.hidden) copy.hidden.push(new Map(each));
    copy.name = this.name;
    copy.positional = this.positional;
    copy.status = this.status;
    return copy;
  }

  environment(): Readonly<Record<string, string>> {
    return Object.fromEntries([...this.variables].filter(([name]) => this.exported.has(name)));
  }
}

/** A shell, as the commands see it that change it. */
export interface RunningShell {
  readonly os: Os;
  readonly state: ShellState;
  /** What is left undone: all of it, or the function, the loop or the turn that it is in. */
  leaving: 'shell' | 'function' | 'loop' | 'turn' | undefined;
  /** The value of a variable; empty when it has none. */
  variable(name: string): string;
  /** A file is being read by `source`. */
  readonly isSourcing: boolean;
  /** Does what a file says. */
  source(text: string, streams: Streams): Task<number>;
}

/** A command that the shell does itself, as it changes the shell, or needs no process. */
export type Builtin = (argv: readonly string[], shell: RunningShell, streams: Streams) => Task<number>;
