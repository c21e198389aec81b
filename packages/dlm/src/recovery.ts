import { MILLISECOND, type Nanos } from '@quorate/kernel';
import { resumeCallbacks } from './callbacks.js';
import { clearToss, masterLookup } from './directory.js';
import type { Lockspace, RecoverRun, StatusAnswer } from './lockspace.js';
import { decodeNames, NEED_SLOTS } from './rcom.js';
import { sendRcomLock, sendRcomLookup, sendRcomNames, sendRcomStatus } from './rcom-send.js';
import { recoverGrant, recoverPurge, recoverRsbs, setNewMaster } from './recover-locks.js';
import { recoverMembers, slotsAssign, slotsCopyIn } from './recover-members.js';
import { giveMastersUp, recoverMastersStatic } from './recover-nodir.js';
import { RecoverStatus } from './recover-status.js';
import { recoverWaitersPost, recoverWaitersPre } from './recover-waiters.js';
import { processRequestqueue, purgeRequestqueue } from './requestqueue.js';
import { type Rsb, RsbFlag } from './resource.js';
import { adjustTimeouts } from './timeouts.js';

/** A step of recovery. It yields where it waits, and goes on when something arrived or `recoveryWakeAt` has come. */
type Step<T = void> = Generator<void, T, void>;

/**
 * Recovery of a lockspace after a start, from holding callbacks to granting again. A stop drops it where it stands.
 *
 * Source: Linux fs/dlm/recoverd.c, `ls_recover`.
 */
export function* recoverd(ls: Lockspace, run: RecoverRun): Step {
  ls.log('info', `dlm_recover ${run.seq}`);
  ls.isHoldingCallbacks = true;
  const root = clearToss(ls);
  const neg = recoverMembers(ls, run);
  yield* pingMembers(ls);
  recoverDirNodeid(ls, root);
  if (ls.isNodir) giveMastersUp(ls, root);
  setRecoverStatus(ls, RecoverStatus.NODES);
  yield* recoverMembersWait(ls);
  if (ls.isNodir) recoverMastersStatic(ls, root);
  else yield* recoverDirectory(ls, root);
  setRecoverStatus(ls, RecoverStatus.DIR);
  yield* barrier(ls, RecoverStatus.DIR);
  if (!ls.isNodir) {
    recoverWaitersPre(ls);
    if (neg > 0) {
      recoverPurge(ls, root);
      yield* recoverMasters(ls, root);
    }
  }
  const doLocksMove = neg > 0 || ls.isNodir;
  if (doLocksMove) yield* recoverLocks(ls, root);
  setRecoverStatus(ls, RecoverStatus.LOCKS);
  yield* barrier(ls, RecoverStatus.LOCKS);
  if (doLocksMove) recoverRsbs(ls);
  purgeRequestqueue(ls);
  setRecoverStatus(ls, RecoverStatus.DONE);
  yield* barrier(ls, RecoverStatus.DONE);
  ls.membersGone = [];
  resumeCallbacks(ls);
  enableLocking(ls, run);
  processRequestqueue(ls);
  recoverWaitersPost(ls);
  recoverGrant(ls);
  const milliseconds = Math.floor((ls.host.now - ls.recoveryBegan) / MILLISECOND);
  ls.log('info', `dlm_recover ${run.seq} generation ${ls.generation} done: ${milliseconds} ms`);
  tellDone(ls);
}

function enableLocking(ls: Lockspace, run: RecoverRun): void {
  const { host, name: lockspace, generation } = ls;
  ls.isRunning = true;
  adjustTimeouts(ls, host.now - ls.recoveryBegan);
  const members = ls.members.map((member) => member.nodeid);
  const slots = ls.members.map((member) => member.slot);
  host.observe?.({ kind: 'dlm.recovered', now: host.now, lockspace, recoverSeq: run.seq, generation, members, slots });
}

function tellDone(ls: Lockspace): void {
  const { host, name: lockspace, slot, generation } = ls;
  if (!ls.hasRecoveredOnce) {
    ls.hasRecoveredOnce = true;
    host.emit({ kind: 'created', lockspace });
  }
  if (ls.isFs) host.emit({ kind: 'recover-done', lockspace, slot, generation });
}

function setRecoverStatus(ls: Lockspace, bit: number): void {
  ls.recoverStatus |= bit;
  const { host, name: lockspace, recoverSeq } = ls;
  host.observe?.({ kind: 'dlm.recover-status', now: host.now, lockspace, recoverSeq, bit });
}

