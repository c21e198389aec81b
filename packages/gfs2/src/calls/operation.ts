import type { WallTime } from '@quorate/kernel';
import type { Quota } from '../ondisk/accounting.js';
import type { FsErrno } from '../refusal.js';

/** How a file is opened. */
export interface OpenFlags {
  /** False: for writing only. */
  readonly read?: boolean;
  readonly write?: boolean;
  /** Make it if it is not there. */
  readonly create?: boolean;
  /** With `create`: it must not be there (O_EXCL). */
  readonly exclusive?: boolean;
  readonly truncate?: boolean;
  /** Every write goes to the end of the file, wherever other nodes have moved it. */
  readonly append?: boolean;
  /** O_SYNC: what a write has written is on the disk when it returns, and with it what leads there and the times. */
  readonly sync?: boolean;
  /** O_DSYNC: the same but for the times. */
  readonly dsync?: boolean;
}

/** What became of a file system that was to grow. */
export interface Growth {
  /** Blocks up to the end of the last resource group, before and after. */
  readonly before: number;
  readonly after: number;
  /** New resource groups; 0 when the device has too little room for one. */
  readonly rgrps: number;
}

/** What is to be added, and how large: journals of 8 to 1024 MiB, files of quota changes of 1 to 64. */
export interface NewJournals {
  readonly count: number;
  readonly journalMiB: number;
  readonly quotaChangeMiB: number;
}

/** How many journals there were, and are. */
export interface JournalCounts {
  readonly before: number;
  readonly after: number;
}

/** A file descriptor of this mount. */
export type Fd = number;

/**
 * A file system call. Paths start at the root of the file system; a leading `/` may be left out. Bytes are lent. Where a
 * symbolic link at the end of a path is followed, `isLinkFollowed: false` says that the link itself is meant.
 */
export type Operation =
  | { readonly kind: 'open'; readonly path: string; readonly flags?: OpenFlags; readonly mode?: number }
  | { readonly kind: 'close'; readonly fd: Fd }
  | { readonly kind: 'pread'; readonly fd: Fd; readonly offset: number; readonly length: number }
  | { readonly kind: 'pwrite'; readonly fd: Fd; readonly offset: number; readonly bytes: Uint8Array }
  /** Writes at the end of the file, whatever the flags of the descriptor. */
  | { readonly kind: 'append'; readonly fd: Fd; readonly bytes: Uint8Array }
  | { readonly kind: 'ftruncate'; readonly fd: Fd; readonly size: number }
  | { readonly kind: 'fsync'; readonly fd: Fd }
  /** fdatasync(2): without the times. */
  | { readonly kind: 'fdatasync'; readonly fd: Fd }
  /** fallocate(2). Blocks are given to holes and hold zeros; the file grows unless it is to keep its size. */
  | {
      readonly kind: 'fallocate';
      readonly fd: Fd;
      readonly offset: number;
      readonly length: number;
      readonly how?: FallocateMode;
    }
  /** flock(2): another mode is taken after the first was given up. EAGAIN when it may not wait (LOCK_NB). */
  | { readonly kind: 'flock'; readonly fd: Fd; readonly how: FlockMode; readonly isWaiting?: boolean }
  /** fcntl(2), F_SETLK, or F_SETLKW with `isWaiting`; EAGAIN when somebody is in the way. */
  | ({ readonly kind: 'setlk'; readonly fd: Fd; readonly how: FlockMode; readonly isWaiting?: boolean } & ByteRange)
  /** fcntl(2), F_GETLK: the lock that is in the way. */
  | ({ readonly kind: 'getlk'; readonly fd: Fd; readonly how: 'shared' | 'exclusive' } & ByteRange)
  | { readonly kind: 'fstat'; readonly fd: Fd }
  /** Does not follow a symbolic link at the end of the path. */
  | { readonly kind: 'lstat'; readonly path: string }
  | { readonly kind: 'stat'; readonly path: string }
  | { readonly kind: 'readdir'; readonly path: string }
  | { readonly kind: 'mkdir'; readonly path: string; readonly mode?: number }
  | { readonly kind: 'rmdir'; readonly path: string }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string }
  | { readonly kind: 'symlink'; readonly target: string; readonly path: string }
  | { readonly kind: 'readlink'; readonly path: string }
  | { readonly kind: 'link'; readonly from: string; readonly to: string }
  /** Makes a fifo, a socket, a device node or a regular file. */
  | {
      readonly kind: 'mknod';
      readonly path: string;
      /** Type bits and permissions. */
      readonly mode: number;
      readonly major?: number;
      readonly minor?: number;
    }
  | { readonly kind: 'chmod'; readonly path: string; readonly mode: number }
  /** What is absent stays. */
  | ({ readonly kind: 'chown'; readonly uid?: number; readonly gid?: number } & PathWithLink)
  /** utimensat(2): what is absent stays. */
  | ({ readonly kind: 'utimes'; readonly atime?: NewTime; readonly mtime?: NewTime } & PathWithLink)
  /** Names with their prefix: `user.note`. ENODATA: there is none of that name. */
  | ({ readonly kind: 'getxattr'; readonly name: string } & PathWithLink)
  | ({ readonly kind: 'listxattr' } & PathWithLink)
  | ({
      readonly kind: 'setxattr';
      readonly name: string;
      readonly bytes: Uint8Array;
      /** EEXIST when it is there, or ENODATA when it is not; without either is right. */
      readonly how?: 'create' | 'replace';
    } & PathWithLink)
  | ({ readonly kind: 'removexattr'; readonly name: string } & PathWithLink)
  /** chattr(1), by the flags of the dinode: those in `mask` become as in `flags`. */
  | { readonly kind: 'setflags'; readonly path: string; readonly flags: number; readonly mask: number }
  | { readonly kind: 'statfs' }
  /** What a user or a group has, and may have. */
  | ({ readonly kind: 'getquota' } & QuotaSubject)
  /**
   * Sets limits, in blocks, or what the record says that somebody has; what is absent stays. A limit of 0 is none. Limits hold where
   * it is mounted with `quota=on`, and not for root.
   */
  | ({ readonly kind: 'setquota' } & Partial<Quota> & QuotaSubject)
  /** Adds what this node has counted to the `quota` file, which it else does every `quota_quantum=` seconds. */
  | { readonly kind: 'syncquota' }
  /** Stops all changes, on all nodes, and leaves every journal clean: calls that change something wait. EBUSY when it is so. */
  | { readonly kind: 'freeze' }
  /** Ends that; for the node that has frozen, EINVAL for others. */
  | { readonly kind: 'thaw' }
  /**
   * FITRIM: tells the disk which blocks are free, of the resource groups in a range of bytes, as far as runs have `minLength`
   * bytes. Gives the bytes.
   */
  | { readonly kind: 'trim'; readonly start?: number; readonly length?: number; readonly minLength?: number }
  /** gfs2_grow(8): takes what the device has become larger by. `deviceBlocks` are those of the file system that it has now. */
  | { readonly kind: 'grow'; readonly deviceBlocks: number }
  /** gfs2_jadd(8) */
  | ({ readonly kind: 'add-journals' } & NewJournals)
  | { readonly kind: 'sync' };

