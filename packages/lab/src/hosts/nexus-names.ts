import type { IscsiFact } from '@quorate/iscsi';
import type { Fact } from '@quorate/kernel';
import type { ReservationChangedFact, ScsiFact } from '@quorate/scsi';

/**
 * Gives the nexuses in the facts of a target the ids of the nodes that they are of: so the rules see a node's commands under one
 * number, whatever way they come.
 *
 * All nexuses of a node are one then, also those of sessions that it has one after the other.
 */
export class NexusNames {
  readonly #nodeOf: ReadonlyMap<string, number>;
  readonly #tell: (fact: Fact) => void;
  /** Ids of nodes by the numbers that the target has given to nexuses. */
  readonly #nodes = new Map<number, number>();

  /** `nodeOf`: by the iSCSI names of the nodes' initiators. */
  constructor(nodeOf: ReadonlyMap<string, number>, tell: (fact: Fact) => void) {
    this.#nodeOf = nodeOf;
    this.#tell = tell;
  }

  onIscsi(fact: IscsiFact): void {
    if (fact.kind !== 'iscsi.logged-in' || fact.nexus === 0) return this.#tell(fact);
    const node = this.#nodeOf.get(fact.initiator) ?? fact.nexus;
    this.#nodes.set(fact.nexus, node);
    const told: IscsiFact = { ...fact, nexus: node };
    this.#tell(told);
  }

  onScsi(fact: ScsiFact): void {
    if (!('nexus' in fact)) return this.#tell(fact);
    const nexus = this.#of(fact.nexus);
    const told: ScsiFact =
      fact.kind === 'scsi.reservation-changed' ? { ...fact, nexus, ...this.#reservation(fact) } : { ...fact, nexus };
    this.#tell(told);
  }

  #reservation(fact: ReservationChangedFact): Partial<ReservationChangedFact> {
    const { holder, destination } = fact;
    return {
      alsoRegister: fact.alsoRegister.map(this.#of),
      ...(destination !== undefined && { destination: this.#of(destination) }),
      ...(holder !== undefined && { holder: this.#of(holder) }),
      registered: fact.registered.map(({ nexus, key }) => ({ nexus: this.#of(nexus), key })),
      preempted: fact.preempted.map(this.#of),
    };
  }

  readonly #of = (nexus: number): number => this.#nodes.get(nexus) ?? nexus;
}
