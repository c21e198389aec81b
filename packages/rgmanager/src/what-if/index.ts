export { type ClusterState, readClusterState } from './cluster-state.js';
export {
  type Agents,
  formatPlan,
  type PlanPart,
  type PlanStep,
  simulate,
  usualAgents,
  type WhatIfEvent,
  type WhatIfOptions,
} from './simulate.js';
export type { QuorumRule, VoteCount } from './votes.js';
