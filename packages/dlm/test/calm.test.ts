import { SECOND, type Stamped } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Calm, type Calming } from '../src/invariants/calm.js';
import { configured, off, recovered, starts, type Untimed } from './histories.js';

/** Node 1 is off at 100 s; node 2 is given rings without it at those seconds. */
function calmAfter(...rings: readonly number[]): Calm {
  const calm = new Calm();
  const tell = (seconds: number, node: number, told: Untimed): void => {
    const at = seconds * SECOND;
    calm.accepts({ lockspace: 'ls', ...told, now: at, node, life: 1, seq: 1, at } as unknown as Stamped<Calming>);
  };
  for (const node of [1, 2]) for (const told of [starts(1, 2), recovered]) tell(0, node, told);
  tell(100, 1, off);
  for (const seconds of rings) tell(seconds, 2, configured(2));
  return calm;
}

it.each<[rings: readonly number[], at: number, isUnnoticed: boolean]>([
  [[], 1000, true],
  [[110], 169, true],
  [[110], 170, false],
  // Found by a storm: the second ring was lost before services had synchronized, and groups heard of nothing.
  [[110, 150], 209, true],
  [[110, 150], 210, false],
  [[110, 180], 181, false],
])('rings at %j: at %d s a death is unnoticed: %s', (rings, at, isUnnoticed) => {
  expect(calmAfter(...rings).hasUnnoticedDeath(at * SECOND, 'ls', 2)).toBe(isUnnoticed);
});
