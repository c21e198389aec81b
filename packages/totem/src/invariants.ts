import type { Invariant } from '@quorate/kernel';
import {
  agreementOnNext,
  membershipJustification,
  quietConvergence,
  ringId,
  selfInclusion,
  transitional,
  transitionalExactness,
  virtualSynchrony,
} from './invariants/configurations.js';
import { closure, syncBarrier } from './invariants/groups.js';
import { agreed, once, selfDelivery } from './invariants/order.js';
import { causality, holesInTransitional, integrity, safe, senderUniqueness } from './invariants/packets.js';
import { singleToken, stableStorage, tokenConservation, window } from './invariants/tokens.js';

/**
 * What must never be observed of `Totem` and `Cpg`: S1 to S7 as in the simulation's list, V1 to V24 as in the package's.
 * Where both lists say the same, it stands under the first id: V4 and V5 are S7, V6 is S4, V8 is S2, V9 and V10 are S1,
 * V13 is S6, V14 is S3, V16 is S5.
 */
export const invariants: readonly Invariant[] = [
  agreed,
  once,
  virtualSynchrony,
  transitional,
  safe,
  selfDelivery,
  ringId,
  integrity,
  senderUniqueness,
  selfInclusion,
  transitionalExactness,
  holesInTransitional,
  causality,
  agreementOnNext,
  quietConvergence,
  singleToken,
  tokenConservation,
  window,
  membershipJustification,
  stableStorage,
  closure,
  syncBarrier,
];