/** Every member hears of us, and has the same configuration. */
function* pingMembers(ls: Lockspace): Step {
  for (const { nodeid } of ls.members) yield* rcomStatus(ls, nodeid, 0);
  ls.log('info', `dlm_recover_members ${ls.members.length} nodes`);
}

/** With other members the directory is spread otherwise. What we master is told to its new node when that asks. */
function recoverDirNodeid(ls: Lockspace, root: readonly Rsb[]): void {
  ls.masterNames = new Map(ls.members.map(({ nodeid }) => [nodeid, []]));
  root.forEach((r) => {
    r.dirNodeid = ls.hash2nodeid(r.hash);
    if (ls.isMaster(r)) ls.masterNames.get(r.dirNodeid)?.push(r.name);
  });
}

/** Barrier NODES: the lowest node gathers slots and generations and assigns; the others fetch what it assigned. */
function* recoverMembersWait(ls: Lockspace): Step {
  if (ls.lowNodeid === ls.nodeid) {
    yield* waitStatusAll(ls, RecoverStatus.NODES);
    slotsAssign(ls);
    return setRecoverStatus(ls, RecoverStatus.NODES_ALL);
  }
  const { config } = yield* waitStatusLow(ls, RecoverStatus.NODES_ALL, NEED_SLOTS);
  if (config !== undefined) slotsCopyIn(ls, config.generation, config.slots);
}

/** A step's barrier: the lowest node sees everybody through it, then lets everybody see that. */
function* barrier(ls: Lockspace, bit: number): Step {
  const all = bit << 1;
  if (ls.lowNodeid !== ls.nodeid) return void (yield* waitStatusLow(ls, all, 0));
  yield* waitStatusAll(ls, bit);
  setRecoverStatus(ls, all);
}

function* waitStatusAll(ls: Lockspace, bit: number): Step {
  for (const member of ls.members) {
    if (member.nodeid === ls.nodeid) continue;
    const { config } = yield* pollStatus(ls, member.nodeid, bit, 0);
    if (bit !== RecoverStatus.NODES || config === undefined) continue;
    member.slot = config.ourSlot;
    member.generation = config.generation;
  }
}

function waitStatusLow(ls: Lockspace, bit: number, flags: number): Step<StatusAnswer> {
  return pollStatus(ls, ls.lowNodeid, bit, flags);
}

function* pollStatus(ls: Lockspace, nodeid: number, bit: number, flags: number): Step<StatusAnswer> {
  for (let tries = 0; ; tries++) {
    const answer = yield* rcomStatus(ls, nodeid, flags);
    if ((answer.status & bit) !== 0) return answer;
    ls.recoveryWakeAt = ls.host.now + pollDelay(ls.host.recoverPoll, tries);
    while (ls.host.now < ls.recoveryWakeAt) yield;
  }
}

const POLL_STEP = 20 * MILLISECOND;
const POLL_MAX = 1000 * MILLISECOND;

/** Doubles up to the original's step of 20 ms, then grows by that step up to a second. */
function pollDelay(first: Nanos, tries: number): Nanos {
  let delay = first;
  for (let i = 0; i < tries && delay < POLL_MAX; i++) delay = Math.min(2 * delay, delay + POLL_STEP);
  return Math.min(delay, POLL_MAX);
}

/** Asks a node for its status until it answers. Another configuration than ours ends the recovery here. */
function* rcomStatus(ls: Lockspace, nodeid: number, flags: number): Step<StatusAnswer> {
  if (nodeid === ls.nodeid) return { status: ls.recoverStatus, config: undefined };
  ls.statusReply = undefined;
  const answer = yield* ask(
    ls,
    () => sendRcomStatus(ls, nodeid, flags),
    () => ls.statusReply,
  );
  const { config } = answer;
  if (config === undefined || config.lvblen === ls.lvbLength) return answer;
  ls.log('err', `config mismatch: ${ls.lvbLength},0 nodeid ${nodeid}: ${config.lvblen},${config.lsflags.toString(16)}`);
  ls.isMismatched = true;
  // Only a stop, or the end of the lockspace, leads on from here.
  for (;;) yield;
}

