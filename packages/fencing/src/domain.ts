import type { LogPriority, Nanos, Observe } from '@quorate/kernel';
import type { ClusterView } from './cluster-view.js';
import type { DaemonGroup } from './daemon-group.js';
import {
  type Change,
  type Confchg,
  findMember,
  isLookalike,
  isMemberIn,
  matchChange,
  NO_RING,
  newChange,
} from './domain-change.js';
import type { FencedFact } from './facts.js';
import type { FenceConf } from './fence-conf.js';
import type { FenceDaemon } from './fence-daemon.js';
import { type DomainNode, type FenceDomain, waitStateOf } from './fence-domain.js';
import type { FencedOutput, RingId } from './fenced-io.js';
import { type FencingPort, FencingRound, type Victim, type Wait } from './fencing-round.js';
import type { AgentRun } from './libfence.js';
import { type FencedHow, type FencedMessage, HOW, MessageFlag, MessageType } from './message.js';
import type { MessageWriter } from './message-writer.js';
import { isFencedExternally, type NodeHistory, newHistory, saveHistory } from './node-history.js';

/** CPG group of the members of the one fence domain there is. */
export const DOMAIN_GROUP = 'fenced:default';

export type Work = Generator<Wait, void, number | undefined>;

/** What a fence domain has of its daemon. Everything may change between two steps. */
export interface DomainPort {
  readonly me: number;
  readonly now: Nanos;
  /** time(2). */
  readonly time: number;
  readonly conf: FenceConf;
  readonly daemon: Required<FenceDaemon>;
  readonly cluster: ClusterView;
  readonly group: DaemonGroup;
  /** The ring that CPG named last; undefined before it has named one. */
  readonly cpgRing: RingId | undefined;
  readonly writer: MessageWriter;
  readonly observe: Observe<FencedFact> | undefined;
  emit(output: FencedOutput): void;
  log(priority: LogPriority, text: string): void;
  /** Sends to the domain. */
  mcast(payload: Uint8Array): void;
  /** A daemon died and left a node that nobody watches: the whole node has to go. */
  kickProcessDown(node: number): void;
  /** Starts an agent and returns the number of its run. */
  runAgent(run: AgentRun): number;
  /** Begins the work of a master. Until its end the domain hears of no change and no message. */
  run(work: Work): void;
}

/**
 * The fence domain as one member has it, from its `join` until it has left (`struct fd`): changes of its membership, each
 * of which is a start cycle, and the victims that they make.
 *
 * Source: cluster.git fence/fenced/cpg.c; the functions keep their names.
 */
export class Domain {
  readonly #port: DomainPort;
  readonly #history = new Map<number, NodeHistory>();
  /** Read when the domain is joined; only the times change with the configuration after that. */
  readonly #overridePath: string;
  /** Newest first. */
  readonly #changes: Change[] = [];
  #started: Change | undefined;
  #changeSeq = 0;
  /** Completed start cycles. */
  #startedCount = 0;
  /** We have seen the master complete a cycle with us in it, or completed one as master. */
  #isInitComplete = false;
  #isLocalInitComplete = false;
  #master = 0;
  #isLeaving = false;
  #currentVictim = 0;
  /** Newest first. */
  #victims: Victim[] = [];
  /** Nodes of cluster.conf, until we know which of them are victims. */
  #initial: number[] = [];
  #told: readonly number[] = [];

  constructor(port: DomainPort) {
    this.#port = port;
    this.#overridePath = port.daemon.overridePath;
    this.#readCcs();
  }

