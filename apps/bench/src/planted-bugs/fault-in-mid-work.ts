import { type Nanos, SECOND, type Stamped, type Task } from '@quorate/kernel';
import { type AnyFact, checkVolume, type Lab, type Scenario } from '@quorate/lab';
import type { ScenarioResult } from '@quorate/simulator';

/** `started`, as rgmanager numbers the states of a service. */
const STARTED = 112;

/** What happens to the machine that serves, or to those that are in the minority. */
export type Fault = 'pause' | 'partition' | 'power-off';

/**
 * Every node has something to write when a fault strikes: its own file, and one that all share, whose lock the victim holds.
 *
 * The others read the shared file as soon as they get it, so that locks and journals of the victim are wanted. After the
 * fault everybody comes back, and all are shut down in order.
 */
export class FaultInMidWork implements Scenario<ScenarioResult> {
  readonly name = 'fault-in-mid-work';
  readonly title = 'a fault strikes while every node writes';
  readonly kinds: readonly string[] = ['node.state', 'rg.service'];
  readonly atEnd: typeof checkVolume = checkVolume;
  readonly #fault: Fault;
  readonly #states = new Map<number, unknown>();
  #serviceState: unknown;
  readonly #failures: ScenarioResult['failures'][number][] = [];

  constructor(fault: Fault) {
    this.#fault = fault;
  }

  *script(lab: Lab): Task<ScenarioResult> {
    const { machines } = lab;
    lab.powerOn(...machines);
    yield* this.#waitUntil(lab, 180 * SECOND, () => this.#serviceState === STARTED);
    yield* lab.wait(30 * SECOND);
    const victims = this.#fault === 'partition' ? machines.slice(2) : machines.slice(0, 1);
    const others = machines.filter((name) => !victims.includes(name));
    for (const name of machines) yield* lab.exec(name, `echo ${name} > /mydata/${name}`);
    yield* lab.exec(victims[0]!, 'echo shared > /mydata/shared; sync /mydata/shared');
    this.#strike(lab, victims, others);
    const found = (yield* lab.exec(others[0]!, 'cat /mydata/shared'))?.output ?? '';
    if (found !== 'shared\n')
      this.#failures.push({ step: 'S26', observed: { text: 'what was synced is there', found } });
    yield* lab.exec(others[0]!, 'echo more >> /mydata/shared');
    yield* lab.wait(60 * SECOND);
    yield* this.#repair(lab, victims);
    yield* lab.wait(150 * SECOND);
    for (const name of [...machines].reverse()) {
      const id = machines.indexOf(name) + 1;
      yield* lab.exec(name, 'shutdown -h now');
      yield* this.#waitUntil(lab, 120 * SECOND, () => this.#states.get(id) === 'off');
    }
    return { ok: this.#failures.length === 0, failures: this.#failures };
  }

  onFact(fact: Stamped): void {
    const { kind, state, node } = fact as AnyFact;
    if (kind === 'node.state') this.#states.set(node, state);
    else this.#serviceState = state;
  }

  #strike(lab: Lab, victims: readonly string[], others: readonly string[]): void {
    if (this.#fault === 'partition') lab.partition(victims, others);
    else if (this.#fault === 'pause') lab.pause(victims[0]!);
    else lab.powerOff(...victims);
  }

  *#repair(lab: Lab, victims: readonly string[]): Task {
    if (this.#fault === 'pause') return lab.resume(victims[0]!);
    lab.powerOff(...victims);
    yield* lab.wait(SECOND);
    lab.heal();
    lab.powerOn(...victims);
  }

  *#waitUntil(lab: Lab, timeout: Nanos, holds: () => boolean): Task {
    const until = lab.now() + timeout;
    while (!holds() && lab.now() < until) yield* lab.waitFor(() => true, until - lab.now());
  }
}
