import { fork, SECOND, type Task } from '@quorate/kernel';
import type { Lab, Scenario } from '@quorate/lab';
import type { ScenarioResult } from '@quorate/simulator';

/** By then every node has booted, and its clvmd runs. */
const BOOT = 70 * SECOND;

/** What one node does with a volume of its own, one after the other. */
function* work(lab: Lab, machine: string): Task {
  for (const command of [
    `lvcreate -n own-${machine} -L 512m my-vg1`,
    `lvextend -L +256m my-vg1/own-${machine}`,
    `lvchange -an my-vg1/own-${machine}`,
    `lvchange -aey my-vg1/own-${machine}`,
    `lvextend -L +256m my-vg1/own-${machine}`,
  ]) {
    yield* lab.exec(machine, command);
  }
}

/** All nodes change the shared volume group at once: each makes a volume and extends it. Then one takes what is left, and all go. */
export class VolumeWork implements Scenario<ScenarioResult> {
  readonly name = 'volume-work';
  readonly title = 'all nodes change the shared volume group at once';
  readonly kinds: readonly string[] = [];

  *script(lab: Lab): Task<ScenarioResult> {
    const { machines } = lab;
    lab.powerOn(...machines);
    yield* lab.wait(BOOT);
    for (const machine of machines) yield* fork(work(lab, machine));
    yield* lab.wait(30 * SECOND);
    const [first] = machines;
    yield* lab.exec(first!, 'lvcreate -n rest -l 100%FREE my-vg1');
    for (const name of ['rest', ...machines.map((machine) => `own-${machine}`)]) {
      yield* lab.exec(first!, `lvremove -f my-vg1/${name}`);
    }
    const left = (yield* lab.exec(first!, 'lvs'))?.output ?? '';
    if (!/own-|rest/.test(left)) return { ok: true, failures: [] };
    return { ok: false, failures: [{ step: 'volumes', observed: { text: 'all volumes are removed', found: left } }] };
  }
}
