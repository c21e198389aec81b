import { ByteReader, ByteWriter, type Nanos, SECOND, type Task } from '@quorate/kernel';
import type { Locks } from '../cluster/locks.js';
import type { Members } from '../cluster/members.js';
import type { Views } from '../cluster/views.js';
import type { DaemonState } from '../manager/daemon-state.js';
import { Mutex } from '../runtime/mutex.js';
import type { Runtime } from '../runtime/runtime.js';
import type { Resume } from '../runtime/suspend.js';

/** Name of the lock that the master holds, and of the value under which all know who it is. */
export const MASTER_KEY = 'Transition-Master';

const MAGIC = 0xfabab0de;
const RECORD_BYTES = 128;
/** How often the record is written when a vote does not come in time. */
const WRITE_TRIES = 3;
/** How often a node looks who is the master between two of them. */
const LOOK_EVERY: Nanos = SECOND / 4;

/**
 * Who the master is, as nodes replicate it. Big-endian.
 *
 * offset size field
 *      0    4 magic    0xfabab0de
 *      4    4 node id
 *      8    8 time     wall clock second at which it became the master
 *     16  112 –        zero
 *
 * Source: rgmanager include/event.h, `event_master_t`.
 */
export function encodeMaster(node: number, wallSeconds: number): Uint8Array<ArrayBuffer> {
  return new ByteWriter(false, RECORD_BYTES)
    .u32(MAGIC)
    .u32(node)
    .u64(wallSeconds)
    .raw(new Uint8Array(0), RECORD_BYTES - 16)
    .bytes();
}

/** Node id; undefined when the bytes are not such a record. */
export function decodeMaster(bytes: Uint8Array): number | undefined {
  if (bytes.length !== RECORD_BYTES) return undefined;
  const reader = new ByteReader(bytes, false);
  return reader.u32() === MAGIC ? reader.u32() : undefined;
}

export interface MasterParts {
  readonly runtime: Runtime;
  readonly state: DaemonState;
  readonly members: Members;
  readonly locks: Locks;
  readonly views: Views;
}

/**
 * Finds the node that decides for all, which may be this one: whoever gets the lock first, and holds it for life.
 *
 * Source: rgmanager src/daemons/rg_event.c, `event_master`, `find_master`, `master_event_callback`.
 */
export class TransitionMaster {
  readonly #parts: MasterParts;
  /** One look at a time: a second request for the lock would find it taken by the first. */
  readonly #mutex = new Mutex();
  /** As the others have said. */
  #known = 0;
  #isHeld = false;
  /** All have this node's record, not one from before it was started again. */
  #wasAnnounced = false;
  #waiting: Resume<void>[] = [];

  constructor(parts: MasterParts) {
    this.#parts = parts;
  }

  /**
   * The master as far as this node knows; 0: none that is a member.
   *
   * Differs from rgmanager: it takes itself for the master when the record names it from before it was started again, and
   * another may have the lock.
   */
  get known(): number {
    const { members } = this.#parts;
    const isStale = this.#known === members.here && !this.#isHeld;
    return !isStale && members.isOnline(this.#known) ? this.#known : 0;
  }

  /** This node is it. */
  get isHere(): boolean {
    return this.#isHeld;
  }

  /**
   * The master's node id, this node's when there was none. 0: this node is on its way out, or has no quorum.
   *
   * Differs from rgmanager: a master that leaves has the lock until it is gone. Who does not get it then is told of no
   * other master, and the original forgets the event; here it looks again.
   */
  *find(): Task<number> {
    yield* this.#mutex.lock();
    const master = yield* this.#find();
    this.#mutex.unlock();
    return master;
  }

  *#find(): Task<number> {
    const { state, members, locks, runtime } = this.#parts;
    while (!state.isGoingDown && state.isQuorate) {
      if (this.#isHeld || (this.known === 0 && (yield* locks.tryAcquire(MASTER_KEY)) !== undefined)) {
        yield* this.#announce();
        return members.here;
      }
      if (this.known === 0) yield* this.#ask();
      if (this.known !== 0) return this.known;
      yield* runtime.waitFor<void>(LOOK_EVERY, (resume) => this.#waiting.push(resume));
    }
    return 0;
  }

  /** This node is the master already, or knows who is. */
  *resume(master: number): Task {
    const { members, locks, runtime } = this.#parts;
    this.#known = master;
    if (master !== members.here || (yield* locks.tryAcquire(MASTER_KEY)) === undefined) return;
    this.#isHeld = true;
    runtime.observe?.({ kind: 'rg.master', now: runtime.now });
  }

  /** A value of the key has become current. */
  onCommitted(data: Uint8Array): void {
    const node = decodeMaster(data);
    if (node === undefined) return this.#parts.runtime.log('err', 'master_event_callback: wrong size');
    this.#know(node, 'Commit');
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** Once, and again when a loss of quorum has made all forget it. */
  *#announce(): Task {
    const { runtime, members, views } = this.#parts;
    if (!this.#isHeld) {
      this.#isHeld = true;
      this.#know(members.here, 'Locate');
      runtime.observe?.({ kind: 'rg.master', now: runtime.now });
    }
    // The others vote against a value that is older than theirs: read how far they are.
    const known = views.readLocal(MASTER_KEY) ?? (yield* views.read(MASTER_KEY));
    if (known !== undefined && this.#wasAnnounced && decodeMaster(known) === members.here) return;
    const record = encodeMaster(members.here, runtime.wallSeconds);
    for (let tries = 0; tries < WRITE_TRIES; tries++) {
      const result = yield* views.write(MASTER_KEY, record);
      this.#wasAnnounced = result === 'ok';
      if (this.#wasAnnounced) return;
      if (result !== 'timeout') break;
    }
    runtime.log('err', 'Unable to advertise master status to all nodes');
  }

  *#ask(): Task {
    const data = yield* this.#parts.views.read(MASTER_KEY);
    const node = data === undefined ? undefined : decodeMaster(data);
    if (node === undefined) return this.#parts.runtime.log('debug', 'Unable to discover master status');
    this.#know(node, 'Locate');
  }

  #know(node: number, how: 'Commit' | 'Locate'): void {
    this.#known = node;
    const text = how === 'Commit' && node === this.#parts.members.here ? 'I am master' : `${node} is master`;
    this.#parts.runtime.log('debug', `Master ${how}: ${text}`);
  }
}
