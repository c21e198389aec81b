import type { Nanos, Task } from '@quorate/kernel';
import type { Lab, Scenario } from '../lab.js';

/** The largest instant of a run: 104 days. For runs that end only when somebody ends them. */
export const LAST_INSTANT: Nanos = Number.MAX_SAFE_INTEGER;

/** Gives all machines power, and leaves the rest to whoever acts on the lab beside the script. It has no end. */
export class FreeRun implements Scenario {
  readonly name = 'free-run';
  readonly title = 'all machines boot, and somebody else does the rest';
  readonly kinds: readonly string[] = [];

  *script(lab: Lab): Task {
    lab.powerOn(...lab.machines);
    yield* lab.wait(Infinity);
  }
}
