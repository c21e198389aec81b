export { IscsiSharedDisk, type IscsiSharedDiskResult } from './iscsi-shared-disk.js';
export { iscsiSharedDiskTopology } from './topology.js';
