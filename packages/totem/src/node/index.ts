export { CorosyncNode, type CorosyncNodeOptions, type NodeOutput } from './corosync-node.js';
export { RingIdFile } from './ring-id-file.js';
