import type { Invariant } from '@quorate/kernel';
import { nobodyInStandby } from './invariants/nobody-in-standby.js';
import { nothingInPassing } from './invariants/nothing-in-passing.js';
import { oneInstance } from './invariants/one-instance.js';
import { oneMaster } from './invariants/one-master.js';
import { oneStart } from './invariants/one-start.js';
import { runningSet } from './invariants/running-set.js';
import { serviceDomain } from './invariants/service-domain.js';
import { serviceOrder } from './invariants/service-order.js';

/** What must never be observed of a cluster's services. */
export const invariants: readonly Invariant[] = [
  serviceOrder,
  serviceDomain,
  oneMaster,
  oneInstance,
  nothingInPassing,
  runningSet,
  oneStart,
  nobodyInStandby,
];
