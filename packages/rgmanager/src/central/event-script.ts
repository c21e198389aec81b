import type { Task } from '@quorate/kernel';
import type { ServiceOperation } from '../io.js';
import type { EventCluster } from './event-cluster.js';

/** Something that event scripts are run for: the globals that the original sets, under the names that they have there. */
export type RgEvent =
  | {
      /** `EVENT_NODE`. */
      readonly kind: 'node';
      /** `node_id`. */
      readonly node: number;
      /** `node_name`. */
      readonly name: string;
      /** `node_state`: it came; otherwise it is gone. */
      readonly isOnline: boolean;
      /** `node_clean`: it said so before; true of one that came. */
      readonly isClean: boolean;
      /** It is the master itself. */
      readonly isLocal: boolean;
    }
  | {
      /** `EVENT_SERVICE`: a service has got into another state. */
      readonly kind: 'service';
      /** `service_name`: `service:web`. */
      readonly service: string;
      /** `service_state`: `started`, `recovering`, … */
      readonly state: string;
      /** `service_owner`; -1: nobody. */
      readonly owner: number;
      /** `service_last_owner`; 0: nobody. */
      readonly lastOwner: number;
      /** `service_restarts_exceeded`; of a service that recovers: do not restart it where it was. */
      readonly restartsExceeded: boolean;
    }
  | {
      /** `EVENT_USER`: clusvcadm. */
      readonly kind: 'user';
      /** `user_service`. */
      readonly service: string;
      /** `user_request`. */
      readonly request: ServiceOperation;
      /** `user_target`: node id; 0: none named. */
      readonly target: number;
      /** `user_arg1`: 1 for an enable by the rules of the failover domain. */
      readonly arg1: number;
      /** `user_arg2`. */
      readonly arg2: number;
    };

/**
 * What the master does about an event. It is a task: what takes time is waited for with `yield*`.
 *
 * Scripts that match an event run one after the other, by priority and then in the order of the file, until one calls
 * `stopProcessing`. One that throws is logged and ends; the next one runs.
 */
export type EventScript = (event: RgEvent, cluster: EventCluster) => Task<unknown>;
