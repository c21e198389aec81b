import { type Nanos, SECOND } from '@quorate/kernel';
import type { LockspaceView } from '../lockspace-view.js';
import { type LocksSection, LockUnion, sectionsOf } from './pack-lock.js';
import { deadlockVictims } from './wait-for-graph.js';

/** What a cycle needs of the daemon around it. */
export interface DeadlockPorts {
  cycleStart(): void;
  cycleEnd(): void;
  checkpointReady(): void;
  cancelLock(node: number, lkid: number): void;
  /** What of our locks goes into our checkpoint. */
  section(section: LocksSection): void;
  /** Answered by `locks`. */
  readLocks(): void;
  /** Cancels a lock of this node; it completes with EDEADLK. */
  cancel(handle: number): void;
  log(text: string): void;
}

/** `DEADLOCK_CHECK_SECS`: no new cycle by a warning so soon after the last one. */
const CHECK_INTERVAL = 10 * SECOND;

/**
 * Search for deadlocks over several resources of a lockspace: all members tell all their locks, and the lowest node id finds out
 * whose have to be canceled.
 *
 * Differs from dlm_controld, which keeps locks in checkpoints of openais: here they are messages between CYCLE_START and
 * CHECKPOINT_READY.
 *
 * Source: cluster.git group/dlm_controld/deadlock.c; the functions keep their names.
 */
export class DeadlockCycle {
  readonly #me: number;
  readonly #ports: DeadlockPorts;
  #members: readonly number[] = [];
  /** Members that take part, and whether all that they have has come; undefined while no cycle runs. */
  #inCycle: Map<number, boolean> | undefined;
  #locks = new LockUnion();
  #handles = new Map<number, number>();
  #areAllReady = false;
  #lastSent: Nanos = -Infinity;
  #lastEnd: Nanos = -Infinity;

  constructor(me: number, ports: DeadlockPorts) {
    this.#me = me;
    this.#ports = ports;
  }

  /** A lock waits for long. */
  timewarn(now: Nanos): void {
    if (now - this.#lastSent < CHECK_INTERVAL) return this.#ports.log('skip send: recent send cycle');
    if (now - this.#lastEnd < CHECK_INTERVAL) return this.#ports.log('skip send: recent cycle end');
    this.#lastSent = now;
    this.sendCycleStart();
  }

  sendCycleStart(): void {
    this.#ports.log('send_cycle_start');
    this.#ports.cycleStart();
  }

  confchg(members: readonly number[], left: readonly number[]): void {
    this.#members = members;
    const inCycle = this.#inCycle;
    if (inCycle === undefined || left.length === 0) return;
    const low = lowest(inCycle);
    for (const node of left) {
      inCycle.delete(node);
      this.#locks.purge(node);
    }
    if (!this.#areAllReady || left.includes(low)) this.#runDeadlock(inCycle);
  }

  receiveCycleStart(from: number): void {
    this.#ports.log(`receive_cycle_start from ${from}`);
    if (this.#inCycle !== undefined) return this.#ports.log('cycle already running');
    this.#inCycle = new Map(this.#members.map((node) => [node, false]));
    this.#ports.readLocks();
  }

  /** Our locks, as they are now. */
  locks(view: LockspaceView | undefined): void {
    if (this.#inCycle === undefined) return;
    for (const { granted, converting, waiting } of view?.resources ?? [])
      for (const { lkid, handle } of [...granted, ...converting, ...waiting]) this.#handles.set(lkid, handle);
    for (const section of view === undefined ? [] : sectionsOf(view)) this.#ports.section(section);
    this.#ports.checkpointReady();
  }

  receiveSection(from: number, section: LocksSection): void {
    if (this.#inCycle?.has(from)) this.#locks.add(from, section);
  }

  receiveCheckpointReady(from: number): void {
    const inCycle = this.#inCycle;
    if (inCycle === undefined || !inCycle.has(from)) return;
    inCycle.set(from, true);
    this.#runDeadlock(inCycle);
  }

  receiveCancelLock(to: number, lkid: number): void {
    const handle = this.#handles.get(lkid);
    if (to !== this.#me || handle === undefined) return;
    this.#ports.log(`receive_cancel_lock ${lkid.toString(16)}`);
    this.#ports.cancel(handle);
  }

  receiveCycleEnd(now: Nanos): void {
    if (this.#inCycle === undefined) return;
    this.#lastEnd = now;
    this.#inCycle = undefined;
    this.#areAllReady = false;
    this.#locks = new LockUnion();
    this.#handles = new Map();
  }

  #runDeadlock(inCycle: ReadonlyMap<number, boolean>): void {
    if ([...inCycle.values()].includes(false)) return;
    this.#areAllReady = true;
    const low = lowest(inCycle);
    if (low === this.#me) this.#findDeadlock();
    else this.#ports.log(`defer resolution to low nodeid ${low}`);
  }

  #findDeadlock(): void {
    const victims = deadlockVictims(this.#locks.graphLocks());
    this.#ports.log(victims.length === 0 ? 'no deadlock: all transactions reduced' : 'found deadlock');
    for (const { home, lkid } of victims) this.#ports.cancelLock(home, lkid);
    this.#ports.cycleEnd();
  }
}

function lowest(nodes: ReadonlyMap<number, boolean>): number {
  return Math.min(...nodes.keys());
}
