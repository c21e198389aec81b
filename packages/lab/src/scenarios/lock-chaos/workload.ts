import { type Choices, fork, MILLISECOND, SECOND, type Task, type TaskId } from '@quorate/kernel';
import type { Pending } from '../../chaos/pending.js';
import type { Lab } from '../../lab.js';
import { pick, range } from '../../nemesis/draw.js';

/** Lockspaces that the programs may use, by what is special about them; cluster.conf knows of it. */
export const LOCKSPACES = { directory: 'chaos', nodir: 'nodir' } as const;
/** Registers; everybody wants them. */
export const REGISTERS = ['reg1', 'reg2', 'reg3'] as const;
/** Resources that scripts lock. */
const RESOURCES = ['s1', 's2', 's3', 's4'] as const;
/** Those that may be left behind locked. */
const PERSISTENT_RESOURCES = ['p1', 'p2'] as const;

const MODES = ['NL', 'CR', 'CW', 'PR', 'PW', 'EX'] as const;
/** Beside none, which is the most likely. */
const REQUEST_FLAGS = ['VALBLK', 'NOQUEUE', 'NOQUEUE+NOQUEUEBAST', 'HEADQUE', 'NOORDER', 'ALTPR', 'ALTCW'] as const;
const CONVERT_FLAGS = ['VALBLK', 'NOQUEUE', 'QUECVT', 'CONVDEADLK', 'CONVDEADLK+VALBLK', 'IVVALBLK+VALBLK'] as const;

/** Processes at a time that work with registers, and that run scripts, on each machine. */
const REGISTER_WORKERS = 2;
const SCRIPT_WORKERS = 2;

/**
 * Processes on all machines that take locks: operations on registers, and scripts with all modes and most flags, conversions and
 * cancels. Scripts that never cancel have one lock at a time, so that none waits for ever; those that have more, or leave
 * locks behind, lose their patience.
 */
export class LockWorkload {
  readonly #lab: Lab;
  readonly #lockspace: string;
  readonly #isUp: (machine: string) => boolean;
  readonly #pending = new Set<Pending>();
  #lastValue = 0;
  #commands = 0;
  #isCalm = false;
  #isOver = false;

  constructor(lab: Lab, lockspace: string, isUp: (machine: string) => boolean) {
    this.#lab = lab;
    this.#lockspace = lockspace;
    this.#isUp = isUp;
  }

  /** Commands that were run. */
  get commands(): number {
    return this.#commands;
  }

