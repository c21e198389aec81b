import type { Caller } from './calls/caller.js';
import type { PosixLocks } from './calls/posix-locks.js';
import type { Core } from './core.js';
import type { Inode } from './inode/inode.js';
import type { Inodes } from './inode/inodes.js';
import type { FormalNumbers } from './inode/inum.js';
import type { QuotaChanges } from './quota/quota-changes.js';
import type { ResourceGroups } from './rgrp/resource-groups.js';
import type { Statfs } from './rgrp/statfs.js';
import type { Signal } from './scheduler.js';

/** Inodes below the master directory that stay in use as long as the mount lasts. */
export interface SystemFiles {
  readonly jindex: Inode;
  readonly perNode: Inode;
  readonly statfs: Inode;
  /** `statfs_change` of each journal id. */
  readonly statfsChanges: Map<number, Inode>;
  readonly rindex: Inode;
  readonly inum: Inode;
  /** Of this node's own journal. */
  readonly inumRange: Inode;
  readonly quotaChange: Inode;
  readonly quota: Inode;
}

/** A mounted file system as its operations see it. */
export interface FileSystem {
  readonly core: Core;
  readonly inodes: Inodes;
  readonly rgrps: ResourceGroups;
  readonly statfs: Statfs;
  readonly quotaChanges: QuotaChanges;
  /** The system files, once the mount has found them. */
  readonly system: SystemFiles;
  /** Told when the file system is being unmounted: nothing waits for later any more. */
  readonly closing: Signal;
  readonly formalNumbers: FormalNumbers;
  readonly posixLocks: PosixLocks;
  /** For whom it works: root, but for calls that came with somebody else. */
  readonly caller: Caller;
}

/** The same file system, for somebody else. It must be mounted. */
export function onBehalfOf(fs: FileSystem, caller: Caller): FileSystem {
  const { core, inodes, rgrps, statfs, quotaChanges, system, closing, formalNumbers, posixLocks } = fs;
  return { core, inodes, rgrps, statfs, quotaChanges, system, closing, formalNumbers, posixLocks, caller };
}
