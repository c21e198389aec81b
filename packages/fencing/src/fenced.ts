import {
  type LogPriority,
  type Machine,
  type Nanos,
  type Observe,
  SECOND,
  WallClock,
  wallTimeOf,
} from '@quorate/kernel';
import { ClusterView } from './cluster-view.js';
import { DaemonGroup } from './daemon-group.js';
import {
  type Change,
  type Confchg,
  type Departure,
  findMember,
  isLookalike,
  isMemberIn,
  matchChange,
  NO_RING,
  newChange,
} from './domain-change.js';
import type { FencedFact } from './facts.js';
import type { FenceConf } from './fence-conf.js';
import { type DomainNode, type FenceDomain, waitStateOf } from './fence-domain.js';
import { type FencingPort, FencingRound, type Victim, type Wait } from './fencing-round.js';
import type { AgentRun } from './libfence.js';
import {
  decodeMessage,
  type FencedHow,
  type FencedMessage,
  HOW,
  type MessageDefect,
  MessageFlag,
  MessageType,
  type Protocol,
  type Version,
} from './message.js';
import { MessageWriter } from './message-writer.js';
import { isFencedExternally, type NodeHistory, newHistory, saveHistory } from './node-history.js';

/** CPG groups: every running fenced, and the members of the one fence domain there is. */
export const DAEMON_GROUP = 'fenced:daemon';
export const DOMAIN_GROUP = 'fenced:default';

/** A ring of totem: its representative and its sequence number. */
export interface RingId {
  readonly representative: number;
  readonly seq: number;
}

export type FencedInput =
  /**
   * The daemon starts: it joins `fenced:daemon`. `wall` is in seconds since 1970. `uncontrolled` are lockspaces and file
   * systems that the kernel still has from before: with any of them the daemon ends, for the node has to be fenced.
   */
  | { readonly kind: 'start'; readonly wall: number; readonly uncontrolled?: readonly string[] }
  /** `fence_tool join`. */
  | { readonly kind: 'join' }
  /** `fence_tool leave`; whether the node may is for the tool to find out. */
  | { readonly kind: 'leave' }
  | {
      readonly kind: 'confchg';
      readonly group: string;
      readonly members: readonly number[];
      readonly joined: readonly number[];
      readonly left: readonly Departure[];
    }
  /** CPG is on that ring now; comes after the ring's `confchg`s, at the latest when a node has gone down. */
  | { readonly kind: 'ring-confchg'; readonly ring: RingId }
  /** A message of a group, our own included. */
  | { readonly kind: 'message'; readonly group: string; readonly from: number; readonly payload: Uint8Array }
  /** What cman says of the cluster. */
  | {
      readonly kind: 'membership';
      readonly members: readonly number[];
      readonly ring: RingId;
      readonly isQuorate: boolean;
      /** Found out here when absent. */
      readonly quorumGained?: boolean;
    }
  | { readonly kind: 'agent-ended'; readonly run: number; readonly status: number }
  /** Somebody fenced that node by hand (`fence_node` tells so). */
  | { readonly kind: 'external'; readonly node: number }
  /** An administrator says that this node is dead (`fence_ack_manual`); heard only while `overrideVictim` is one. */
  | { readonly kind: 'override'; readonly node: number }
  | { readonly kind: 'reconfigure'; readonly conf: FenceConf; readonly daemon: FenceDaemon }
  | { readonly kind: 'clock-step'; readonly offset: Nanos }
  /** cman and CPG are gone: the daemon ends, at the latest with the agent that runs. */
  | { readonly kind: 'cluster-down' }
  /** SIGTERM; heard only outside the domain. */
  | { readonly kind: 'stop' }
  | { readonly kind: 'wake' };

export type FencedOutput =
  | { readonly kind: 'cpg-join'; readonly group: string }
  | { readonly kind: 'cpg-leave'; readonly group: string }
  /** `payload` is lent. */
  | { readonly kind: 'cpg-mcast'; readonly group: string; readonly payload: Uint8Array }
  /** Run that agent with that standard input, without time limit. */
  | { readonly kind: 'run-agent'; readonly run: number; readonly agent: string; readonly input: string }
  /** cman should kill that node. */
  | { readonly kind: 'kick'; readonly node: number }
  /** Told to every member: a victim is dealt with. `at` is our own clock when we learnt it; `by` is the master. */
  | {
      readonly kind: 'fenced';
      readonly node: number;
      readonly at: Nanos;
      readonly how: FencedHow;
      readonly by: number;
    }
  /** The victims as they are now, the next one to be fenced first. */
  | { readonly kind: 'victims'; readonly nodes: readonly number[] }
  /** We belong to the domain (the start cycle may go on). */
  | { readonly kind: 'joined' }
  | { readonly kind: 'left' }
  | { readonly kind: 'refused'; readonly reason: 'not-started' | 'exists' | 'not-joined' | 'in-domain' }
  /** The daemon ended. */
  | { readonly kind: 'stopped' }
  | { readonly kind: 'reject'; readonly group: string; readonly from: number; readonly reason: RejectReason }
  | { readonly kind: 'log'; readonly priority: LogPriority; readonly text: string };

