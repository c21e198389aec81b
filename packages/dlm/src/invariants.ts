import type { Invariant } from '@quorate/kernel';
import { master } from './invariants/masters.js';
import { fencedFirst, stopFirst } from './invariants/membership.js';
import { compat, stopped } from './invariants/owners.js';
import { plockInvariants } from './invariants/plocks.js';
import { queue } from './invariants/queue.js';
import { barriers } from './invariants/recovery.js';
import { lvb } from './invariants/value-blocks.js';

/** What must never be observed of lock managers and their daemons. */
export const invariants: readonly Invariant[] = [
  compat,
  master,
  lvb,
  stopped,
  queue,
  fencedFirst,
  stopFirst,
  barriers,
  ...plockInvariants,
];
