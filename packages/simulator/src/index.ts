export { NodeClock } from './clock.js';
export {
  type Decision,
  type DecisionLog,
  type DecisionPlace,
  decisionCount,
  filterLog,
  type LogOrigin,
} from './decisions/decision-log.js';
export { decodeLog, encodeLog } from './decisions/log-file.js';
export { decisionText, logText, parseLogText } from './decisions/log-text.js';
export { LoggedWorld } from './decisions/logged-world.js';
export { ReplayDiverged, ReplayedWorld, type ReplayMode } from './decisions/replayed-world.js';
export { EventHash } from './event-hash.js';
export {
  type RunResult,
  Simulator,
  type SimulatorConfig,
  type StopReason,
} from './simulator.js';
export { EventClass, Wakeups } from './wakeups.js';
