export { clusterIdOf, multicastAddress6Of, multicastAddressOf } from './cluster-identity.js';
export { LeaveReason, type NodeId, type NodeState } from './cluster-node.js';
export {
  Cman,
  type CmanErrno,
  type CmanInput,
  type CmanMember,
  type CmanOperation,
  type CmanOutput,
  type CmanReject,
  type DeviceOperation,
} from './cman.js';
export { type CmanConfig, type CmanNodesConfig, checkCmanConfig } from './cman-config.js';
export type { FailureReason, QuorumCause, QuorumFact, RingId } from './fact.js';
export { invariants } from './invariants.js';
export type { CmanNodeConfig } from './membership.js';
export {
  CMAN_VERSION,
  type CmanMessage,
  type KillReason,
  type MessageDefect,
  type MessageHeader,
  type ReconfigureParam,
  readHeader,
  readMessage,
  type TransitionMessage,
  writeHeader,
  writeMessage,
} from './message.js';
export type { DeviceErrno } from './quorum-device.js';
export {
  formatQuorumNodes,
  formatQuorumStatus,
  formatVotequorumNodes,
  formatVotequorumStatus,
  type QuorumMember,
  type QuorumServiceView,
  type VotequorumDevice,
  type VotequorumMember,
  type VotequorumView,
} from './quorumtool.js';
export {
  type CmanNodeStatus,
  type CmanStatus,
  type FormatNodesOptions,
  formatNodes,
  formatStatus,
  type NodeColumn,
} from './status.js';
export { calculateQuorum, type VoteCount } from './votes.js';
