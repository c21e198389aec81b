import type { Fact, Nanos } from '@quorate/kernel';
import type { ModeName } from './mode.js';

interface LockFact {
  readonly lockspace: string;
  readonly resource: string;
  /** Id of the lock on the node that tells. */
  readonly lkid: number;
}

/** How a lock came by the mode that its master has for it. */
export type HeldBy =
  /** A new request was granted at once. */
  | 'request'
  /** A conversion was granted at once. */
  | 'conversion'
  /** It was granted from a queue. */
  | 'queue'
  /** CONVDEADLK took its mode away to resolve a conversion deadlock. */
  | 'demotion'
  /** Recovery found it so, or removed it with its owner. */
  | 'recovery'
  /** It was unlocked. */
  | 'unlock';

/** What the lock manager of a node tells. Facts about a lock come from its owner, when the owner is told. */
export type DlmFact = Fact &
  (
    | ({
        /** A call was taken. One completion AST follows, but a cancel may come too late for one. */
        readonly kind: 'dlm.called';
        readonly call: 'request' | 'convert' | 'unlock' | 'cancel';
      } & LockFact)
    | ({
        /** A new lock was granted. */
        readonly kind: 'dlm.lock-granted';
        readonly mode: ModeName;
        readonly master: number;
        readonly hasValueBlock: boolean;
      } & LockFact)
    | ({
        /** A conversion was handed to the master (or begun here): from now on only `keeps` is sure. */
        readonly kind: 'dlm.converting';
        readonly from: ModeName;
        readonly to: ModeName;
        /** What the owner holds for certain until it is told more. */
        readonly keeps: ModeName;
      } & LockFact)
    | ({
        /** A conversion was granted, or failed and left the lock in `mode`. */
        readonly kind: 'dlm.converted';
        readonly mode: ModeName;
        readonly isGranted: boolean;
        /** ALTPR or ALTCW: the mode is not the one that was asked for. */
        readonly isAlternate: boolean;
        /** CONVDEADLK: its mode was NL for a while. */
        readonly wasDemoted: boolean;
        readonly master: number;
        readonly hasValueBlock: boolean;
      } & LockFact)
    | ({
        /** An unlock was handed to the master (or begun here): the owner no longer counts on the lock. */
        readonly kind: 'dlm.unlocked';
      } & LockFact)
    | ({
        /** A completion AST. `status` as libdlm gives it. */
        readonly kind: 'dlm.cast';
        readonly status: number;
        readonly mode: ModeName;
      } & LockFact)
    | ({
        /** The process of a PERSISTENT lock is gone: the lock stays until it is adopted or purged. */
        readonly kind: 'dlm.orphaned';
      } & LockFact)
    | ({
        /** The process of any other lock is gone, or an orphan is purged: it is unlocked, with its value block if it may be writing. */
        readonly kind: 'dlm.abandoned';
        readonly process: number;
      } & LockFact)
    | ({
        /** A process took an orphan over. */
        readonly kind: 'dlm.adopted';
      } & LockFact)
    | ({
        /** As master it granted a lock, or found it granted in recovery, or took the mode away. `lkid` is the master's id of it. */
        readonly kind: 'dlm.held';
        /** Node of the lock's owner, and the id that the lock has there. */
        readonly owner: number;
        readonly ownerLkid: number;
        /** The granted mode now; `IV`: the lock is gone, or was never granted. */
        readonly mode: ModeName;
        readonly by: HeldBy;
        /** Its owner hears blocking ASTs. */
        readonly hasBast: boolean;
        /** NOORDER or EXPEDITE: it may be granted before others. */
        readonly mayOvertake: boolean;
      } & LockFact)
    | {
        /** As master it begins to carry out what an owner has called: the facts of what that does follow. */
        readonly kind: 'dlm.carried-out';
        readonly lockspace: string;
        readonly resource: string;
        readonly owner: number;
        readonly ownerLkid: number;
        readonly call: 'request' | 'convert' | 'unlock' | 'cancel';
      }
    | {
        /** As master it grants what recovery has made grantable: the facts of that follow. */
        readonly kind: 'dlm.regranted';
        readonly lockspace: string;
        readonly resource: string;
      }
    | {
        /** As master it sent a blocking AST, or gave it to an owner of its own. */
        readonly kind: 'dlm.bast';
        readonly lockspace: string;
        readonly resource: string;
        readonly owner: number;
        readonly ownerLkid: number;
        readonly mode: ModeName;
      }
    | {
        /** This node takes itself for the master. */
        readonly kind: 'dlm.master';
        readonly lockspace: string;
        readonly resource: string;
        readonly generation: number;
      }
    | {
        /** It no longer does. */
        readonly kind: 'dlm.master-released';
        readonly lockspace: string;
        readonly resource: string;
      }
    | {
        /** As master it put a request or a conversion on its queue, or has it there after a recovery. */
        readonly kind: 'dlm.queued';
        readonly lockspace: string;
        readonly resource: string;
        readonly queue: 'convert' | 'wait';
        /** Node of the lock's owner, and the id that the lock has there. */
        readonly owner: number;
        readonly ownerLkid: number;
        /** The mode that it waits for. */
        readonly mode: ModeName;
        /** HEADQUE: it goes before the others. */
        readonly isFirst: boolean;
        /** NODLCKWT: it may wait for one that waits for it. */
        readonly mayDeadlock: boolean;
      }
    | {
        /** As master it took it off that queue: it granted it, or gave it up for a cancel or an unlock. */
        readonly kind: 'dlm.unqueued';
        readonly lockspace: string;
        readonly resource: string;
        readonly queue: 'convert' | 'wait';
        readonly owner: number;
        readonly ownerLkid: number;
        readonly isGranted: boolean;
        /** NOORDER or EXPEDITE: it may be granted before others. */
        readonly mayOvertake: boolean;
        /** Recovery has mixed the queue: conversions are granted in any order. */
        readonly isUnordered: boolean;
      }
    | {
        /** More messages than ever before wait for the end of a recovery, by powers of two from 16 on. */
        readonly kind: 'dlm.queue';
        readonly lockspace: string;
        readonly queue: 'requests';
        readonly size: number;
      }
    | {
        /** As directory node it recorded who is the master. */
        readonly kind: 'dlm.directory';
        readonly lockspace: string;
        readonly resource: string;
        readonly master: number;
      }
    | {
        /** As directory node it dropped its record. */
        readonly kind: 'dlm.directory-removed';
        readonly lockspace: string;
        readonly resource: string;
      }
    | {
        /** As master it stored a value block that a holder wrote, or took over in recovery. `digest` is its CRC-32. */
        readonly kind: 'dlm.lvb-written';
        readonly lockspace: string;
        readonly resource: string;
        readonly digest: number;
        readonly lvbseq: number;
      }
    | {
        /** As master it declared the value block invalid. */
        readonly kind: 'dlm.lvb-invalid';
        readonly lockspace: string;
        readonly resource: string;
      }
    | {
        /** As master it forgot the value block: no lock is left on the resource. */
        readonly kind: 'dlm.lvb-dropped';
        readonly lockspace: string;
        readonly resource: string;
      }
    | ({
        /** A grant brought the resource's value block to the owner. */
        readonly kind: 'dlm.lvb-read';
        readonly mode: ModeName;
        readonly digest: number;
        readonly lvbseq: number;
        readonly isValid: boolean;
      } & LockFact)
    | {
        /** No lock is left on a resource: this node forgets it by `until`, unless a lock comes or the lockspace stops. */
        readonly kind: 'dlm.tossed';
        readonly lockspace: string;
        readonly resource: string;
        readonly until: Nanos;
      }
    | {
        /** It forgot an inactive resource, or a directory record. */
        readonly kind: 'dlm.freed';
        readonly lockspace: string;
        readonly resource: string;
      }
    | {
        /** A reply of another node to a question of recovery took effect. */
        readonly kind: 'dlm.rcom-reply';
        readonly lockspace: string;
        readonly from: number;
        /** `RcomType`. */
        readonly type: number;
        /** `recover_seq` of the question. */
        readonly seqReply: number;
      }
    | {
        /** A message that had waited for the end of recovery was carried out. */
        readonly kind: 'dlm.message-resumed';
        readonly lockspace: string;
        readonly from: number;
        /** `MessageType`. */
        readonly type: number;
        /** Barrier bits of this node when it came. */
        readonly statusWhenSaved: number;
      }
    | {
        /** The lockspace stands still. */
        readonly kind: 'dlm.stopped';
        readonly lockspace: string;
        /** `recover_seq` of the node: it grows with every stop and start. */
        readonly recoverSeq: number;
      }
    | {
        /** A recovery begins with these members; `added` are those that are new or came back. */
        readonly kind: 'dlm.started';
        readonly lockspace: string;
        readonly recoverSeq: number;
        readonly members: readonly number[];
        readonly added: readonly number[];
        /** Whose share of the directory a hash falls into: node ids, each as often as its weight says. */
        readonly nodeArray: readonly number[];
        /** There is no directory: every lock goes to the master that its hash leads to. */
        readonly isNodir: boolean;
      }
    | {
        /** A step of recovery is done here; the bits of 6.1: NODES 1, DIR 4, LOCKS 16, DONE 64. */
        readonly kind: 'dlm.recover-status';
        readonly lockspace: string;
        readonly recoverSeq: number;
        readonly bit: number;
      }
    | {
        /** Recovery is over, and locking goes on. */
        readonly kind: 'dlm.recovered';
        readonly lockspace: string;
        readonly recoverSeq: number;
        readonly generation: number;
        readonly members: readonly number[];
        /** Slots of the members, in their order; 0: not known. */
        readonly slots: readonly number[];
      }
    | {
        /** This node has left the lockspace. */
        readonly kind: 'dlm.released';
        readonly lockspace: string;
      }
  );

