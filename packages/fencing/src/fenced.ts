import {
  DebugBuffer,
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
import { DOMAIN_GROUP, Domain, type DomainPort, type Work } from './domain.js';
import type { Confchg } from './domain-change.js';
import type { FencedFact } from './facts.js';
import type { FenceConf } from './fence-conf.js';
import { type FenceDaemon, withDefaults } from './fence-daemon.js';
import type { FenceDomain } from './fence-domain.js';
import type { FencedInput, FencedOutput, RejectReason, RingId } from './fenced-io.js';
import type { Wait } from './fencing-round.js';
import type { AgentRun } from './libfence.js';
import { decodeMessage, type Protocol, type Version } from './message.js';
import { MessageWriter } from './message-writer.js';
import { RELEASE_VERSION } from './release.js';

/** CPG group of every fenced that runs. */
export const DAEMON_GROUP = 'fenced:daemon';

export interface FencedConfig {
  readonly nodeId: number;
  readonly conf: FenceConf;
  readonly daemon?: FenceDaemon;
  /** `cman/@two_node`. */
  readonly isTwoNode?: boolean;
  readonly observe?: Observe<FencedFact>;
}

/** Inputs that wait while we fence. */
type Deferred = Extract<
  FencedInput,
  { kind: 'confchg' | 'message' | 'ring-confchg' | 'join' | 'leave' | 'external' | 'stop' }
>;

const KICK_DELAY: Nanos = 5 * SECOND;

/**
 * fenced: members of the fence domain agree on who is a victim, and the master among them fences the victims.
 *
 * This is the daemon: what arrives, the group of all daemons, and what waits. While the master fences it deals with no new
 * change of the domain (what arrives waits); the others deal with them up to the point where they wait for the master's start
 * message.
 *
 * Source: cluster.git fence/fenced/main.c, cpg.c, member_cman.c; the functions keep their names.
 */
export class Fenced implements Machine<FencedInput, FencedOutput> {
  readonly #me: number;
  readonly #isTwoNode: boolean;
  readonly #observe: Observe<FencedFact> | undefined;
  readonly #group: DaemonGroup;
  readonly #writer: MessageWriter;
  readonly #cluster = new ClusterView();
  readonly #wallClock = new WallClock();
  readonly #debugBuffer = new DebugBuffer();
  readonly #port: DomainPort = this.#domainPort();
  #conf: FenceConf;
  #daemon: Required<FenceDaemon>;

  #now: Nanos = 0;
  #emit: (output: FencedOutput) => void = notStepped;
  #phase: 'off' | 'running' | 'stopped' = 'off';
  #isClusterDown = false;
  #isJoinPending = false;
  #cpgRing: RingId | undefined;
  #domain: Domain | undefined;
  #work: Work | undefined;
  #wait: Wait | undefined;
  #deferred: Deferred[] = [];
  #kicks: { readonly node: number; readonly at: Nanos }[] = [];
  #lastRun = 0;
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
    this.#group = new DaemonGroup(config.nodeId, (text) => this.#log('debug', text));
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
    return this.#domain?.view();
  }

  /** What it has logged, debug messages too, oldest first: lines of a wall clock second and a text. */
  dump(): string {
    return this.#debugBuffer.text();
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
      case 'fence-check':
        if (this.#wait?.kind === 'fence-check') this.#resume(input.pid);
        return;
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
        return this.#onDomainConfchg(input);
      case 'ring-confchg':
        return this.#onRingConfchg(input.ring, input.members);
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
    this.#log('info', `fenced ${RELEASE_VERSION} started`);
    for (const entry of uncontrolled) this.#log('err', `found uncontrolled entry ${entry}`);
    if (uncontrolled.length > 0) return this.#end();
    this.#phase = 'running';
    this.#log('debug', `cpg_join ${DAEMON_GROUP} ...`);
    this.#emit({ kind: 'cpg-join', group: DAEMON_GROUP });
  }

  #onJoin(): void {
    if (this.#phase === 'off') return this.#emit({ kind: 'refused', reason: 'not-started' });
    if (this.#domain !== undefined || this.#isJoinPending) {
      this.#log('debug', 'join error: domain default exists');
      return this.#emit({ kind: 'refused', reason: 'exists' });
    }
    if (this.#group.isRunning) return this.#fdJoin();
    this.#isJoinPending = true;
  }

  #fdJoin(): void {
    this.#isJoinPending = false;
    this.#domain = new Domain(this.#port);
    this.#log('debug', `cpg_join ${DOMAIN_GROUP} ...`);
    this.#emit({ kind: 'cpg-join', group: DOMAIN_GROUP });
  }

  #onLeave(): void {
    if (this.#domain === undefined) return this.#emit({ kind: 'refused', reason: 'not-joined' });
    this.#domain.leave();
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
    if (this.#wait?.kind === 'agent') return;
    if (this.#domain !== undefined) this.#log('err', 'domain abandoned');
    this.#end();
  }

  /** SIGTERM is taken, and forgotten, in a domain. */
  #onStop(): void {
    if (this.#domain !== undefined) return this.#emit({ kind: 'refused', reason: 'in-domain' });
    if (this.#phase === 'running') {
      this.#log('debug', `cpg_leave ${DAEMON_GROUP} ...`);
      this.#emit({ kind: 'cpg-leave', group: DAEMON_GROUP });
    }
    this.#end();
  }

  #onExternal(node: number): void {
    if (this.#domain === undefined) return this.#emit({ kind: 'refused', reason: 'not-joined' });
    this.#domain.sendExternal(node);
  }

  #onWake(): void {
    const due = this.#kicks.filter((kick) => kick.at <= this.#now);
    this.#kicks = this.#kicks.filter((kick) => kick.at > this.#now);
    for (const { node } of due) this.#kick(node);
    const wait = this.#wait;
    if ((wait?.kind === 'sleep' || wait?.kind === 'override') && this.#now >= wait.until) this.#resume(undefined);
  }

  // fenced:daemon

  #onDaemonConfchg(confchg: Confchg): void {
    this.#logConfig(DAEMON_GROUP, confchg);
    this.#group.confchg(this.#now, confchg.members);
    if (confchg.joined.length > 0) this.#sendProtocol(this.#group.ours);
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
        this.#log('err', `incompatible daemon protocol ${versionsText(this.#group.ours)}`);
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
    this.#log('debug', `daemon ${versionsText(this.#group.ours)}`);
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
    const before = this.#cluster.members;
    const added = this.#cluster.update(this.#now, members, ring.seq, isQuorate, quorumGained);
    for (const node of before) {
      if (!members.includes(node)) this.#log('debug', `cluster node ${node} removed seq ${ring.seq}`);
    }
    for (const node of added) this.#log('debug', `cluster node ${node} added seq ${ring.seq}`);
    this.#domain?.clusterAdded(added);
    if (this.#wait?.kind === 'quorum' && isQuorate) this.#resume(undefined);
    // Differs from fenced, which looks again only when quorum came, and otherwise relies on cman being faster than CPG.
    else if (this.#work === undefined) this.#domain?.applyChanges();
  }

  // The domain

  #onDomainConfchg(confchg: Confchg & { readonly group: string }): void {
    if (confchg.group !== DOMAIN_GROUP || this.#domain === undefined) return;
    this.#logConfig(DOMAIN_GROUP, confchg);
    if (this.#domain.confchg(confchg) === 'left') this.#domain = undefined;
  }

  #onRingConfchg(ring: RingId, members: readonly number[]): void {
    this.#cpgRing = ring;
    const { representative, seq } = ring;
    const text = `ring ${representative}:${seq} ${members.length} memb${listText(members)}`;
    this.#log('debug', `${DAEMON_GROUP} ${text}`);
    if (this.#domain === undefined) return;
    this.#log('debug', `${DOMAIN_GROUP} ${text}`);
    this.#domain.applyChanges();
  }

  #onDomainMessage(group: string, from: number, payload: Uint8Array): void {
    if (group !== DOMAIN_GROUP || this.#domain === undefined) return;
    const message = decodeMessage(payload);
    if (typeof message === 'string') return this.#reject(group, from, message);
    const { header } = message;
    const { run } = this.#group.ours;
    if (header.version[0] !== run[0] || header.version[1] !== run[1]) {
      this.#logWrongVersion(from, header.version, run);
      return this.#reject(group, from, 'wrong-version');
    }
    if (header.from !== from) return this.#reject(group, from, 'wrong-sender');
    if (message.kind === 'protocol') return this.#reject(group, from, 'wrong-group');
    this.#domain.message(message, payload.length);
  }

  #logWrongVersion(from: number, theirs: Version, ours: Version): void {
    this.#log('err', `reject message from ${from} version ${theirs.join('.')} vs ${ours.join('.')}`);
  }

  #domainPort(): DomainPort {
    const fenced = this;
    return {
      get me() {
        return fenced.#me;
      },
      get now() {
        return fenced.#now;
      },
      get time() {
        return fenced.#time();
      },
      get conf() {
        return fenced.#conf;
      },
      get daemon() {
        return fenced.#daemon;
      },
      get cluster() {
        return fenced.#cluster;
      },
      get group() {
        return fenced.#group;
      },
      get cpgRing() {
        return fenced.#cpgRing;
      },
      get writer() {
        return fenced.#writer;
      },
      get observe() {
        return fenced.#observe;
      },
      emit: (output) => this.#emit(output),
      log: (priority, text) => this.#log(priority, text),
      mcast: (payload) => this.#mcast(DOMAIN_GROUP, payload),
      kickProcessDown: (node) => this.#kickNodeFromCluster(node, 'process-down'),
      runAgent: (run) => this.#runAgent(run),
      run: (work) => this.#run(work),
    };
  }

  #runAgent(run: AgentRun): number {
    this.#lastRun += 1;
    this.#emit({ kind: 'run-agent', run: this.#lastRun, ...run });
    return this.#lastRun;
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

  #mcast(group: string, payload: Uint8Array): void {
    if (!this.#isClusterDown) this.#emit({ kind: 'cpg-mcast', group, payload });
  }

  // Everything else

  #logConfig(group: string, { members, joined, left }: Confchg): void {
    const counts = `${members.length} ${joined.length} ${left.length}`;
    const gone = left.map(({ node }) => node);
    const lists = `memb${listText(members)} join${listText(joined)} left${listText(gone)}`;
    this.#log('debug', `${group} conf ${counts} ${lists}`);
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
    this.#debugBuffer.add(this.#time(), text);
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

function listText(nodes: readonly number[]): string {
  return nodes.map((node) => ` ${node}`).join('');
}

function versionsText({ max, run }: Protocol): string {
  return `run ${run.join('.')} max ${max.join('.')}`;
}

function notStepped(): void {
  throw new Error('fenced spoke outside a step');
}
