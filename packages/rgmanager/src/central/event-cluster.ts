import type { LogPriority, Prng, Task } from '@quorate/kernel';
import type { Members } from '../cluster/members.js';
import type { InUse } from '../manager/in-use.js';
import type { ServiceOperations } from '../manager/service-operations.js';
import type { Runtime } from '../runtime/runtime.js';
import { Request } from '../state/request.js';
import { Result } from '../state/result.js';
import { ServiceFlag, ServiceState, stateText } from '../state/service-record.js';
import { domainSet } from './domain-set.js';
import { type NodeSet, subtract, union } from './node-sets.js';
import type { ServiceCalls } from './service-calls.js';

export interface EventClusterParts {
  readonly runtime: Runtime;
  readonly members: Members;
  readonly inUse: InUse;
  readonly operations: ServiceOperations;
  readonly calls: ServiceCalls;
  readonly prng: Prng;
}

/** What a script is told of a service: `service_status`. */
export interface EventServiceStatus {
  /** Wall clock second of the last transition; 0: it was never started. */
  readonly transition: number;
  /** `ServiceFlag`s. */
  readonly flags: number;
  readonly restartsExceeded: boolean;
  /** Starts out of recovery in a row. */
  readonly restarts: number;
  /** 0: nobody. */
  readonly lastOwner: number;
  /** -1: nobody. */
  readonly owner: number;
  /** As clustat calls it, or `frozen`; `uninitialized` when it is not in `cluster.conf` or nobody could say. */
  readonly state: string;
}

/** What a script is told of a service's failover domain: `service_domain_info`. */
export interface EventDomainInfo {
  readonly isNofailback: boolean;
  readonly isRestricted: boolean;
  readonly isOrdered: boolean;
  /** By priority, those of one priority shuffled, those without any last; empty without a domain. */
  readonly nodes: readonly number[];
}

/** In these a service has no owner, whatever its record says. */
const OWNERLESS: readonly number[] = [
  ServiceState.DISABLED,
  ServiceState.STOPPED,
  ServiceState.FAILED,
  ServiceState.RECOVER,
  ServiceState.ERROR,
];

/** Piece of a line in the log; a list of nodes is written `[ 1 2 ]`. */
export type LogPart = string | number | readonly number[];

/**
 * The cluster as an event script sees it and acts on it: the functions that the original gives to its scripts, under
 * their names. Those that give a number give a `Result`, which is 0 or below, unless they say more.
 *
 * Source: rgmanager src/daemons/slang_event.c.
 */
export class EventCluster {
  readonly #parts: EventClusterParts;
  readonly #isUserEvent: boolean;
  #isStopped = false;
  /** `user_return`: the answer to a user's request: a `Result`, or above 0 the node that runs the service now. */
  userReturn = 0;

  constructor(parts: EventClusterParts, isUserEvent: boolean) {
    this.#parts = parts;
    this.#isUserEvent = isUserEvent;
  }

  /** `node_self`: the id of the node that runs the script, the master. */
  get nodeSelf(): number {
    return this.#parts.members.here;
  }

  /** `nodes_online`: ids of the members whose rgmanager listens, and which are not in standby, in the order of `cluster.conf`. */
  nodesOnline(): readonly number[] {
    return this.#parts.members.eligible;
  }

  /** `service_list`: all services, `type:name`, in the order of `cluster.conf`. */
  serviceList(): readonly string[] {
    return this.#parts.inUse.configuration.services;
  }

  /** `service_property`: text of an attribute of a service; empty when it has none. */
  serviceProperty(service: string, name: string): string {
    return this.#parts.inUse.configuration.property(service, name) ?? '';
  }

  /** `service_domain_info`. */
  serviceDomainInfo(service: string): EventDomainInfo {
    const domain = this.#parts.inUse.configuration.domainOf(service);
    return {
      isNofailback: domain?.isNofailback ?? false,
      isRestricted: domain?.isRestricted ?? false,
      isOrdered: domain?.isOrdered ?? false,
      nodes: domain === undefined ? [] : domainSet(domain, (nodes) => this.shuffle(nodes)),
    };
  }

