import { assert } from '@quorate/kernel';
import type { Suspicion } from './fact.js';
import type { NodeOrder } from './node-order.js';
import type { NodeId } from './ring-id.js';
import { MAX_MEMBERS } from './wire/header.js';
import type { Join } from './wire/join.js';

/** What a join comes to, in the order in which corosync looks. */
export type JoinVerdict =
  /** Its sender believes what this node believes. */
  | 'equal'
  /** Its sender knows less; it will hear this node's join. */
  | 'old-news'
  /** Its sender is thought failed. */
  | 'from-failed'
  /** It told something new, which was taken over. */
  | 'merged'
  /** It told something different, which is not believed. */
  | 'unbelieved'
  /** With the nodes that it names there would be more than a ring can have. */
  | 'too-many'
  /** Its sender, no member of this node's ring, thinks this node failed. */
  | 'accused';

/**
 * Who is thought present, who is thought failed, and who agrees: the sets that joins carry and compare.
 *
 * Source: Totem, membership protocol, gather state; corosync exec/totemsrp.c, `memb_join_process`.
 */
export class Membership {
  readonly #me: NodeId;
  readonly #onSuspected: (node: NodeId, why: Suspicion) => void;
  readonly #order: NodeOrder;
  readonly #proc = new Set<NodeId>();
  readonly #failed = new Set<NodeId>();
  /** Highest ring sequence in a join of each node, and what it was when the node was declared failed. */
  readonly #heardSeq = new Map<NodeId, number>();
  readonly #failedSeq = new Map<NodeId, number>();
  /** Taken back out of failed: the word of others against them is old. */
  readonly #revived = new Set<NodeId>();
  /** Failed only by a newcomer's word: their own word is enough against it. */
  readonly #hearsay = new Set<NodeId>();
  readonly #consensus = new Set<NodeId>();

  constructor(me: NodeId, order: NodeOrder, onSuspected: (node: NodeId, why: Suspicion) => void) {
    this.#me = me;
    this.#onSuspected = onSuspected;
    this.#order = order;
  }

