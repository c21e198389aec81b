export type { Configuration } from './configuration.js';
export type {
  CalmFact,
  ConfigurationFact,
  DeliveredFact,
  RingState,
  RingStoredFact,
  SentFact,
  StateFact,
  SuspectedFact,
  Suspicion,
  TokenFact,
  TotemFact,
} from './fact.js';
export { GATHER_REASON_TEXT, GatherReason } from './gather-reason.js';
export { invariants } from './invariants.js';
export type { Era, TotemNode } from './node-order.js';
export type { QueueLevel } from './queue-level.js';
export type { RingView } from './ring.js';
export { formatRing, type NodeId, type RingId } from './ring-id.js';
export { cman, corosync14, corosync31, type TimingOptions, type TotemTimings } from './timings.js';
export {
  type ConfigurationOutput,
  Totem,
  type TotemConfig,
  type TotemInput,
  type TotemOutput,
  type TotemView,
} from './totem.js';
