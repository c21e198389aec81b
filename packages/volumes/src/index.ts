export { FormatError, type Structure } from './format-error.js';
export { invariants } from './invariants.js';
export { findValue, passesVolumeList } from './lvm/activation-filter.js';
export { checkGroup } from './lvm/check-group.js';
export { type CommitOptions, commitGroup, releasePhysicalVolume, removeGroup } from './lvm/commit.js';
export { type ConfigNode, ConfigSyntaxError, type ConfigValue, formatValue, parseConfig } from './lvm/config-text.js';
export { decodeMetadataText, type MetadataText } from './lvm/decode-group.js';
export { backupText, encodeMetadataText, type Writer } from './lvm/encode-group.js';
export { type ExtentRun, freeExtents, freeRuns, groupExtents, type UsedRun, usedRuns } from './lvm/extents.js';
export type {
  ActivatedFact,
  AreaWrittenFact,
  CommittedFact,
  DeactivatedFact,
  GroupRemovedFact,
  VolumesFact,
} from './lvm/facts.js';
export {
  createGroup,
  DEFAULT_EXTENT_SIZE,
  extendGroup,
  type NewGroup,
  reduceGroup,
  setClustered,
} from './lvm/group-operations.js';
export { type DiskArea, decodeLabel, encodeLabel, type PvHeaderExtension, type PvLabel } from './lvm/label.js';
export { type MappedSegment, mapperTable, mapVolume } from './lvm/mapping.js';
export { decodeMdaHeader, encodeMdaHeader, type MdaHeader, type RawLocation } from './lvm/mda-header.js';
export { checkName, mapperName, splitMapperName } from './lvm/names.js';
export {
  type FoundArea,
  type FoundPhysicalVolume,
  type PvCreateOptions,
  pvCreate,
  pvRemove,
  readPhysicalVolume,
} from './lvm/physical-volume.js';
export { type FoundDefect, type FoundGroup, findGroup, orphansOf, scanVolumes, type VolumeScan } from './lvm/scan.js';
export { changeGroupTag, changeVolumeTag, type TagChange } from './lvm/tags.js';
export { dashed, newUuid, undashed } from './lvm/uuid.js';
export {
  extentsOf,
  findVolume,
  isClustered,
  isLinear,
  type LogicalVolume,
  type PhysicalVolume,
  type Segment,
  type Stripe,
  type VolumeGroup,
  visibleVolumes,
} from './lvm/volume-group.js';
export {
  createVolume,
  extendVolume,
  extentsFor,
  type NewVolume,
  reduceVolume,
  removeVolume,
} from './lvm/volume-operations.js';
export { logicalVolumeStore } from './lvm/volume-store.js';
export { fdiskReport, partitionPath } from './partitions/fdisk-report.js';
export { type Chs, chsOf, type DiskGeometry, diskGeometry } from './partitions/geometry.js';
export { addPartition, type NewPartition, removePartition, setPartitionType } from './partitions/new-partition.js';
export {
  decodePartitionSector,
  encodePartitionSector,
  isPartitionSector,
  type PartitionEntry,
  type PartitionSector,
} from './partitions/partition-sector.js';
export { partitionStore } from './partitions/partition-store.js';
export {
  type Partition,
  type PartitionTable,
  readPartitionTable,
  writePartitionTable,
} from './partitions/partition-table.js';
export { isExtended, PartitionType, partitionTypeName } from './partitions/partition-type.js';
export { lvDisplay, newPvDisplay, pvDisplay, type VolumeDevice, vgDisplay } from './reports/display.js';
export {
  lvsReport,
  pvscanReport,
  pvsReport,
  type ReportOptions,
  type VolumeState,
  vgsDevicesReport,
  vgsReport,
} from './reports/reports.js';
export { columnSize, displaySize } from './reports/size.js';
export { finish, SECTOR_BYTES, type SectorDevice, storeDevice } from './sector-device.js';
export { VolumeError, type VolumeErrorCode } from './volume-error.js';