export type RejectReason = MessageDefect | 'wrong-version' | 'wrong-sender' | 'wrong-group';

/** `fence_daemon` of cluster.conf; an absent field stands for an absent attribute. */
export interface FenceDaemon {
  /** Seconds; -1 waits for ever. 6 when absent. */
  readonly postJoinDelaySec?: number;
  /** Seconds; -1 waits for ever. 0 when absent. */
  readonly postFailDelaySec?: number;
  readonly isCleanStart?: boolean;
  readonly isUndefinedSkipped?: boolean;
  /** Where `fence_ack_manual` writes; empty: there is no override, and a failed attempt is repeated after 5 s. */
  readonly overridePath?: string;
  /** Seconds; 3 when absent. */
  readonly overrideTimeSec?: number;
}

export const OVERRIDE_PATH = '/var/run/cluster/fenced_override';

export interface FencedConfig {
  readonly nodeId: number;
  readonly conf: FenceConf;
  readonly daemon?: FenceDaemon;
  /** `cman/@two_node`. */
  readonly isTwoNode?: boolean;
  readonly observe?: Observe<FencedFact>;
}

/** The fence domain, from `join` until we have left (`struct fd`). */
interface Domain {
  /** Newest first. */
  readonly changes: Change[];
  started: Change | undefined;
  changeSeq: number;
  /** Completed start cycles. */
  startedCount: number;
  readonly history: Map<number, NodeHistory>;
  /** We have seen the master complete a cycle with us in it, or completed one as master. */
  isInitComplete: boolean;
  isLocalInitComplete: boolean;
  master: number;
  isLeaving: boolean;
  currentVictim: number;
  /** Newest first. */
  victims: Victim[];
  /** Nodes of cluster.conf, until we know which of them are victims. */
  initial: number[];
}

type Work = Generator<Wait, void, number | undefined>;

/** Inputs that wait while we fence. */
type Deferred = Extract<
  FencedInput,
  { kind: 'confchg' | 'message' | 'ring-confchg' | 'join' | 'leave' | 'external' | 'stop' }
>;

const KICK_DELAY: Nanos = 5 * SECOND;

/**
 * fenced: members of the fence domain agree on who is a victim, and the master among them fences the victims.
 *
 * While the master fences it deals with no new change of the domain (what arrives waits); the others deal with them up to
 * the point where they wait for the master's start message.
 *
 * Source: cluster.git fence/fenced/cpg.c, recover.c, member_cman.c; the functions keep their names.
 */
export class Fenced implements Machine<FencedInput, FencedOutput> {
  readonly #me: number;
  readonly #isTwoNode: boolean;
  readonly #observe: Observe<FencedFact> | undefined;
  readonly #group: DaemonGroup;
  readonly #writer: MessageWriter;
  readonly #cluster = new ClusterView();
  readonly #wallClock = new WallClock();
  #conf: FenceConf;
  #daemon: Required<FenceDaemon>;

  #now: Nanos = 0;
  #emit: (output: FencedOutput) => void = notStepped;
  #phase: 'off' | 'running' | 'stopped' = 'off';
  #isClusterDown = false;
  #isJoinPending = false;
  /** Ring that CPG named last. */
  #cpgRingSeq = NO_RING;
  #domain: Domain | undefined;
  #work: Work | undefined;
  #wait: Wait | undefined;
  #deferred: Deferred[] = [];
  #kicks: { readonly node: number; readonly at: Nanos }[] = [];
  #lastRun = 0;
  #told: readonly number[] = [];
  #rejects = 0;

  /** @throws {RangeError} when the node is not in the configuration. */
  constructor(config: FencedConfig) {
    if (!config.conf.nodes.some((node) => node.nodeId === config.nodeId)) {
      throw new RangeError(`node ${config.nodeId} is not in the configuration`);
    }
    this.#me = config.nodeId;
    this.#conf = config.conf;
    this.#daemon = withDefaults(config.daemon ?? {});
    this.#isTwoNode = config.isTwoNode ?? false;
    this.#observe = config.observe;
    this.#group = new DaemonGroup(config.nodeId);
    this.#writer = new MessageWriter(config.nodeId);
  }

