export { NodeClock } from './clock.js';
export { EventHash } from './event-hash.js';
export type { EventTap } from './event-tap.js';
export {
  type RunResult,
  Simulator,
  type SimulatorConfig,
  type StopReason,
} from './simulator.js';
export { EventClass, Wakeups } from './wakeups.js';
