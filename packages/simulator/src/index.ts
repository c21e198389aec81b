export { Campaign, type CampaignSummary, type Counted, type FailureGroup, runCampaign } from './campaign/campaign.js';
export {
  type PreparedScenario,
  type ReplayedLog,
  replay,
  reportOf,
  runLogged,
  runSeed,
  type ScenarioResult,
  type SeedReport,
  type SeedRunOptions,
  seedText,
} from './campaign/seed-run.js';
export { type ShrinkOptions, type Shrunk, shrink } from './campaign/shrink.js';
export { type EndedRun, type Verdict, verdictOf } from './campaign/verdict.js';
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
export { SurroundedWorld } from './decisions/surrounded-world.js';
export { EventHash } from './event-hash.js';
export {
  type RunResult,
  Simulator,
  type SimulatorConfig,
  type StopReason,
} from './simulator.js';
export { EventClass, Wakeups } from './wakeups.js';
