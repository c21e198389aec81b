import { type Nanos, SECOND, type Task } from '@quorate/kernel';
import type { Runtime } from '../runtime/runtime.js';
import type { Resume } from '../runtime/suspend.js';
import type { Channel, Channels } from './channels.js';
import type { Locks } from './locks.js';
import type { Members } from './members.js';
import type { RgMessage } from './message.js';
import { ReplicatedKey } from './replicated-key.js';

/** Lock under which keys are read and written. */
const LOCK = 'usrm::vf';
/** After that long a proposal without a commit is forgotten. */
const EXPIRY: Nanos = 120 * SECOND;
/** How long a member has to answer what its value of a key is. */
const REPLY_TIMEOUT: Nanos = 10 * SECOND;
const OPEN_TIMEOUT: Nanos = 15 * SECOND;

/** `unheard`: it was proposed without quorum, so that cman took it to nobody, not even to this node. */
export type WriteResult = 'ok' | 'unheard' | 'timeout' | 'aborted' | 'no-lock';

interface Ballot {
  readonly voters: Set<number>;
  readonly resume: Resume<WriteResult>;
}

/** Told of every value that becomes current. */
export type Committed = (key: string, data: Uint8Array) => void;

/**
 * Replicates values by name to all members: view formation, a two-phase commit under one lock.
 *
 * The writer proposes a value to everybody, and everybody votes before everybody; when all whom the writer knows as
 * members have said yes, it tells everybody to take the value over.
 *
 * Differs from rgmanager: the vote of a member that is gone is not waited for, and its proposals are forgotten at once,
 * not after 120 s; a read or write waits for the end of a proposal that is under way (the original means to, and does
 * not), for the lock can change hands before the commit has arrived.
 *
 * Source: rgmanager src/clulib/vft.c.
 */
export class Views {
  readonly #runtime: Runtime;
  readonly #locks: Locks;
  readonly #channels: Channels;
  readonly #members: Members;
  readonly #voteTimeout: Nanos;
  readonly #committed: Committed;
  readonly #keys = new Map<string, ReplicatedKey>();
  readonly #ballots = new Map<number, Ballot>();
  /** Tasks that wait for the end of a proposal. */
  #waiting: Resume<void>[] = [];
  #lastTransaction: number;

  constructor(
    runtime: Runtime,
    parts: { readonly locks: Locks; readonly channels: Channels; readonly members: Members },
    voteTimeout: Nanos,
    committed: Committed,
  ) {
    this.#runtime = runtime;
    this.#locks = parts.locks;
    this.#channels = parts.channels;
    this.#members = parts.members;
    this.#voteTimeout = voteTimeout;
    this.#committed = committed;
    this.#lastTransaction = (this.#members.here << 16) >>> 0;
  }

  /** The value that this node has, without asking anybody. */
  readLocal(key: string): Uint8Array | undefined {
    return this.#keys.get(key)?.data;
  }

  /** The value that this node has when no proposal for it is under way any more. Asks nobody. */
  *readSettled(key: string): Task<Uint8Array | undefined> {
    yield* this.#settled(this.#keyOf(key));
    return this.readLocal(key);
  }

  /** The current value; undefined when no member has one. */
  *read(key: string): Task<Uint8Array | undefined> {
    const lock = yield* this.#locks.acquire(LOCK);
    if (lock === undefined) return undefined;
    const known = this.#keyOf(key);
    yield* this.#settled(known);
    if (known.data === undefined) {
      this.#tell('asked');
      yield* this.#requestCurrent(known);
      this.#tell('answered');
    }
    const data = known.data;
    yield* this.#locks.release(lock);
    return data;
  }

