import { type LogPriority, type Nanos, SECOND } from '@quorate/kernel';
import type { FenceConf } from './fence-conf.js';
import { type AgentRun, type FenceLog, fenceNode, LOG_ENTRIES_MAX, logEntryText } from './libfence.js';
import type { FencedHow } from './message.js';

export interface Victim {
  readonly nodeId: number;
  /** It was not seen to fail: it was no member when we joined the domain. */
  readonly isInit: boolean;
  /** We have fenced it and wait for our own message that says so. */
  isDoneLocally: boolean;
}

/** What fencing waits for. */
export type Wait =
  | { readonly kind: 'sleep'; readonly until: Nanos }
  /** Resumed with the exit status. */
  | { readonly kind: 'agent'; readonly run: number }
  | { readonly kind: 'quorum' }
  /** Resumed with the process id of a fence_check, or with 0. */
  | { readonly kind: 'fence-check' }
  /** Resumed with a node id, or with undefined when the time is over. */
  | { readonly kind: 'override'; readonly until: Nanos };

type Steps<Result = void> = Generator<Wait, Result, number | undefined>;

interface Delays {
  readonly postJoinDelaySec: number;
  readonly postFailDelaySec: number;
  readonly overridePath: string;
  readonly overrideTimeSec: number;
  readonly fenceCheckDelaySec: number;
}

/** What fencing needs of its daemon. Everything may change between two steps. */
export interface FencingPort {
  now(): Nanos;
  readonly conf: FenceConf;
  readonly delays: Delays;
  readonly isQuorate: boolean;
  /** The last update of the cluster's members brought quorum. */
  readonly isQuorateFromLastUpdate: boolean;
  readonly victims: readonly Victim[];
  nameOf(nodeId: number): string;
  isClusterMember(nodeId: number): boolean;
  /** Whether its fenced runs and has no state. */
  isClean(nodeId: number): boolean;
  isFencedExternally(nodeId: number): boolean;
  /** Tells everybody that a victim is dealt with. */
  victimDone(nodeId: number, how: FencedHow): void;
  removeVictim(nodeId: number): void;
  /** The victim that is being fenced; 0 for none. */
  setCurrentVictim(nodeId: number): void;
  /** Starts an agent and returns the number of its run. */
  runAgent(run: AgentRun): number;
  /** Asks whether a fence_check runs. */
  findFenceCheck(): void;
  endFenceCheck(pid: number): void;
  attemptStarted(nodeId: number, attempt: number): void;
  attemptEnded(nodeId: number, attempt: number, isSuccess: boolean): void;
  log(priority: LogPriority, text: string): void;
}

const RETRY: Nanos = 5 * SECOND;
/** Failures that repeat are logged this often, then every so many tries it is said that it goes on. */
const RETRIES_LOGGED = 2;
const RETRIES_BETWEEN_SIGNS = 600;

/**
 * What a master does about its victims after a change: it waits, then fences one after the other.
 *
 * Source: cluster.git fence/fenced/recover.c; the functions keep their names.
 */
export class FencingRound {
  readonly #port: FencingPort;

  constructor(port: FencingPort) {
    this.#port = port;
  }

  /** Gives victims time to come back: more when nodes joined or quorum came, for then the victims may just be late. */
  *delayFencing(hasJoined: boolean): Steps {
    const port = this.#port;
    if (port.victims.length === 0) return;
    const first = port.now();
    if (port.delays.fenceCheckDelaySec > 0) yield* this.#awaitFenceCheck(first);
    const { postJoinDelaySec, postFailDelaySec } = port.delays;
    const isJoinDelay = hasJoined || port.isQuorateFromLastUpdate;
    let kind = isJoinDelay ? 'post_join_delay' : 'post_fail_delay';
    let delay = isJoinDelay ? postJoinDelaySec : postFailDelaySec;
    port.log('debug', `delay ${kind} ${delay} quorate_from_last_update ${+port.isQuorateFromLastUpdate}`);
    let start = first;
    let last = 0;
    while (delay !== 0) {
      yield { kind: 'sleep', until: port.now() + SECOND };
      const count = this.#reduceVictims();
      if (count === 0) break;
      if (count < last) {
        start = port.now();
        if (delay > 0 && postJoinDelaySec > delay) {
          delay = postJoinDelaySec;
          kind = 'post_join_delay (modified)';
        }
      }
      last = count;
      if (delay > 0 && port.now() - start >= delay * SECOND) break;
    }
    this.#logDelay(port.now() - first, delay, kind);
  }

