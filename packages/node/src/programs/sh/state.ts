import type { Os } from '@quorate/kernel';

/** The three streams of a command. */
export interface Streams {
  /** All of standard input. */
  readonly input: string;
  print(text: string): void;
  printError(text: string): void;
}

/** What a shell keeps from one line to the next, beside its directory. */
export class ShellState {
  readonly variables: Map<string, string>;
  /** Names of those that its commands get. */
  readonly exported: Set<string>;
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
  /** What is left undone: all of it, or the loop or the turn that it is in. */
  leaving: 'shell' | 'loop' | 'turn' | undefined;
  /** The value of a variable; empty when it has none. */
  variable(name: string): string;
}
