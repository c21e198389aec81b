import { SECOND } from '@quorate/kernel';
import { type Lab, plainTopology } from '@quorate/lab';
import type { Scenarios } from '../src/scenarios.js';

/** Three machines form a ring, and one of them dies. */
export const ring: Scenarios = new Map([
  [
    'ring',
    () => ({
      topology: plainTopology({ machines: 3 }),
      scenario: {
        name: 'ring',
        title: 'a ring',
        kinds: [],
        *script(lab: Lab) {
          lab.progress({ kind: 'step-began', id: 'boot', title: 'three machines boot', number: 1, of: 2 });
          lab.powerOn(...lab.machines);
          yield* lab.wait(50 * SECOND);
          lab.progress({ kind: 'step-ended', id: 'boot' });
          lab.progress({ kind: 'step-began', id: 'loss', title: 'one dies', number: 2, of: 2 });
          lab.powerOff('node3');
          yield* lab.wait(15 * SECOND);
          lab.progress({ kind: 'step-ended', id: 'loss' });
          return { ok: true, failures: [] };
        },
      },
      invariants: [],
    }),
  ],
]);
