import type { NodeId } from '../ring-id.js';

/** A process that is in a group. */
export interface ProcessInfo {
  readonly node: NodeId;
  readonly pid: number;
  readonly group: string;
}

/** All processes of all groups that this node knows, by node and pid (`process_info_list`). */
export class ProcessTable {
  #processes: ProcessInfo[] = [];

  get all(): readonly ProcessInfo[] {
    return this.#processes;
  }

  has(wanted: ProcessInfo): boolean {
    return this.#processes.some((process) => isSameProcess(process, wanted));
  }

  /** Whether the node has any process in the group. */
  knowsNode(node: NodeId, group: string): boolean {
    return this.#processes.some((process) => process.node === node && process.group === group);
  }

  membersOf(group: string): readonly ProcessInfo[] {
    return this.#processes.filter((process) => process.group === group);
  }

  groups(): string[] {
    return [...new Set(this.#processes.map((process) => process.group))].sort();
  }

  /**
   * All processes, those of a group together, as a client's iteration finds them: a group whose first process comes
   * later stands before, and behind that first process the others of its group stand with the last one first.
   *
   * Source: corosync services/cpg.c, `message_handler_req_lib_cpg_iteration_initialize`.
   */
  grouped(): readonly ProcessInfo[] {
    const items: ProcessInfo[] = [];
    for (const process of this.#processes) {
      items.splice(items.findIndex(({ group }) => group === process.group) + 1, 0, process);
    }
    return items;
  }

  add(process: ProcessInfo): void {
    const at = this.#processes.findIndex((other) => byNodeAndPid(other, process) > 0);
    this.#processes.splice(at < 0 ? this.#processes.length : at, 0, process);
  }

  remove(gone: ProcessInfo): void {
    this.#processes = this.#processes.filter((process) => !isSameProcess(process, gone));
  }

  /** Takes out every process of these nodes, and gives them. */
  removeNodes(nodes: readonly NodeId[]): ProcessInfo[] {
    const gone = this.#processes.filter((process) => nodes.includes(process.node));
    if (gone.length > 0) this.#processes = this.#processes.filter((process) => !nodes.includes(process.node));
    return gone;
  }
}

function isSameProcess(a: ProcessInfo, b: ProcessInfo): boolean {
  return a.pid === b.pid && a.node === b.node && a.group === b.group;
}

export function byNodeAndPid(a: ProcessInfo, b: ProcessInfo): number {
  return a.node - b.node || a.pid - b.pid;
}
