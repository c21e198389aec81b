export {
  Cpg,
  type CpgConfig,
  CpgError,
  type CpgErrorCode,
  type CpgInput,
  type CpgMember,
  type CpgOutput,
  type CpgView,
  MAX_PAYLOAD_BYTES,
} from './cpg.js';
export { CpgReason } from './cpg-message.js';
export type { ConfchgFact, CpgFact, CpgMessageFact, ExitedFact, MembersFact, SyncFact } from './fact.js';
export { MAX_LARGE_PAYLOAD_BYTES } from './large-message.js';
export type { ProcessInfo } from './process-table.js';
export { Service } from './service-message.js';
export type { SyncView } from './sync-service.js';
