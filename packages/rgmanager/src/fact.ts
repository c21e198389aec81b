import type { Fact } from '@quorate/kernel';

/** A node of a service's resource tree, for whoever checks the order in which agents are called. */
export interface TreeFact {
  /** Place in the tree: `0`, `0.2`, `0.2.1`. */
  readonly path: string;
  /** `ip:10.156.76.58`. */
  readonly resource: string;
  readonly type: string;
  /** Levels that the parent's agent gives to this type; 0: none. */
  readonly startLevel: number;
  readonly stopLevel: number;
  /** There may be one instance of it in the whole cluster (`maxinstances` of its agent). */
  readonly isSingle: boolean;
  /** Rank of the type among the parent's child types, from 0; -1: not among them. */
  readonly rank: number;
}

/** What a rgmanager tells about itself. */
export type RgFact = Fact &
  (
    | {
        /** It has loaded a configuration. */
        readonly kind: 'rg.configured';
        /** Resources of one level start and stop at the same time. */
        readonly isParallel: boolean;
        readonly services: readonly {
          readonly service: string;
          /** Name of its failover domain; empty: none. */
          readonly domain: string;
          readonly isExclusive: boolean;
          readonly dependsOn: string;
          readonly tree: readonly TreeFact[];
        }[];
        readonly domains: readonly {
          readonly name: string;
          readonly isOrdered: boolean;
          readonly isRestricted: boolean;
          readonly isNofailback: boolean;
          readonly nodes: readonly { readonly node: number; readonly priority: number }[];
        }[];
      }
    | {
        /** Its view of who is a member and runs rgmanager. */
        readonly kind: 'rg.members';
        readonly members: readonly number[];
        readonly isQuorate: boolean;
        /** Nodes that take no services; absent when there are none. */
        readonly standby?: readonly number[];
      }
    | {
        /** A user has locked all services where they are (`clusvcadm -l`), or unlocked them. */
        readonly kind: 'rg.lockdown';
        readonly isLocked: boolean;
      }
    | {
        /** It wrote the record of a service: all members have it. What it writes without quorum nobody has, and it forgets that. */
        readonly kind: 'rg.service';
        readonly service: string;
        /** `ServiceState`. */
        readonly state: number;
        /** 0: nobody. */
        readonly owner: number;
        readonly lastOwner: number;
        readonly restarts: number;
        /** `ServiceFlag`s. */
        readonly flags: number;
      }
    | {
        /** It asks for an exclusive lock of the cluster, gets it or does not, or is about to give it up. */
        readonly kind: 'rg.lock';
        readonly event: 'asked' | 'granted' | 'refused' | 'released';
        readonly name: string;
      }
    | {
        /**
         * It waits for members: for their votes on a value, for the value that they have, or for the end of a proposal; until they answer or
         * their time is up.
         */
        readonly kind: 'rg.view';
        readonly event: 'asked' | 'answered';
      }
    | {
        /** It looked at a service because a node came or went, or another service changed. */
        readonly kind: 'rg.evaluated';
        /** The node that came; 0: something else has happened. */
        readonly newcomer: number;
        readonly service: string;
        readonly state: number;
        readonly owner: number;
        readonly decision:
          | 'start'
          | 'disable'
          | 'stop'
          | 'relocate'
          | 'migrate'
          | 'dependency-missing'
          | 'exclusive-and-not-empty'
          | 'exclusive-service-here'
          | 'nothing';
        /** Where it is to start or to go; 0: nowhere. */
        readonly target: number;
      }
    | {
        /** A node came, and it looks at no service for its sake: services are locked. */
        readonly kind: 'rg.unevaluated';
        readonly newcomer: number;
      }
    | {
        /** It has become the master: with central processing it decides for all from now on. */
        readonly kind: 'rg.master';
      }
    | {
        /** The master runs an event script. */
        readonly kind: 'rg.script';
        readonly event: 'started' | 'ended';
        /** Name of its entry in `<events>`. */
        readonly name: string;
        /** It is the one that comes with rgmanager. */
        readonly isDefault: boolean;
        readonly cause: 'node' | 'service' | 'user';
        /** Empty: the event is not about one. */
        readonly service: string;
      }
    | {
        /** A service's worker takes up a request. */
        readonly kind: 'rg.request-started';
        readonly service: string;
        /** As the log calls it. */
        readonly request: string;
        readonly target: number;
        /** Somebody waits for its answer: a user, or another node. */
        readonly isAnswered: boolean;
      }
    | {
        readonly kind: 'rg.request-ended';
        readonly service: string;
        readonly request: string;
        /** `Result`. */
        readonly code: number;
      }
    | {
        /** A walk over a service's resource tree begins. */
        readonly kind: 'rg.operation-started';
        readonly service: string;
        readonly operation: string;
      }
    | {
        readonly kind: 'rg.operation-ended';
        readonly service: string;
        readonly operation: string;
        /** `WalkResult`s; 0: all is well. */
        readonly result: number;
      }
    | {
        readonly kind: 'rg.agent-started';
        readonly run: number;
        readonly service: string;
        /** Place in the tree, as in `rg.configured`. */
        readonly path: string;
        readonly resource: string;
        readonly action: string;
        readonly depth: number;
      }
    | {
        readonly kind: 'rg.agent-ended';
        readonly run: number;
        readonly service: string;
        readonly path: string;
        readonly resource: string;
        readonly action: string;
        /** Exit code; -14 if it was killed by a signal, 1 if its time was up. */
        readonly status: number;
      }
    | {
        /** More events wait to be handled than ever before, by powers of two from 16 on. */
        readonly kind: 'rg.queue';
        readonly queue: 'events';
        readonly size: number;
      }
    | {
        /** It begins to end: it stops its services, and looks no more at who comes and goes. */
        readonly kind: 'rg.stopping';
      }
    | {
        /** It is gone for good: its services run here no more. */
        readonly kind: 'rg.exited';
      }
  );