  step(now: Nanos, input: FencedInput, emit: (output: FencedOutput) => void): void {
    if (this.#phase === 'stopped') return;
    this.#now = now;
    this.#emit = emit;
    try {
      this.#dispatch(input);
      this.#catchUp();
    } finally {
      this.#emit = notStepped;
    }
  }

  deadline(): Nanos {
    if (this.#phase === 'stopped') return Infinity;
    const wait = this.#wait;
    const until = wait?.kind === 'sleep' || wait?.kind === 'override' ? wait.until : Infinity;
    return this.#kicks.reduce((least, kick) => Math.min(least, kick.at), until);
  }

  inspect(): FencedView {
    return {
      phase: this.#phase,
      isProtocolRunning: this.#group.isRunning,
      daemonMembers: this.#group.members,
      clusterMembers: this.#cluster.members,
      isQuorate: this.#cluster.isQuorate,
      deferred: this.#deferred.length,
      rejects: this.#rejects,
      domain: this.domain(),
    };
  }

  /** Whether the node is in the domain or on its way in or out: then cman must not shut down. */
  get isInDomain(): boolean {
    return this.#domain !== undefined;
  }

  /** The victim whose name `fence_ack_manual` may give now; undefined while nobody waits for that. */
  get overrideVictim(): number | undefined {
    return this.#wait?.kind === 'override' ? this.#domain?.currentVictim : undefined;
  }

  /** The domain as `fence_tool ls -n` shows it; undefined outside of one. */
  domain(): FenceDomain | undefined {
    const domain = this.#domain;
    if (domain === undefined) return undefined;
    const current = domain.changes[0] ?? domain.started;
    const ids = [...domain.history.keys()].sort((a, b) => a - b);
    return {
      memberCount: current?.members.length ?? 0,
      victimCount: domain.victims.length,
      currentVictim: domain.currentVictim,
      master: domain.master,
      waitState: waitStateOf(domain.changes[0]),
      members: (domain.started?.members ?? []).map((member) => member.nodeId).sort((a, b) => a - b),
      nodes: ids.map((nodeId) => this.#domainNode(domain, current, nodeId)),
    };
  }

  #domainNode(domain: Domain, current: Change | undefined, nodeId: number): DomainNode {
    const member = current === undefined ? undefined : findMember(current, nodeId);
    const past = domain.history.get(nodeId);
    const membership = member === undefined ? 0 : member.isDisallowed ? -1 : 1;
    return {
      nodeId,
      membership,
      isVictim: domain.victims.some((victim) => victim.nodeId === nodeId),
      lastFencedBy: past?.fencedBy ?? 0,
      how: HOW[past?.how ?? 0] ?? 'none',
    };
  }

  // What arrives

  #dispatch(input: FencedInput): void {
    if (this.#isClusterDown && input.kind !== 'agent-ended') return;
    switch (input.kind) {
      case 'start':
        return this.#onStart(input.wall, input.uncontrolled ?? []);
      case 'confchg':
        return input.group === DAEMON_GROUP ? this.#onDaemonConfchg(input) : this.#defer(input);
      case 'message':
        return input.group === DAEMON_GROUP ? this.#onDaemonMessage(input.from, input.payload) : this.#defer(input);
      case 'join':
      case 'leave':
      case 'ring-confchg':
      case 'external':
      case 'stop':
        return this.#defer(input);
      case 'membership':
        return this.#onMembership(input.members, input.ring, input.isQuorate, input.quorumGained);
      case 'agent-ended':
        return this.#onAgentEnded(input.run, input.status);
      case 'override':
        if (this.#wait?.kind === 'override') this.#resume(input.node);
        return;
      case 'reconfigure':
        this.#conf = input.conf;
        this.#daemon = withDefaults(input.daemon);
        return;
      case 'clock-step':
        return this.#wallClock.step(input.offset);
      case 'cluster-down':
        return this.#onClusterDown();
      case 'wake':
        return this.#onWake();
    }
  }

  #defer(input: Deferred): void {
    // Payloads are lent, and this one may be looked at much later.
    const kept =
      input.kind === 'message' && this.#work !== undefined ? { ...input, payload: input.payload.slice() } : input;
    this.#deferred.push(kept);
  }

  /** Deals with what waited, until there is nothing left or fencing begins. */
  #catchUp(): void {
    while (this.#work === undefined && this.#deferred.length > 0) this.#handle(this.#deferred.shift()!);
  }

  #handle(input: Deferred): void {
    switch (input.kind) {
      case 'join':
        return this.#onJoin();
      case 'leave':
        return this.#onLeave();
      case 'confchg':
        return this.#onDomainConfchg(input.group, input);
      case 'ring-confchg':
        this.#cpgRingSeq = input.ring.seq;
        return this.#domain === undefined ? undefined : this.#applyChanges(this.#domain);
      case 'message':
        return this.#onDomainMessage(input.group, input.from, input.payload);
      case 'external':
        return this.#onExternal(input.node);
      case 'stop':
        return this.#onStop();
    }
  }

  #onStart(wall: number, uncontrolled: readonly string[]): void {
    if (this.#phase !== 'off') throw new RangeError('fenced was started twice');
    this.#wallClock.set(this.#now, wallTimeOf(wall));
    for (const entry of uncontrolled) this.#log('err', `found uncontrolled entry ${entry}`);
    if (uncontrolled.length > 0) return this.#end();
    this.#phase = 'running';
    this.#log('debug', `cpg_join ${DAEMON_GROUP} ...`);
    this.#emit({ kind: 'cpg-join', group: DAEMON_GROUP });
  }

  #onJoin(): void {
    if (this.#phase === 'off') return this.#emit({ kind: 'refused', reason: 'not-started' });
    if (this.#domain !== undefined || this.#isJoinPending) return this.#emit({ kind: 'refused', reason: 'exists' });
    if (this.#group.isRunning) return this.#fdJoin();
    this.#isJoinPending = true;
  }

  #fdJoin(): void {
    this.#isJoinPending = false;
    this.#domain = {
      changes: [],
      started: undefined,
      changeSeq: 0,
      startedCount: 0,
      history: new Map(),
      isInitComplete: false,
      isLocalInitComplete: false,
      master: 0,
      isLeaving: false,
      currentVictim: 0,
      victims: [],
      initial: [],
    };
    this.#readCcs(this.#domain);
    this.#log('debug', `cpg_join ${DOMAIN_GROUP} ...`);
    this.#emit({ kind: 'cpg-join', group: DOMAIN_GROUP });
  }

  /** The nodes that are victims unless they are members; the last of cluster.conf comes first. */
  #readCcs(domain: Domain): void {
    if (this.#daemon.isCleanStart) return this.#log('debug', 'clean start, skipping initial nodes');
    for (const { nodeId, name, fenceMethods } of this.#conf.nodes) {
      if (this.#daemon.isUndefinedSkipped && fenceMethods.length === 0) {
        this.#log('debug', `skip ${name} with zero methods`);
        continue;
      }
      domain.initial.unshift(nodeId);
      this.#nodeHistory(domain, nodeId);
    }
    this.#log('debug', `added ${domain.initial.length} nodes from ccs`);
  }

  #onLeave(): void {
    if (this.#domain === undefined) return this.#emit({ kind: 'refused', reason: 'not-joined' });
    this.#domain.isLeaving = true;
    this.#log('debug', `cpg_leave ${DOMAIN_GROUP} ...`);
    this.#emit({ kind: 'cpg-leave', group: DOMAIN_GROUP });
  }

  #onAgentEnded(run: number, status: number): void {
    if (this.#wait?.kind !== 'agent' || this.#wait.run !== run) return;
    this.#resume(status);
    if (this.#isClusterDown) this.#endWithoutAgent();
  }

  #onClusterDown(): void {
    this.#log('err', 'cluster is down, exiting');
    this.#isClusterDown = true;
    this.#deferred = [];
    this.#kicks = [];
    this.#cluster.end();
    this.#endWithoutAgent();
  }

  /** An agent that runs is waited for. Differs from fenced, which then turns to the next victim, and tries for ever. */
  #endWithoutAgent(): void {
    if (this.#wait?.kind !== 'agent') this.#end();
  }

  #onStop(): void {
    if (this.#domain !== undefined) {
      this.#log('err', 'shutdown ignored, active domains');
      return this.#emit({ kind: 'refused', reason: 'in-domain' });
    }
    if (this.#phase === 'running') {
      this.#log('debug', `cpg_leave ${DAEMON_GROUP} ...`);
      this.#emit({ kind: 'cpg-leave', group: DAEMON_GROUP });
    }
    this.#end();
  }

