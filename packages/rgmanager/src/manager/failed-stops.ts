import type { Members } from '../cluster/members.js';
import type { Runtime } from '../runtime/runtime.js';
import type { RecordStore } from '../state/record-store.js';
import { ServiceState } from '../state/service-record.js';
import type { DaemonState } from './daemon-state.js';
import type { InUse } from './in-use.js';

export interface FailedStopParts {
  readonly runtime: Runtime;
  readonly state: DaemonState;
  readonly members: Members;
  readonly store: RecordStore;
  readonly inUse: InUse;
}

/**
 * Has nodes fenced that could not stop a service: once they are, others can recover it. Such a service is failed, and
 * has an owner. Of the nodes that are well the lowest acts; if there is none, the lowest of all has the others fenced.
 */
export class FailedStops {
  readonly #parts: FailedStopParts;
  readonly #asked = new Set<number>();

  constructor(parts: FailedStopParts) {
    this.#parts = parts;
  }

  /** Looks at the records that this node has. */
  look(): void {
    const { runtime, state, members, inUse } = this.#parts;
    if (!inUse.policy.fencesFailedStops || !state.isQuorate || state.isGoingDown) return;
    const victims = this.#victims();
    const well = members.online.filter((node) => !victims.has(node));
    if (members.here !== Math.min(...(well.length > 0 ? well : members.online))) return;
    for (const [node, service] of victims) {
      if (node === members.here || this.#asked.has(node)) continue;
      this.#asked.add(node);
      runtime.log('crit', `Fencing ${members.nameOf(node)}, which could not stop ${service}`);
      runtime.emit({ kind: 'fence', node });
    }
  }

  membersLost(lost: readonly number[]): void {
    for (const node of lost) this.#asked.delete(node);
  }

  /** With a service that each could not stop. */
  #victims(): ReadonlyMap<number, string> {
    const { members, store, inUse } = this.#parts;
    const victims = new Map<number, string>();
    for (const service of inUse.configuration.services) {
      const record = store.readLocal(service);
      if (record?.state === ServiceState.FAILED && members.isOnline(record.owner)) victims.set(record.owner, service);
    }
    return victims;
  }
}
