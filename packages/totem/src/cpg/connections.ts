/** How far a local process is with a group. */
export type ConnectionState = 'join-started' | 'join-completed' | 'leave-started';

/** A local process in a group, from its join to its leave. */
export interface Connection {
  readonly group: string;
  readonly pid: number;
  state: ConnectionState;
  /** Configuration changes of the group that it was told of (`transition_counter`). */
  transitions: number;
}

/** The local processes and the groups that they are in, in the order of their joins. */
export class Connections {
  #connections: Connection[] = [];

  get all(): readonly Connection[] {
    return this.#connections;
  }

  /** Each process once. */
  get pids(): readonly number[] {
    return [...new Set(this.#connections.map(({ pid }) => pid))];
  }

  of(group: string, pid: number): Connection | undefined {
    return this.#connections.find((connection) => connection.pid === pid && connection.group === group);
  }

  /** Those that hear of the group: its join is through, and its leave not yet. */
  hearersOf(group: string): readonly Connection[] {
    return this.#connections.filter((connection) => connection.group === group && connection.state !== 'join-started');
  }

  open(group: string, pid: number): void {
    this.#connections.push({ group, pid, state: 'join-started', transitions: 0 });
  }

  close(group: string, pid: number): void {
    this.#connections = this.#connections.filter((other) => other.pid !== pid || other.group !== group);
  }

  /** Closes all of a process, and gives them. */
  closeAll(pid: number): readonly Connection[] {
    const closed = this.#connections.filter((connection) => connection.pid === pid);
    this.#connections = this.#connections.filter((connection) => connection.pid !== pid);
    return closed;
  }
}
