import type { Nanos } from '@quorate/kernel';
import type { Epoch, JournalRecord, MountProgress, StartMessage } from './control-message.js';

/** A journal's record, as this node changes it. */
export interface Journal {
  readonly jid: number;
  node: number;
  failure: number;
  isInUse: boolean;
}

/** What `gfs_control ls` says of a change. */
export interface ChangeCounts {
  readonly seq: number;
  readonly members: readonly number[];
  readonly joinedCount: number;
  readonly removeCount: number;
  readonly failedCount: number;
  /** Oldest of the changes that it takes in. */
  readonly combinedSeq: number;
}

/** A node that is or was in the group. */
export interface GroupNode {
  /** Changes by which it joined and went last; 0 for never. */
  addedSeq: number;
  removedSeq: number;
  /** It went last without saying so. */
  hasFailed: boolean;
}

/** A membership change of the group that is not finished (`struct change`). */
export interface Change extends ChangeCounts {
  /** Members seen joining: changes since then, at this one. */
  readonly counts: ReadonlyMap<number, number>;
  /** START messages for this change. */
  readonly starts: Map<number, StartMessage>;
  isSent: boolean;
}

/** How far this node's own mount has got. */
export type MountState = 'waiting' | 'mounting' | 'mounted' | 'withdrawn';

/**
 * The mount group of one file system: who has it mounted, with which journal, and what has to be replayed.
 *
 * All members that took part in a change hold the same table of journals, because it changes only by configuration changes
 * and by messages, and both come in the same order everywhere.
 *
 * Source: cluster.git gfs/gfs_controld/cpg-new.c.
 */
export class Mountgroup {
  readonly name: string;
  readonly node: number;
  readonly journals: Map<number, Journal> = new Map();
  members: readonly number[] = [];
  change: Change | undefined = undefined;
  /** The last change that was finished. */
  started: ChangeCounts | undefined = undefined;
  readonly nodes: Map<number, GroupNode> = new Map();
  /** The last change that was ended. */
  epoch: Epoch | undefined = undefined;
  needsFirst = true;
  failures = 0;
  mount: MountState = 'waiting';
  /** The kernel has begun the mount: from here on it has locks, and needs more. */
  hasBegun = false;
  isBlocked = false;
  isDlmStopped = false;
  isLeaving = false;
  /** Journal that this node's file system is replaying. */
  recovering: { readonly jid: number; readonly failure: number } | undefined = undefined;
  retryAt: Nanos = Infinity;
  /** Nodes that have withdrawn, and those members who know that this one has. */
  readonly withdrawn: Set<number> = new Set();
  readonly acks: Set<number> = new Set();
  /** What was heard since the last configuration change: it may or may not be in a table that is taken over. */
  readonly heard: ((group: Mountgroup) => void)[] = [];
  #counts = new Map<number, number>();
  #changeSeq = 0;

  constructor(name: string, node: number) {
    this.name = name;
    this.node = node;
  }

  get group(): string {
    return `gfs:mount:${this.name}`;
  }

  get ownJournal(): Journal | undefined {
    for (const journal of this.journals.values()) if (journal.node === this.node) return journal;
    return undefined;
  }

  get needsRecovery(): boolean {
    for (const journal of this.journals.values()) if (journal.failure > 0) return true;
    return false;
  }

  /** Lowest journal to be replayed. */
  get nextRecovery(): Journal | undefined {
    let next: Journal | undefined;
    for (const journal of this.journals.values()) {
      if (journal.failure > 0 && (next === undefined || journal.jid < next.jid)) next = journal;
    }
    return next;
  }

  /** Notes a configuration change; `failed` are those who left without saying so. */
  addChange(
    members: readonly number[],
    joined: readonly number[],
    left: readonly number[],
    failed: readonly number[],
  ): void {
    const counts = new Map<number, number>();
    for (const [node, changes] of this.#counts) if (members.includes(node)) counts.set(node, changes + 1);
    for (const node of joined) counts.set(node, 1);
    this.#counts = counts;
    this.members = [...members].sort((a, b) => a - b);
    for (const node of left) this.#lose(node, failed.includes(node));
    this.heard.length = 0;
    this.#changeSeq += 1;
    const seq = this.#changeSeq;
    for (const node of joined) this.#node(node).addedSeq = seq;
    for (const node of left) {
      this.#node(node).removedSeq = seq;
      this.#node(node).hasFailed = failed.includes(node);
    }
    this.change = {
      seq,
      members: this.members,
      joinedCount: joined.length,
      removeCount: left.length,
      failedCount: failed.length,
      combinedSeq: this.change?.combinedSeq ?? seq,
      counts,
      starts: new Map(),
      isSent: false,
    };
  }

  #node(node: number): GroupNode {
    let known = this.nodes.get(node);
    if (known === undefined) {
      known = { addedSeq: 0, removedSeq: 0, hasFailed: false };
      this.nodes.set(node, known);
    }
    return known;
  }

