export {
  HEADER_SECTOR,
  isSectorSize,
  MAX_NODES_DISK,
  quorumDiskBytes,
  type SlotDefect,
  statusSector,
} from './block.js';
export type { QdiskFact, RebootReason } from './facts.js';
export { type FormatOptions, type FormattedSector, formatQuorumDisk, formattedSectors } from './format.js';
export { invariants } from './invariants.js';
export { mkqdiskProgram } from './mkqdisk.js';
export { isInMask, type NodeMask, nodesOf } from './node-mask.js';
export { type QdiskConfig, Qdiskd, type QdiskInput, type QdiskOutput, type QdiskView } from './qdiskd.js';
export { decodeHeader, encodeHeader, HEADER_MAGIC, HEADER_VERSION, type QuorumHeader } from './quorum-header.js';
export {
  type BlockDevice,
  findQuorumDisk,
  type LabelledDevice,
  labelText,
  type QuorumDisk,
  scanQuorumDisks,
} from './scan.js';
export type { ClusterNode, HeuristicAttributes, Quorumd } from './settings.js';
export { DiskState, decodeStatus, encodeStatus, Message, type StatusBlock, stateName } from './status-block.js';
export {
  type HeuristicTiming,
  heuristicTiming,
  type QuorumTimings,
  quorumTimings,
  type TimingAttributes,
} from './timings.js';
