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
export type { MkfsOptions } from './mkfs/options.js';
export { formatUuid, mkfsReport } from './mkfs/report.js';
export { type MkfsResult, mkfs } from './mkfs.js';

// Reading images

export { Volume, type VolumeEntry, type VolumeNode, type VolumeXattr } from './volume.js';

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