  /** The nodes that are victims unless they are members; the last of cluster.conf comes first. */
  #readCcs(): void {
    const { conf, daemon } = this.#port;
    if (daemon.isCleanStart) return this.#debug('clean start, skipping initial nodes');
    for (const { nodeId, name, fenceMethods } of conf.nodes) {
      if (daemon.isUndefinedSkipped && fenceMethods.length === 0) {
        this.#debug(`skip ${name} with zero methods`);
        continue;
      }
      this.#initial.unshift(nodeId);
      this.#nodeHistory(nodeId);
    }
    this.#debug(`added ${conf.nodes.length} nodes from ccs`);
  }

  get currentVictim(): number {
    return this.#currentVictim;
  }

  /** As `fence_tool ls -n` shows it. Source: cpg.c, `set_domain_info`, `set_domain_nodes`, `set_node_info`. */
  view(): FenceDomain {
    const current = this.#changes[0] ?? this.#started;
    const ids = [...this.#history.keys()].sort((a, b) => a - b);
    return {
      memberCount: current?.members.length ?? 0,
      victimCount: this.#victims.length,
      currentVictim: this.#currentVictim,
      master: this.#master,
      waitState: waitStateOf(this.#changes[0]),
      members: (this.#started?.members ?? []).map((member) => member.nodeId).sort((a, b) => a - b),
      nodes: ids.map((nodeId) => this.#domainNode(current, nodeId)),
    };
  }

  #domainNode(current: Change | undefined, nodeId: number): DomainNode {
    const member = current === undefined ? undefined : findMember(current, nodeId);
    const past = this.#history.get(nodeId);
    const membership = member === undefined ? 0 : member.isDisallowed ? -1 : 1;
    return {
      nodeId,
      membership,
      isVictim: this.#victims.some((victim) => victim.nodeId === nodeId),
      lastFencedBy: past?.fencedBy ?? 0,
      how: HOW[past?.how ?? 0] ?? 'none',
    };
  }

  leave(): void {
    this.#isLeaving = true;
  }

  /** Nodes are members of the cluster now that were not before. */
  clusterAdded(nodes: readonly number[]): void {
    for (const node of nodes) this.#nodeHistory(node).clusterAddTime = this.#port.time;
  }

  /** `fence_node` fenced it: should it become a victim now, it need not be fenced again. */
  sendExternal(node: number): void {
    this.#debug(`send_external victim nodeid ${node}`);
    this.#port.mcast(this.#port.writer.external(node));
  }

  // Changes

  /** Whether we have left by it. */
  confchg(confchg: Confchg): 'left' | undefined {
    if (this.#isLeaving && confchg.left.some(({ node }) => node === this.#port.me)) {
      this.#onLeft();
      return 'left';
    }
    const change = this.#addChange(confchg);
    this.#addVictims(change);
    if (change.weJoined) {
      this.#addVictimsInit(change);
      this.#port.emit({ kind: 'joined' });
    }
    this.#tellState('quorum');
    this.applyChanges();
    return undefined;
  }

  #onLeft(): void {
    this.#debug('confchg for our leave');
    this.#victims = [];
    this.#tellVictims();
    const { now, cluster } = this.#port;
    const { isQuorate } = cluster;
    this.#port.observe?.({ kind: 'fenced.state', now, state: 'left', master: 0, members: [], isQuorate, victims: [] });
    this.#port.emit({ kind: 'left' });
  }

  #addChange(confchg: Confchg): Change {
    this.#changeSeq += 1;
    const { me, time, cpgRing } = this.#port;
    const change = newChange(confchg, this.#changeSeq, me, time, cpgRing?.seq ?? NO_RING);
    const { seq } = change;
    for (const { nodeId, hasFailed } of change.removed) {
      const past = this.#history.get(nodeId);
      if (past !== undefined) past[hasFailed ? 'failSeq' : 'leftSeq'] = seq;
    }
    for (const { node, reason } of confchg.left) {
      this.#debug(`add_change cg ${seq} remove nodeid ${node} reason ${CPG_REASON[reason]}`);
      if (reason === 'procdown') this.#port.kickProcessDown(node);
    }
    for (const { nodeId, isAdded } of change.members) {
      if (isAdded || change.weJoined) this.#nodeHistory(nodeId);
      if (isAdded) this.#debug(`add_change cg ${seq} joined nodeid ${nodeId}`);
    }
    this.#debug(`add_change cg ${seq} ${countsText(change)}`);
    this.#changes.unshift(change);
    return change;
  }

  #addVictims(change: Change): void {
    for (const { nodeId, hasFailed } of change.removed) {
      if (!hasFailed) continue;
      if (this.#isVictim(nodeId)) {
        // A partition made it one, and it was killed after the merge.
        this.#debug(`add_victims node ${nodeId} already victim`);
        continue;
      }
      // Whoever fails before our first start cycle is the master's to judge: its complete message clears it.
      const isInit = this.#startedCount === 0;
      this.#addVictim(nodeId, isInit);
      this.#debug(`add_victims node ${nodeId}`);
      if (isInit) this.#debug(`add_victims node ${nodeId} set init_victim`);
    }
    this.#tellVictims();
  }

  /** We know of no failure, so every node of cluster.conf that is not there has to count as one. */
  #addVictimsInit(change: Change): void {
    for (const nodeId of this.#initial.splice(0)) {
      const isMember = this.#port.cluster.members.includes(nodeId) || findMember(change, nodeId) !== undefined;
      if (isMember || this.#isVictim(nodeId)) continue;
      this.#addVictim(nodeId, true);
      this.#debug(`add_victims_init nodeid ${nodeId}`);
    }
    this.#tellVictims();
  }

  #isVictim(nodeId: number): boolean {
    return this.#victims.some((victim) => victim.nodeId === nodeId);
  }

  #addVictim(nodeId: number, isInit: boolean): void {
    this.#victims.unshift({ nodeId, isInit, isDoneLocally: false });
    this.#port.observe?.({ kind: 'fenced.victim', now: this.#port.now, victim: nodeId, isInit });
  }

  #removeVictim(nodeId: number): void {
    this.#victims = this.#victims.filter((victim) => victim.nodeId !== nodeId);
    this.#tellVictims();
  }

  // A start cycle

  /** Takes the newest change one step further, if what it waits for is there. */
  applyChanges(): void {
    const change = this.#changes[0];
    if (change === undefined) return;
    switch (change.state) {
      case 'quorum':
        if (!this.#waitConditionsDone()) return;
        this.#sendStart(change);
        change.state = 'messages';
        return this.#tellState('messages');
      case 'messages':
        if (this.#waitMessagesDone(change)) this.#startCycleDone(change);
        return;
      case 'fencing':
        return;
    }
  }

  /**
   * cman and CPG speak of the same ring, and it is quorate.
   *
   * Differs from fenced, which would find both on the old ring, and quorate, if CPG told of a death before cman did.
   */
  #waitConditionsDone(): boolean {
    const { cpgRing, cluster } = this.#port;
    const rings = `cluster ${cluster.ringSeq ?? 0} cpg ${cpgRing?.representative ?? 0}:${cpgRing?.seq ?? 0}`;
    const isOld = this.#changes.some((change) => change.ringBefore === (cpgRing?.seq ?? NO_RING));
    if (isOld || (cpgRing !== undefined && cluster.ringSeq !== cpgRing.seq)) {
      this.#debug(`check_ringid ${rings}`);
      return false;
    }
    this.#debug(`check_ringid done ${rings}`);
    this.#debug(cluster.isQuorate ? 'check_quorum done' : 'check_quorum not quorate');
    return cluster.isQuorate;
  }

  #waitMessagesDone({ seq, members }: Change): boolean {
    const need = members.filter((member) => !member.hasStarted).length;
    const what = need === 0 ? `got all ${members.length}` : `need ${need} of ${members.length}`;
    this.#debug(`wait_messages cg ${seq} ${what}`);
    return need === 0;
  }

  #startCycleDone(change: Change): void {
    this.#port.group.becomeStateful();
    this.#setMaster(change);
    change.state = 'fencing';
    this.#tellState('fencing');
    if (this.#master === this.#port.me) this.#port.run(this.#masterWork());
    else {
      this.#deferFencing();
      this.#cleanupChanges();
    }
  }

  /** The lowest node that knows all victims, or else the lowest. */
  #setMaster({ members }: Change): void {
    const complete = members.filter((member) => (member.startFlags & MessageFlag.COMPLETE) !== 0);
    const candidates = complete.length > 0 ? complete : members;
    const master = candidates.reduce((least, member) => Math.min(least, member.nodeId), Infinity);
    this.#debug(`set_master from ${this.#master} to ${complete.length > 0 ? 'complete' : 'low'} node ${master}`);
    this.#master = master;
  }

  #deferFencing(): void {
    if (this.#victims.length > 0) this.#port.log('info', `fencing deferred to ${this.#nameOf(this.#master)}`);
  }

  #cleanupChanges(): void {
    this.#started = this.#changes[0];
    this.#changes.length = 0;
    this.#startedCount += 1;
    this.#tellState('none');
  }

  // Fencing, by the master

  *#masterWork(): Work {
    const hasJoined = this.#changes.some((change) => change.joinedCount > 0);
    const round = new FencingRound(this.#fencingPort());
    yield* round.delayFencing(hasJoined);
    yield* round.fenceVictims();
    this.#sendInfo(this.#changes[0]!, MessageType.COMPLETE, 0);
    this.#isLocalInitComplete = true;
    this.#cleanupChanges();
  }

  #fencingPort(): FencingPort {
    const port = this.#port;
    const victims = (): readonly Victim[] => this.#victims;
    const overridePath = this.#overridePath;
    return {
      now: () => port.now,
      get conf() {
        return port.conf;
      },
      get delays() {
        return { ...port.daemon, overridePath };
      },
      get isQuorate() {
        return port.cluster.isQuorate;
      },
      get isQuorateFromLastUpdate() {
        return port.cluster.isQuorateFromLastUpdate;
      },
      get victims() {
        return victims();
      },
      nameOf: (nodeId) => this.#nameOf(nodeId),
      isClusterMember: (nodeId) => port.cluster.members.includes(nodeId),
      isClean: (nodeId) => port.group.isClean(nodeId),
      isFencedExternally: (nodeId) => isFencedExternally(this.#nodeHistory(nodeId)),
      victimDone: (nodeId, how) => this.#victimDone(nodeId, how),
      removeVictim: (nodeId) => this.#removeVictim(nodeId),
      setCurrentVictim: (nodeId) => {
        this.#currentVictim = nodeId;
      },
      runAgent: (run) => port.runAgent(run),
      findFenceCheck: () => port.emit({ kind: 'find-fence-check' }),
      endFenceCheck: (pid) => port.emit({ kind: 'end-fence-check', pid }),
      attemptStarted: (victim, attempt) => this.#attemptStarted(victim, attempt),
      attemptEnded: (victim, attempt, isSuccess) =>
        port.observe?.({ kind: 'fenced.attempt-ended', now: port.now, victim, attempt, isSuccess }),
      log: (priority, text) => port.log(priority, text),
    };
  }

  #attemptStarted(victim: number, attempt: number): void {
    const { now, cluster, group, observe } = this.#port;
    observe?.({
      kind: 'fenced.fencing-started',
      now,
      victim,
      attempt,
      master: this.#master,
      isQuorate: cluster.isQuorate,
      clusterMembers: cluster.members,
      isClean: group.isClean(victim),
    });
  }

  // Messages

  /** @param length of the message, in bytes. */
  message(message: Exclude<FencedMessage, { kind: 'protocol' }>, length: number): void {
    switch (message.kind) {
      case 'start':
        this.#receiveStart(message, length);
        break;
      case 'complete':
        this.#receiveComplete(message, length);
        break;
      case 'victim-done':
        this.#receiveVictimDone(message, length);
        break;
      case 'external':
        this.#receiveExternal(message.header, length);
        break;
    }
    this.applyChanges();
  }

  #receiveStart(message: FencedMessage & { readonly kind: 'start' | 'complete' }, length: number): void {
    const { header, info, nodes } = message;
    const { from, data, flags } = header;
    this.#debug(`receive_start ${from}:${data} len ${length}`);
    const change = this.#findChange(message);
    const member = change === undefined ? undefined : findMember(change, from);
    if (member === undefined) return;
    member.startFlags = flags;
    const isAdded = this.#changes.some((each) => findMember(each, from)?.isAdded === true);
    if (isAdded && info.startedCount > 0 && this.#startedCount > 0) {
      // Two halves of a partition have met. Neither takes the other's start messages, until one half is gone. Whoever joins
      // meanwhile belongs to both, completes its cycles, and counts for either as the other half, as in fenced.
      this.#port.log('err', `receive_start ${from}:${data} add node with started_count ${info.startedCount}`);
      member.isDisallowed = true;
      if (change === this.#changes[0]) {
        this.#port.observe?.({ kind: 'fenced.start-refused', now: this.#port.now, peer: from });
      }
      return;
    }
    this.#nodeHistory(from).addTime = this.#port.time;
    member.hasStarted = true;
    for (const node of nodes) saveHistory(this.#nodeHistory(node.nodeId), node, (text) => this.#debug(text));
  }

  /** The change that a start message is meant for: the oldest that matches, or of two that look alike the newer. */
  #findChange(message: FencedMessage & { readonly kind: 'start' | 'complete' }): Change | undefined {
    const { from, data, flags } = message.header;
    const isForSecond = (flags & MessageFlag.DUPLICATE_CHANGE) !== 0;
    const debug = (text: string): void => this.#debug(text);
    let found: Change | undefined;
    for (const change of [...this.#changes].reverse()) {
      if (!matchChange(change, message, this.#port.me, this.#history, debug)) continue;
      if (found !== undefined || !isForSecond) return change;
      found = change;
      debug(`find_change ${from}:${data} match1 ${change.seq} look for dup`);
    }
    if (found === undefined) debug(`find_change ${from}:${data} no match`);
    return found;
  }

  #receiveComplete({ header, nodes }: FencedMessage & { readonly kind: 'start' | 'complete' }, length: number): void {
    const label = `receive_complete ${header.from}:${header.data}`;
    this.#debug(`${label} len ${length}`);
    if (this.#isInitComplete) return;
    if (!isMemberIn(nodes, this.#port.me)) return this.#debug(`${label} we are not in members`);
    this.#isInitComplete = true;
    for (const { nodeId, isInit } of this.#victims) {
      this.#debug(`receive_complete clear victim nodeid ${nodeId} init ${+isInit}`);
    }
    this.#victims = this.#victims.filter((victim) => !victim.isInit);
    this.#tellVictims();
    if (this.#changes.length === 0) this.#tellState('none');
  }

  /** The master too takes a victim off its list only when its own message comes round. */
  #receiveVictimDone({ header, node }: FencedMessage & { readonly kind: 'victim-done' }, length: number): void {
    const { from, data, flags } = header;
    const { nodeId, fencedBy, fenceTime } = node;
    const label = `receive_victim_done ${from}:${data}`;
    this.#debug(`${label} flags ${flags.toString(16)} len ${length}`);
    // It is gone already when the master has let go of one that came back.
    if (!this.#isVictim(nodeId)) this.#debug(`${label} no victim nodeid ${nodeId}`);
    this.#debug(`${label} remove victim ${nodeId} time ${fenceTime} how ${node.how}`);
    if (from !== this.#port.me) {
      const past = this.#nodeHistory(nodeId);
      past.fencedBy = fencedBy;
      past.fenceTime = fenceTime;
      past.how = node.how;
    }
    const how = HOW[node.how] ?? 'none';
    const { now } = this.#port;
    this.#port.observe?.({ kind: 'fenced.fenced', now, victim: nodeId, how, master: fencedBy });
    this.#port.emit({ kind: 'fenced', node: nodeId, at: now, how, by: fencedBy });
    this.#removeVictim(nodeId);
  }

  #receiveExternal({ from, data }: FencedMessage['header'], length: number): void {
    this.#debug(`receive_external from ${from} len ${length} victim nodeid ${data}`);
    const past = this.#history.get(data);
    if (past === undefined) return this.#port.log('err', `node_history_fence_external no nodeid ${data}`);
    past.externalTime = this.#port.time;
    past.externalBy = from;
  }

  #victimDone(nodeId: number, how: FencedHow): void {
    const { me, time, writer } = this.#port;
    const past = this.#nodeHistory(nodeId);
    past.fencedBy = me;
    past.how = HOW.indexOf(how);
    past.fenceTime = time;
    const flags = this.#completeFlag();
    const { seq } = this.#changes[0]!;
    this.#debug(`send_victim_done cg ${seq} flags ${flags.toString(16)} victim nodeid ${nodeId}`);
    this.#port.mcast(writer.victimDone(flags, seq, past));
  }

  #sendStart(change: Change): void {
    const lookalikes = this.#changes.filter(
      (other) => !other.hasSentStart && other.seq < change.seq && isLookalike(other, change),
    );
    for (const { seq } of lookalikes) this.#debug(`duplicate old cg ${seq} new cg ${change.seq}`);
    change.hasSentStart = true;
    this.#sendInfo(change, MessageType.START, lookalikes.length > 0 ? MessageFlag.DUPLICATE_CHANGE : 0);
  }

  #sendInfo(change: Change, type: number, flags: number): void {
    const all = flags | this.#completeFlag() | (change.weJoined ? MessageFlag.JOINING : 0);
    const what = `send_${type === MessageType.START ? 'start' : 'complete'} ${this.#port.me}:${change.seq}`;
    this.#debug(`${what} flags ${all.toString(16)} started ${this.#startedCount} ${countsText(change)}`);
    this.#port.mcast(this.#port.writer.change(type, all, change, this.#startedCount, this.#history));
  }

  #completeFlag(): number {
    return this.#isInitComplete || this.#isLocalInitComplete ? MessageFlag.COMPLETE : 0;
  }

  // Everything else

  #nodeHistory(nodeId: number): NodeHistory {
    let past = this.#history.get(nodeId);
    if (past === undefined) {
      past = newHistory(nodeId);
      this.#history.set(nodeId, past);
    }
    return past;
  }

  #tellVictims(): void {
    const nodes = this.#victims.map((victim) => victim.nodeId);
    if (nodes.length === this.#told.length && nodes.every((node, i) => node === this.#told[i])) return;
    this.#told = nodes;
    this.#port.emit({ kind: 'victims', nodes });
  }

  #tellState(state: Change['state'] | 'none'): void {
    const { observe, now, cluster } = this.#port;
    if (observe === undefined) return;
    const members = ((this.#changes[0] ?? this.#started)?.members ?? []).map((member) => member.nodeId);
    const victims = this.#victims.map((victim) => victim.nodeId);
    const { isQuorate } = cluster;
    observe({ kind: 'fenced.state', now, state, master: this.#master, members, isQuorate, victims });
  }

  #nameOf(nodeId: number): string {
    return this.#port.conf.nodes.find((node) => node.nodeId === nodeId)?.name ?? 'unknown';
  }

  #debug(text: string): void {
    this.#port.log('debug', text);
  }
}

/** Why a process left, by CPG's numbers. Source: corosync/cpg.h, `cpg_reason_t`. */
const CPG_REASON = { leave: 2, nodedown: 3, procdown: 5 } as const;

function countsText({ members, joinedCount, removed, failedCount }: Change): string {
  return `m ${members.length} j ${joinedCount} r ${removed.length} f ${failedCount}`;
}
