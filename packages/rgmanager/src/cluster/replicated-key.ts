import type { Nanos } from '@quorate/kernel';

/** A value that a node proposed, until its commit or its abort. */
interface JoinView {
  readonly transaction: number;
  readonly coordinator: number;
  readonly view: number;
  readonly data: Uint8Array;
  readonly expiresAt: Nanos;
  isCommitted: boolean;
}

/**
 * One replicated key on one node: its current value, and the proposals that wait for their commit. They commit in the
 * order of their view numbers, then of their coordinators.
 *
 * Source: rgmanager src/clulib/vft.c.
 */
export class ReplicatedKey {
  readonly name: string;
  data: Uint8Array | undefined;
  view = 0;
  readonly #joinViews: JoinView[] = [];

  constructor(name: string) {
    this.name = name;
  }

  /** Whether a proposal is under way: what is current is about to change. */
  get isPending(): boolean {
    return this.#joinViews.length > 0;
  }

  /** Instant at which the next proposal is given up; Infinity without one. */
  get expiresAt(): Nanos {
    return Math.min(...this.#joinViews.map(({ expiresAt }) => expiresAt));
  }

  has(transaction: number): boolean {
    return this.#joinViews.some((joinView) => joinView.transaction === transaction);
  }

  /** Whether the proposal is acceptable; it is kept then. An older view than ours is not, nor one's second of the same. */
  propose(joinView: Omit<JoinView, 'isCommitted'>): boolean {
    if (joinView.view < this.view) return false;
    const isAfter = (other: JoinView): boolean =>
      other.view < joinView.view || (other.view === joinView.view && other.coordinator < joinView.coordinator);
    const at = this.#joinViews.filter(isAfter).length;
    const next = this.#joinViews[at];
    if (next?.view === joinView.view && next.coordinator === joinView.coordinator) return false;
    this.#joinViews.splice(at, 0, { ...joinView, isCommitted: false });
    return true;
  }

  /** Notes a commit, and takes over all values whose turn has come. */
  commit(transaction: number): void {
    const committed = this.#joinViews.find((joinView) => joinView.transaction === transaction);
    if (committed !== undefined) committed.isCommitted = true;
    while (this.#joinViews[0]?.isCommitted) {
      const { view, data } = this.#joinViews.shift()!;
      this.view = view;
      this.data = data;
    }
  }

  /** Forgets proposals: an aborted one, those of a coordinator that is gone, those that expired. */
  drop(isDropped: (joinView: Readonly<JoinView>) => boolean): void {
    const kept = this.#joinViews.filter((joinView) => joinView.isCommitted || !isDropped(joinView));
    this.#joinViews.length = 0;
    this.#joinViews.push(...kept);
    this.commit(0);
  }
}