/** Sends until the answer is there, anew every `recover_timer`. */
function* ask<T>(ls: Lockspace, send: () => void, answer: () => T | undefined): Step<T> {
  for (;;) {
    send();
    ls.recoveryWakeAt = ls.host.now + ls.host.recoverTimer;
    for (;;) {
      const given = answer();
      if (given !== undefined) {
        ls.recoveryWakeAt = Infinity;
        return given;
      }
      if (ls.host.now >= ls.recoveryWakeAt) break;
      yield;
    }
  }
}

/** Rebuilds our share of the directory from the names that the others master. */
function* recoverDirectory(ls: Lockspace, root: readonly Rsb[]): Step {
  let count = 0;
  const before = ls.rsbs.size;
  for (const { nodeid } of ls.members) {
    if (nodeid !== ls.nodeid) count += yield* recoverNamesOf(ls, nodeid);
  }
  if (ls.host.observe !== undefined) tellRecords(ls, root);
  ls.log('info', `dlm_recover_directory ${count} in ${ls.rsbs.size - before} new`);
}

/** What we use ourselves stays recorded, also where the master has dropped it: our request reaches it, and it makes it anew. */
function tellRecords(ls: Lockspace, root: readonly Rsb[]): void {
  for (const r of root) {
    const { dirNodeid, masterNodeid } = r;
    if (dirNodeid !== ls.nodeid || ls.isMaster(r) || ls.isRemoved(masterNodeid)) continue;
    if (ls.isMember(masterNodeid)) ls.recordMaster(r, masterNodeid);
  }
}

function* recoverNamesOf(ls: Lockspace, nodeid: number): Step<number> {
  let count = 0;
  let last = '';
  for (;;) {
    ls.namesReply = undefined;
    const body = yield* ask(
      ls,
      () => sendRcomNames(ls, nodeid, last),
      () => ls.namesReply,
    );
    const block = decodeNames(body);
    if (block === undefined) {
      ls.log('err', `recover_dir bad names from ${nodeid}`);
      return count;
    }
    for (const name of block.names) masterLookup(ls, nodeid, name, 'recover-dir');
    count += block.names.length;
    if (block.isLast) return count;
    last = block.names.at(-1)!.toString();
  }
}

/** Resources whose master is gone: the directory says who is the new one. All questions are out at once. */
function* recoverMasters(ls: Lockspace, root: readonly Rsb[]): Step {
  let count = 0;
  let total = 0;
  root.forEach((r) => {
    const isRemoved = ls.isRemoved(r.masterNodeid);
    if (!r.isActive) {
      // Its last lock has ended since recovery began: its next request must not go to a node that is gone.
      if (isRemoved) ls.freeRsb(r);
      return;
    }
    total += 1;
    if (ls.isMaster(r) || !(isRemoved || r.has(RsbFlag.NEW_MASTER))) return;
    recoverMaster(ls, r, isRemoved);
    count += 1;
  });
  while (!ls.hasAllAnswers) yield;
  ls.log('info', `dlm_recover_masters ${count} of ${total}`);
}

/** `recover_master` */
function recoverMaster(ls: Lockspace, r: Rsb, isRemoved: boolean): void {
  if (r.dirNodeid === ls.nodeid) {
    if (isRemoved) ls.setMaster(r, ls.nodeid);
    return setNewMaster(ls, r);
  }
  const id = ls.recoverLookups.take();
  ls.recoverLookups.set(id, r);
  sendRcomLookup(ls, r.dirNodeid, r.name, id);
}

/** Our locks go to their new masters, one by one. */
function* recoverLocks(ls: Lockspace, root: readonly Rsb[]): Step {
  let count = 0;
  root.forEach((r) => {
    if (ls.isMaster(r)) r.flags &= ~RsbFlag.NEW_MASTER;
    else if (r.has(RsbFlag.NEW_MASTER)) count += recoverLocksOf(ls, r);
  });
  while (!ls.hasAllAnswers) yield;
  ls.log('info', `dlm_recover_locks ${count} out`);
  ls.log('info', `dlm_recover_locks ${ls.recoverLocksIn} in`);
}

/** Gives how many there are (`recover_locks`). */
function recoverLocksOf(ls: Lockspace, r: Rsb): number {
  let count = 0;
  for (let lkb = r.firstLock; lkb !== undefined; lkb = r.lockAfter(lkb)) {
    if (lkb.isMasterCopy) continue;
    sendRcomLock(ls, lkb);
    count += 1;
  }
  r.recoverLocksCount += count;
  ls.recoverLocksOut += count;
  return count;
}
