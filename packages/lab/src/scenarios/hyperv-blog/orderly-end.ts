import type { Task } from '@quorate/kernel';
import type { Expectations } from '../../expectations.js';
import type { Lab } from '../../lab.js';
import type { Chronicle } from './chronicle.js';

/** Shuts all machines down, the last one first, each when the one before is off: so that the file system is clean. */
export function* shutDownInOrder(lab: Lab, chronicle: Chronicle, expectations: Expectations): Task {
  for (const machine of [...lab.machines].reverse()) {
    const id = lab.machines.indexOf(machine) + 1;
    yield* lab.exec(machine, 'shutdown -h now');
    yield* expectations.waitUntil(120, () => chronicle.machineStates.get(id) === 'off');
  }
}
