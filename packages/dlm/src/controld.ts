import { type LogPriority, type Machine, type Nanos, SECOND } from '@quorate/kernel';
import type { ControldConfig, ControldInput, ControldOutput, ControldReject } from './controld-io.js';
import {
  type ControldHeader,
  type ControldMessage,
  ControldType,
  decodeControldMessage,
  type Protocol,
  StartFlag,
} from './controld-message.js';
import { ControldSender, DAEMON_GROUP, lockspaceGroup } from './controld-sender.js';
import type { ClusterNodeView, ControldView, WaitState } from './controld-view.js';
import { type ControlledLockspace, checkFsDone, controlledLockspaceView, historyOf } from './controlled-lockspace.js';
import { DeadlockCycle } from './deadlock/deadlock-cycle.js';
import type { DlmView } from './dlm.js';
import { lockspaceGlobalId } from './hash.js';
import {
  type Change,
  type Confchg,
  type Departure,
  findMember,
  isLookalike,
  matchStart,
  newChange,
} from './lockspace-change.js';
import { ControldPlocks } from './plocks/controld-plocks.js';
import type { PlockResourceView } from './plocks/plock-resource.js';
import type { PlockMessageType } from './plocks/plocks.js';
import { ProtocolGroup } from './protocol-group.js';
import { partOf, ViewQueries, type ViewsAsked, type ViewsQuestion } from './view-query.js';

const POLL: Nanos = SECOND;
const POLLS_LOGGED = 60;
const HOUR: Nanos = 3600 * SECOND;
const NO_RING = -1;
/** What goes to the group of all daemons. */
const BETWEEN_DAEMONS: ReadonlySet<ControldMessage['kind']> = new Set(['protocol', 'views-asked', 'views-told']);

/**
 * dlm_controld: every change of a lockspace's group stops the lockspace at once. It starts again when all members have
 * stopped, and the failed ones are fenced; with `enable_quorum`, not before the cluster is quorate.
 *
 * A START is sent only by who has stopped and sees all conditions met, and starting takes the START of every member: so
 * the lockspace has stopped everywhere before it starts anywhere.
 *
 * Source: dlm dlm_controld/cpg.c, and cluster.git group/dlm_controld for the fencing wait of RHEL 6.
 */
