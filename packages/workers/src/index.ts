export type { Registry } from './boot.js';
export type { StopReason, WorkerGoneFact, WorkersConfig, WorkersResult } from './hub/workers-config.js';
export { type LabCommand, WorkersLab } from './hub/workers-lab.js';
export { inProcessWorker } from './in-process.js';
export { webWorker } from './platform/browser.js';
export type { Departure, WorkerLike } from './platform/worker-like.js';
export { reexecute } from './record/machine-record.js';
export type { Wall } from './time/wall.js';
