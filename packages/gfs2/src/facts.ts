import type { Nanos } from '@quorate/kernel';
import type { BlockWrittenFact } from './buffer/buffer-cache.js';
import type { WriteDoneFact } from './disk.js';
import type { GlockFact } from './glock/glocks.js';
import type { LogFlushFact } from './log/log.js';

/** This node begins to mount: from here on it may hold locks, and that journal is its own. */
export interface MountingFact {
  readonly kind: 'gfs2.mounting';
  readonly now: Nanos;
  readonly jid: number;
}

/** A file system is mounted on this node, and its journal in use. */
export interface MountedFact {
  readonly kind: 'gfs2.mounted';
  readonly now: Nanos;
  readonly jid: number;
  readonly isFirst: boolean;
}

/** It is unmounted in good order: the journal is closed and every lock given back. */
export interface UnmountedFact {
  readonly kind: 'gfs2.unmounted';
  readonly now: Nanos;
  readonly jid: number;
}

/** This node has stopped using the file system because something was wrong. */
export interface WithdrawnFact {
  readonly kind: 'gfs2.withdrawn';
  readonly now: Nanos;
  readonly jid: number;
  readonly reason: string;
}

/** A journal was looked at, and replayed if need be. */
export interface JournalRecoveredFact {
  readonly kind: 'gfs2.journal-recovered';
  readonly now: Nanos;
  /** The lock table's part after the colon, and so the name of the lockspace. */
  readonly filesystem: string;
  readonly jid: number;
  /** Journal id of the node that did it. */
  readonly by: number;
  /** Something was to be replayed. */
  readonly wasDirty: boolean;
  /** Blocks put in place, and copies found in the journal. */
  readonly replayed: number;
  readonly found: number;
  readonly result: 'done' | 'gave-up' | 'failed';
}

/**
 * Somebody has run the checker over the image. A driver tells this itself, from the pristine content of the disk, at moments
 * when no transaction is open, and at the end.
 */
export interface CheckedFact {
  readonly kind: 'gfs2.checked';
  readonly now: Nanos;
  /** What the checker found, one line each; empty when the image is clean. */
  readonly findings: readonly string[];
}

/** What this package tells those who watch. */
export type Gfs2Fact =
  | GlockFact
  | BlockWrittenFact
  | WriteDoneFact
  | LogFlushFact
  | MountingFact
  | MountedFact
  | UnmountedFact
  | WithdrawnFact
  | JournalRecoveredFact;
