/** A node of the configuration. */
export interface RgNode {
  readonly id: number;
  readonly name: string;
}

/** Who is a member here: a member of the cluster whose rgmanager listens. In the order of the configuration. */
export class Members {
  readonly here: number;
  #nodes: readonly RgNode[] = [];
  #names: ReadonlyMap<number, string> = new Map();
  #online: ReadonlySet<number> = new Set();
  /** What cman said last: it carries messages, whether or not this node has got over a loss by now. */
  isQuorate = false;
  /** In ascending order; members or not. */
  standby: readonly number[] = [];

  constructor(nodes: readonly RgNode[], here: number) {
    this.here = here;
    this.setNodes(nodes);
  }

  /** The configuration has changed. */
  setNodes(nodes: readonly RgNode[]): void {
    this.#nodes = nodes;
    this.#names = new Map(nodes.map(({ id, name }) => [id, name]));
  }

  get nodes(): readonly RgNode[] {
    return this.#nodes;
  }

  /** Ids of the members, in the order of the configuration; unknown nodes come last. */
  get online(): readonly number[] {
    const known = this.nodes.map(({ id }) => id).filter((id) => this.#online.has(id));
    return [...known, ...[...this.#online].filter((id) => !this.#names.has(id))];
  }

  isOnline(id: number): boolean {
    return this.#online.has(id);
  }

  /** Ids of the members that may be given services: all but those in standby. */
  get eligible(): readonly number[] {
    return this.online.filter((id) => !this.standby.includes(id));
  }

  /** Whether this node is in standby. */
  get isStandby(): boolean {
    return this.standby.includes(this.here);
  }

  isEligible(id: number): boolean {
    return this.#online.has(id) && !this.standby.includes(id);
  }

  nameOf(id: number): string {
    return this.#names.get(id) ?? `Node${id}`;
  }

  /** Takes the new list and says who went and who came; id 0, the quorum disk, is never a member. */
  update(ids: Iterable<number>): { readonly lost: readonly number[]; readonly gained: readonly number[] } {
    const before = this.online;
    const now = new Set(ids);
    now.delete(0);
    const lost = before.filter((id) => !now.has(id));
    const gained = [...now].filter((id) => !this.#online.has(id));
    this.#online = now;
    return { lost, gained: this.online.filter((id) => gained.includes(id)) };
  }

  /** A node said that it is about to leave. */
  setOffline(id: number): void {
    const now = new Set(this.#online);
    now.delete(id);
    this.#online = now;
  }
}
