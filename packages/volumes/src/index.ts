export { FormatError, type Structure } from './format-error.js';
export { fdiskReport, partitionPath } from './partitions/fdisk-report.js';
export { type Chs, chsOf, type DiskGeometry, diskGeometry } from './partitions/geometry.js';
export { addPartition, type NewPartition, setPartitionType } from './partitions/new-partition.js';
export {
  decodePartitionSector,
  encodePartitionSector,
  isPartitionSector,
  type PartitionEntry,
  type PartitionSector,
} from './partitions/partition-sector.js';
export {
  type Partition,
  type PartitionTable,
  readPartitionTable,
  writePartitionTable,
} from './partitions/partition-table.js';
export { isExtended, PartitionType, partitionTypeName } from './partitions/partition-type.js';
export { partitionStore } from './partitions/window-store.js';
export { finish, SECTOR_BYTES, type SectorDevice, storeDevice } from './sector-device.js';
export { VolumeError, type VolumeErrorCode } from './volume-error.js';
