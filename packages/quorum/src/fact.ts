import type { Nanos } from '@quorate/kernel';
import type { NodeId } from './cluster-node.js';
import type { KillReason } from './message.js';

/** A ring, as totem names it. */
export interface RingId {
  readonly representative: NodeId;
  readonly seq: number;
}

/** Why the quorum was reckoned anew; the last four are an administrator's doing. */
export type QuorumCause =
  | 'member-up'
  | 'member-down'
  | 'expected-seen'
  | 'device'
  | 'config-error'
  | 'removed'
  | 'expected'
  | 'votes'
  | 'config';

export type QuorumFact =
  /** cman starts here: nothing that was told of an earlier one in the same life of the node counts. */
  | { readonly kind: 'quorum.started'; readonly now: Nanos }
  /** The quorum was reckoned anew, whether or not anything came out differently. */
  | {
      readonly kind: 'quorum.changed';
      readonly now: Nanos;
      readonly cause: QuorumCause;
      readonly isQuorate: boolean;
      readonly quorum: number;
      readonly total: number;
      /** The highest expected votes of any member. */
      readonly expected: number;
      readonly members: readonly { readonly node: NodeId; readonly votes: number }[];
      /** Votes of the quorum device; 0 while it is down. */
      readonly deviceVotes: number;
      readonly ring: RingId;
      readonly isTwoNode: boolean;
      /** The configuration that the others run could not be read: never quorate. */
      readonly hasConfigError: boolean;
    }
  /** The quorum device changed; told before the quorum is reckoned anew. `lapsed`: nobody polled it in time. */
  | {
      readonly kind: 'quorum.device';
      readonly now: Nanos;
      readonly event: 'registered' | 're-registered' | 'renamed' | 'up' | 'down' | 'lapsed' | 'votes' | 'unregistered';
      readonly name: string;
      readonly votes: number;
      readonly isUp: boolean;
    }
  /** This node told another one to go. */
  | { readonly kind: 'quorum.kill'; readonly now: Nanos; readonly victim: NodeId; readonly reason: KillReason }
  /** This node was told to go; nothing happens here any more. */
  | {
      readonly kind: 'quorum.killed';
      readonly now: Nanos;
      readonly by: NodeId;
      readonly reason: KillReason | 'unknown';
    }
  /** This node left of its own will; nothing happens here any more. */
  | { readonly kind: 'quorum.left'; readonly now: Nanos; readonly isRemoved: boolean }
  /** This node gave up; nothing happens here any more. */
  | { readonly kind: 'quorum.failed'; readonly now: Nanos; readonly reason: FailureReason };

/** Why a node gives up by itself: an old `cluster.conf` at its start, or a cluster that already has disallowed nodes. */
export type FailureReason = 'old-configuration' | 'disallowed-nodes';