export class DlmControld implements Machine<ControldInput, ControldOutput> {
  readonly #config: ControldConfig;
  readonly #me: number;
  readonly #lockspaces = new Map<string, ControlledLockspace>();
  readonly #group: ProtocolGroup;
  readonly #sender: ControldSender;
  readonly #viewQueries = new ViewQueries((id, views) => this.#emit({ kind: 'views-told', id, views }));
  #cpgRing = NO_RING;
  #cluster: { readonly ring: number; readonly isQuorate: boolean; readonly quorateSince: Nanos } = {
    ring: NO_RING,
    isQuorate: false,
    quorateSince: Infinity,
  };
  readonly #fencedAt = new Map<number, Nanos>();
  readonly #clusterNodes = new Map<number, Pick<ClusterNodeView, 'isMember' | 'addedAt' | 'removedAt'>>();
  /** Names that gfs_controld has registered (`fs_register_list`). */
  readonly #fsNames = new Set<string>();
  /** Undefined: fenced has not said yet. */
  #victims: readonly number[] | undefined;
  #isStarted = false;
  readonly #plocks: ControldPlocks;
  #now: Nanos = 0;
  #emit: (output: ControldOutput) => void = () => {};

  constructor(config: ControldConfig) {
    this.#config = config;
    this.#me = config.nodeId;
    this.#group = new ProtocolGroup(config.nodeId);
    this.#sender = new ControldSender(this.#group, config.nodeId, (group, payload) =>
      this.#emit({ kind: 'cpg-mcast', group, payload }),
    );
    this.#plocks = new ControldPlocks(config, this.#sender, (output) => this.#emit(output));
  }

  step(now: Nanos, input: ControldInput, emit: (output: ControldOutput) => void): void {
    this.#now = now;
    this.#emit = emit;
    this.#plocks.at(now, this.#lockspaces.values());
    this.#dispatch(input);
    this.#viewQueries.at(now);
    this.#plocks.read((name) => this.#lockspaces.get(name));
    for (const ls of this.#lockspaces.values()) {
      ls.plockGroup.plocks.dropUnused();
      this.#applyChanges(ls);
    }
  }

  deadline(): Nanos {
    let least = Math.min(this.#plocks.deadline, this.#viewQueries.deadline);
    for (const ls of this.#lockspaces.values()) least = Math.min(least, ls.pollAt, ls.plockGroup.plocks.dropAt);
    return least;
  }

  /** Posix locks of a lockspace, as `dlm_tool plocks` shows them; undefined without that lockspace. */
  plocks(lockspace: string): readonly PlockResourceView[] | undefined {
    return this.#lockspaces.get(lockspace)?.plockGroup.plocks.view();
  }

  inspect(): ControldView {
    return {
      nodeId: this.#me,
      now: this.#now,
      isProtocolRunning: this.#group.isRunning,
      isQuorate: this.#cluster.isQuorate,
      ringSeq: this.#cluster.ring,
      cpgRingSeq: this.#cpgRing,
      victims: this.#victims,
      nodes: this.#nodeViews(),
      lockspaces: [...this.#lockspaces.values()].map((ls) => controlledLockspaceView(ls, this.#fsNames.has(ls.name))),
    };
  }

  #nodeViews(): readonly ClusterNodeView[] {
    const failedAt = (nodeid: number): Nanos =>
      Math.max(0, ...[...this.#lockspaces.values()].map(({ history }) => history.get(nodeid)?.failTime ?? 0));
    return [...this.#clusterNodes]
      .sort(([a], [b]) => a - b)
      .map(([nodeid, node]) => {
        return { nodeid, ...node, failedAt: failedAt(nodeid), fencedAt: this.#fencedAt.get(nodeid) ?? 0 };
      });
  }

  #dispatch(input: ControldInput): void {
    switch (input.kind) {
      case 'start':
        return this.#onStart(input.uncontrolled ?? []);
      case 'online':
        return this.#onOnline(input.lockspace);
      case 'offline':
        return this.#onOffline(input.lockspace);
      case 'stopped':
        return this.#onStopped(input.lockspace);
      case 'confchg':
        return input.group === DAEMON_GROUP ? this.#onDaemonConfchg(input) : this.#onConfchg(input.group, input);
      case 'ring-confchg':
        this.#cpgRing = input.ring.seq;
        return;
      case 'message':
        return this.#onMessage(input.group, input.from, input.payload);
      case 'membership':
        return this.#onMembership(input);
      case 'fenced':
        return this.#onFenced(input.node, input.at);
      case 'victims':
        this.#victims = [...input.nodes];
        return;
      case 'fs-registered':
        this.#fsNames.add(input.lockspace);
        return;
      case 'fs-notified':
        return this.#onFsNotified(input.lockspace, input.node);
      case 'plock':
        return this.#plocks.add(input);
      case 'timewarn':
        return this.#lockspaces.get(input.lockspace)?.deadlock?.timewarn(this.#now);
      case 'deadlock-check':
        return this.#lockspaces.get(input.lockspace)?.deadlock?.sendCycleStart();
      case 'locks':
        return this.#lockspaces.get(input.lockspace)?.deadlock?.locks(input.view);
      case 'ask-views':
        return this.#askViews(input.id, input);
      case 'views':
        return this.#tellViews(input);
      case 'shutdown':
        return this.#onShutdown();
      case 'wake':
        return;
    }
  }

  #onStart(uncontrolled: readonly string[]): void {
    if (this.#isStarted) throw new RangeError('dlm_controld was started twice');
    this.#isStarted = true;
    if (uncontrolled.length > 0) {
      for (const name of uncontrolled) this.#log('err', `found uncontrolled lockspace ${name}`);
      return this.#kick(this.#me);
    }
    this.#emit({ kind: 'cpg-join', group: DAEMON_GROUP });
  }

  #onOnline(name: string): void {
    if (this.#lockspaces.has(name)) throw new RangeError(`lockspace ${name} is online already`);
    const globalId = lockspaceGlobalId(name);
    const ls: ControlledLockspace = {
      name,
      globalId,
      group: lockspaceGroup(name),
      changes: [],
      started: undefined,
      combinedSeq: 0,
      changeSeq: 0,
      startedCount: 0,
      history: new Map(),
      plockGroup: this.#plocks.newGroup({ name, globalId, group: lockspaceGroup(name) }),
      deadlock: this.#config.enableDeadlock === true ? this.#newDeadlockCycle(name, globalId) : undefined,
      kernel: 'stopped',
      isJoining: true,
      isPending: true,
      hasJoined: false,
      isLeaving: false,
      wait: undefined,
      waitingSince: this.#now,
      polls: 0,
      pollAt: Infinity,
    };
    this.#lockspaces.set(name, ls);
    if (this.#group.isRunning) this.#join(ls);
  }

  #join(ls: ControlledLockspace): void {
    ls.isPending = false;
    this.#emit({ kind: 'cpg-join', group: ls.group });
  }

  #onOffline(name: string): void {
    const ls = this.#lockspaces.get(name);
    if (ls === undefined) return;
    ls.isLeaving = true;
    if (ls.isPending) this.#leftLockspace(ls);
    else if (ls.hasJoined) this.#emit({ kind: 'cpg-leave', group: ls.group });
  }

  #leftLockspace(ls: ControlledLockspace): void {
    this.#lockspaces.delete(ls.name);
    this.#emit({ kind: 'left', lockspace: ls.name });
  }

  #onStopped(name: string): void {
    const ls = this.#lockspaces.get(name);
    if (ls?.kernel === 'stopping') ls.kernel = 'stopped';
  }

  // The group of all daemons

  #onDaemonConfchg({ members, joined }: Confchg): void {
    this.#group.confchg(this.#now, members);
    this.#viewQueries.confchg(members);
    if (joined.length > 0) this.#sender.protocol(this.#group.ours);
    this.#propose();
  }

  #propose(): void {
    const proposal = this.#group.proposal();
    if (proposal !== undefined) this.#sender.protocol(proposal);
  }

  #onProtocol(from: number, protocol: Protocol): void {
    switch (this.#group.receive(from, protocol)) {
      case 'noted':
        return this.#propose();
      case 'running':
        this.#log('debug', `daemon run ${this.#group.version.join('.')}`);
        this.#sender.protocol(this.#group.ours);
        for (const ls of this.#lockspaces.values()) if (ls.isPending) this.#join(ls);
        return;
      case 'incompatible':
        return this.#log('err', `incompatible daemon protocol run ${protocol.daemonRun.join('.')}`);
      case 'stateful-merge':
        return this.#onStatefulMerge(from);
    }
  }

  /** The side that had quorum before they parted kills the other. */
  #onStatefulMerge(node: number): void {
    this.#log('err', `daemon node ${node} stateful merge`);
    const leftAt = this.#group.leftAt(node);
    if (!this.#cluster.isQuorate || leftAt === undefined || this.#cluster.quorateSince >= leftAt) return;
    this.#log('err', `daemon node ${node} kill due to stateful merge`);
    this.#kick(node);
  }

  // A lockspace's group

  #lockspaceOf(group: string): ControlledLockspace | undefined {
    for (const ls of this.#lockspaces.values()) if (ls.group === group) return ls;
    return undefined;
  }

  #onConfchg(group: string, confchg: Confchg): void {
    const ls = this.#lockspaceOf(group);
    if (ls === undefined) return;
    if (ls.isLeaving && confchg.left.some(({ node }) => node === this.#me)) return this.#leftLockspace(ls);
    // CPG lets nobody leave a group that he is still joining.
    if (ls.isLeaving && !ls.hasJoined) this.#emit({ kind: 'cpg-leave', group });
    ls.hasJoined = true;
    const change = this.#addChange(ls, confchg);
    this.#stopKernel(ls, change);
    const left = confchg.left.map(({ node }) => node);
    ls.plockGroup.confchg(confchg.members, left);
    ls.deadlock?.confchg(confchg.members, left);
    for (const { node, reason } of confchg.left) if (reason === 'procdown') this.#kick(node);
  }

  #addChange(ls: ControlledLockspace, confchg: Confchg): Change {
    ls.changeSeq += 1;
    const change = newChange(confchg, ls.changeSeq, this.#me, this.#cpgRing);
    for (const departure of confchg.left) this.#historyLeft(ls, departure, change);
    for (const { nodeid, isAdded } of change.members) {
      if (!isAdded && !change.weJoined) continue;
      const past = historyOf(ls, nodeid);
      past.addedSeq = change.seq;
      // What the file system has said of it was about an earlier life.
      past.isFsNotified = false;
    }
    const { seq, members, joinedCount, removed, failedCount } = change;
    this.#logOf(
      ls,
      `add_change cg ${seq} counts member ${members.length} joined ${joinedCount} remove ${removed.length} failed ${failedCount}`,
    );
    ls.changes.unshift(change);
    ls.wait = undefined;
    ls.polls = 0;
    return change;
  }

  #historyLeft(ls: ControlledLockspace, { node, reason }: Departure, change: Change): void {
    const past = historyOf(ls, node);
    past.removedSeq = change.seq;
    this.#logOf(ls, `add_change cg ${change.seq} remove nodeid ${node} reason ${reason}`);
    if (reason === 'leave') {
      past.startTime = undefined;
      return;
    }
    past.failedReason = reason;
    past.needsFs = true;
    past.failTime = this.#now;
    if (this.#config.enableFencing === false || past.startTime === undefined) return;
    past.needsFencing = true;
    const { observe } = this.#config;
    observe?.({ kind: 'dlm.node-failed', now: this.#now, lockspace: ls.name, failed: node });
  }

  #stopKernel(ls: ControlledLockspace, change: Change): void {
    if (ls.kernel !== 'running') return;
    this.#logOf(ls, `stop_kernel cg ${change.seq}`);
    ls.kernel = 'stopping';
    this.#emit({ kind: 'stop', lockspace: ls.name });
  }

  #onMessage(group: string, from: number, payload: Uint8Array): void {
    const message = decodeControldMessage(payload);
    const reason = typeof message === 'string' ? message : this.#defectOf(group, from, message);
    if (reason !== undefined) return this.#emit({ kind: 'reject', group, from, reason });
    if (typeof message === 'string') return;
    if (message.kind === 'protocol') return this.#onProtocol(from, message.protocol);
    if (message.kind === 'views-asked') return this.#onViewsAsked(from, message.header, message.asked);
    if (message.kind === 'views-told') {
      if (message.header.to !== this.#me) return;
      return this.#viewQueries.receive(message.header.msgdata, from, message.views);
    }
    const ls = this.#lockspaceOf(group);
    if (ls === undefined) return;
    switch (message.kind) {
      case 'start':
        return this.#receiveStart(ls, from, message);
      case 'plock':
        return ls.plockGroup.receive(message.header.type as PlockMessageType, message.record, from);
      case 'plocks-data':
        return ls.plockGroup.data(message.data);
      case 'plocks-done':
        return this.#plocks.receiveDone(ls, from, message);
      case 'cycle':
        return this.#receiveCycle(ls, from, message.header);
      case 'checkpoint-locks':
        return ls.deadlock?.receiveSection(from, message.section);
      case 'other':
        return;
    }
  }

  #defectOf(group: string, from: number, { kind, header }: ControldMessage): ControldReject | undefined {
    if (header.nodeid !== from) return 'wrong-sender';
    if (BETWEEN_DAEMONS.has(kind) !== (group === DAEMON_GROUP)) return 'wrong-group';
    return kind !== 'protocol' && header.version[0] !== this.#group.version[0] ? 'wrong-version' : undefined;
  }

  #receiveStart(ls: ControlledLockspace, from: number, { header, info }: ControldMessage & { kind: 'start' }): void {
    const past = historyOf(ls, from);
    const isMatch = (candidate: Change): boolean => matchStart(candidate, from, info, this.#me, past);
    const isNacked = (candidate: Change): boolean => findMember(candidate, from)?.isNacked === true;
    // Where only one that was refused fits, that was meant for a change before we joined.
    const change =
      findLast(ls.changes, (candidate) => isMatch(candidate) && !isNacked(candidate)) ?? findLast(ls.changes, isMatch);
    if (change === undefined) return this.#emit({ kind: 'reject', group: ls.group, from, reason: 'no-match' });
    past.lastMatchSeq = change.seq;
    const member = findMember(change, from)!;
    if ((header.flags & StartFlag.NACK) !== 0) {
      member.isNacked = true;
      return;
    }
    const isAdded = ls.changes.some((other) => findMember(other, from)?.isAdded === true);
    if (isAdded && info.startedCount > 0 && ls.startedCount > 0) {
      member.isDisallowed = true;
      return this.#log(
        'err',
        `receive_start ${from}:${header.msgdata} add node with started_count ${info.startedCount}`,
      );
    }
    past.startTime = this.#now;
    member.hasStarted = true;
    member.hasPlocks = (header.flags & StartFlag.HAVEPLOCK) !== 0;
  }

  // Deadlocks over several resources

  #newDeadlockCycle(lockspace: string, globalId: number): DeadlockCycle {
    const sender = this.#sender;
    const ls = { globalId, group: lockspaceGroup(lockspace) };
    return new DeadlockCycle(this.#me, {
      cycleStart: () => sender.cycle(ls, ControldType.CYCLE_START),
      cycleEnd: () => sender.cycle(ls, ControldType.CYCLE_END),
      checkpointReady: () => sender.cycle(ls, ControldType.CHECKPOINT_READY),
      cancelLock: (node, lkid) => sender.cycle(ls, ControldType.CANCEL_LOCK, node, lkid),
      section: (section) => sender.cycle(ls, ControldType.CHECKPOINT_LOCKS, 0, 0, section),
      readLocks: () => this.#emit({ kind: 'read-locks', lockspace }),
      cancel: (handle) => this.#emit({ kind: 'deadlock-cancel', lockspace, handle }),
      log: (text) => this.#log('debug', `${lockspace} ${text}`),
    });
  }

  #receiveCycle({ deadlock }: ControlledLockspace, from: number, { type, to = 0, msgdata }: ControldHeader): void {
    switch (type) {
      case ControldType.CYCLE_START:
        return deadlock?.receiveCycleStart(from);
      case ControldType.CHECKPOINT_READY:
        return deadlock?.receiveCheckpointReady(from);
      case ControldType.CANCEL_LOCK:
        return deadlock?.receiveCancelLock(to, msgdata);
      case ControldType.CYCLE_END:
        return deadlock?.receiveCycleEnd(this.#now);
    }
  }

  // What nodes show each other

  #askViews(id: number, asked: ViewsAsked): void {
    const query = this.#viewQueries.open(
      this.#now,
      id,
      this.#group.members.filter((node) => node !== this.#me),
    );
    if (query !== undefined) this.#sender.viewsAsked(query, asked);
  }

  #onViewsAsked(to: number, { msgdata: query }: ControldHeader, asked: ViewsAsked): void {
    if (to !== this.#me) this.#emit({ kind: 'read-views', to, query, ...asked });
  }

  #tellViews({ to, query, dlm, ...asked }: ViewsQuestion & { readonly dlm: DlmView }): void {
    this.#sender.viewsTold(to, query, asked.lockspace, { dlm: partOf(dlm, asked), controld: this.inspect() });
  }

  // Conditions

  #onMembership({ members, ring, isQuorate }: ControldInput & { kind: 'membership' }): void {
    this.#noteMembers(members);
    const wasQuorate = this.#cluster.isQuorate;
    const quorateSince = !isQuorate ? Infinity : wasQuorate ? this.#cluster.quorateSince : this.#now;
    this.#cluster = { ring: ring.seq, isQuorate, quorateSince };
  }

  #noteMembers(members: readonly number[]): void {
    for (const [nodeid, node] of this.#clusterNodes) {
      if (node.isMember && !members.includes(nodeid)) {
        this.#clusterNodes.set(nodeid, { ...node, isMember: false, removedAt: this.#now });
      }
    }
    for (const nodeid of members) {
      const node = this.#clusterNodes.get(nodeid);
      if (node?.isMember) continue;
      this.#clusterNodes.set(nodeid, { isMember: true, addedAt: this.#now, removedAt: node?.removedAt ?? 0 });
    }
  }

  #onFenced(node: number, at: Nanos): void {
    this.#fencedAt.set(node, at);
    this.#config.observe?.({ kind: 'dlm.node-fenced', now: this.#now, fenced: node });
  }

  #onFsNotified(name: string, node: number): void {
    const ls = this.#lockspaces.get(name);
    if (ls !== undefined) historyOf(ls, node).isFsNotified = true;
  }

  #onShutdown(): void {
    if (this.#lockspaces.size > 0) return this.#log('err', 'shutdown ignored, active lockspaces');
    this.#emit({ kind: 'exited' });
  }

  /** Takes the newest change as far as it goes; the older ones only say what has happened since the last start. */
  #applyChanges(ls: ControlledLockspace): void {
    const change = ls.changes[0];
    if (change === undefined || ls.isLeaving) {
      ls.pollAt = Infinity;
      return;
    }
    if (change.state === 'conditions') {
      const wait = this.#unmetCondition(ls);
      if (wait !== undefined) return this.#waitFor(ls, change, wait);
      this.#sendStart(ls, change);
      change.state = 'messages';
    }
    if (!change.members.every((member) => member.hasStarted)) return this.#waitFor(ls, change, 'messages');
    this.#startKernel(ls, change);
  }

  #waitFor(ls: ControlledLockspace, change: Change, wait: WaitState): void {
    if (ls.wait !== wait) {
      ls.wait = wait;
      ls.waitingSince = this.#now;
      ls.polls = 0;
      ls.pollAt = this.#now;
      if (wait !== 'stopped') this.#tellWaiting(ls, change, wait);
    }
    if (wait === 'stopped' || wait === 'messages') {
      ls.pollAt = Infinity;
      return;
    }
    if (this.#now < ls.pollAt) return;
    const isLate = ls.polls >= POLLS_LOGGED;
    this.#log(isLate ? 'err' : 'debug', `${ls.name} wait for ${wait}`);
    ls.polls += 1;
    ls.pollAt = this.#now + (isLate ? HOUR : POLL);
  }

  #tellWaiting(ls: ControlledLockspace, change: Change, wait: Exclude<WaitState, 'stopped'>): void {
    const { observe } = this.#config;
    observe?.({ kind: 'dlm.waiting', now: this.#now, lockspace: ls.name, change: change.seq, for: wait });
  }

  /** Source: dlm dlm_controld/cpg.c, `wait_conditions_done`. */
  #unmetCondition(ls: ControlledLockspace): WaitState | undefined {
    if (ls.kernel !== 'stopped') return 'stopped';
    if (!this.#checkRingidDone(ls)) return 'ringid';
    if (!this.#hasQuorum) return 'quorum';
    if (!this.#checkFencingDone(ls)) return 'fencing';
    return !this.#fsNames.has(ls.name) || checkFsDone(ls) ? undefined : 'fs';
  }

  get #hasQuorum(): boolean {
    return this.#cluster.isQuorate || this.#config.enableQuorum !== true;
  }

  /** CPG and cman speak of the same ring, and CPG has named the one that came after a node went down. */
  #checkRingidDone(ls: ControlledLockspace): boolean {
    if (ls.changes.some((change) => change.ringBefore === this.#cpgRing)) return false;
    return this.#cpgRing === NO_RING || this.#cpgRing === this.#cluster.ring;
  }

  /** Each node that failed with state was fenced since, and fenced has no other victim. */
  #checkFencingDone(ls: ControlledLockspace): boolean {
    if (this.#config.enableFencing === false) return true;
    let isDone = true;
    for (const past of ls.history.values()) {
      if (!past.needsFencing) continue;
      if ((this.#fencedAt.get(past.nodeid) ?? -1) >= past.failTime) {
        past.needsFencing = false;
        past.startTime = undefined;
        this.#logOf(ls, `check_fencing ${past.nodeid} done`);
      } else isDone = false;
    }
    return isDone && this.#victims?.length === 0;
  }

  #sendStart(ls: ControlledLockspace, change: Change): void {
    const flags = (ls.isJoining ? StartFlag.JOINING : 0) | (ls.plockGroup.needsPlocks ? 0 : StartFlag.HAVEPLOCK);
    // What we have sent for a later change than that has taken it out of the running: a NACK would hit the newest one.
    const sentSeq = Math.max(0, ...ls.changes.filter(({ state }) => state === 'messages').map(({ seq }) => seq));
    const lookalikes = ls.changes.filter(
      (other) => other !== change && other.seq > sentSeq && isLookalike(other, change),
    );
    for (const older of lookalikes) this.#mcastStart(ls, older, flags | StartFlag.NACK);
    this.#mcastStart(ls, change, flags);
    const { observe } = this.#config;
    const isQuorate = this.#hasQuorum;
    observe?.({ kind: 'dlm.start-sent', now: this.#now, lockspace: ls.name, change: change.seq, isQuorate });
  }

  #mcastStart(ls: ControlledLockspace, change: Change, flags: number): void {
    const { length } = change.members;
    this.#logOf(ls, `send_start cg ${change.seq} flags ${flags.toString(16)} counts ${ls.startedCount} ${length}`);
    this.#sender.change(ls, change, ControldType.START, flags);
  }

  #startKernel(ls: ControlledLockspace, change: Change): void {
    const { weightOf, observe } = this.#config;
    const gone = ls.changes.flatMap((other) => other.removed);
    const goneIds = new Set(gone.map((node) => node.nodeid));
    const failed = [...new Set(gone.filter((node) => node.hasFailed).map((node) => node.nodeid))].sort((a, b) => a - b);
    const ids = change.members.map((member) => member.nodeid).sort((a, b) => a - b);
    this.#logOf(ls, `start_kernel cg ${change.seq} member_count ${ids.length}`);
    // What the file system had to hear of is behind us, also if it has registered only since.
    for (const past of ls.history.values()) past.needsFs = false;
    ls.combinedSeq = ls.changes.at(-1)!.seq;
    ls.started = change;
    ls.changes.length = 0;
    ls.wait = undefined;
    ls.pollAt = Infinity;
    ls.kernel = 'running';
    this.#group.becomeStateful();
    observe?.({
      kind: 'dlm.starting',
      now: this.#now,
      lockspace: ls.name,
      change: change.seq,
      members: ids,
      failed,
      isQuorate: this.#hasQuorum,
    });
    const members = ids.map((node) => ({
      node,
      weight: weightOf?.(ls.name, node) ?? 1,
      isNew: goneIds.has(node),
    }));
    this.#emit({ kind: 'start', lockspace: ls.name, members, failed });
    this.#plocks.prepare(ls, change);
    ls.startedCount += 1;
    if (!ls.isJoining) return;
    ls.isJoining = false;
    this.#emit({ kind: 'joined', lockspace: ls.name });
  }

  #kick(node: number): void {
    this.#log('err', `telling cman to remove nodeid ${node} from cluster`);
    this.#emit({ kind: 'kick', node });
  }

  #logOf(ls: ControlledLockspace, text: string): void {
    this.#log('debug', `${ls.name} ${text}`);
  }

  #log(priority: LogPriority, text: string): void {
    this.#emit({ kind: 'log', priority, text });
  }
}

function findLast<T>(entries: readonly T[], fits: (entry: T) => boolean): T | undefined {
  for (let i = entries.length - 1; i >= 0; i--) if (fits(entries[i]!)) return entries[i];
  return undefined;
}
