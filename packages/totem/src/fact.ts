import type { Fact, Nanos } from '@quorate/kernel';
import type { Configuration } from './configuration.js';
import type { GatherReason } from './gather-reason.js';
import type { NodeId } from './ring-id.js';

/** The four states of the membership protocol. */
export type RingState = 'operational' | 'gather' | 'commit' | 'recovery';

/** What a `Totem` tells about itself. Rings are `rep.seq` in hexadecimal. */
export type TotemFact =
  | StartedFact
  | StateFact
  | ConfigurationFact
  | SentFact
  | DeliveredFact
  | TokenFact
  | SuspectedFact
  | RingStoredFact
  | QueueFact;

/** The interface is there for the first time. What was told of an earlier one in the same life of the node is over. */
export interface StartedFact extends Fact {
  readonly kind: 'totem.started';
}

/** A state was entered, maybe again. */
export interface StateFact extends Fact {
  readonly kind: 'totem.state';
  readonly state: RingState;
  /** Why gather was entered; null for the other states. */
  readonly reason: GatherReason | null;
}

/** A configuration was delivered. */
export interface ConfigurationFact extends Fact {
  readonly kind: 'totem.configuration';
  readonly type: Configuration['type'];
  readonly ring: string;
  readonly members: readonly NodeId[];
  readonly joined: readonly NodeId[];
  readonly left: readonly NodeId[];
}

/** One packet of totempg, whatever number of messages it holds. Packets sent again in recovery are not told. */
interface PacketFact extends Fact {
  /** The ring that ordered it. */
  readonly ring: string;
  readonly msgSeq: number;
  readonly sender: NodeId;
  /** CRC-32C of what it carries. */
  readonly digest: number;
  readonly isSafe: boolean;
}

/** This node gave a packet its place in the ring's order. */
export interface SentFact extends PacketFact {
  readonly kind: 'totem.sent';
}

/** A packet was handed upwards. */
export interface DeliveredFact extends PacketFact {
  readonly kind: 'totem.delivered';
}

/** A token was accepted and, unless it is held, sent on. Told only where `tokenFacts` asks for it. */
export interface TokenFact extends Fact {
  readonly kind: 'totem.token';
  readonly ring: string;
  /** Of the token as it came. */
  readonly tokenSeq: number;
  readonly arrivedAru: number;
  /** Of the token as it goes. */
  readonly highSeq: number;
  readonly aru: number;
  readonly fcc: number;
  readonly backlog: number;
  /** Packets that this node sent with it, new and again, and how many it may at most. */
  readonly sent: number;
  readonly resent: number;
  readonly maxMessages: number;
  /** Everything up to here this node has forgotten, in this ring's numbers; 0 while the ring forms. */
  readonly released: number;
}

/** Why a node counts another one, or itself, as failed. */
export type Suspicion =
  /** It said so. */
  | 'left'
  /** It gave no consensus in all the time that it had. */
  | 'silent'
  /** It calls this node failed. */
  | 'accuser'
  /** A member of this node's ring calls it failed. */
  | 'told'
  /** A newcomer, of whom alone this node knows it, calls it failed. */
  | 'hearsay'
  /** This node itself: it receives too little. */
  | 'failed-to-receive';

/** A node was put among the failed. */
export interface SuspectedFact extends Fact {
  readonly kind: 'totem.suspected';
  readonly suspect: NodeId;
  readonly why: Suspicion;
  /** How long its consensus was waited for, and how long it had to be; 0 for other reasons than silence. */
  readonly waited: Nanos;
  readonly patience: Nanos;
}

/**
 * Told by a driver: from now on the network is quiet and connects exactly these nodes, which are up and go on. An empty list
 * ends it.
 */
export interface CalmFact extends Fact {
  readonly kind: 'totem.calm';
  readonly nodes: readonly NodeId[];
  /** How soon they have to be in one ring. */
  readonly within: Nanos;
}

/** A queue is longer than ever before, by powers of two from 16 on. */
export interface QueueFact extends Fact {
  readonly kind: 'totem.queue';
  /** Packets that wait to be sent, or that are kept until everybody has them. */
  readonly queue: 'to send' | 'held';
  readonly size: number;
}

/** The embedder was asked to store this ring's sequence. */
export interface RingStoredFact extends Fact {
  readonly kind: 'totem.ring-stored';
  readonly ring: string;
  readonly ringSeq: number;
}
