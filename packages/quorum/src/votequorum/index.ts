export {
  type QuorumOutput,
  Votequorum,
  type VotequorumConfig,
  type VotequorumInput,
  type VotequorumOutput,
  type VotequorumView,
} from './votequorum.js';
export {
  decodeVotequorumMessage,
  encodeVotequorumMessage,
  type NodeInfo,
  NodeInfoFlag,
  type Reconfigure,
} from './votequorum-message.js';
