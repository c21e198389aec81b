// On-disk format

export {
  decodeInumRange,
  decodeQuota,
  decodeQuotaChange,
  decodeStatfsChange,
  encodeInumRange,
  encodeQuota,
  encodeQuotaChange,
  encodeStatfsChange,
  type InumRange,
  type Quota,
  type QuotaChange,
  type StatfsChange,
} from './ondisk/accounting.js';
export { DIF, type Dinode, decodeDinode, encodeDinode, MODE } from './ondisk/dinode.js';
export { type Dirent, decodeDirent, direntHash, direntSize, encodeDirent, type NewDirent } from './ondisk/dirent.js';
export { type Geometry, geometryOf } from './ondisk/geometry.js';
export { decodeLeaf, encodeLeaf, type Leaf } from './ondisk/leaf.js';
export {
  decodeLogDescriptor,
  encodeLogDescriptor,
  LOG_DESC,
  type LogDescriptor,
} from './ondisk/log-descriptor.js';
export { LOG_HEAD, type LogHeader, LogHeaderCodec } from './ondisk/log-header.js';
export {
  encodeMetaHeader,
  GFS2_MAGIC,
  isMetaBlock,
  META_TYPE,
  type MetaType,
  metaTypeOf,
} from './ondisk/meta-header.js';
export { decodeRgrpHeader, encodeRgrpHeader, RGF, type RgrpHeader } from './ondisk/rgrp-header.js';
export { decodeRindex, decodeRindexEntry, encodeRindexEntry, type RindexEntry } from './ondisk/rindex.js';
export { decodeSuperblock, encodeSuperblock, type Inum, type Superblock } from './ondisk/superblock.js';

// Formatting

export type { ReadableDevice, WritableDevice } from './device.js';
export type { MkfsOptions, Stripe } from './mkfs/options.js';
export { formatUuid, mkfsReport } from './mkfs/report.js';
export { type MkfsResult, mkfs } from './mkfs.js';

// Reading images

export { volumeListing } from './listing.js';
export { Volume, type VolumeEntry, type VolumeExtent, type VolumeNode, type VolumeXattr } from './volume.js';

// Allocating blocks

export {
  type Allocation,
  allocBlocks,
  allocDinode,
  type DinodeAllocation,
  freeBlocks,
  freeDinode,
  unlinkDinode,
} from './allocator/allocate.js';
export { Reservation } from './allocator/reservation.js';
export { type AllocParms, inplaceRelease, inplaceReserve, type ReserveHost } from './allocator/reserve.js';
export { RDF, Rgrp, type RgrpHost } from './allocator/rgrp.js';
export { RgrpIndex } from './allocator/rgrp-index.js';
export { decodeRgrpLvb, encodeRgrpLvb, type RgrpLvb } from './allocator/rgrp-lvb.js';
export { BLKST, type BlockState } from './bitmap.js';

// A mounted file system

export type { Caller } from './calls/caller.js';
export type {
  DirectoryEntry,
  FallocateMode,
  Fd,
  Growth,
  JournalCounts,
  NewJournals,
  NewTime,
  OpenFlags,
  Operation,
  OperationResult,
  OperationResults,
  QuotaSubject,
  Stat,
  StatFs,
} from './calls/operation.js';
export type { LogLine } from './core.js';
export type { DiskOutput, IoDone } from './disk.js';
export { Gfs2, type Gfs2Config, type Gfs2View } from './gfs2.js';
export type { Gfs2Input, Gfs2Output } from './gfs2-ports.js';
export type { GlockState } from './glock/glock.js';
export { GlockType, glockName, glockTypeName, NondiskLock, parseGlockName } from './glock/glock-name.js';
export type { GlockView, LockCall, LockCast, UnlockCall } from './glock/glocks.js';
export type { LogView } from './log/log.js';
export { type MountOptions, parseMountOptions } from './mount/mount-options.js';
export type { MountView } from './mount/mount-point.js';
export type { RecoveryResult } from './recovery/recover-journal.js';
export type { FsErrno } from './refusal.js';

// Journals and first mounters of a cluster

export {
  GfsControld,
  type GfsControldConfig,
  type GfsControldInput,
  type GfsControldOutput,
  type LeaveReason,
  type MountgroupView,
} from './control/gfs-controld.js';
export { mountgroupsText } from './control/mountgroups-text.js';

// Checking

export type { BlockWrittenFact } from './buffer/buffer-cache.js';
export type { CheckPass, CheckRule, Finding } from './check/finding.js';
export { type CheckOptions, check } from './check.js';
export type { WriteDoneFact } from './disk.js';
export type {
  CheckedFact,
  Gfs2Fact,
  JournalRecoveredFact,
  MountedFact,
  MountingFact,
  UnmountedFact,
  WithdrawnFact,
} from './facts.js';
export type { GlockFact } from './glock/glocks.js';
export { invariants } from './invariants.js';
export type { LogFlushFact } from './log/log.js';
export { ACL_TAG, type AclEntry, decodeAcl, encodeAcl, NO_ACL_ID } from './ondisk/posix-acl.js';
export type { RepairDevice } from './repair/repair-device.js';
export { type RepairOptions, type RepairResult, repair } from './repair.js';