  /** `data` is kept. */
  *write(key: string, data: Uint8Array): Task<WriteResult> {
    const lock = yield* this.#locks.acquire(LOCK);
    if (lock === undefined) return 'no-lock';
    const known = this.#keyOf(key);
    yield* this.#settled(known);
    this.#lastTransaction += 1;
    const transaction = this.#lastTransaction;
    const result = yield* this.#collectVotes(transaction, {
      kind: 'join-view',
      transaction,
      key,
      coordinator: this.#members.here,
      view: known.view + 1,
      data,
    });
    this.#channels.broadcast({ kind: result === 'ok' ? 'formed' : 'abort', transaction });
    yield* this.#locks.release(lock);
    return result;
  }

  /** Takes a value for what all have agreed on: this node goes on from a state that is known. */
  resume(name: string, data: Uint8Array): void {
    const key = this.#keyOf(name);
    key.view = 1;
    key.data = data;
  }

  /**
   * Tells everybody what this node has, unasked: those who have an older value or none take it over.
   *
   * Beyond rgmanager, where a node that has just come has to ask.
   */
  announce(name: string): void {
    const key = this.#keys.get(name);
    if (key?.data === undefined) return;
    this.#channels.broadcast({ kind: 'ack', key: name, view: key.view, data: key.data });
  }

  /** A message to everybody; true if it was one of this protocol. */
  onBroadcast(from: number, message: RgMessage): boolean {
    switch (message.kind) {
      case 'join-view':
        this.#onJoinView(message);
        return true;
      case 'vote':
        this.#onVote(from, message.transaction, message.isYes);
        return true;
      case 'abort':
        this.#drop((joinView) => joinView.transaction === message.transaction);
        return true;
      case 'formed':
        this.#onFormed(message.transaction);
        return true;
      case 'ack':
        this.#onAnnounced(message);
        return true;
      default:
        return false;
    }
  }

  /** Another node asks for our value of a key. */
  onCurrent(channel: Channel, name: string): void {
    const key = this.#keys.get(name);
    const answer: RgMessage =
      key?.data === undefined ? { kind: 'nack' } : { kind: 'ack', key: name, view: key.view, data: key.data };
    this.#channels.send(channel, answer);
  }

  /** These nodes are gone: neither their votes nor their commits will come. */
  membersLost(lost: readonly number[]): void {
    this.#drop((joinView) => lost.includes(joinView.coordinator));
    for (const ballot of [...this.#ballots.values()]) {
      for (const node of lost) ballot.voters.delete(node);
      if (ballot.voters.size === 0) ballot.resume('ok');
    }
  }

  /** Forgets all values but one, as at a loss of quorum. */
  invalidate(kept: string): void {
    for (const name of this.#keys.keys()) if (name !== kept) this.#keys.delete(name);
    this.#keys.get(kept)?.drop(() => true);
    this.#resumeWaiting();
  }

  inspect(): readonly { readonly key: string; readonly view: number; readonly isPending: boolean }[] {
    return [...this.#keys.values()].map(({ name, view, isPending }) => ({ key: name, view, isPending }));
  }

  #keyOf(name: string): ReplicatedKey {
    const known = this.#keys.get(name);
    if (known !== undefined) return known;
    const key = new ReplicatedKey(name);
    this.#keys.set(name, key);
    return key;
  }

  *#settled(key: ReplicatedKey): Task {
    if (!key.isPending) return;
    this.#tell('asked');
    while (key.isPending) {
      const left = key.expiresAt - this.#runtime.now;
      if (left <= 0) this.#drop((joinView) => joinView.expiresAt <= this.#runtime.now);
      else yield* this.#runtime.waitFor<void>(left, (resume) => this.#waiting.push(resume));
    }
    this.#tell('answered');
  }

  #resumeWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  *#collectVotes(transaction: number, joinView: RgMessage): Task<WriteResult> {
    this.#tell('asked');
    const result = yield* this.#runtime.waitFor<WriteResult>(this.#voteTimeout, (resume) => {
      const voters = new Set(this.#members.online);
      this.#ballots.set(transaction, { voters, resume });
      this.#channels.broadcast(joinView);
      if (voters.size === 0) resume('unheard');
    });
    this.#ballots.delete(transaction);
    this.#tell('answered');
    return result ?? 'timeout';
  }

  #onVote(from: number, transaction: number, isYes: boolean): void {
    const ballot = this.#ballots.get(transaction);
    if (ballot === undefined) return;
    ballot.voters.delete(from);
    if (!isYes) ballot.resume('aborted');
    else if (ballot.voters.size === 0) ballot.resume('ok');
  }

  #onJoinView(message: Extract<RgMessage, { kind: 'join-view' }>): void {
    const { transaction, coordinator, view, data } = message;
    const isOwn = coordinator === this.#members.here;
    // Its ballot is over. cman has sent its abort only if there was quorum: nobody shall wait for it in vain.
    if (isOwn && !this.#ballots.has(transaction)) return this.#channels.broadcast({ kind: 'abort', transaction });
    // Nobody would get our vote, nor perhaps we the end of it: who has quorum again asks for everything anew.
    if (!isOwn && !this.#members.isQuorate) return;
    const expiresAt = this.#runtime.now + EXPIRY;
    const isYes = this.#keyOf(message.key).propose({ transaction, coordinator, view, data, expiresAt });
    this.#channels.broadcast({ kind: 'vote', transaction, isYes });
  }

  #onFormed(transaction: number): void {
    const key = [...this.#keys.values()].find((each) => each.has(transaction));
    if (key === undefined) return;
    key.commit(transaction);
    if (key.data !== undefined) this.#committed(key.name, key.data);
    this.#resumeWaiting();
  }

  #onAnnounced({ key: name, view, data }: Extract<RgMessage, { kind: 'ack' }>): void {
    const key = this.#keyOf(name);
    if (view <= key.view) return;
    key.view = view;
    key.data = data;
    this.#committed(name, data);
  }

  #drop(isDropped: Parameters<ReplicatedKey['drop']>[0]): void {
    for (const key of this.#keys.values()) key.drop(isDropped);
    this.#resumeWaiting();
  }

  /** Asks the other members one after the other. */
  *#requestCurrent(key: ReplicatedKey): Task {
    for (const node of this.#members.online) {
      if (node === this.#members.here) continue;
      const channel = yield* this.#channels.open(node, OPEN_TIMEOUT);
      if (channel === undefined) continue;
      this.#channels.send(channel, { kind: 'current', key: key.name });
      const reply = yield* channel.inbox.take(REPLY_TIMEOUT);
      this.#channels.close(channel);
      if (typeof reply !== 'object' || reply.kind !== 'ack') continue;
      key.view = reply.view;
      key.data = reply.data;
      return;
    }
  }

  #tell(event: 'asked' | 'answered'): void {
    this.#runtime.observe?.({ kind: 'rg.view', now: this.#runtime.now, event });
  }
}
