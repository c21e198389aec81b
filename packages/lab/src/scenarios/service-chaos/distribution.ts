import { type Choices, fork, SECOND, type Task } from '@quorate/kernel';
import type { ChaosRun } from '../../chaos/chaos-run.js';
import { pick, subset } from '../../nemesis/draw.js';
import type { Family } from '../../nemesis/family.js';
import { CHANGES, type Change, clusterConf, FIRST_VERSION } from './configuration.js';

const FILE = '/etc/cluster/cluster.conf';

/** Somebody who changes the cluster.conf, and brings it to the machines that have an older one. */
export class Distribution {
  readonly #run: ChaosRun;
  /** Version of the file on each machine's disk. */
  readonly #found = new Map<string, number>();
  #changes: ReadonlySet<Change> = new Set();
  #version = FIRST_VERSION;
  #isOver = false;

  constructor(run: ChaosRun) {
    this.#run = run;
  }

  /** Versions that there have been. */
  get versions(): number {
    return this.#version - FIRST_VERSION + 1;
  }

  /** Looks at each machine every two seconds until `end`. */
  *start(): Task {
    for (const machine of this.#run.lab.machines) yield* fork(this.#follow(machine));
  }

  /** Nobody brings anything any more. */
  end(): void {
    this.#isOver = true;
  }

  /** The first configuration again, as a new version, on all machines. */
  *restore(): Task {
    if (this.#changes.size > 0) yield* this.#publish(new Set(), this.#run.lab.machines);
  }

  /** `cfg.reload`: something is changed, and the new version is brought to some of the machines at once, to the others later. */
  readonly reload: Family = (attack) => this.#reload(attack.choices, attack.tell);

  *#reload(choices: Choices, tell: (text: string) => void): Task {
    const change = pick(choices, 'change', CHANGES);
    const machines = subset(choices, 'machine', this.#run.lab.machines, 1, false);
    const changes = new Set(this.#changes);
    if (!changes.delete(change)) changes.add(change);
    tell(`version ${this.#version + 1} of the configuration: ${change} ${changes.has(change) ? 'on' : 'off'}`);
    yield* this.#publish(changes, machines);
  }

  *#publish(changes: ReadonlySet<Change>, machines: readonly string[]): Task {
    this.#version += 1;
    this.#changes = changes;
    for (const machine of machines) yield* fork(this.#bring(machine));
  }

  *#follow(machine: string): Task {
    while (!this.#isOver) {
      yield* this.#run.lab.wait(2 * SECOND);
      const found = this.#found.get(machine) ?? FIRST_VERSION;
      // The first who has it tells all: who is asked to read a file that is not there waits and asks again.
      if (found < this.#version && this.#run.arena.isUp(machine)) yield* this.#bring(machine);
    }
  }

  *#bring(machine: string): Task {
    const version = this.#version;
    const text = clusterConf(version, this.#changes);
    const done = yield* this.#run.lab.exec(machine, `echo '${text}' > ${FILE}; cman_tool version -r -S`);
    if (done !== undefined) this.#found.set(machine, Math.max(version, this.#found.get(machine) ?? 0));
  }
}
