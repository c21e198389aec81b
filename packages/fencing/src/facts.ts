import type { Fact } from '@quorate/kernel';
import type { WaitState } from './domain-change.js';
import type { FencedHow } from './message.js';

/** What a fenced tells about itself. */
export type FencedFact = Fact &
  (
    | {
        /** The state of its domain changed: what it waits for, who fences, who belongs to it. */
        readonly kind: 'fenced.state';
        /** `none`: no change is under way; `left`: it is not in the domain. */
        readonly state: WaitState | 'none' | 'left';
        /** The master chosen for this change; 0 before the first one. */
        readonly master: number;
        readonly members: readonly number[];
        readonly isQuorate: boolean;
        /** Who it takes for a victim just now; the master fences them. */
        readonly victims: readonly number[];
      }
    | {
        /** It counts a node as a victim. */
        readonly kind: 'fenced.victim';
        readonly victim: number;
        /** It was not seen to fail: it was no member of the cluster when we joined the domain. */
        readonly isInit: boolean;
      }
    | {
        /** As master it starts an attempt to fence a victim. */
        readonly kind: 'fenced.fencing-started';
        readonly victim: number;
        /** 1 for the first. */
        readonly attempt: number;
        readonly master: number;
        readonly isQuorate: boolean;
        /** Members of its cluster, as cman told it. */
        readonly clusterMembers: readonly number[];
        /** Whether the victim is a member of the group `fenced:daemon` and said that it has no state. */
        readonly isClean: boolean;
      }
    | {
        /** As master it ended an attempt. */
        readonly kind: 'fenced.attempt-ended';
        readonly victim: number;
        readonly attempt: number;
        readonly isSuccess: boolean;
      }
    | {
        /** It learnt from the master (from itself, if it is the master) that a victim is dealt with. */
        readonly kind: 'fenced.fenced';
        readonly victim: number;
        readonly how: FencedHow;
        readonly master: number;
      }
    | {
        /**
         * It refused the START of a member for the newest change: both have completed start cycles before, and in a change
         * that has not been dealt with the member is a newcomer. The change waits until that member is gone.
         */
        readonly kind: 'fenced.start-refused';
        readonly peer: number;
      }
    | {
        /** It asked cman to remove a node from the cluster. */
        readonly kind: 'fenced.kick';
        readonly victim: number;
        readonly reason: 'process-down' | 'stateful-merge';
      }
  );