/** What dlm_controld tells. */
export type ControldFact = Fact &
  (
    | {
        /** A change of a lockspace's members waits: for ring id, quorum, fencing, the file system, or START messages. */
        readonly kind: 'dlm.waiting';
        readonly lockspace: string;
        readonly change: number;
        readonly for: 'ringid' | 'quorum' | 'fencing' | 'fs' | 'messages';
      }
    | {
        /** A node that had started in the lockspace failed: it has to be fenced. */
        readonly kind: 'dlm.node-failed';
        readonly lockspace: string;
        readonly failed: number;
      }
    | {
        /** fenced says that a node was dealt with. */
        readonly kind: 'dlm.node-fenced';
        readonly fenced: number;
      }
    | {
        /** Its conditions are met: the other members were told. From here on the change only waits for them. */
        readonly kind: 'dlm.start-sent';
        readonly lockspace: string;
        readonly change: number;
        /** Quorate, or told not to mind. */
        readonly isQuorate: boolean;
      }
    | {
        /** The kernel was told to start with these members. */
        readonly kind: 'dlm.starting';
        readonly lockspace: string;
        readonly change: number;
        readonly members: readonly number[];
        /** Nodes that failed since the last start. */
        readonly failed: readonly number[];
        /** Quorate, or told not to mind. */
        readonly isQuorate: boolean;
      }
    | {
        /**
         * A message about an inode's posix locks, or a departure, was taken in: as the `position`th since the lockspace
         * started, in a configuration with these members.
         */
        readonly kind: 'dlm.plock-taken';
        readonly lockspace: string;
        readonly position: number;
        readonly members: readonly number[];
        readonly inode: number;
        /** Node that owns it as far as this one knows; 0 nobody, -1 not known. */
        readonly owner: number;
        /** CRC-32 of the locks and waiters, where everybody has them. */
        readonly digest: number | undefined;
      }
    | {
        /** A start of a lockspace: CRC-32 of all posix locks that everybody has. */
        readonly kind: 'dlm.plocks-whole';
        readonly lockspace: string;
        readonly digest: number;
      }
  );
