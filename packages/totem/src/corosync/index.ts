export { type CpgMember, CpgReason, MAX_PAYLOAD_BYTES, Service } from '../cpg/index.js';
export {
  Corosync,
  type CorosyncConfig,
  type CorosyncInput,
  type CorosyncOutput,
  type CorosyncService,
  type CorosyncView,
  type ServiceInput,
  type ServiceOutput,
} from './corosync.js';
export { type CorosyncConf, type CorosyncNode, type CorosyncQuorum, parseCorosyncConf } from './corosync-conf.js';
