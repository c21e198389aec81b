import { type Choices, fork, SECOND, type Task, type TaskId } from '@quorate/kernel';
import type { Pending } from '../../chaos/pending.js';
import type { Lab } from '../../lab.js';
import { pick, range } from '../../nemesis/draw.js';

/** Kinds of work; a run has some of them. */
const WORK = ['files', 'shared-file', 'administration', 'reboots'] as const;

type Work = (typeof WORK)[number];

/** What was written and synced: every line of it has to be there at the end. */
export interface Written {
  readonly path: string;
  readonly lines: readonly string[];
}

/**
 * The people who work with the cluster while it is broken: files that are appended to and synced on all machines, one file that
 * all append to, an administrator who moves the service, and one who reboots machines.
 */
export class Workload {
  readonly #lab: Lab;
  readonly #service: string;
  readonly #isUp: (machine: string) => boolean;
  readonly #kinds: ReadonlySet<Work>;
  readonly #written = new Map<string, string[]>();
  readonly #pending = new Set<Pending>();
  #isCalm = false;
  #isOver = false;

  constructor(lab: Lab, service: string, isUp: (machine: string) => boolean) {
    this.#lab = lab;
    this.#service = service;
    this.#isUp = isUp;
    const choices = lab.choices('workload');
    const on = WORK.filter((kind) => choices.choose(kind, 2) === 1);
    this.#kinds = new Set(on.length > 0 ? on : ['files']);
  }

  get kinds(): readonly string[] {
    return [...this.#kinds];
  }

  /** Commands that have not ended. */
  get pending(): readonly Pending[] {
    return [...this.#pending];
  }

  get written(): readonly Written[] {
    return [...this.#written].map(([path, lines]) => ({ path, lines }));
  }

  /** Starts everybody; they work until `end`. */
  *start(): Task<readonly TaskId[]> {
    const tasks: TaskId[] = [];
    for (const machine of this.#lab.machines) {
      if (this.#kinds.has('files')) tasks.push(yield* fork(this.#append(machine, `/mydata/work/${machine}`, 'own')));
      if (this.#kinds.has('shared-file'))
        tasks.push(yield* fork(this.#append(machine, '/mydata/work/shared', 'shared')));
    }
    if (this.#kinds.has('administration')) tasks.push(yield* fork(this.#administer()));
    if (this.#kinds.has('reboots')) tasks.push(yield* fork(this.#reboot()));
    return tasks;
  }

  /** From now on files are written, and nothing is moved or rebooted any more. */
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
    const done = yield* this.#lab.exec(machine, command);
    this.#pending.delete(pending);
    return done?.status;
  }

  *#append(machine: string, path: string, kind: string): Task {
    const choices = this.#lab.choices(`workload/${kind}/${machine}`);
    for (let i = 1; ; i++) {
      yield* this.#lab.wait(range(choices, 'wait', SECOND / 2, 4 * SECOND));
      if (this.#isOver) return;
      if (!this.#isUp(machine)) continue;
      const line = `${machine} ${i}`;
      const status = yield* this.run(machine, `echo ${line} >> ${path}; sync ${path}`);
      if (status !== 0) continue;
      const lines = this.#written.get(path) ?? [];
      this.#written.set(path, lines);
      lines.push(line);
    }
  }

  *#administer(): Task {
    const choices = this.#lab.choices('workload/administration');
    while (!this.#isCalm) {
      yield* this.#lab.wait(range(choices, 'wait', 3 * SECOND, 25 * SECOND));
      const machine = pick(choices, 'machine', this.#lab.machines);
      const command = this.#command(choices);
      if (this.#isCalm || !this.#isUp(machine)) continue;
      yield* fork(this.run(machine, command));
    }
  }

  #command(choices: Choices): string {
    const service = this.#service;
    const member = pick(choices, 'member', this.#lab.machines);
    return pick(choices, 'command', [
      'clustat',
      'cman_tool status',
      `clusvcadm -r ${service}`,
      `clusvcadm -r ${service} -m ${member}`,
      `clusvcadm -R ${service}`,
      `clusvcadm -d ${service}`,
      `clusvcadm -e ${service}`,
      `clusvcadm -e ${service} -m ${member}`,
      `clusvcadm -s ${service}`,
    ]);
  }

  *#reboot(): Task {
    const choices = this.#lab.choices('workload/reboots');
    while (!this.#isCalm) {
      yield* this.#lab.wait(range(choices, 'wait', 15 * SECOND, 60 * SECOND));
      const machine = pick(choices, 'machine', this.#lab.machines);
      if (this.#isCalm || !this.#isUp(machine)) continue;
      yield* fork(this.run(machine, 'shutdown -r now'));
    }
  }
}
