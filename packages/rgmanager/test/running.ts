/** Resources that agents have started on each node and not stopped. */
export class Running {
  readonly #on = new Map<string, Set<number>>();
  readonly doubles: string[] = [];

  start(resource: string, node: number): void {
    const nodes = this.#on.get(resource) ?? new Set();
    this.#on.set(resource, nodes.add(node));
    if (nodes.size > 1) this.doubles.push(`${resource} runs on ${[...nodes].join(' and ')}`);
  }

  stop(resource: string, node: number): void {
    this.#on.get(resource)?.delete(node);
  }

  down(node: number): void {
    for (const nodes of this.#on.values()) nodes.delete(node);
  }
}