  /** A fence_check that runs now asks the devices that fencing will need. */
  *#awaitFenceCheck(start: Nanos): Steps {
    const port = this.#port;
    for (;;) {
      port.findFenceCheck();
      const pid = (yield { kind: 'fence-check' }) ?? 0;
      if (pid === 0) return;
      const { fenceCheckDelaySec } = port.delays;
      if (port.now() - start >= fenceCheckDelaySec * SECOND) {
        port.endFenceCheck(pid);
        return port.log('err', `kill fence_check_pid ${pid} delay ${fenceCheckDelaySec}`);
      }
      port.log('debug', `delay fencing for fence_check_pid ${pid}`);
      yield { kind: 'sleep', until: port.now() + SECOND };
    }
  }

  #logDelay(waited: Nanos, delay: number, kind: string): void {
    const { victims } = this.#port;
    if (delay !== 0) {
      this.#port.log('debug', `delay of ${Math.floor(waited / SECOND)}s leaves ${victims.length} victims`);
    }
    for (const { nodeId } of victims) {
      this.#port.log('debug', `${this.#port.nameOf(nodeId)} not a cluster member after ${delay} sec ${kind}`);
    }
  }

  /** Lets go of victims that have come back clean; returns how many are left. */
  #reduceVictims(): number {
    const port = this.#port;
    for (const { nodeId } of [...port.victims]) {
      if (!port.isClusterMember(nodeId) || !port.isClean(nodeId)) continue;
      port.log('debug', `reduce victim ${port.nameOf(nodeId)}`);
      port.victimDone(nodeId, 'member');
      port.removeVictim(nodeId);
    }
    return port.victims.length;
  }

  *fenceVictims(): Steps {
    for (const victim of [...this.#port.victims]) {
      if (victim.isDoneLocally) this.#port.log('err', `skip local_victim_done node ${victim.nodeId}`);
      else yield* this.#fenceVictim(victim);
    }
    this.#port.setCurrentVictim(0);
  }

  /** Tries until the victim is fenced, is back, or somebody says that it is dead. */
  *#fenceVictim(victim: Victim): Steps {
    const port = this.#port;
    const { nodeId } = victim;
    const name = port.nameOf(nodeId);
    const done = (how: FencedHow): void => {
      victim.isDoneLocally = true;
      port.victimDone(nodeId, how);
    };
    let previous = '';
    for (let retries = 0; ; retries++) {
      const isQuiet = retries > RETRIES_LOGGED;
      if (isQuiet && retries % RETRIES_BETWEEN_SIGNS === 0) port.log('info', `fencing node ${name} still retrying`);
      port.setCurrentVictim(nodeId);
      // Differs from fenced, which goes on with its attempts when it has lost quorum, or its cluster.
      while (!port.isQuorate) yield { kind: 'quorum' };
      const how = this.#avert(nodeId);
      if (how !== undefined) return done(how);
      if (!isQuiet) port.log('info', `fencing node ${name}`);
      const { isSuccess, log } = yield* this.#attempt(nodeId, retries + 1);
      const text = JSON.stringify(log);
      if (isSuccess || !isQuiet || text !== previous) this.#logAttempt(name, log, isSuccess);
      previous = text;
      if (isSuccess) return done('agent');
      if (yield* this.#isOverridden(nodeId)) {
        port.log('warning', `fence ${name} overridden by administrator intervention`);
        return done('override');
      }
    }
  }

  /** Why the victim needs no fencing any more. */
  #avert(nodeId: number): FencedHow | undefined {
    const isMember = this.#port.isClusterMember(nodeId);
    const isClean = this.#port.isClean(nodeId);
    const isExternal = this.#port.isFencedExternally(nodeId);
    if (!(isMember && isClean) && !isExternal) return undefined;
    const counts = `cluster member ${+isMember} cpg member ${+isClean} external ${+isExternal}`;
    this.#port.log('debug', `averting fence of node ${this.#port.nameOf(nodeId)} ${counts}`);
    return isExternal ? 'external' : 'member';
  }

  *#attempt(nodeId: number, attempt: number): Steps<{ isSuccess: boolean; log: readonly FenceLog[] }> {
    const port = this.#port;
    port.attemptStarted(nodeId, attempt);
    const operation = fenceNode(port.conf, port.nameOf(nodeId));
    let step = operation.next(0);
    while (step.done !== true) {
      const status = yield { kind: 'agent', run: port.runAgent(step.value) };
      step = operation.next(status!);
    }
    const isSuccess = step.value.result === 'success';
    port.attemptEnded(nodeId, attempt, isSuccess);
    return { isSuccess, log: step.value.log };
  }

  #logAttempt(name: string, log: readonly FenceLog[], isSuccess: boolean): void {
    if (log.length > LOG_ENTRIES_MAX) this.#port.log('err', `fence_node log overflow ${log.length}`);
    for (const entry of log.slice(0, LOG_ENTRIES_MAX)) {
      this.#port.log(entry.error === 'agent-success' ? 'debug' : 'err', `fence ${name} ${logEntryText(entry)}`);
    }
    this.#port.log('err', `fence ${name} ${isSuccess ? 'success' : 'failed'}`);
  }

  /** Waits before the next attempt, and listens whether an administrator names this victim meanwhile. */
  *#isOverridden(nodeId: number): Steps<boolean> {
    const { overridePath, overrideTimeSec } = this.#port.delays;
    if (overridePath === '') {
      yield { kind: 'sleep', until: this.#port.now() + RETRY };
      return false;
    }
    return (yield { kind: 'override', until: this.#port.now() + overrideTimeSec * SECOND }) === nodeId;
  }
}
