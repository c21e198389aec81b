import { type Choices, fork, SECOND, type Task } from '@quorate/kernel';
import type { ChaosRun } from '../../chaos/chaos-run.js';
import type { Pending } from '../../chaos/pending.js';
import { pick, range } from '../../nemesis/draw.js';
import { GUEST, SERVICES } from './configuration.js';

/** People at a time who give orders. */
const PEOPLE = 2;

/** Those who give orders about services, each in a time of their own, to whatever machine they sit at. */
export class People {
  readonly #run: ChaosRun;
  readonly #pending = new Set<Pending>();
  #commands = 0;
  #isCalm = false;

  constructor(run: ChaosRun) {
    this.#run = run;
  }

  /** Commands that were given. */
  get commands(): number {
    return this.#commands;
  }

  /** Commands that have not ended. */
  get pending(): readonly Pending[] {
    return [...this.#pending];
  }

  *start(): Task {
    for (let i = 0; i < PEOPLE; i++) yield* fork(this.#giveOrders(this.#run.lab.choices(`workload/orders/${i}`)));
  }

  /** Nobody gives an order any more. */
  calm(): void {
    this.#isCalm = true;
  }

  /** Runs a command and keeps it among the pending ones meanwhile; its status, undefined if the machine went down. */
  *run(machine: string, command: string): Task<number | undefined> {
    const { lab } = this.#run;
    const pending = { machine, command, since: lab.now() };
    this.#pending.add(pending);
    this.#commands += 1;
    const done = yield* lab.exec(machine, command);
    this.#pending.delete(pending);
    return done?.status;
  }

  *#giveOrders(choices: Choices): Task {
    const { lab } = this.#run;
    while (!this.#isCalm) {
      yield* lab.wait(range(choices, 'wait', SECOND, 15 * SECOND));
      const machine = pick(choices, 'machine', lab.machines);
      const command = orderOf(choices, lab.machines);
      if (command !== undefined && !this.#isCalm && this.#run.isInUse(machine)) yield* fork(this.run(machine, command));
    }
  }
}

/** What is drawn for nothing is drawn all the same, so that an order that is left out moves no other. */
function orderOf(choices: Choices, machines: readonly string[]): string | undefined {
  const service = pick(choices, 'service', [...SERVICES, GUEST]);
  const member = pick(choices, 'member', machines);
  return pick(choices, 'order', [
    undefined,
    'clustat',
    `clusvcadm -e ${service}`,
    `clusvcadm -e ${service} -m ${member}`,
    `clusvcadm -e ${service} -F`,
    `clusvcadm -r ${service}`,
    `clusvcadm -r ${service} -m ${member}`,
    `clusvcadm -r ${service} -m ${member}`,
    `clusvcadm -R ${service}`,
    `clusvcadm -s ${service}`,
    `clusvcadm -d ${service}`,
    `clusvcadm -c ${service}`,
    `clusvcadm -Z ${service}`,
    `clusvcadm -U ${service}`,
    `clusvcadm -U ${service}`,
    'clusvcadm -l',
    'clusvcadm -u',
    'clusvcadm -u',
    `clusvcadm -b ${member}`,
    `clusvcadm -B ${member}`,
    `clusvcadm -B ${member}`,
  ]);
}
