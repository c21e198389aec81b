import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { oracleEnv } from '../oracle-env.js';

/** A program that talks in lines. */
export class LineProcess {
  readonly lines: string[] = [];
  readonly errors: string[] = [];
  readonly ended: Promise<number | NodeJS.Signals>;
  readonly #child: ChildProcess;
  #hasEnded = false;

  constructor(program: string, args: readonly string[], onLine: (line: string) => void = () => {}) {
    this.#child = spawn(program, args, { env: oracleEnv, stdio: 'pipe' });
    createInterface({ input: this.#child.stdout! }).on('line', (line) => {
      this.lines.push(line);
      onLine(line);
    });
    createInterface({ input: this.#child.stderr! }).on('line', (line) => this.errors.push(line));
    // Whoever writes to a process that has just died is not to blame.
    this.#child.stdin!.on('error', () => {});
    this.ended = once(this.#child, 'exit').then(([code, signal]) => {
      this.#hasEnded = true;
      return code ?? signal;
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  say(line: string): void {
    this.#child.stdin!.write(`${line}\n`);
  }

  /** The exit code, or the signal that ended it. */
  end(signal: NodeJS.Signals): Promise<number | NodeJS.Signals> {
    if (!this.#hasEnded) this.#child.kill(signal);
    return this.ended;
  }
}
