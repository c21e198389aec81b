export { LockChaos, type LockChaosResult } from './lock-chaos.js';
export { lockChaosTopology } from './topology.js';