  /** In the order in which they became known, which is the order on the wire. */
  get proc(): readonly NodeId[] {
    return [...this.#proc];
  }

  get failed(): readonly NodeId[] {
    return [...this.#failed];
  }

  get consensus(): readonly NodeId[] {
    return [...this.#consensus];
  }

  knows(node: NodeId): boolean {
    return this.#proc.has(node);
  }

  /** Whether nothing in a join is news. */
  includes(join: Join): boolean {
    return isWithin(join.proc, this.#proc) && isWithin(join.failed, this.#failed);
  }

  /** False if there are too many to add another one. */
  addProc(node: NodeId): boolean {
    if (this.#proc.size >= MAX_MEMBERS && !this.#proc.has(node)) return false;
    this.#proc.add(node);
    return true;
  }

  addFailed(node: NodeId, why: Suspicion): void {
    this.#hearsay.delete(node);
    if (this.#failed.has(node)) return;
    this.#failed.add(node);
    this.#failedSeq.set(node, this.#heardSeq.get(node) ?? 0);
    this.#onSuspected(node, why);
  }

  /** Starts over with these present and nobody failed, as after a configuration was installed. */
  reset(proc: readonly NodeId[]): void {
    this.#proc.clear();
    for (const node of proc) this.#proc.add(node);
    this.#failed.clear();
    this.#revived.clear();
    this.#hearsay.clear();
    this.#failedSeq.clear();
    this.#consensus.clear();
  }

  /** Forgets who agreed; only this node itself does. */
  resetConsensus(): void {
    this.#consensus.clear();
    this.#consensus.add(this.#me);
  }

  /** The members of the ring to be, proc - failed, in ring order. */
  candidates(): NodeId[] {
    const present: NodeId[] = [];
    for (const node of this.#proc) if (!this.#failed.has(node)) present.push(node);
    return this.#order.sorted(present);
  }

  /** Whether every candidate gave its consensus. */
  isAgreed(): boolean {
    for (const node of this.#proc) if (!this.#failed.has(node) && !this.#consensus.has(node)) return false;
    return true;
  }

  /** Whether this node is the first of the candidates in ring order. */
  isRepresentative(): boolean {
    const first = this.candidates()[0];
    assert(first !== undefined, 'somebody is a candidate, at least this node');
    return first === this.#me;
  }

  /** Declares failed whoever of proc gave no consensus. */
  failSilent(): void {
    for (const node of this.#proc) if (!this.#consensus.has(node)) this.addFailed(node, 'silent');
  }

  /**
   * Takes a join in; the first rule that matches decides. `memb` are the members of the installed ring.
   *
   * A leave equal to what is known counts as no consensus (1.4 let a leaver agree to its own departure).
   */
  judge(join: Join, memb: readonly NodeId[]): JoinVerdict {
    if (this.#proc.size + join.proc.filter((node) => !this.#proc.has(node)).length > MAX_MEMBERS) return 'too-many';
    if (this.#order.has(join.systemFrom)) {
      this.#heardSeq.set(join.systemFrom, Math.max(join.ringSeq, this.#heardSeq.get(join.systemFrom) ?? 0));
    }
    if (this.#hasComeBack(join)) {
      this.#failed.delete(join.systemFrom);
      this.#hearsay.delete(join.systemFrom);
      this.#revived.add(join.systemFrom);
      for (const node of join.proc) this.#proc.add(node);
      return 'merged';
    }
    if (isEqual(join.proc, this.#proc) && isEqual(join.failed, this.#failed)) {
      if (!isLeave(join)) this.#consensus.add(join.systemFrom);
      return 'equal';
    }
    if (this.includes(join)) return 'old-news';
    if (this.#failed.has(join.systemFrom)) return 'from-failed';
    const isMember = memb.includes(join.systemFrom);
    const isAccused = join.failed.includes(this.#me);
    if (isAccused && !isMember) return 'accused';
    const known = this.#proc.size + this.#failed.size;
    const strangers = join.proc.filter((node) => !this.#proc.has(node));
    for (const node of join.proc) this.#proc.add(node);
    if (isAccused) {
      this.addFailed(join.systemFrom, 'accuser');
    } else if (isMember) {
      for (const node of join.failed) if (!this.#revived.has(node)) this.addFailed(node, suspicionOf(join, node));
    } else {
      this.#believeHearsay(join, strangers);
    }
    return this.#proc.size + this.#failed.size > known ? 'merged' : 'unbelieved';
  }

  /**
   * A newcomer's failed list speaks of a ring that this node was not in: it is believed only of strangers, those that this
   * node knows of from this join alone, and until they speak for themselves.
   *
   * Differs from corosync, which does not believe it at all: whoever just formed a ring then waits for the dead of the
   * other ring until its consensus timer ends. If those over there do not have so long, they declare it failed meanwhile,
   * form a ring without it, hear of the same dead from it, and so on.
   */
  #believeHearsay(join: Join, strangers: readonly NodeId[]): void {
    for (const node of strangers) {
      if (node === join.systemFrom || !join.failed.includes(node)) continue;
      this.addFailed(node, 'hearsay');
      this.#hearsay.add(node);
    }
  }

  /**
   * Whether a failed node went through another ring since it was declared failed, and now counts this node in; or was
   * failed by hearsay, and speaks.
   *
   * Differs from corosync, in which failed is failed until a ring is installed: the node that came back is then left out
   * of that ring, and the two meet only by the merge detect that follows.
   */
  #hasComeBack(join: Join): boolean {
    if (isLeave(join) || !this.#failed.has(join.systemFrom)) return false;
    // Even if it calls this node failed, as it may by hearsay: two that each heard of the other's death would wait in vain.
    if (this.#hearsay.has(join.systemFrom)) return true;
    if (join.failed.includes(this.#me)) return false;
    return join.proc.includes(this.#me) && join.ringSeq > this.#failedSeq.get(join.systemFrom)!;
  }
}

function suspicionOf(join: Join, node: NodeId): Suspicion {
  return isLeave(join) && node === join.systemFrom ? 'left' : 'told';
}

/** Whether its sender says goodbye. */
export function isLeave(join: Join): boolean {
  return join.nodeId === 0;
}

function isWithin(list: readonly NodeId[], set: ReadonlySet<NodeId>): boolean {
  return list.every((node) => set.has(node));
}

function isEqual(list: readonly NodeId[], set: ReadonlySet<NodeId>): boolean {
  if (!isWithin(list, set)) return false;
  // A list from the network may name a node twice.
  return list.length === set.size ? hasNoRepeats(list) : new Set(list).size === set.size;
}

function hasNoRepeats(list: readonly NodeId[]): boolean {
  return list.every((node, i) => list.indexOf(node) === i);
}