/** Whom a quota is for. */
export interface QuotaSubject {
  readonly of: 'user' | 'group';
  readonly id: number;
}

/** A path, and whether a symbolic link at its end is followed; default true. */
interface PathWithLink {
  readonly path: string;
  readonly isLinkFollowed?: boolean;
}

/** A time to set; `now` is the clock of this node. */
export type NewTime = WallTime | 'now';

/** What fallocate(2) does: `grow` without flags, the others as FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE. */
export type FallocateMode = 'grow' | 'keep-size' | 'punch-hole';

export type FlockMode = 'shared' | 'exclusive' | 'unlock';

/** Bytes of a file from `start` on; without `length` to its end, wherever that will be. */
export interface ByteRange {
  readonly start: number;
  readonly length?: number;
}

/** A posix lock in the way. `end` is its last byte; 2^63 - 1: to the end of the file. */
export interface LockInTheWay {
  readonly start: bigint;
  readonly end: bigint;
  readonly node: number;
  readonly pid: number;
  readonly isExclusive: boolean;
}

/** What `stat` says. */
export interface Stat {
  /** Block of the dinode. */
  readonly inode: number;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
  /** Type bits and permissions. */
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Blocks of the file system, not of 512 bytes. */
  readonly blocks: number;
  /** Seconds since 1970, and nanoseconds. */
  readonly atime: number;
  readonly mtime: number;
  readonly ctime: number;
  readonly atimeNsec: number;
  readonly mtimeNsec: number;
  readonly ctimeNsec: number;
  /** Device number of a device node. */
  readonly major: number;
  readonly minor: number;
  /** `DIF` bits. */
  readonly flags: number;
}

export interface DirectoryEntry {
  readonly name: string;
  readonly inode: number;
  readonly type: 'file' | 'directory' | 'symlink' | 'other';
}

/** What `statfs` says, in blocks. */
export interface StatFs {
  readonly blockSize: number;
  readonly blocks: number;
  readonly free: number;
  readonly dinodes: number;
}

/** What an operation gives, by its kind. A refused operation gives an errno name instead. */
export interface OperationResults {
  readonly open: Fd;
  readonly close: undefined;
  /** Shorter than asked at the end of the file. Lent. */
  readonly pread: Uint8Array;
  /** Bytes written. */
  readonly pwrite: number;
  readonly append: number;
  readonly ftruncate: undefined;
  readonly fsync: undefined;
  readonly fdatasync: undefined;
  readonly fallocate: undefined;
  readonly flock: undefined;
  readonly setlk: undefined;
  /** Undefined: nobody is in the way. */
  readonly getlk: LockInTheWay | undefined;
  readonly fstat: Stat;
  readonly lstat: Stat;
  readonly stat: Stat;
  /** Without `.` and `..`, in the order of their hashes as the kernel's readdir has it. */
  readonly readdir: readonly DirectoryEntry[];
  readonly mkdir: undefined;
  readonly rmdir: undefined;
  readonly unlink: undefined;
  readonly rename: undefined;
  readonly symlink: undefined;
  readonly readlink: { readonly target: string };
  readonly link: undefined;
  readonly mknod: undefined;
  readonly chmod: undefined;
  readonly chown: undefined;
  readonly utimes: undefined;
  /** Lent. */
  readonly getxattr: Uint8Array;
  /** In the order in which they are stored. */
  readonly listxattr: readonly string[];
  readonly setxattr: undefined;
  readonly removexattr: undefined;
  readonly setflags: undefined;
  readonly statfs: StatFs;
  /** In blocks. */
  readonly getquota: Quota;
  readonly setquota: undefined;
  readonly syncquota: undefined;
  readonly freeze: undefined;
  readonly thaw: undefined;
  readonly trim: number;
  readonly grow: Growth;
  readonly 'add-journals': JournalCounts;
  readonly sync: undefined;
}

export type OperationResult = OperationResults[keyof OperationResults] | FsErrno;
