export {
  type Agents,
  formatPlan,
  type PlanPart,
  type PlanStep,
  simulate,
  usualAgents,
  type WhatIfEvent,
} from './simulate.js';
