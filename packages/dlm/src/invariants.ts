import type { Invariant } from '@quorate/kernel';
import { listsCompatible, noBarging, noConversionDeadlock, noLostBast, noLostGrant } from './invariants/lists.js';
import { directoryComplete, master, tossHygiene } from './invariants/masters.js';
import { fencedFirst, stopFirst } from './invariants/membership.js';
import { compat, keepsMode, stopped } from './invariants/owners.js';
import { plockInvariants } from './invariants/plocks.js';
import { queue } from './invariants/queue.js';
import { barriers, converges, noEchoes, recoveryEnds } from './invariants/recovery.js';
import { noGhosts, orphansStay, twinsAgree } from './invariants/twins.js';
import { lvb, lvbseqGrows } from './invariants/value-blocks.js';

/** What must never be observed of lock managers and their daemons. */
export const invariants: readonly Invariant[] = [
  ...[compat, master, lvb, stopped, queue],
  ...[listsCompatible, twinsAgree, fencedFirst, stopFirst, barriers, noEchoes, lvbseqGrows, keepsMode, orphansStay],
  ...[noBarging, noLostGrant, noLostBast, noGhosts, converges, directoryComplete, recoveryEnds, tossHygiene],
  noConversionDeadlock,
  ...plockInvariants,
];
