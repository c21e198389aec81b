export { BLKST, type BlockState, countStates, findFree } from '../bitmap.js';
export type { RindexEntry } from '../ondisk/rindex.js';
export type { Allocation } from './allocate.js';
export { type BitmapGroup, BlockAllocator, newBitmapGroup } from './block-allocator.js';
export type { Reservation } from './reservation.js';
