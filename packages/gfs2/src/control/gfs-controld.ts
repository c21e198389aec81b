import { asciiBytes, concatBytes, crc32, type LogPriority, type Machine, type Nanos, SECOND } from '@quorate/kernel';
import { type ControlMessage, decodeControlMessage, encodeControlMessage } from './control-message.js';
import { type ChangeCounts, type GroupNode, type Journal, Mountgroup, type MountState } from './mountgroup.js';

/** Why a process left a group, as CPG says it. */
export type LeaveReason = 'leave' | 'nodedown' | 'procdown';

export type GfsControldInput =
  /** `mount.gfs2` asks for a journal of that file system. Answered by `mount`, or by `refused`. */
  | { readonly kind: 'join'; readonly filesystem: string }
  /** The file system is unmounted here, or its mount failed. Answered by `left`. */
  | { readonly kind: 'leave'; readonly filesystem: string }
  /** The kernel begins the mount that `mount` asked for: until then `mount` may come again, with another journal. */
  | { readonly kind: 'mount-begun'; readonly filesystem: string }
  /** The mount that `mount` asked for has succeeded or not; after a failure the group is left. */
  | { readonly kind: 'mount-done'; readonly filesystem: string; readonly isSuccess: boolean }
  /** The first mounter has replayed all journals. */
  | { readonly kind: 'first-done'; readonly filesystem: string }
  /** What became of `recover-journal`. */
  | {
      readonly kind: 'recovered';
      readonly filesystem: string;
      readonly jid: number;
      readonly result: 'done' | 'gave-up' | 'failed';
    }
  /** This node's file system has withdrawn. Answered by `withdraw-done`. */
  | { readonly kind: 'withdrawn'; readonly filesystem: string }
  | {
      readonly kind: 'confchg';
      readonly group: string;
      readonly members: readonly number[];
      readonly joined: readonly number[];
      readonly left: readonly { readonly node: number; readonly reason: LeaveReason }[];
    }
  | { readonly kind: 'message'; readonly group: string; readonly from: number; readonly payload: Uint8Array }
  | { readonly kind: 'membership'; readonly members: readonly number[]; readonly isQuorate: boolean }
  /** The DLM has stopped the lockspace, or runs it again (`recover-prep`, `recover-done` of the DLM). */
  | { readonly kind: 'dlm-stopped'; readonly lockspace: string }
  | { readonly kind: 'dlm-started'; readonly lockspace: string }
  /** SIGTERM: answered by `exited`; ignored while this node is in a mount group. */
  | { readonly kind: 'shutdown' }
  | { readonly kind: 'wake' };

export type GfsControldOutput =
  | { readonly kind: 'cpg-join'; readonly group: string }
  | { readonly kind: 'cpg-leave'; readonly group: string }
  /** `payload` is lent. */
  | { readonly kind: 'cpg-mcast'; readonly group: string; readonly payload: Uint8Array }
  /** Mount it now, with that journal. */
  | { readonly kind: 'mount'; readonly filesystem: string; readonly jid: number; readonly isFirst: boolean }
  /** The kernel has not begun to mount, and must not before `mount` comes again. */
  | { readonly kind: 'hold-mount'; readonly filesystem: string }
  /** The mount under way cannot end: it has to fail. Answered by `mount-done`, which may still say that it has succeeded. */
  | { readonly kind: 'abort-mount'; readonly filesystem: string }
  | { readonly kind: 'block-locks'; readonly filesystem: string; readonly isBlocked: boolean }
  | { readonly kind: 'recover-journal'; readonly filesystem: string; readonly jid: number }
  /** For dlm_controld: this lockspace belongs to a file system; that failure has reached the file system. */
  | { readonly kind: 'fs-registered'; readonly lockspace: string }
  | { readonly kind: 'fs-notified'; readonly lockspace: string; readonly node: number }
  /** cman should kill that node: nobody holds back the locks of its file systems any more. */
  | { readonly kind: 'kick'; readonly node: number }
  | { readonly kind: 'left'; readonly filesystem: string }
  /** Everybody has blocked locks and the journal is replayed: the lockspace may be released. */
  | { readonly kind: 'withdraw-done'; readonly filesystem: string }
  | { readonly kind: 'refused'; readonly filesystem: string; readonly errno: 'EBUSY' }
  | { readonly kind: 'exited' }
  | { readonly kind: 'reject'; readonly group: string; readonly reason: 'malformed' }
  | { readonly kind: 'log'; readonly priority: LogPriority; readonly text: string };

export interface GfsControldConfig {
  /** This node's id. */
  readonly node: number;
}

