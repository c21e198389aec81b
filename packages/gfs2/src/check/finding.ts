/** Part of the check that found something, named as in fsck.gfs2, which has none for quotas. */
export type CheckPass =
  | 'initialize'
  | 'rindex'
  | 'pass1'
  | 'pass1b'
  | 'reconcile'
  | 'pass2'
  | 'pass3'
  | 'pass4'
  | 'statfs'
  | 'quota';

/** What is wrong, for programs. The text says it to people. */
export type CheckRule =
  | 'superblock'
  | 'system-inode'
  | 'system-content'
  | 'journal-size'
  | 'journal-hole'
  | 'journal-head'
  | 'journal-sequence'
  | 'journal-dirty'
  | 'rindex-entry'
  | 'rindex-order'
  | 'rgrp-header'
  | 'rgrp-bitmap'
  | 'rgrp-crc'
  | 'rgrp-copy'
  | 'rgrp-counts'
  | 'dinode-type'
  | 'dinode-address'
  | 'dinode-mode'
  | 'dinode-height'
  | 'dinode-size'
  | 'dinode-flags'
  | 'dinode-blocks'
  | 'dinode-goal'
  | 'pointer-outside'
  | 'pointer-shared'
  | 'indirect-type'
  | 'data-type'
  | 'hash-table'
  | 'leaf-type'
  | 'leaf-run'
  | 'leaf-header'
  | 'leaf-entries'
  | 'xattr-type'
  | 'xattr-record'
  | 'bitmap-state'
  | 'unlinked'
  | 'dirent-record'
  | 'dirent-hash'
  | 'dirent-leaf'
  | 'dirent-target'
  | 'dirent-type'
  | 'dirent-formal'
  | 'dirent-dot'
  | 'dir-entries'
  | 'dir-linked-twice'
  | 'dir-unreachable'
  | 'dir-parent'
  | 'nlink'
  | 'statfs'
  | 'quota';

/** One thing that is wrong with an image. */
export interface Finding {
  readonly pass: CheckPass;
  readonly rule: CheckRule;
  /** Where it was found: the dinode, the leaf, the header that says it, or the block that it is about. */
  readonly block: number;
  /** What was found and what should have been, with values. */
  readonly text: string;
}
