import type { LogPriority, Nanos } from '@quorate/kernel';
import type { RgNode } from './cluster/members.js';
import type { MessageDefect } from './cluster/message.js';
import type { ConfElement } from './conf/conf-element.js';
import type { ServiceRecord } from './state/service-record.js';

/** What clusvcadm can ask for a service. */
export type ServiceOperation =
  | 'enable'
  | 'disable'
  | 'stop'
  | 'restart'
  | 'relocate'
  | 'migrate'
  | 'freeze'
  | 'unfreeze'
  | 'convalesce';

/** What tools and agents of this node ask. */
export type RgRequest =
  | {
      readonly kind: ServiceOperation;
      /** `service:my_service_group`. */
      readonly service: string;
      /** Node id; 0 or absent: none named. */
      readonly target?: number;
      /** Enable by the rules of the failover domain (`-F`). */
      readonly isDomainStart?: boolean;
    }
  /** For clustat. `isFast`: what this node has in its cache, without asking anybody. */
  | { readonly kind: 'status'; readonly isFast?: boolean }
  | { readonly kind: 'lock' }
  | { readonly kind: 'unlock' }
  | { readonly kind: 'query-lock' }
  /** Services leave a node, which takes none until it is back; it may be down. `node` is its id. */
  | { readonly kind: 'standby' | 'unstandby'; readonly node: number }
  /** Floating addresses of a service, for agents that listen on them. `service` is the name without its type. */
  | { readonly kind: 'service-addresses'; readonly service: string };

export type RgReply =
  /** `code` is a `Result`; `owner` a node id. */
  | { readonly kind: 'result'; readonly code: number; readonly owner: number }
  /**
   * Services in the order of the configuration; `members` are nodes whose rgmanager listens. `master`: which of them decides for
   * all; absent when each does for itself, and when it is not known. `standby`: nodes that take no services, members or not;
   * absent when there are none.
   */
  | {
      readonly kind: 'status';
      readonly services: readonly ServiceRecord[];
      readonly members: readonly number[];
      readonly master?: number;
      readonly standby?: readonly number[];
    }
  | { readonly kind: 'lock-state'; readonly isLocked: boolean }
  | { readonly kind: 'addresses'; readonly addresses: readonly string[] }
  /** It does not listen: it has not started yet, or is shutting down. */
  | { readonly kind: 'unreachable' };

export type RgInput =
  /** The daemon starts; `wall` is in seconds since 1970. */
  | { readonly kind: 'start'; readonly wall: number }
  | { readonly kind: 'clock-step'; readonly offset: Nanos }
  /** Members of the cluster that listen on cman's port 177. Whether this node does so itself does not matter. */
  | { readonly kind: 'membership'; readonly members: readonly number[]; readonly isQuorate: boolean }
  /** This node belongs to the fence domain; waited for only with `waitsForFenceDomain`. */
  | { readonly kind: 'fence-domain-joined' }
  | { readonly kind: 'lockspace-created' }
  /** `release-lockspace` is done; also when the lockspace was still being created. */
  | { readonly kind: 'lockspace-released' }
  /** A completion of the DLM; `status` 0: granted in the mode asked for. */
  | { readonly kind: 'lock-cast'; readonly handle: number; readonly status: number; readonly mode?: number }
  /** The DLM did not take a call; no completion follows. */
  | { readonly kind: 'lock-refused'; readonly handle: number }
  /** From another rgmanager, or our own message to everybody. `payload` is lent. */
  | { readonly kind: 'message'; readonly from: number; readonly payload: Uint8Array }
  /** `signal` if it was killed. */
  | { readonly kind: 'agent-ended'; readonly run: number; readonly status: number; readonly signal?: number }
  | { readonly kind: 'request'; readonly id: number; readonly request: RgRequest }
  /** A request is performed that `awaitsTurn` told of; `isRefused`: it is answered ABORT. */
  | { readonly kind: 'turn'; readonly turn: number; readonly isRefused?: boolean }
  /** `cluster.conf` has changed; `nodes` if those have, too. */
  | { readonly kind: 'reconfigure'; readonly conf: ConfElement; readonly nodes?: readonly RgNode[] }
  /** SIGTERM: services that run here are stopped, then it exits. */
  | { readonly kind: 'shutdown' }
  /** cman goes down by force: who waits for its lockspace to be released does so in vain. */
  | { readonly kind: 'cman-shutdown' }
  | { readonly kind: 'wake' };

export type RgOutput =
  | { readonly kind: 'create-lockspace'; readonly lockspace: string }
  | { readonly kind: 'release-lockspace'; readonly lockspace: string }
  | {
      readonly kind: 'lock';
      readonly handle: number;
      readonly name: string;
      /** 0 NL, 5 EX. */
      readonly mode: number;
      /** The DLM's: 1 NOQUEUE, 4 CONVERT. */
      readonly flags: number;
      readonly wantsBast: false;
    }
  | { readonly kind: 'unlock'; readonly handle: number; readonly flags: number }
  | { readonly kind: 'open-port'; readonly port: number }
  | { readonly kind: 'close-port'; readonly port: number }
  /** To that node's port 177; 0: to everybody, this node included. `payload` is lent. */
  | { readonly kind: 'send'; readonly to: number; readonly payload: Uint8Array }
  | {
      readonly kind: 'run-agent';
      readonly run: number;
      /** `/usr/share/cluster/ip.sh`. */
      readonly file: string;
      /** Its first argument. */
      readonly action: string;
      /** Its second argument: the node to migrate to. */
      readonly argument?: string;
      /** All that it may see. */
      readonly environment: Readonly<Record<string, string>>;
      /** To be killed with SIGKILL after that long. */
      readonly timeout?: Nanos;
    }
  /** It could not stop a service: it is to leave the cluster by force, and the fence domain deals with it. */
  | { readonly kind: 'fence'; readonly node: number }
  | { readonly kind: 'reply'; readonly id: number; readonly reply: RgReply }
  /** The last output ever. */
  | { readonly kind: 'exited'; readonly status: number }
  | { readonly kind: 'reject'; readonly from: number; readonly reason: MessageDefect }
  | { readonly kind: 'log'; readonly priority: LogPriority; readonly text: string };
