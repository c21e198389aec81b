import type { NodeId } from '../ring-id.js';
import type { ProcessInfo } from './process-table.js';

/** What a round of synchronisation came to. */
export interface Exchanged {
  /** Members of the last synchronised ring that did not come along. */
  readonly gone: readonly NodeId[];
  /** Processes on other nodes, as they listed them. */
  readonly listed: readonly ProcessInfo[];
}

/**
 * The down list and the join lists of a synchronisation, from the last one that was through to this one.
 *
 * Differs from corosync, which keeps the transitional configuration of the last round only: a node that left and came back
 * while one round after the other was ended would never be told as left.
 */
export class ListExchange {
  #members: readonly NodeId[] = [];
  /** Members at the last activation, and those of them that came along ever since; undefined right after it. */
  #oldMembers: readonly NodeId[] = [];
  #transSince: readonly NodeId[] | undefined;
  #listed: ProcessInfo[] = [];

  /** The members of the last synchronised ring. */
  get oldMembers(): readonly NodeId[] {
    return this.#oldMembers;
  }

  /** A round ends, in whatever phase: what it gathered must not reach the next one. */
  abort(trans: readonly NodeId[]): void {
    this.#listed = [];
    this.#transSince = this.#transSince?.filter((node) => trans.includes(node)) ?? trans;
  }

  begin(members: readonly NodeId[]): void {
    this.#listed = [];
    this.#members = members;
  }

  downList(): NodeId[] {
    const trans = this.#transSince ?? [];
    return this.#oldMembers.filter((node) => !trans.includes(node) || !this.#members.includes(node));
  }

  /** Enters the join list of another node. */
  take(from: NodeId, processes: readonly { readonly pid: number; readonly group: string }[]): void {
    for (const { pid, group } of processes) this.#listed.push({ node: from, pid, group });
  }

  /** Everybody has said what is to be said. */
  activate(): Exchanged {
    const gone = this.downList();
    const listed = this.#listed;
    this.#oldMembers = this.#members;
    this.#transSince = undefined;
    this.#listed = [];
    return { gone, listed };
  }
}