/** What `inspect` shows of a mount group. */
export interface MountgroupView {
  readonly name: string;
  readonly members: readonly number[];
  readonly mount: MountState;
  readonly isStarted: boolean;
  readonly isBlocked: boolean;
  readonly needsFirst: boolean;
  readonly journals: readonly Readonly<Journal>[];
  /** CRC of the group's name, as `gfs_control ls` shows it. */
  readonly globalId: number;
  readonly isLeaving: boolean;
  /** This node replays a journal. */
  readonly isRecovering: boolean;
  readonly change: ChangeCounts | undefined;
  readonly newChange: (ChangeCounts & { readonly isStartSent: boolean }) | undefined;
  /** Every node that it remembers; `hasStarted`: its START for the newest change has come. */
  readonly nodes: readonly (Readonly<GroupNode> & { readonly nodeId: number; readonly hasStarted: boolean })[];
}

/** After a replay that nobody could do another try is made (`gave up`: somebody else has the journal's lock). */
const RETRY: Nanos = SECOND;

/**
 * The daemon that gives out journals, names the first mounter, and has the journals of dead nodes replayed.
 *
 * After a failure: locks are blocked at once; when every member has said so and the DLM runs again, which it does only once
 * the dead node is fenced, each node tries to replay; the first to get the journal's glock does it; when no journal is left
 * locks are granted again.
 *
 * Source: cluster.git gfs/gfs_controld/cpg-new.c (RHEL 6).
 */
export class GfsControld implements Machine<GfsControldInput, GfsControldOutput> {
  readonly #config: GfsControldConfig;
  readonly #groups = new Map<string, Mountgroup>();
  #clusterMembers: readonly number[] = [];
  #isQuorate = false;
  #now: Nanos = 0;
  #emit: (output: GfsControldOutput) => void = () => {};

  constructor(config: GfsControldConfig) {
    this.#config = config;
  }

  step(now: Nanos, input: GfsControldInput, emit: (output: GfsControldOutput) => void): void {
    this.#now = now;
    this.#emit = emit;
    switch (input.kind) {
      case 'join':
        return this.#onJoin(input.filesystem);
      case 'leave':
        return this.#onLeave(input.filesystem);
      case 'mount-begun':
        return this.#onMountBegun(input.filesystem);
      case 'mount-done':
        return this.#onMountDone(input.filesystem, input.isSuccess);
      case 'first-done':
        return this.#say(input.filesystem, { kind: 'first-done' });
      case 'recovered':
        return this.#onRecovered(input.filesystem, input.jid, input.result);
      case 'withdrawn':
        return this.#say(input.filesystem, { kind: 'withdraw' });
      case 'confchg':
        return this.#onConfchg(input);
      case 'message':
        return this.#onMessage(input.group, input.from, input.payload);
      case 'membership':
        return this.#onMembership(input.members, input.isQuorate);
      case 'dlm-stopped':
      case 'dlm-started':
        return this.#onDlm(input.lockspace, input.kind === 'dlm-stopped');
      case 'shutdown':
        return this.#onShutdown();
      case 'wake':
        return this.#onWake();
    }
  }