  startMessage(): StartMessage {
    return {
      kind: 'start',
      epoch: this.epoch,
      members: this.members,
      counts: [...this.#counts],
      journals: [...this.journals.values()].map((journal) => ({ ...journal })),
      failures: this.failures,
      needsFirst: this.needsFirst,
      progress: this.#progress,
    };
  }

  get #progress(): MountProgress {
    if (this.mount === 'mounted') return 'done';
    return this.hasBegun ? 'begun' : 'none';
  }

  /** Takes a START if it belongs to the change under way; whether all are there now. */
  takeStart(from: number, message: StartMessage): boolean {
    const { change } = this;
    if (change === undefined || !change.members.includes(from) || !this.#isMatch(from, message, change)) return false;
    change.starts.set(from, message);
    return change.starts.size === change.members.length;
  }

  /**
   * All have stopped and said so: the change is finished, and every member has a journal.
   *
   * False when those who are mounting cannot end it: their locks wait for a replay, and all who could replay are gone, or their
   * half of the group has given way to another one.
   */
  finishChange(): boolean {
    const { change } = this;
    if (change === undefined) return true;
    const tellers = tellersOf(change);
    // In two halves somebody has begun to mount. dlm_controld, whose halves have state then, has one of them killed.
    if (tellers === undefined) return true;
    const [teller, isBegun] = tellers;
    let canEnd = true;
    if (this.epoch === undefined || this.epoch.join() !== teller?.epoch?.join()) canEnd = this.#adopt(teller);
    const progress = [...change.starts.values()].map((start) => start.progress);
    const isLost = this.needsRecovery && !this.needsFirst && !progress.includes('done');
    if (![...this.journals.values()].some((journal) => journal.isInUse)) this.needsFirst = true;
    else if (isLost && !isBegun) this.#beginAgain();
    for (const node of change.members) this.#assignJournal(node);
    const ended = [...change.starts.values()].map(({ epoch }) => epoch?.[1] ?? 0);
    this.epoch = [change.members[0]!, 1 + Math.max(...ended)];
    this.heard.length = 0;
    this.started = change;
    this.change = undefined;
    this.admitMounts();
    return canEnd && !(isLost && isBegun);
  }

  /**
   * Marks the journals of those who may mount now: the first mounter alone, the lowest node, as long as nobody has replayed
   * all journals; all others when nothing is left to replay. Every member comes to the same result at the same place in the
   * order of events.
   *
   * Differs from gfs_controld: who waits gets the lowest journal that is free when he may mount. There he would keep the one
   * that was free when he came, which may be more than there are while those of dead nodes are not replayed.
   */
  admitMounts(): void {
    if (this.change !== undefined || this.epoch === undefined) return;
    if (!this.needsFirst) {
      if (this.needsRecovery) return;
      this.#renumberWaiting();
      for (const journal of this.journals.values()) if (journal.node !== 0) journal.isInUse = true;
    } else if (![...this.journals.values()].some(({ node, isInUse }) => node !== 0 && isInUse)) {
      // The first mounter replays every journal there is, those of dead nodes too.
      for (const { jid, node } of [...this.journals.values()]) if (node === 0) this.journals.delete(jid);
      this.#renumberWaiting();
      for (const journal of this.journals.values()) journal.isInUse = journal.node === this.members[0];
    }
  }

  /**
   * All who had it mounted are dead, and those who were about to mount wait for a replay: one of them is the first mounter.
   *
   * Differs from gfs_controld, which lets a mount end before it stops the kernel: locks are granted there before the replay.
   */
  #beginAgain(): void {
    this.needsFirst = true;
    for (const journal of this.journals.values()) journal.isInUse = false;
    if (this.mount === 'mounting') this.mount = 'waiting';
  }

