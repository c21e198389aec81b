export { agentInput, parseAgentInput } from './agent-input.js';
export { DOMAIN_GROUP } from './domain.js';
export type { Departure, LeaveReason, WaitState } from './domain-change.js';
export type { FencedFact } from './facts.js';
export type { DeviceUse, FenceConf, FenceDevice, FenceMethod, FenceNode } from './fence-conf.js';
export { type FenceDaemon, OVERRIDE_PATH } from './fence-daemon.js';
export { type DomainNode, type FenceDomain, fenceDomainText } from './fence-domain.js';
export { DAEMON_GROUP, Fenced, type FencedConfig, type FencedView } from './fenced.js';
export type { FencedInput, FencedOutput, RejectReason } from './fenced-io.js';
export { invariants } from './invariants.js';
export {
  type AgentRun,
  type FenceLog,
  type FenceOperation,
  type FenceOutcome,
  type FenceStatus,
  fenceNode,
  fenceNodeStatus,
  logEntryText,
  unfenceNode,
} from './libfence.js';
export type { FencedHow, MessageDefect } from './message.js';
export { fenceAckManual } from './programs/fence-ack-manual.js';
export { fenceCheckProgram, isFenceCheck } from './programs/fence-check.js';
export { fenceNodeProgram } from './programs/fence-node.js';
export { fencePower, type PowerReply, type PowerRequest } from './programs/fence-power.js';
export { DEVICE_FILE, fenceScsi, KEY_FILE } from './programs/fence-scsi.js';
export { fenceScsiCheck } from './programs/fence-scsi-check.js';
export { fenceTool } from './programs/fence-tool.js';
export type { FencedCall, FencedReplies } from './programs/fenced-call.js';
