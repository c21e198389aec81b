export type { Caller } from '../calls/caller.js';
export type { DirectoryEntry, FallocateMode, NewTime, OpenFlags, Stat, StatFs } from '../calls/operation.js';
export type { ClientDevice } from './device.js';
export { type ClientOptions, Gfs2Client, Gfs2File, type JournalSizes } from './gfs2-client.js';
export { Gfs2Error } from './gfs2-error.js';