  /** `fence_node` fenced it: should it become a victim now, it need not be fenced again. */
  #onExternal(node: number): void {
    if (this.#domain === undefined) return this.#emit({ kind: 'refused', reason: 'not-joined' });
    this.#mcast(DOMAIN_GROUP, this.#writer.external(node));
  }

  #onWake(): void {
    const due = this.#kicks.filter((kick) => kick.at <= this.#now);
    this.#kicks = this.#kicks.filter((kick) => kick.at > this.#now);
    for (const { node } of due) this.#kick(node);
    const wait = this.#wait;
    if ((wait?.kind === 'sleep' || wait?.kind === 'override') && this.#now >= wait.until) this.#resume(undefined);
  }

  // fenced:daemon

  #onDaemonConfchg({ members, joined }: Confchg): void {
    this.#group.confchg(this.#now, members);
    if (joined.length > 0) this.#sendProtocol(this.#group.ours);
    this.#propose();
  }

  #onDaemonMessage(from: number, payload: Uint8Array): void {
    const message = decodeMessage(payload);
    if (typeof message === 'string') return this.#reject(DAEMON_GROUP, from, message);
    if (message.kind !== 'protocol') return this.#reject(DAEMON_GROUP, from, 'wrong-group');
    switch (this.#group.receive(from, message.protocol)) {
      case 'none':
        return this.#propose();
      case 'running':
        return this.#onProtocol();
      case 'incompatible':
        this.#log('err', `incompatible daemon protocol run ${message.protocol.run.join('.')}`);
        return this.#end();
      case 'stateful-merge':
        return this.#onStatefulMerge(from);
    }
  }

  #propose(): void {
    const proposal = this.#group.proposal();
    if (proposal !== undefined) this.#sendProtocol(proposal);
  }

  #onProtocol(): void {
    this.#log('debug', `daemon run ${this.#group.ours.run.join('.')}`);
    this.#writer.version = this.#group.ours.run;
    this.#sendProtocol(this.#group.ours);
    if (this.#isJoinPending) this.#fdJoin();
  }

  #onStatefulMerge(from: number): void {
    this.#log('debug', `daemon node ${from} stateful merge`);
    if (!this.#cluster.isQuorate || !this.#group.mayKill(from, this.#cluster.quorateSince)) return;
    this.#log('debug', `daemon node ${from} kill due to stateful merge`);
    this.#kickNodeFromCluster(from, 'stateful-merge');
  }

  #sendProtocol(protocol: Protocol): void {
    this.#mcast(DAEMON_GROUP, this.#writer.protocol(protocol));
  }

  /** In a two-node cluster both halves kick each other: the higher id waits, so that one survives. */
  #kickNodeFromCluster(node: number, reason: 'process-down' | 'stateful-merge'): void {
    this.#observe?.({ kind: 'fenced.kick', now: this.#now, victim: node, reason });
    if (this.#isTwoNode && this.#me > node) {
      this.#log('debug', `kick_node_from_cluster ${node} delay`);
      this.#kicks.push({ node, at: this.#now + KICK_DELAY });
    } else this.#kick(node);
  }

  #kick(node: number): void {
    this.#log('err', `telling cman to remove nodeid ${node} from cluster`);
    this.#emit({ kind: 'kick', node });
  }

  // cman

  #onMembership(members: readonly number[], ring: RingId, isQuorate: boolean, quorumGained: boolean | undefined): void {
    const added = this.#cluster.update(this.#now, members, ring.seq, isQuorate, quorumGained);
    const domain = this.#domain;
    if (domain !== undefined) for (const node of added) this.#nodeHistory(domain, node).clusterAddTime = this.#time();
    if (this.#wait?.kind === 'quorum' && isQuorate) this.#resume(undefined);
    // Differs from fenced, which looks again only when quorum came, and otherwise relies on cman being faster than CPG.
    else if (domain !== undefined && this.#work === undefined) this.#applyChanges(domain);
  }

  // The domain

  #onDomainConfchg(group: string, confchg: Confchg): void {
    const domain = this.#domain;
    if (group !== DOMAIN_GROUP || domain === undefined) return;
    if (domain.isLeaving && confchg.left.some(({ node }) => node === this.#me)) return this.#onLeft();
    const change = this.#addChange(domain, confchg);
    this.#addVictims(domain, change);
    if (change.weJoined) {
      this.#addVictimsInit(domain, change);
      this.#emit({ kind: 'joined' });
    }
    this.#tellState('quorum');
    this.#applyChanges(domain);
  }

  #onLeft(): void {
    this.#log('debug', 'confchg for our leave');
    this.#domain = undefined;
    this.#tellVictims([]);
    this.#observe?.({
      kind: 'fenced.state',
      now: this.#now,
      state: 'left',
      master: 0,
      members: [],
      isQuorate: this.#cluster.isQuorate,
      victims: [],
    });
    this.#emit({ kind: 'left' });
  }

  #addChange(domain: Domain, confchg: Confchg): Change {
    domain.changeSeq += 1;
    const change = newChange(confchg, domain.changeSeq, this.#me, this.#time(), this.#cpgRingSeq);
    for (const { nodeId, hasFailed } of change.removed) {
      const past = domain.history.get(nodeId);
      if (past !== undefined) past[hasFailed ? 'failSeq' : 'leftSeq'] = change.seq;
    }
    for (const { node, reason } of confchg.left) {
      this.#log('debug', `add_change cg ${change.seq} remove nodeid ${node} reason ${reason}`);
      // A daemon that died alone leaves a node that nobody watches: the whole node has to go.
      if (reason === 'procdown') this.#kickNodeFromCluster(node, 'process-down');
    }
    for (const member of change.members) {
      if (member.isAdded || change.weJoined) this.#nodeHistory(domain, member.nodeId);
    }
    domain.changes.unshift(change);
    return change;
  }

  #addVictims(domain: Domain, change: Change): void {
    for (const { nodeId, hasFailed } of change.removed) {
      if (!hasFailed) continue;
      if (domain.victims.some((victim) => victim.nodeId === nodeId)) {
        // A partition made it one, and it was killed after the merge.
        this.#log('debug', `add_victims node ${nodeId} already victim`);
        continue;
      }
      // Whoever fails before our first start cycle is the master's to judge: its complete message clears it.
      this.#addVictim(domain, nodeId, domain.startedCount === 0);
      this.#log('debug', `add_victims node ${nodeId}`);
    }
    this.#tellVictims(domain.victims);
  }

  /** We know of no failure, so every node of cluster.conf that is not there has to count as one. */
  #addVictimsInit(domain: Domain, change: Change): void {
    for (const nodeId of domain.initial.splice(0)) {
      const isKnown = domain.victims.some((victim) => victim.nodeId === nodeId);
      if (this.#cluster.members.includes(nodeId) || findMember(change, nodeId) !== undefined || isKnown) continue;
      this.#addVictim(domain, nodeId, true);
      this.#log('debug', `add_victims_init nodeid ${nodeId}`);
    }
    this.#tellVictims(domain.victims);
  }

  #addVictim(domain: Domain, nodeId: number, isInit: boolean): void {
    domain.victims.unshift({ nodeId, isInit, isDoneLocally: false });
    this.#observe?.({ kind: 'fenced.victim', now: this.#now, victim: nodeId, isInit });
  }

  /** Takes the newest change one step further, if what it waits for is there. */
  #applyChanges(domain: Domain): void {
    const change = domain.changes[0];
    if (change === undefined) return;
    switch (change.state) {
      case 'quorum':
        if (!this.#waitConditionsDone(domain)) return;
        this.#sendStart(domain, change);
        change.state = 'messages';
        return this.#tellState('messages');
      case 'messages':
        if (change.members.every((member) => member.hasStarted)) this.#startCycleDone(domain, change);
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
  #waitConditionsDone(domain: Domain): boolean {
    const ring = this.#cpgRingSeq;
    if (ring !== NO_RING && this.#cluster.ringSeq !== ring) return false;
    if (domain.changes.some((change) => change.ringBefore === ring)) return false;
    return this.#cluster.isQuorate;
  }

  #startCycleDone(domain: Domain, change: Change): void {
    this.#group.becomeStateful();
    this.#setMaster(domain, change);
    change.state = 'fencing';
    this.#tellState('fencing');
    if (domain.master === this.#me) this.#run(this.#masterWork(domain));
    else {
      this.#deferFencing(domain);
      this.#cleanupChanges(domain);
    }
  }

  /** The lowest node that knows all victims, or else the lowest. */
  #setMaster(domain: Domain, change: Change): void {
    const complete = change.members.filter((member) => (member.startFlags & MessageFlag.COMPLETE) !== 0);
    const candidates = complete.length > 0 ? complete : change.members;
    const master = candidates.reduce((least, member) => Math.min(least, member.nodeId), Infinity);
    this.#log(
      'debug',
      `set_master from ${domain.master} to ${complete.length > 0 ? 'complete' : 'low'} node ${master}`,
    );
    domain.master = master;
  }

  #deferFencing(domain: Domain): void {
    if (domain.victims.length > 0) this.#log('info', `fencing deferred to ${this.#nameOf(domain.master)}`);
  }

  #cleanupChanges(domain: Domain): void {
    domain.started = domain.changes[0];
    domain.changes.length = 0;
    domain.startedCount += 1;
    this.#tellState('none');
  }

  // Fencing, by the master

  *#masterWork(domain: Domain): Work {
    const hasJoined = domain.changes.some((change) => change.joinedCount > 0);
    const round = new FencingRound(this.#fencingPort(domain));
    yield* round.delayFencing(hasJoined);
    yield* round.fenceVictims();
    this.#sendInfo(domain, domain.changes[0]!, MessageType.COMPLETE, 0);
    domain.isLocalInitComplete = true;
    this.#cleanupChanges(domain);
  }

  #fencingPort(domain: Domain): FencingPort {
    const fenced = this;
    return {
      now: () => this.#now,
      get conf() {
        return fenced.#conf;
      },
      get delays() {
        return fenced.#daemon;
      },
      get isQuorate() {
        return fenced.#cluster.isQuorate;
      },
      get isQuorateFromLastUpdate() {
        return fenced.#cluster.isQuorateFromLastUpdate;
      },
      get victims() {
        return domain.victims;
      },
      nameOf: (nodeId) => this.#nameOf(nodeId),
      isClusterMember: (nodeId) => this.#cluster.members.includes(nodeId),
      isClean: (nodeId) => this.#group.isClean(nodeId),
      isFencedExternally: (nodeId) => isFencedExternally(this.#nodeHistory(domain, nodeId)),
      victimDone: (nodeId, how) => this.#victimDone(domain, nodeId, how),
      removeVictim: (nodeId) => this.#removeVictim(domain, nodeId),
      setCurrentVictim: (nodeId) => {
        domain.currentVictim = nodeId;
      },
      runAgent: (run) => this.#runAgent(run),
      attemptStarted: (victim, attempt) => this.#attemptStarted(domain, victim, attempt),
      attemptEnded: (victim, attempt, isSuccess) =>
        this.#observe?.({ kind: 'fenced.attempt-ended', now: this.#now, victim, attempt, isSuccess }),
      log: (priority, text) => this.#log(priority, text),
    };
  }

  #runAgent(run: AgentRun): number {
    this.#lastRun += 1;
    this.#emit({ kind: 'run-agent', run: this.#lastRun, ...run });
    return this.#lastRun;
  }

  #attemptStarted(domain: Domain, victim: number, attempt: number): void {
    this.#observe?.({
      kind: 'fenced.fencing-started',
      now: this.#now,
      victim,
      attempt,
      master: domain.master,
      isQuorate: this.#cluster.isQuorate,
      clusterMembers: this.#cluster.members,
      isClean: this.#group.isClean(victim),
    });
  }

  #run(work: Work): void {
    this.#work = work;
    this.#resume(undefined);
  }

  #resume(reply: number | undefined): void {
    const { done, value } = this.#work!.next(reply);
    this.#wait = done === true ? undefined : value;
    if (done === true) this.#work = undefined;
  }

  // Messages of the domain

  #onDomainMessage(group: string, from: number, payload: Uint8Array): void {
    const domain = this.#domain;
    if (group !== DOMAIN_GROUP || domain === undefined) return;
    const message = decodeMessage(payload);
    if (typeof message === 'string') return this.#reject(group, from, message);
    const { header } = message;
    const { run } = this.#group.ours;
    if (header.version[0] !== run[0] || header.version[1] !== run[1]) {
      this.#logWrongVersion(from, header.version, run);
      return this.#reject(group, from, 'wrong-version');
    }
    if (header.from !== from) return this.#reject(group, from, 'wrong-sender');
    switch (message.kind) {
      case 'start':
        this.#receiveStart(domain, message);
        break;
      case 'complete':
        this.#receiveComplete(domain, message);
        break;
      case 'victim-done':
        this.#receiveVictimDone(domain, message);
        break;
      case 'external':
        this.#receiveExternal(domain, header.data, from);
        break;
      case 'protocol':
        return this.#reject(group, from, 'wrong-group');
    }
    this.#applyChanges(domain);
  }

  #logWrongVersion(from: number, theirs: Version, ours: Version): void {
    this.#log('err', `reject message from ${from} version ${theirs.join('.')} vs ${ours.join('.')}`);
  }

  #receiveStart(domain: Domain, message: FencedMessage & { readonly kind: 'start' | 'complete' }): void {
    const { header, info, nodes } = message;
    const change = this.#findChange(domain, message);
    const member = change === undefined ? undefined : findMember(change, header.from);
    if (member === undefined) return;
    member.startFlags = header.flags;
    const isAdded = domain.changes.some((each) => findMember(each, header.from)?.isAdded === true);
    if (isAdded && info.startedCount > 0 && domain.startedCount > 0) {
      // Two halves of a partition have met. Neither takes the other's start messages, until one half is gone. Whoever joins
      // meanwhile belongs to both, completes its cycles, and counts for either as the other half, as in fenced.
      this.#log('err', `receive_start ${header.from}:${header.data} add node with started_count ${info.startedCount}`);
      member.isDisallowed = true;
      if (change === domain.changes[0]) {
        this.#observe?.({ kind: 'fenced.start-refused', now: this.#now, peer: header.from });
      }
      return;
    }
    this.#nodeHistory(domain, header.from).addTime = this.#time();
    member.hasStarted = true;
    for (const node of nodes) saveHistory(this.#nodeHistory(domain, node.nodeId), node);
  }

  /** The change that a start message is meant for: the oldest that matches, or of two that look alike the newer. */
  #findChange(domain: Domain, message: FencedMessage & { readonly kind: 'start' | 'complete' }): Change | undefined {
    const isForSecond = (message.header.flags & MessageFlag.DUPLICATE_CHANGE) !== 0;
    let found: Change | undefined;
    for (const change of [...domain.changes].reverse()) {
      if (!matchChange(change, message, this.#me, domain.history)) continue;
      if (found !== undefined || !isForSecond) return change;
      found = change;
    }
    return found;
  }

  #receiveComplete(domain: Domain, { nodes }: { readonly nodes: Parameters<typeof isMemberIn>[0] }): void {
    if (domain.isInitComplete || !isMemberIn(nodes, this.#me)) return;
    domain.isInitComplete = true;
    domain.victims = domain.victims.filter((victim) => !victim.isInit);
    this.#tellVictims(domain.victims);
    if (domain.changes.length === 0) this.#tellState('none');
  }

  /** The master too takes a victim off its list only when its own message comes round. */
  #receiveVictimDone(domain: Domain, message: FencedMessage & { readonly kind: 'victim-done' }): void {
    const { header, node } = message;
    const how = HOW[node.how] ?? 'none';
    this.#log(
      'debug',
      `receive_victim_done ${header.from}:${header.data} remove victim ${node.nodeId} how ${node.how}`,
    );
    if (header.from !== this.#me) {
      const past = this.#nodeHistory(domain, node.nodeId);
      past.fencedBy = node.fencedBy;
      past.fenceTime = node.fenceTime;
      past.how = node.how;
    }
    const { nodeId, fencedBy } = node;
    this.#observe?.({ kind: 'fenced.fenced', now: this.#now, victim: nodeId, how, master: fencedBy });
    this.#emit({ kind: 'fenced', node: nodeId, at: this.#now, how, by: fencedBy });
    this.#removeVictim(domain, nodeId);
  }

  #receiveExternal(domain: Domain, nodeId: number, from: number): void {
    const past = domain.history.get(nodeId);
    if (past === undefined) return;
    past.externalTime = this.#time();
    past.externalBy = from;
  }

  #victimDone(domain: Domain, nodeId: number, how: FencedHow): void {
    const past = this.#nodeHistory(domain, nodeId);
    past.fencedBy = this.#me;
    past.how = HOW.indexOf(how);
    past.fenceTime = this.#time();
    this.#mcast(DOMAIN_GROUP, this.#writer.victimDone(this.#completeFlag(domain), domain.changes[0]!.seq, past));
  }

  #sendStart(domain: Domain, change: Change): void {
    const hasLookalike = domain.changes.some(
      (other) => !other.hasSentStart && other.seq < change.seq && isLookalike(other, change),
    );
    change.hasSentStart = true;
    this.#sendInfo(domain, change, MessageType.START, hasLookalike ? MessageFlag.DUPLICATE_CHANGE : 0);
  }

  #sendInfo(domain: Domain, change: Change, type: number, flags: number): void {
    const { startedCount, history } = domain;
    const all = flags | this.#completeFlag(domain);
    this.#mcast(DOMAIN_GROUP, this.#writer.change(type, all, change, startedCount, history));
  }

  #completeFlag(domain: Domain): number {
    return domain.isInitComplete || domain.isLocalInitComplete ? MessageFlag.COMPLETE : 0;
  }

  #mcast(group: string, payload: Uint8Array): void {
    if (!this.#isClusterDown) this.#emit({ kind: 'cpg-mcast', group, payload });
  }

  // Everything else

  #nodeHistory(domain: Domain, nodeId: number): NodeHistory {
    let past = domain.history.get(nodeId);
    if (past === undefined) {
      past = newHistory(nodeId);
      domain.history.set(nodeId, past);
    }
    return past;
  }

  #removeVictim(domain: Domain, nodeId: number): void {
    domain.victims = domain.victims.filter((victim) => victim.nodeId !== nodeId);
    this.#tellVictims(domain.victims);
  }

  #tellVictims(victims: readonly Victim[]): void {
    const nodes = victims.map((victim) => victim.nodeId);
    if (nodes.length === this.#told.length && nodes.every((node, i) => node === this.#told[i])) return;
    this.#told = nodes;
    this.#emit({ kind: 'victims', nodes });
  }

  #tellState(state: Change['state'] | 'none'): void {
    const domain = this.#domain;
    if (this.#observe === undefined || domain === undefined) return;
    const members = ((domain.changes[0] ?? domain.started)?.members ?? []).map((member) => member.nodeId);
    const victims = domain.victims.map((victim) => victim.nodeId);
    const { master } = domain;
    const { isQuorate } = this.#cluster;
    this.#observe({ kind: 'fenced.state', now: this.#now, state, master, members, isQuorate, victims });
  }

  #nameOf(nodeId: number): string {
    return this.#conf.nodes.find((node) => node.nodeId === nodeId)?.name ?? 'unknown';
  }

  #reject(group: string, from: number, reason: RejectReason): void {
    this.#rejects += 1;
    this.#emit({ kind: 'reject', group, from, reason });
  }

  #end(): void {
    this.#phase = 'stopped';
    this.#emit({ kind: 'stopped' });
  }

  #log(priority: LogPriority, text: string): void {
    this.#emit({ kind: 'log', priority, text });
  }

  /** time(2). */
  #time(): number {
    return this.#wallClock.seconds(this.#now);
  }
}

/** A JSON-safe look at a fenced. */
export interface FencedView {
  readonly phase: string;
  readonly isProtocolRunning: boolean;
  readonly daemonMembers: readonly number[];
  readonly clusterMembers: readonly number[];
  readonly isQuorate: boolean;
  /** Inputs that wait until fencing is over. */
  readonly deferred: number;
  readonly rejects: number;
  readonly domain: FenceDomain | undefined;
}

function withDefaults(daemon: FenceDaemon): Required<FenceDaemon> {
  return {
    postJoinDelaySec: daemon.postJoinDelaySec ?? 6,
    postFailDelaySec: daemon.postFailDelaySec ?? 0,
    isCleanStart: daemon.isCleanStart ?? false,
    isUndefinedSkipped: daemon.isUndefinedSkipped ?? false,
    overridePath: daemon.overridePath ?? OVERRIDE_PATH,
    overrideTimeSec: daemon.overrideTimeSec ?? 3,
  };
}

function notStepped(): void {
  throw new Error('fenced spoke outside a step');
}
