import type { Fact } from '@quorate/kernel';
import type { DiskState } from './status-block.js';

/** What a qdiskd tells about itself. `peer` is always another node. */
export type QdiskFact = Fact &
  (
    | {
        /** Its own state became another one. It is on disk only at the end of the cycle. */
        readonly kind: 'qdisk.state';
        readonly state: DiskState;
        readonly score: number;
        readonly scoreRequired: number;
      }
    | {
        /** It counts a peer as up: `tko_up` heartbeats and one more. */
        readonly kind: 'qdisk.node-up';
        readonly peer: number;
      }
    | {
        /** It counts a peer as dead: `tko` missed heartbeats and one more. */
        readonly kind: 'qdisk.node-down';
        readonly peer: number;
        readonly misses: number;
      }
    | {
        /** A peer that it saw says of itself that it is no voter any more, or was evicted by another. */
        readonly kind: 'qdisk.node-gone';
        readonly peer: number;
      }
    | {
        /** It overwrote a peer's status block with EVICT, or failed to (`isWritten` false). */
        readonly kind: 'qdisk.evicted';
        readonly peer: number;
        /** State of the evictor. */
        readonly state: DiskState;
        /** The peer was evicted before and wrote again by itself. */
        readonly isUndead: boolean;
        readonly isWritten: boolean;
      }
    | {
        /**
         * It sees another master than before; 0 is none. For a node that sees itself, this means that it has read its
         * own block with state MASTER back from the disk.
         */
        readonly kind: 'qdisk.master';
        readonly master: number;
      }
    | {
        /** As master it grants the device's votes to other nodes than before. */
        readonly kind: 'qdisk.grant';
        readonly nodes: readonly number[];
        /** The cluster members it knew of. */
        readonly members: readonly number[];
      }
    | {
        /** It told cman that the quorum device is there, or that it is not. */
        readonly kind: 'qdisk.poll';
        readonly isUp: boolean;
        /** The master by whose grant it does so; 0 when `isUp` is false. */
        readonly master: number;
        readonly state: DiskState;
        readonly score: number;
        readonly scoreRequired: number;
      }
    | {
        /** A run of a heuristic was judged. */
        readonly kind: 'qdisk.heuristic';
        /** Position in cluster.conf, from 0. */
        readonly index: number;
        readonly isUp: boolean;
        readonly misses: number;
        readonly tko: number;
      }
    | {
        /** It asked the kernel for an immediate reboot; nothing comes after this. */
        readonly kind: 'qdisk.reboot';
        readonly reason: RebootReason;
      }
  );

/** Why a qdiskd resets its own machine. */
export type RebootReason =
  /** Another node wrote EVICT into its status block. */
  | 'evicted'
  /** Its heuristics no longer reach the required score. */
  | 'score'
  /** `io_timeout`: no heartbeat written or no full read for `interval * tko`. */
  | 'io-timeout'
  /** `paranoid`: one cycle took longer than `interval * tko`. */
  | 'paranoid'
  /** `stop_cman`: it could not start, and cman would not leave the cluster. */
  | 'stop-cman';
