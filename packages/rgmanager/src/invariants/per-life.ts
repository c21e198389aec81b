/** Per-node knowledge that a new life of the node wipes out. */
export class PerLife<T> {
  readonly #nodes = new Map<number, { readonly life: number; readonly value: T }>();
  readonly #fresh: () => T;

  constructor(fresh: () => T) {
    this.#fresh = fresh;
  }

  of({ node, life }: { readonly node: number; readonly life: number }): T {
    const known = this.#nodes.get(node);
    if (known !== undefined && known.life === life) return known.value;
    const value = this.#fresh();
    this.#nodes.set(node, { life, value });
    return value;
  }

  lifeOf(node: number): number | undefined {
    return this.#nodes.get(node)?.life;
  }

  latest(node: number): T | undefined {
    return this.#nodes.get(node)?.value;
  }

  get all(): readonly T[] {
    return [...this.#nodes.values()].map(({ value }) => value);
  }
}
