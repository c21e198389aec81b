import type { Nanos, Stamped } from '@quorate/kernel';
import { ServiceFlag, ServiceState } from '@quorate/rgmanager';
import type { AnyFact } from '../../lab.js';

/** Kinds of facts that the picture follows. */
export const SERVICE_KINDS: readonly string[] = ['rg.service', 'rg.lockdown', 'rg.agent-ended', 'node.state'];

/** What the record of a service says, as it was last written. */
export interface ServiceView {
  /** As rgmanager numbers it. */
  readonly state: number;
  /** Node id; 0: nobody. */
  readonly owner: number;
  readonly lastOwner: number;
  /** Something of it was given up. */
  readonly isPartial: boolean;
  /** Nobody may look after it: it is frozen, or services have been locked since the record was written. */
  readonly isLeftAlone: boolean;
  /** It failed while it was frozen: as in the original no order is taken for it any more, and none unfreezes it. */
  readonly isStuck: boolean;
}

interface Service extends Omit<ServiceView, 'isLeftAlone' | 'isStuck'> {
  readonly isFrozen: boolean;
  readonly writtenAt: Nanos;
}

const UNKNOWN: Service = { state: 0, owner: 0, lastOwner: 0, isPartial: false, isFrozen: false, writtenAt: 0 };

/** The records of all services, by the names that clusvcadm knows. */
export class ServicePicture {
  readonly #services = new Map<string, Service>();
  /** When services were locked the last time; Infinity while they are. */
  #lockedAt: Nanos = -Infinity;
  /** By node, resources whose last stop there failed. */
  readonly #leftBehind = new Map<number, Set<string>>();

  of(service: string): ServiceView {
    const { isFrozen, writtenAt, ...view } = this.#services.get(service) ?? UNKNOWN;
    const isStuck = isFrozen && view.state === ServiceState.FAILED;
    return { ...view, isLeftAlone: isFrozen || this.#lockedAt >= writtenAt, isStuck };
  }

  /** The agent of a resource has failed to stop it on that node, and nobody has stopped it since: it may run there. */
  isLeftBehind(resource: string, node: number): boolean {
    return this.#leftBehind.get(node)?.has(resource) === true;
  }

  hear(stamped: Stamped): void {
    const fact = stamped as AnyFact;
    const { node } = fact;
    switch (fact.kind) {
      case 'node.state':
        if (fact.state === 'off') this.#leftBehind.delete(node);
        break;
      case 'rg.lockdown':
        this.#lockedAt = fact.isLocked === true ? Infinity : fact.at;
        break;
      case 'rg.agent-ended':
        if (fact.action === 'stop') this.#onStopped(String(fact.resource), node, fact.status === 0);
        break;
      case 'rg.service': {
        this.#services.set(String(fact.service).replace('service:', ''), {
          state: Number(fact.state),
          owner: Number(fact.owner),
          lastOwner: Number(fact.lastOwner),
          isPartial: (Number(fact.flags) & ServiceFlag.PARTIAL) !== 0,
          isFrozen: (Number(fact.flags) & ServiceFlag.FROZEN) !== 0,
          writtenAt: fact.at,
        });
      }
    }
  }

  #onStopped(resource: string, node: number, isStopped: boolean): void {
    const left = this.#leftBehind.get(node) ?? new Set();
    this.#leftBehind.set(node, left);
    if (isStopped) left.delete(resource);
    else left.add(resource);
  }
}
