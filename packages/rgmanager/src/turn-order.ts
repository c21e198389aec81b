/** A request of a node that waits for its turn. */
export interface WaitingTurn<Host> {
  readonly host: Host;
  readonly turn: number;
}

/**
 * The order in which the recordings' requests were performed: what a request asks of other nodes within it, as it comes, and then those that
 * wait by the ids of their nodes.
 */
export class TurnOrder<Host extends { readonly id: number }> {
  readonly #waiting: WaitingTurn<Host>[] = [];
  /** How many were waiting when the request began that is under way; what has come since is part of it. */
  #outer: number | undefined;

  add(host: Host, turn: number): void {
    this.#waiting.push({ host, turn });
  }

  /** Whose turn it is; undefined when nothing waits. */
  take(): WaitingTurn<Host> | undefined {
    if (this.#outer !== undefined && this.#waiting.length > this.#outer) return this.#waiting.splice(this.#outer, 1)[0];
    this.#outer = undefined;
    const next = this.#waiting.sort((a, b) => a.host.id - b.host.id).shift();
    if (next !== undefined) this.#outer = this.#waiting.length;
    return next;
  }

  takeAll(): readonly WaitingTurn<Host>[] {
    return this.#waiting.splice(0);
  }
}