  /** Gives those who have not mounted yet the lowest free journals, the lowest node first. */
  #renumberWaiting(): void {
    const waiting = [...this.journals.values()].filter(({ node, isInUse }) => node !== 0 && !isInUse);
    for (const { jid } of waiting) this.journals.delete(jid);
    for (const { node } of waiting.sort((a, b) => a.node - b.node)) this.#assignJournal(node);
  }

  /** The node that writes the journal has died or withdrawn. */
  setFailed(journal: Journal): void {
    this.failures += 1;
    journal.failure = this.failures;
  }

  /** A journal was replayed after that failure: nobody owns it and anybody may get it. */
  setRecovered(jid: number, failure: number): void {
    const journal = this.journals.get(jid);
    if (journal === undefined || journal.failure !== failure) return;
    journal.failure = 0;
    if (journal.node === 0) this.journals.delete(jid);
  }

  #lose(node: number, isFailed: boolean): void {
    for (const journal of this.journals.values()) {
      if (journal.node !== node) continue;
      // Who was not allowed to mount yet has written nothing. Differs from gfs_controld, which has that replayed too, and
      // waits for ever if there is no such journal. A journal that was replayed when its node withdrew is not used since.
      const hasWritten = journal.isInUse && !this.withdrawn.has(node);
      journal.node = 0;
      journal.isInUse = false;
      if (isFailed && hasWritten) this.setFailed(journal);
      if (journal.failure === 0) this.journals.delete(journal.jid);
    }
    this.withdrawn.delete(node);
  }

  /**
   * Whether a START speaks of this change: one with the same members, and both sides count the changes since the later of the two
   * joined, which the other has seen; when two halves of a group have met, each has seen the other join.
   *
   * Differs from gfs_controld, which compares member lists only and could take a START for an earlier, equal change.
   */
  #isMatch(from: number, message: StartMessage, change: Change): boolean {
    if (message.members.join() !== change.members.join()) return false;
    const theirs = new Map(message.counts);
    const [sinceUs, sinceThem] = [theirs.get(this.node), change.counts.get(from)];
    if (sinceUs === undefined) return sinceThem !== undefined && sinceThem === theirs.get(from);
    return sinceUs === (sinceThem ?? change.counts.get(this.node));
  }

  /**
   * Takes over a table, and what was said since it was told; without a teller everybody begins anew. False when this node's
   * kernel has begun to mount by the table that it had.
   */
  #adopt(teller: StartMessage | undefined): boolean {
    this.journals.clear();
    for (const record of teller?.journals ?? []) this.journals.set(record.jid, { ...(record satisfies JournalRecord) });
    this.failures = teller?.failures ?? 0;
    this.needsFirst = teller?.needsFirst ?? true;
    for (const apply of this.heard) apply(this);
    if (this.mount !== 'mounting') return true;
    if (this.hasBegun) return false;
    this.mount = 'waiting';
    return true;
  }

  #assignJournal(node: number): void {
    for (const journal of this.journals.values()) if (journal.node === node) return;
    let jid = 0;
    while (this.journals.has(jid)) jid += 1;
    this.journals.set(jid, { jid, node, failure: 0, isInUse: false });
  }
}

/**
 * Whose table everybody takes, and whether anybody has begun to mount by it.
 *
 * Of halves that were apart it is the one in which somebody has begun to mount, told by the lowest of its members; when nobody has
 * anywhere, the halves have nothing to lose and begin anew. Undefined: both have.
 */
function tellersOf({ members, starts }: Change): readonly [StartMessage | undefined, boolean] | undefined {
  const all = members.map((node) => starts.get(node)!);
  const halves = new Set(all.filter(({ epoch }) => epoch !== undefined).map(({ epoch }) => epoch!.join()));
  const begun = new Set(all.filter(({ progress }) => progress !== 'none').map(({ epoch }) => epoch?.join()));
  if (begun.size > 1) return undefined;
  const [half] = begun.size === 1 ? begun : halves.size === 1 ? halves : [undefined];
  return [half === undefined ? undefined : all.find(({ epoch }) => epoch?.join() === half), begun.size === 1];
}
