import type { Fact } from '@quorate/kernel';
import type { Configuration } from './configuration.js';
import type { GatherReason } from './gather-reason.js';
import type { NodeId } from './ring-id.js';

/** The four states of the membership protocol. */
export type RingState = 'operational' | 'gather' | 'commit' | 'recovery';

/** What a `Totem` tells about itself. Rings are `rep.seq` in hexadecimal. */
export type TotemFact = StateFact | ConfigurationFact | MessageFact | RingStoredFact;

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

/**
 * `totem.sent`: this node gave a packet its place in the ring's order. `totem.delivered`: a packet was handed upwards.
 *
 * One fact for each packet of totempg, whatever number of messages it holds; packets sent again in recovery are not
 * told.
 */
export interface MessageFact extends Fact {
  readonly kind: 'totem.sent' | 'totem.delivered';
  /** The ring that ordered it. */
  readonly ring: string;
  readonly msgSeq: number;
  readonly sender: NodeId;
}

/** The embedder was asked to store this ring's sequence. */
export interface RingStoredFact extends Fact {
  readonly kind: 'totem.ring-stored';
  readonly ring: string;
  readonly ringSeq: number;
}