  /** `service_status`. */
  *serviceStatus(service: string): Task<EventServiceStatus> {
    const { calls, inUse, runtime } = this.#parts;
    const record = yield* calls.record(service);
    const counter = inUse.configuration.root(service)?.restartCounter;
    const { transition = 0, flags = 0, restarts = 0, lastOwner = 0 } = record ?? {};
    const state = record?.state ?? ServiceState.UNINITIALIZED;
    const hasOwner = record !== undefined && record.owner > 0 && !OWNERLESS.includes(state);
    return {
      transition,
      flags,
      restartsExceeded: counter?.isExceeded(runtime.seconds) ?? false,
      restarts,
      lastOwner,
      owner: hasOwner ? record.owner : -1,
      state: (flags & ServiceFlag.FROZEN) === 0 ? stateText(state) : 'frozen',
    };
  }

  /**
   * `service_start`: starts a service on the first of these nodes that can. Gives the id of the node that runs it now, 0
   * when nobody knows whether it does, or a `Result`: EXCL or DEPEND when all refused for that reason, FAIL, INVAL.
   *
   * Differs from rgmanager: it reads the nodes to avoid, and forgets them.
   */
  *serviceStart(service: string, nodes: NodeSet, avoid: NodeSet = []): Task<number> {
    this.userReturn = yield* this.#parts.calls.start(service, subtract(union(nodes, []), avoid));
    return this.userReturn;
  }

  /** `service_stop`: stops a service wherever it runs, and disables it if so wanted. That of a dead owner is marked stopped. */
  *serviceStop(service: string, disables = false): Task<number> {
    const stop = this.#isUserEvent ? Request.STOP_USER : Request.STOP;
    this.userReturn = yield* this.#parts.calls.stop(service, disables ? Request.DISABLE : stop);
    return this.userReturn;
  }

  /** `service_migrate`: gives the id of the target, or a `Result` below 0. */
  *serviceMigrate(service: string, target: number): Task<number> {
    const code = yield* this.#parts.calls.migrate(service, target);
    this.userReturn = code === Result.SUCCESS ? target : code;
    return this.userReturn;
  }

  /** `service_convalesce`. */
  *serviceConvalesce(service: string): Task<number> {
    return yield* this.#parts.calls.convalesce(service);
  }

  /** `service_freeze`. */
  *serviceFreeze(service: string): Task<number> {
    return yield* this.#parts.operations.freeze(service, true);
  }

  /** `service_unfreeze`. */
  *serviceUnfreeze(service: string): Task<number> {
    return yield* this.#parts.operations.freeze(service, false);
  }

  /** `shuffle`: the nodes in another order. */
  shuffle(nodes: NodeSet): readonly number[] {
    const shuffled = [...union(nodes, [])];
    for (let i = shuffled.length - 1; i > 0; i--) {
      const j = this.#parts.prng.below(i + 1);
      const swapped = shuffled[i]!;
      shuffled[i] = shuffled[j]!;
      shuffled[j] = swapped;
    }
    return shuffled;
  }

  /** `stop_processing`: no further script runs for this event, the default one neither. */
  stopProcessing(): void {
    this.#isStopped = true;
  }

  get isStopped(): boolean {
    return this.#isStopped;
  }

  debug(...parts: readonly LogPart[]): void {
    this.#log('debug', parts);
  }

  info(...parts: readonly LogPart[]): void {
    this.#log('info', parts);
  }

  notice(...parts: readonly LogPart[]): void {
    this.#log('notice', parts);
  }

  warning(...parts: readonly LogPart[]): void {
    this.#log('warning', parts);
  }

  err(...parts: readonly LogPart[]): void {
    this.#log('err', parts);
  }

  crit(...parts: readonly LogPart[]): void {
    this.#log('crit', parts);
  }

  alert(...parts: readonly LogPart[]): void {
    this.#log('alert', parts);
  }

  emerg(...parts: readonly LogPart[]): void {
    this.#log('emerg', parts);
  }

  #log(priority: LogPriority, parts: readonly LogPart[]): void {
    const words = parts.map((part) =>
      typeof part === 'object' ? `[ ${part.map((node) => `${node} `).join('')}]` : part,
    );
    this.#parts.runtime.log(priority, words.join(''));
  }
}
