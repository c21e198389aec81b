import type { Fact } from '@quorate/kernel';
import type { Configuration } from './configuration.js';
import type { GatherReason } from './gather-reason.js';
import type { NodeId } from './ring-id.js';

/** The four states of the membership protocol. */
export type RingState = 'operational' | 'gather' | 'commit' | 'recovery';

/** What a `Totem` tells about itself. Rings are `rep.seq` in hexadecimal. */
export type TotemFact = StateFact | ConfigurationFact | SentFact | DeliveredFact | RingStoredFact | QueueFact;

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
}

/** This node gave a packet its place in the ring's order. */
export interface SentFact extends PacketFact {
  readonly kind: 'totem.sent';
}

/** A packet was handed upwards. */
export interface DeliveredFact extends PacketFact {
  readonly kind: 'totem.delivered';
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
