export type { Registry } from './boot.js';
export {
  type LabCommand,
  type RunWatcher,
  type StopReason,
  type WorkerGoneFact,
  type WorkersConfig,
  WorkersLab,
  type WorkersResult,
} from './hub/workers-lab.js';
export { inProcessWorker } from './in-process.js';
export { webWorker } from './platform/browser.js';
export type { Departure, WorkerLike } from './platform/worker-like.js';
export { reexecute } from './record/machine-record.js';
export type { Wall } from './time/wall.js';
export type { LogLine } from './wire/report.js';