  /** Commands that have not ended. */
  get pending(): readonly Pending[] {
    return [...this.#pending];
  }

  /** Starts everybody; they work until `end`. */
  *start(): Task<readonly TaskId[]> {
    const tasks: TaskId[] = [];
    for (const machine of this.#lab.machines) {
      for (let i = 0; i < REGISTER_WORKERS; i++)
        tasks.push(yield* fork(this.#work(machine, `register/${machine}/${i}`, (draw) => this.#operation(draw))));
      for (let i = 0; i < SCRIPT_WORKERS; i++)
        tasks.push(yield* fork(this.#work(machine, `script/${machine}/${i}`, (draw) => this.#script(draw))));
    }
    return tasks;
  }

  /** From now on little is done. */
  calm(): void {
    this.#isCalm = true;
  }

  /** Nobody begins anything new. */
  end(): void {
    this.#isOver = true;
  }

  /** Runs a command and keeps it among the pending ones meanwhile; its status, undefined if the machine went down. */
  *run(machine: string, command: string): Task<number | undefined> {
    const pending = { machine, command, since: this.#lab.now() };
    this.#pending.add(pending);
    this.#commands += 1;
    const done = yield* this.#lab.exec(machine, command);
    this.#pending.delete(pending);
    return done?.status;
  }

  *#work(machine: string, stream: string, commandOf: (choices: Choices) => string | undefined): Task {
    const choices = this.#lab.choices(`workload/${stream}`);
    for (;;) {
      yield* this.#lab.wait(range(choices, 'wait', 10 * MILLISECOND, this.#isCalm ? 4 * SECOND : SECOND));
      if (this.#isOver) return;
      const command = commandOf(choices);
      if (command !== undefined && this.#isUp(machine)) yield* this.run(machine, command);
    }
  }

  /** What is drawn for nothing is drawn all the same, so that an operation that is left out moves no other. */
  #operation(choices: Choices): string | undefined {
    const kind = choices.choose('operation', 4);
    const name = pick(choices, 'register', REGISTERS);
    const via = pick(choices, 'via', ['', 'via=NL', 'via=CR', 'via=PR']);
    // A writer's conversion to NL is over before the master hears of it: who may read beside a writer may read what was there before.
    const read = pick(choices, 'read', ['PR', 'CW']);
    const write = pick(choices, 'write', ['EX', 'PW']);
    const hold = pick(choices, 'hold', [0, 1, 5, 20, 100]);
    const end = pick(choices, 'end', ['', 'end=convert']);
    const patience = pick(choices, 'patience', ['', '', 'try=yes', 'patience=1', 'patience=50', 'patience=3000']);
    if (kind === 0) return undefined;
    const words = kind === 1 ? [`mode=${read}`] : [`mode=${write}`, `value=${this.#newValue()}`, via, end];
    return ['register', this.#lockspace, name, ...words, `hold=${hold}`, patience]
      .filter((word) => word !== '')
      .join(' ');
  }

  #script(choices: Choices): string | undefined {
    const kind = choices.choose('script', 4);
    const count = choices.choose('steps', 5);
    const [patience, steps] = kind < 3 ? [0, simpleScript(choices, count)] : [500, wildScript(choices, count)];
    return kind === 0 ? undefined : ['locks', this.#lockspace, patience, ...steps].join(' ');
  }

  #newValue(): number {
    this.#lastValue += 1;
    return this.#lastValue;
  }
}

/** One lock that is converted a few times. */
function simpleScript(choices: Choices, count: number): readonly string[] {
  const steps = [`a=${pick(choices, 'resource', RESOURCES)}:${callOf(choices, REQUEST_FLAGS)}`, '.', holdOf(choices)];
  for (let i = 0; i < count; i++) steps.push(`a:${callOf(choices, CONVERT_FLAGS)}`, '.', holdOf(choices));
  return steps;
}

/** Two locks with calls that do not wait for each other; the process may end with what it has. */
function wildScript(choices: Choices, count: number): readonly string[] {
  const steps = ['a', 'b'].map((letter) => {
    const isPersistent = choices.choose('persistent', 4) === 3;
    const name = pick(choices, 'resource', isPersistent ? PERSISTENT_RESOURCES : RESOURCES);
    return `${letter}=${name}:${callOf(choices, REQUEST_FLAGS)}${isPersistent ? '+PERSISTENT' : ''}`;
  });
  for (let i = 0; i < 2 * count; i++) {
    const letter = pick(choices, 'letter', ['a', 'b']);
    const convert = `${letter}:${callOf(choices, [...CONVERT_FLAGS, 'NODLCKWT'])}`;
    const unlock = `${letter}-${pick(choices, 'unlock', ['', 'FORCEUNLOCK', 'VALBLK', 'IVVALBLK'])}`;
    steps.push(pick(choices, 'step', ['.', holdOf(choices), `${letter}!`, convert, convert, unlock]));
  }
  return choices.choose('exit', 3) === 2 ? [...steps, 'exit'] : steps;
}

function callOf(choices: Choices, flags: readonly string[]): string {
  const mode = pick(choices, 'mode', MODES);
  const flag = choices.choose('flags', 2) === 1 ? `+${pick(choices, 'flag', flags)}` : '';
  return `${mode}${flag}`;
}

function holdOf(choices: Choices): string {
  return `~${pick(choices, 'hold', [0, 1, 5, 20, 100])}`;
}
