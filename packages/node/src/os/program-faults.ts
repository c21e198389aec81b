import { type Nanos, type Program, sleep } from '@quorate/kernel';
import { baseName } from './files.js';

/** What is wrong with a program on one machine: a fence agent whose switch does not answer, a server that is ill. */
export interface ProgramFault {
  /** Its name without a path: `fence_scsi`, `apache.sh`. */
  readonly program: string;
  /** Only runs with this word among their arguments, or in what they read: `status`, `action=off`. Absent: every run. */
  readonly argument?: string;
  /** How many of its runs go wrong. */
  readonly runs: number;
  /** What such a run takes longer. */
  readonly delay: Nanos;
  /** What it then ends with, having done nothing; absent: it runs as ever. */
  readonly status?: number;
}

/** The faults of the programs of one machine, and how many runs each of them still has. */
export class ProgramFaults {
  readonly #left = new Map<ProgramFault, number>();

  /** Faults of the program that it names are dropped first; with no runs it has none any more. */
  set(fault: ProgramFault): void {
    for (const other of [...this.#left.keys()]) if (other.program === fault.program) this.#left.delete(other);
    if (fault.runs > 0) this.#left.set(fault, fault.runs);
  }

  /** The program as it is now, for one run of it. */
  applied(program: Program, argv: readonly string[], input: string): Program {
    if (this.#left.size === 0) return program;
    const fault = this.#take(argv, input);
    if (fault === undefined) return program;
    return function* (words, os) {
      yield* sleep(fault.delay);
      return fault.status ?? (yield* program(words, os));
    };
  }

  #take(argv: readonly string[], input: string): ProgramFault | undefined {
    const name = baseName(argv[0] ?? '');
    for (const [fault, left] of this.#left) {
      const { program, argument } = fault;
      if (program !== name) continue;
      if (argument !== undefined && !argv.includes(argument) && !input.split('\n').includes(argument)) continue;
      if (left > 1) this.#left.set(fault, left - 1);
      else this.#left.delete(fault);
      return fault;
    }
    return undefined;
  }
}