  deadline(): Nanos {
    let deadline = Infinity;
    for (const { retryAt } of this.#groups.values()) if (retryAt < deadline) deadline = retryAt;
    return deadline;
  }

  inspect(): readonly MountgroupView[] {
    return [...this.#groups.values()].map((group) => ({
      name: group.name,
      members: group.members,
      mount: group.mount,
      isStarted: group.epoch !== undefined,
      isBlocked: group.isBlocked,
      needsFirst: group.needsFirst,
      journals: [...group.journals.values()].map((journal) => ({ ...journal })),
      globalId: crc32(concatBytes(asciiBytes(group.group), new Uint8Array(1))),
      isLeaving: group.isLeaving,
      isRecovering: group.recovering !== undefined,
      change: group.started && countsOf(group.started),
      newChange: group.change && { ...countsOf(group.change), isStartSent: group.change.isSent },
      nodes: [...group.nodes].map(([nodeId, node]) => ({ nodeId, ...node, hasStarted: hasStarted(group, nodeId) })),
    }));
  }

  #onJoin(filesystem: string): void {
    if (this.#groups.has(filesystem)) {
      this.#emit({ kind: 'refused', filesystem, errno: 'EBUSY' });
      return;
    }
    const group = new Mountgroup(filesystem, this.#config.node);
    this.#groups.set(filesystem, group);
    this.#emit({ kind: 'fs-registered', lockspace: filesystem });
    this.#emit({ kind: 'cpg-join', group: group.group });
  }

  #onLeave(filesystem: string): void {
    const group = this.#groups.get(filesystem);
    if (group === undefined || group.isLeaving) return;
    group.isLeaving = true;
    this.#emit({ kind: 'cpg-leave', group: group.group });
  }

  #onMountBegun(filesystem: string): void {
    const group = this.#groups.get(filesystem);
    if (group?.mount === 'mounting') group.hasBegun = true;
  }

  #onMountDone(filesystem: string, isSuccess: boolean): void {
    const group = this.#groups.get(filesystem);
    if (group?.mount !== 'mounting') return;
    if (!isSuccess) return this.#onLeave(filesystem);
    group.mount = 'mounted';
    group.hasBegun = true;
    this.#proceed(group);
  }

  #onRecovered(filesystem: string, jid: number, result: 'done' | 'gave-up' | 'failed'): void {
    const group = this.#groups.get(filesystem);
    if (group?.recovering?.jid !== jid) return;
    const { failure } = group.recovering;
    this.#send(group, { kind: 'recovery-result', jid, failure, isRecovered: result === 'done' });
  }

  #onConfchg({ group: name, members, joined, left }: Extract<GfsControldInput, { kind: 'confchg' }>): void {
    const group = this.#groupOf(name);
    if (group === undefined) return;
    if (!members.includes(this.#config.node)) return this.#end(group);
    const failed = left.filter(({ reason }) => reason !== 'leave').map(({ node }) => node);
    group.addChange(
      members,
      joined,
      left.map(({ node }) => node),
      failed,
    );
    if (failed.length > 0) this.#block(group);
    for (const node of failed) this.#emit({ kind: 'fs-notified', lockspace: group.name, node });
    for (const { node, reason } of left) if (reason === 'procdown') this.#kick(node);
    this.#proceed(group);
  }

  #kick(node: number): void {
    this.#emit({ kind: 'log', priority: 'err', text: `telling cman to remove nodeid ${node} from cluster` });
    this.#emit({ kind: 'kick', node });
  }

  #end(group: Mountgroup): void {
    this.#groups.delete(group.name);
    this.#emit({ kind: 'left', filesystem: group.name });
  }

  #onMessage(name: string, from: number, payload: Uint8Array): void {
    const group = this.#groupOf(name);
    if (group === undefined) return;
    const message = decodeControlMessage(payload);
    if (message === undefined) {
      this.#emit({ kind: 'reject', group: name, reason: 'malformed' });
      return;
    }
    if (message.kind === 'start') {
      if (group.takeStart(from, message)) this.#finishChange(group);
    } else {
      applyMessage(group, from, message);
      group.admitMounts();
      if (group.change !== undefined) group.heard.push((later) => applyMessage(later, from, message));
      if (message.kind === 'withdraw') this.#onWithdraw(group, from);
      if (message.kind === 'recovery-result' && from === group.node) this.#endRecovery(group, message.isRecovered);
    }
    this.#proceed(group);
  }

  /**
   * Differs from gfs_controld, where a mount that cannot end waits for ever, and everybody who comes later with it. When it has
   * failed and its node has left the group, one who has not begun replays all journals.
   */
  #finishChange(group: Mountgroup): void {
    const wasMounting = group.mount === 'mounting';
    const canEnd = group.finishChange();
    if (!wasMounting) return;
    if (group.mount === 'waiting') this.#emit({ kind: 'hold-mount', filesystem: group.name });
    else if (!canEnd) this.#emit({ kind: 'abort-mount', filesystem: group.name });
  }

  /** A member's file system has withdrawn: its locks must not be granted before its journal is replayed. */
  #onWithdraw(group: Mountgroup, from: number): void {
    if (from === group.node) {
      group.mount = 'withdrawn';
      return;
    }
    this.#block(group);
    this.#send(group, { kind: 'withdraw-ack', node: from });
  }

  /** Our own result has come round: everybody knows it. */
  #endRecovery(group: Mountgroup, isRecovered: boolean): void {
    group.recovering = undefined;
    group.retryAt = isRecovered ? Infinity : this.#now + RETRY;
  }

  #onMembership(members: readonly number[], isQuorate: boolean): void {
    this.#clusterMembers = members;
    this.#isQuorate = isQuorate;
    for (const group of [...this.#groups.values()]) this.#proceed(group);
  }

  #onDlm(lockspace: string, isStopped: boolean): void {
    const group = this.#groups.get(lockspace);
    if (group === undefined) return;
    group.isDlmStopped = isStopped;
    this.#proceed(group);
  }

  #onShutdown(): void {
    if (this.#groups.size === 0) this.#emit({ kind: 'exited' });
    else this.#emit({ kind: 'log', priority: 'err', text: 'shutdown ignored, active mountgroups' });
  }

  #onWake(): void {
    for (const group of [...this.#groups.values()]) {
      if (group.retryAt > this.#now) continue;
      group.retryAt = Infinity;
      this.#proceed(group);
    }
  }

  #groupOf(name: string): Mountgroup | undefined {
    return name.startsWith('gfs:mount:') ? this.#groups.get(name.slice('gfs:mount:'.length)) : undefined;
  }

  #say(filesystem: string, message: ControlMessage): void {
    const group = this.#groups.get(filesystem);
    if (group !== undefined) this.#send(group, message);
  }

  #send(group: Mountgroup, message: ControlMessage): void {
    this.#emit({ kind: 'cpg-mcast', group: group.group, payload: encodeControlMessage(message) });
  }

  /** Writes 1 to `lock_module/block`: answers of the DLM are kept back. */
  #block(group: Mountgroup): void {
    if (group.isBlocked || (group.mount !== 'mounted' && group.mount !== 'mounting')) return;
    group.isBlocked = true;
    this.#emit({ kind: 'block-locks', filesystem: group.name, isBlocked: true });
  }

  /** Does the next thing that nothing stands in the way of (`process_mountgroup`). */
  #proceed(group: Mountgroup): void {
    const { change } = group;
    if (change !== undefined) {
      if (!change.isSent && this.#areConditionsMet(change.members)) {
        change.isSent = true;
        this.#send(group, group.startMessage());
      }
      return;
    }
    if (group.epoch === undefined || group.isLeaving) return;
    if (group.mount === 'waiting') this.#startMount(group);
    else if (group.mount === 'mounted') this.#recover(group);
    else if (group.mount === 'withdrawn') this.#endWithdraw(group);
    // Who is to mount with another journal must not begin with the one that it had been given.
    if (group.isBlocked && group.mount !== 'waiting' && !group.needsRecovery && !group.isDlmStopped)
      this.#unblock(group);
  }

  /** The cluster is quorate and knows all members (`wait_conditions_done`). */
  #areConditionsMet(members: readonly number[]): boolean {
    return this.#isQuorate && members.every((node) => this.#clusterMembers.includes(node));
  }

  #startMount(group: Mountgroup): void {
    const journal = group.ownJournal;
    if (journal === undefined || !journal.isInUse) return;
    group.mount = 'mounting';
    this.#emit({ kind: 'mount', filesystem: group.name, jid: journal.jid, isFirst: group.needsFirst });
  }

  #recover(group: Mountgroup): void {
    const journal = group.nextRecovery;
    if (journal === undefined || group.isDlmStopped) return;
    if (group.recovering !== undefined || group.retryAt !== Infinity) return;
    const { jid, failure } = journal;
    group.recovering = { jid, failure };
    this.#emit({ kind: 'log', priority: 'info', text: `${group.name} recover jid ${jid}` });
    this.#emit({ kind: 'recover-journal', filesystem: group.name, jid });
  }

  #unblock(group: Mountgroup): void {
    group.isBlocked = false;
    group.retryAt = Infinity;
    this.#emit({ kind: 'block-locks', filesystem: group.name, isBlocked: false });
  }

  /** Others have blocked and one of them has replayed the journal, or there are no others. */
  #endWithdraw(group: Mountgroup): void {
    const others = group.members.filter((node) => node !== group.node);
    const hasAll = others.every((node) => group.acks.has(node));
    const isReplayed = others.length === 0 || group.ownJournal?.failure === 0;
    if (!hasAll || !isReplayed) return;
    this.#emit({ kind: 'withdraw-done', filesystem: group.name });
    this.#onLeave(group.name);
  }
}

function countsOf({ seq, members, joinedCount, removeCount, failedCount, combinedSeq }: ChangeCounts): ChangeCounts {
  return { seq, members, joinedCount, removeCount, failedCount, combinedSeq };
}

function hasStarted({ change, started }: Mountgroup, node: number): boolean {
  return change === undefined ? started?.members.includes(node) === true : change.starts.has(node);
}

/** What a message changes in the table that all members hold alike. */
function applyMessage(group: Mountgroup, from: number, message: Exclude<ControlMessage, { kind: 'start' }>): void {
  switch (message.kind) {
    case 'first-done':
      group.needsFirst = false;
      for (const { jid, failure } of [...group.journals.values()]) group.setRecovered(jid, failure);
      return;
    case 'recovery-result':
      if (message.isRecovered) group.setRecovered(message.jid, message.failure);
      return;
    case 'withdraw':
      group.withdrawn.add(from);
      for (const journal of group.journals.values()) if (journal.node === from) group.setFailed(journal);
      return;
    case 'withdraw-ack':
      if (message.node === group.node) group.acks.add(from);
      return;
  }
}
