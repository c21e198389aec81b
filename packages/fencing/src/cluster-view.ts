import type { Nanos } from '@quorate/kernel';

/**
 * The cluster as cman tells of it.
 *
 * Source: cluster.git fence/fenced/member_cman.c, `update_cluster`.
 */
export class ClusterView {
  #members: readonly number[] = [];
  #ringSeq: number | undefined;
  #isQuorate = false;
  #isQuorateFromLastUpdate = false;
  #quorateSince: Nanos | undefined;

  get members(): readonly number[] {
    return this.#members;
  }

  /** Undefined before cman said anything. */
  get ringSeq(): number | undefined {
    return this.#ringSeq;
  }

  get isQuorate(): boolean {
    return this.#isQuorate;
  }

  /** Whether the last change of members added some, took none away, and brought quorum. */
  get isQuorateFromLastUpdate(): boolean {
    return this.#isQuorateFromLastUpdate;
  }

  /** When quorum was gained last; undefined for never. */
  get quorateSince(): Nanos | undefined {
    return this.#quorateSince;
  }

  /** cman is gone, and the quorum with it. */
  end(): void {
    this.#isQuorate = false;
  }

  /** Takes in what cman says; returns the nodes that are members now and were not before. */
  update(
    now: Nanos,
    members: readonly number[],
    ringSeq: number,
    isQuorate: boolean,
    quorumGained: boolean = !this.#isQuorate && isQuorate,
  ): readonly number[] {
    const before = this.#members;
    const added = members.filter((node) => !before.includes(node));
    const hasRemoved = before.some((node) => !members.includes(node));
    if (!this.#isQuorate && isQuorate) this.#quorateSince = now;
    this.#members = [...members];
    this.#ringSeq = ringSeq;
    this.#isQuorate = isQuorate;
    if (hasRemoved) this.#isQuorateFromLastUpdate = false;
    else if (added.length > 0) this.#isQuorateFromLastUpdate = quorumGained;
    return added;
  }
}
