import type { Task } from '@quorate/kernel';
import type { Members } from '../cluster/members.js';
import { type DomainSituation, nodeScore } from '../state/failover-domain.js';
import { bestTargetNode, isRunning, type Load, lessLoadedLast } from '../state/placement.js';
import type { RecordStore } from '../state/record-store.js';
import { type ServiceRecord, ServiceState } from '../state/service-record.js';
import type { InUse } from './in-use.js';

type Loads = ReadonlyMap<number, Load>;

export const NO_LOAD: Load = { services: 0, exclusive: 0, used: 0 };

/**
 * Asks the rules of placement about services and nodes as they are now.
 *
 * Source: rgmanager src/daemons/groups.c and fo_domain.c.
 */
export class DomainPlacement {
  readonly #store: RecordStore;
  readonly #members: Members;
  readonly #inUse: InUse;

  constructor(store: RecordStore, members: Members, inUse: InUse) {
    this.#store = store;
    this.#members = members;
    this.#inUse = inUse;
  }

  /**
   * `count_resource_groups`: what runs where, by the records that all have. `planned`: where services are about to start
   * whose records do not say so yet.
   */
  *loads(planned: ReadonlyMap<string, number> = new Map()): Task<Map<number, Load>> {
    const loads = new Map<number, Load>();
    for (const service of this.#inUse.configuration.services) {
      const record = yield* this.#store.readLocked(service);
      const node = record !== undefined && isRunning(record) ? record.owner : planned.get(service);
      if (node !== undefined) this.#count(loads, service, node);
    }
    return loads;
  }

  /** `count_resource_groups_local`: what runs on a node, by this node's cache. */
  #localLoad(node: number): Load {
    const loads = new Map<number, Load>();
    for (const service of this.#inUse.configuration.services) {
      const record = this.#store.readLocal(service);
      if (record !== undefined && isRunning(record)) this.#count(loads, service, record.owner);
    }
    return loads.get(node) ?? NO_LOAD;
  }

  /** Whether the service must not run on a node because of what runs there and wants to be alone. */
  hasExclusiveConflict(service: string, node: number): boolean {
    if (!this.#inUse.configuration.hasExclusive) return false;
    const load = this.#localLoad(node);
    return load.exclusive > 0 || (load.services > 0 && this.#inUse.configuration.isExclusive(service));
  }

  /** Score of a node for a service when just these nodes are online. */
  *score(service: string, node: number, online: readonly number[]): Task<number> {
    return nodeScore(node, yield* this.#situation(service, online));
  }

  /** The best of these nodes for a service, other than `owner`; `owner` when there is none. */
  *bestTarget(service: string, owner: number, online: readonly number[]): Task<number> {
    const loads = yield* this.loads();
    return this.choose(service, owner, online, loads, yield* this.#situation(service, online));
  }

  /**
   * As `bestTarget`, with these loads in that situation. Under a coordinator the less loaded of equals is taken, and no
   * node is loaded beyond its capacity.
   */
  choose(service: string, owner: number, online: readonly number[], loads: Loads, situation: DomainSituation): number {
    const { configuration, policy } = this.#inUse;
    const need = policy.needs.get(service) ?? 0;
    const candidates = online
      .map((node) => {
        const load = loads.get(node) ?? NO_LOAD;
        return { node, load, free: (policy.capacities.get(node) ?? Infinity) - load.used };
      })
      .filter(({ free }) => need === 0 || free >= need);
    if (policy.hasCoordinator) candidates.sort(lessLoadedLast);
    return bestTargetNode(candidates, owner, configuration.isExclusive(service), situation);
  }

  /** A service is about to run on a node. */
  plan(loads: Map<number, Load>, service: string, node: number): void {
    this.#count(loads, service, node);
  }

  /** Whether the service that this one depends on is known not to be started. */
  isDependencyMissing(service: string): boolean {
    const other = this.#inUse.configuration.property(service, 'depend');
    if (other === undefined) return false;
    const record = this.#store.readLocal(other);
    return record !== undefined && record.state !== ServiceState.STARTED;
  }

  /** The rules as they apply to a service whose record is at hand. */
  situationOf(service: string, record: ServiceRecord | undefined, online: readonly number[]): DomainSituation {
    const { configuration } = this.#inUse;
    return {
      domain: configuration.domainOf(service),
      isStarted: record !== undefined && isRunning(record),
      owner: record?.owner ?? 0,
      isOnline: (node) => online.includes(node),
      lacksDomain: () => configuration.complainOfDomain(service),
    };
  }

  /** Only a domain without failback needs the record. */
  *#situation(service: string, online: readonly number[]): Task<DomainSituation> {
    const isNofailback = this.#inUse.configuration.domainOf(service)?.isNofailback === true;
    const record = isNofailback ? yield* this.#store.readLocked(service) : undefined;
    return this.situationOf(service, record, online);
  }

  /** Ids of the members. */
  get online(): readonly number[] {
    return this.#members.online;
  }

  #count(loads: Map<number, Load>, service: string, node: number): void {
    const { services, exclusive, used } = loads.get(node) ?? NO_LOAD;
    const { configuration, policy } = this.#inUse;
    loads.set(node, {
      services: services + 1,
      exclusive: exclusive + (configuration.isExclusive(service) ? 1 : 0),
      used: used + (policy.needs.get(service) ?? 0),
    });
  }
}
