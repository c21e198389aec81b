import type { NodeId, RingId } from './ring-id.js';

/** A change of membership, delivered between the messages. All lists ascend by node id. */
export interface Configuration {
  /**
   * `transitional`: the members of the old ring that come along into the new one; what is still delivered of the old
   * ring is delivered to them. `regular`: the new ring.
   */
  readonly type: 'transitional' | 'regular';
  /** The new ring, in both: corosync announces the transitional configuration under the id of the ring it leads to. */
  readonly ring: RingId;
  readonly members: readonly NodeId[];
  /** Empty in a transitional configuration. */
  readonly joined: readonly NodeId[];
  /** Empty in a regular configuration. */
  readonly left: readonly NodeId[];
}
