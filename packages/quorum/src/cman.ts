import {
  ByteWriter,
  type LogPriority,
  type Machine,
  type Nanos,
  type Observe,
  WallClock,
  type WallTime,
} from '@quorate/kernel';
import { type ClusterNode, LeaveReason, NodeFlag, type NodeId } from './cluster-node.js';
import {
  type CmanConfig,
  type CmanNodesConfig,
  checkCmanConfig,
  checkNodesConfig,
  DEFAULT_CCSD_POLL,
  DEFAULT_SHUTDOWN_TIMEOUT,
} from './cman-config.js';
import { ConfigReload } from './config-reload.js';
import type { FailureReason, QuorumCause, QuorumFact, RingId } from './fact.js';
import { Membership } from './membership.js';
import {
  CMAN_VERSION,
  type CmanMessage,
  HEADER_SIZE,
  type KillReason,
  killReasonNumber,
  killReasonOf,
  MESSAGE_MAX,
  type MessageDefect,
  readHeader,
  readMessage,
  type TransitionMessage,
  writeHeader,
  writeMessage,
} from './message.js';
import { clearPortBit, hasPortBit, portsOf, setPortBit } from './port-bits.js';
import { type DeviceChange, type DeviceErrno, QuorumDevice } from './quorum-device.js';
import { ShutdownVote } from './shutdown-vote.js';
import { type CmanNodeStatus, type CmanStatus, deviceStatusOf, nodeStatusOf } from './status.js';
import { calculateQuorum, isAcceptableQuorum } from './votes.js';

export type CmanInput =
  /** The wall clock as it stands now; join times are reckoned from it. Without it they count from 1970. */
  | { readonly kind: 'start'; readonly wall: WallTime }
  /** The wall clock jumped. */
  | { readonly kind: 'clock-step'; readonly offset: Nanos }
  /** What totem says of the ring. Both types are welcome; a driver that has only regular ones gives only those. */
  | {
      readonly kind: 'configuration';
      readonly type: 'transitional' | 'regular';
      readonly ring: RingId;
      readonly members: readonly NodeId[];
      readonly joined: readonly NodeId[];
      readonly left: readonly NodeId[];
    }
  /** A message of totem's group CMAN in its agreed order, this node's own ones included. */
  | { readonly kind: 'deliver'; readonly from: NodeId; readonly payload: Uint8Array }
  | { readonly kind: 'register-device'; readonly name: string; readonly votes: number }
  /** Gives the registered device other votes or another name. */
  | { readonly kind: 'update-device'; readonly name: string; readonly votes: number }
  | { readonly kind: 'poll-device'; readonly isUp: boolean }
  | { readonly kind: 'unregister-device' }
  /** Ports 1..255: who listens on one gets what others send to it. */
  | { readonly kind: 'open-port'; readonly port: number }
  | { readonly kind: 'close-port'; readonly port: number }
  /** `to` 0: everybody, this node included. `fromPort` is `port` if absent. */
  | {
      readonly kind: 'send';
      readonly port: number;
      readonly to: NodeId;
      readonly payload: Uint8Array;
      readonly fromPort?: number;
    }
  | { readonly kind: 'kill'; readonly node: NodeId; readonly reason: KillReason }
  /**
   * Leave the cluster. With `listeners`, so many subsystems are asked first and answer with `shutdown-reply`; with
   * `isForced` their answers do not matter. `isRemoved`: the others shall reckon without this node.
   */
  | {
      readonly kind: 'leave';
      readonly isRemoved: boolean;
      readonly isForced?: boolean;
      readonly listeners?: number;
    }
  | { readonly kind: 'shutdown-reply'; readonly isYes: boolean }
  | { readonly kind: 'set-expected'; readonly votes: number }
  /** `node` is this node if absent. */
  | { readonly kind: 'set-votes'; readonly votes: number; readonly node?: NodeId }
  /** This node has state now that cannot be merged with that of a running cluster. */
  | { readonly kind: 'set-dirty' }
  /** Somebody on this node fenced another one; `at` in wall clock seconds. */
  | { readonly kind: 'node-fenced'; readonly node: NodeId; readonly at: number; readonly agent: string }
  /** This node's file as it is now: after `reload-config`, or (with `isBroadcast`) because an administrator says so. */
  | ({ readonly kind: 'reconfigure'; readonly isBroadcast?: boolean } & CmanNodesConfig)
  /** This node's file could not be read. */
  | { readonly kind: 'reconfigure-failed'; readonly reason: string }
  | { readonly kind: 'wake' };

/** A member, with when it became one here. */
export interface CmanMember {
  readonly node: NodeId;
  /** Ring sequence of the configuration in which it became a member. */
  readonly incarnation: number;
  /** Wall clock second. */
  readonly joinedAt: number;
}

export type CmanOutput =
  /** To be sent to totem's group CMAN; it must not be lost. */
  | { readonly kind: 'cast'; readonly payload: Uint8Array }
  /** The members, the ring, or the votes changed. `quorumGained`: quorate, and not so the last time. */
  | {
      readonly kind: 'state-change';
      /** Ascending. */
      readonly members: readonly NodeId[];
      /** The same members, in the same order. */
      readonly memberships: readonly CmanMember[];
      readonly ring: RingId;
      readonly isQuorate: boolean;
      readonly quorumGained: boolean;
    }
  | { readonly kind: 'port-opened'; readonly node: NodeId; readonly port: number }
  /** Not said when a node is lost with all its ports: `state-change` says that. */
  | { readonly kind: 'port-closed'; readonly node: NodeId; readonly port: number }
  | {
      readonly kind: 'data';
      readonly port: number;
      readonly from: NodeId;
      readonly fromPort: number;
      readonly payload: Uint8Array;
    }
  /** May this node leave? To be asked of so many listeners as `leave` named. */
  | { readonly kind: 'try-shutdown'; readonly isRemoved: boolean; readonly isForced: boolean }
  /** The last output ever: cman exits with status 1. */
  | { readonly kind: 'killed'; readonly by: NodeId; readonly reason: KillReason | 'unknown'; readonly text: string }
  /** The last output ever: this node has left and totem may leave its ring. */
  | { readonly kind: 'left' }
  /** The last output ever: cman gives up. */
  | { readonly kind: 'failed'; readonly reason: FailureReason }
  /** Another node runs a newer configuration: read the file, answer `reconfigure` or `reconfigure-failed`. */
  | { readonly kind: 'reload-config'; readonly configVersion: number }
  /** A newer configuration is in use now. */
  | { readonly kind: 'config-updated'; readonly configVersion: number }
  | { readonly kind: 'device-refused'; readonly operation: DeviceOperation; readonly errno: DeviceErrno }
  | { readonly kind: 'refused'; readonly operation: CmanOperation; readonly errno: CmanErrno }
  /** A message that was not understood, or that its sender may not send. */
  | { readonly kind: 'reject'; readonly from: NodeId; readonly reason: CmanReject }
  | { readonly kind: 'log'; readonly priority: LogPriority; readonly text: string };

export type DeviceOperation = 'register-device' | 'update-device' | 'poll-device' | 'unregister-device';

export type CmanOperation =
  | 'open-port'
  | 'close-port'
  | 'send'
  | 'kill'
  | 'leave'
  | 'set-expected'
  | 'set-votes'
  | 'node-fenced';

export type CmanErrno = 'EADDRINUSE' | 'EAGAIN' | 'EALREADY' | 'EBUSY' | 'EINVAL' | 'ENOENT' | 'ENOTCONN';

/** `bad-source`: the header names another sender than totem. `conflict`: a TRANSITION of another cluster or version. */
export type CmanReject = MessageDefect | 'bad-source' | 'conflict';

type Emit = (output: CmanOutput) => void;

type Input<K extends CmanInput['kind']> = Extract<CmanInput, { readonly kind: K }>;

/** Ports above this one carry nothing while the node is inquorate. */
const HIGH_PROTECTED_PORT = 9;
const PORT_MAX = 255;
const VOTES_MAX = 255;
/** Of a quorum device's name, and one more than of a fence agent's. */
const NAME_MAX = 255;

const KILL_TEXTS: Readonly<Record<KillReason, string>> = {
  rejected: 'our membership application was rejected',
  cmantool: 'we were killed by cman_tool or other application',
  rejoin: 'we rejoined the cluster without a full restart',
};

/**
 * cman on one node: who is a member, how many votes there are, and whether they are enough.
 *
 * A node of a new ring is a member once its TRANSITION has arrived, a lost one is none as soon as totem says so.
 * Before the first regular configuration there is no member and no quorum; with it, this node alone is judged by its
 * own votes like any other set of members.
 *
 * Source: cman/daemon/commands.c and ais.c, STABLE32. Differences are marked where they are, and listed in the README.
 */
export class Cman implements Machine<CmanInput, CmanOutput> {
  readonly #config: CmanConfig;
  readonly #observe: Observe<QuorumFact> | undefined;
  readonly #membership = new Membership();
  readonly #us: ClusterNode;
  readonly #device: QuorumDevice;
  readonly #clock = new WallClock();
  readonly #writer = new ByteWriter(true, 512);
  readonly #rejected = new Map<CmanReject, number>();

  #ring: RingId = { representative: 0, seq: 0 };
  #announcedSeq = 0;
  /** `we_are_a_cluster_member`: there was a regular configuration. */
  #isActive = false;
  #isFinished = false;
  #isLeaving = false;
  #startedAt = 0;

  #quorum = 0;
  #isQuorate = false;
  #wasQuorate = false;
  /** Something changed in this step that `state-change` has to tell. */
  #isStale = false;

  /** `first_trans`: no other node was seen so far. */
  #isFirstTransition = true;
  /** `local_first_trans`: no other node of the same configuration was seen so far. */
  #isLocalFirstTransition = false;

  readonly #reload: ConfigReload;
  /** TRANSITIONs of nodes whose configuration this node has yet to read. */
  readonly #pending = new Map<NodeId, TransitionMessage>();

  #shutdown: ShutdownVote | undefined;

  /** @throws {ConfigError} when cman would refuse to start with that configuration. */
  constructor(config: CmanConfig) {
    checkCmanConfig(config);
    this.#config = config;
    this.#observe = config.observe;
    this.#device = new QuorumDevice(config.quorumDevPoll);
    this.#reload = new ConfigReload(config.configVersion, config.ccsdPoll ?? DEFAULT_CCSD_POLL);
    this.#membership.readNodes(config.nodes, config.expectedVotes);
    this.#us = this.#membership.find(config.nodeId)!;
    const sum = config.nodes.reduce((votes, node) => votes + (node.votes ?? 1), 0);
    this.#us.expectedVotes = config.expectedVotesOverride ?? config.expectedVotes ?? sum;
    this.#us.votes = config.votesOverride ?? this.#us.votes;
    setPortBit(this.#us.ports, 0);
  }

  step(now: Nanos, input: CmanInput, emit: Emit): void {
    if (this.#isFinished) return;
    this.#dispatch(now, input, emit);
    if (this.#isStale && !this.#isFinished) this.#announce(emit);
  }

  #dispatch(now: Nanos, input: CmanInput, emit: Emit): void {
    switch (input.kind) {
      case 'start':
        return this.#onStart(now, input.wall);
      case 'clock-step':
        return this.#clock.step(input.offset);
      case 'configuration':
        return this.#onConfiguration(now, input, emit);
      case 'deliver':
        return this.#onDeliver(now, input.from, input.payload, emit);
      case 'register-device':
        return this.#onRegisterDevice(now, input, emit);
      case 'update-device':
        return this.#onDeviceCall(now, input.kind, this.#device.update(input.name, input.votes), emit);
      case 'poll-device':
        return this.#onDeviceCall(now, input.kind, this.#device.poll(now, input.isUp), emit);
      case 'unregister-device':
        return this.#onDeviceCall(now, input.kind, this.#device.unregister(), emit);
      case 'open-port':
        return this.#onOpenPort(input.port, emit);
      case 'close-port':
        return this.#onClosePort(input.port, emit);
      case 'send':
        return this.#onSend(input, emit);
      case 'kill':
        return this.#onKill(now, input.node, input.reason, emit);
      case 'leave':
        return this.#onLeave(now, input, emit);
      case 'shutdown-reply':
        return this.#onShutdownReply(now, input.isYes, emit);
      case 'set-expected':
        return this.#onSetExpected(input.votes, emit);
      case 'set-votes':
        return this.#onSetVotes(now, input.node ?? this.#us.nodeId, input.votes, emit);
      case 'set-dirty':
        this.#us.flags |= NodeFlag.dirty;
        return;
      case 'node-fenced':
        return this.#onNodeFenced(input, emit);
      case 'reconfigure':
        return this.#onReconfigure(now, input, emit);
      case 'reconfigure-failed':
        return this.#onReconfigureFailed(now, input.reason, emit);
      case 'wake':
        return this.#onWake(now, emit);
    }
  }

  deadline(): Nanos {
    if (this.#isFinished) return Infinity;
    return Math.min(this.#device.deadline(), this.#reload.deadline(), this.#shutdown?.deadline() ?? Infinity);
  }

  get isQuorate(): boolean {
    return this.#isQuorate && !this.#isFinished;
  }

  /** Of the protocol: `6.2.0`. */
  get version(): string {
    return `${CMAN_VERSION.major}.${CMAN_VERSION.minor}.${CMAN_VERSION.patch}`;
  }

  get configVersion(): number {
    return this.#reload.running;
  }

  /** For `cman_tool status`; undefined before the first regular configuration, where the original says ENOENT. */
  status(activeSubsystems = 0): CmanStatus | undefined {
    if (!this.#isActive) return undefined;
    const count = this.#membership.count(this.#device.votesUp);
    return {
      version: this.version,
      configVersion: this.#reload.running,
      clusterName: this.#config.clusterName,
      clusterId: this.#config.clusterId,
      generation: this.#ring.seq,
      state: this.#us.state,
      nodes: this.#membership.countMembers(),
      expectedVotes: count.expected,
      deviceVotes: this.#device.isUp ? this.#device.votes : undefined,
      totalVotes: count.total,
      nodeVotes: this.#us.votes,
      quorum: this.#quorum,
      isQuorate: this.#isQuorate,
      activeSubsystems,
      isTwoNode: this.#isTwoNode,
      isShuttingDown: this.#shutdown !== undefined || this.#isLeaving,
      hasConfigError: this.#reload.hasError,
      isDisallowedEnabled: this.#isDisallowedEnabled,
      isDirty: (this.#us.flags & NodeFlag.dirty) !== 0,
      ports: portsOf(this.#us.ports),
      nodeName: this.#us.name,
      nodeId: this.#us.nodeId,
      multicastAddresses: this.#config.multicastAddresses ?? [],
      nodeAddresses: this.#us.addresses,
      disallowed: this.#membership.nodes.filter((node) => node.state === 'disallowed').map((node) => node.name),
    };
  }

  /** For `cman_tool nodes` and `clustat`: every known node by id, after the quorum device (id 0) if there is one. */
  nodes(): readonly CmanNodeStatus[] {
    const nodes = this.#membership.nodes.map((node) => nodeStatusOf(node, node === this.#us));
    return this.#device.name === '' ? nodes : [deviceStatusOf(this.#device), ...nodes];
  }

  /** Whether a node listens on a port; undefined while it has not said yet which ports it has open. */
  isListening(nodeId: NodeId, port: number): boolean | undefined {
    const node = this.#membership.find(nodeId);
    if (node === undefined || node.state !== 'member') return false;
    return hasPortBit(node.ports, 0) ? hasPortBit(node.ports, port) : undefined;
  }

  /** Members that listen on a port, ascending; rgmanager's members are those of port 177. */
  listeners(port: number): readonly NodeId[] {
    return this.#membership
      .members()
      .filter((node) => hasPortBit(node.ports, port))
      .map((node) => node.nodeId);
  }

  inspect(): Readonly<Record<string, unknown>> {
    return {
      ring: this.#ring,
      isActive: this.#isActive,
      isFinished: this.#isFinished,
      quorum: this.#quorum,
      isQuorate: this.#isQuorate,
      configVersion: this.#reload.running,
      wantedConfigVersion: this.#reload.wanted,
      hasConfigError: this.#reload.hasError,
      isShuttingDown: this.#shutdown !== undefined,
      nodes: this.nodes(),
      device: { name: this.#device.name, votes: this.#device.votes, isUp: this.#device.isUp },
      rejected: Object.fromEntries(this.#rejected),
    };
  }

  #onStart(now: Nanos, wall: WallTime): void {
    this.#clock.set(now, wall);
    this.#startedAt = this.#clock.seconds(now);
    this.#observe?.({ kind: 'quorum.started', now });
  }

  /** `cman_confchg_fn`. Nodes that joined are added when their TRANSITION arrives. */
  #onConfiguration(now: Nanos, input: Input<'configuration'>, emit: Emit): void {
    this.#ring = { representative: input.ring.representative, seq: input.ring.seq };
    for (const nodeId of input.left) this.#delAisNode(now, this.#membership.find(nodeId), emit);
    if (input.type === 'transitional') return;
    for (const node of this.#membership.nodes) {
      if (!input.members.includes(node.nodeId)) this.#delAisNode(now, node, emit);
    }
    this.#isActive = true;
    this.#sendTransition(emit);
    if (input.members.length > 1) this.#isFirstTransition = false;
    if (this.#us.state === 'member' && this.#announcedSeq !== this.#ring.seq) this.#isStale = true;
  }

  /** `cman_deliver_fn`. */
  #onDeliver(now: Nanos, from: NodeId, payload: Uint8Array, emit: Emit): void {
    const header = readHeader(payload);
    if (header === undefined) return this.#reject(from, 'truncated', emit);
    if (header.from !== from) return this.#reject(from, 'bad-source', emit);
    if (header.to !== 0 && header.to !== this.#us.nodeId) return;
    const body = payload.subarray(HEADER_SIZE);
    const { toPort, fromPort } = header;
    if (toPort === 0) this.#onMessage(now, from, body, emit);
    else if (hasPortBit(this.#us.ports, toPort)) emit({ kind: 'data', port: toPort, from, fromPort, payload: body });
  }

  /** `process_internal_message`. */
  #onMessage(now: Nanos, from: NodeId, body: Uint8Array, emit: Emit): void {
    const message = readMessage(body);
    if (typeof message === 'string') {
      if (message === 'unknown-message') this.#log('warning', `Unknown protocol message ${body[0]} received`, emit);
      return this.#reject(from, message, emit);
    }
    switch (message.kind) {
      case 'port-opened':
      case 'port-closed':
        return this.#onPortMessage(from, message.port, message.kind, emit);
      case 'port-enquiry':
        return this.#cast(0, { kind: 'port-status', ports: this.#us.ports }, emit);
      case 'port-status':
        return this.#onPortStatus(from, message.ports, emit);
      case 'transition':
        return this.#onTransition(now, from, message, emit);
      case 'kill':
        return this.#onKillMessage(now, from, message.node, message.reason, emit);
      case 'leave':
        return this.#onLeaveMessage(now, from, message.reason, emit);
      case 'reconfigure':
        return this.#onReconfigureMessage(now, message, emit);
      case 'fence-status':
        return this.#onFenceStatus(message);
    }
  }

  // Membership

  /** `send_transition_msg`. */
  #sendTransition(emit: Emit): void {
    const us = this.#us;
    this.#isLocalFirstTransition = this.#isFirstTransition;
    const seesDisallowed = this.#isDisallowedEnabled && this.#membership.hasDisallowed();
    const message: TransitionMessage = {
      kind: 'transition',
      isFirst: this.#isFirstTransition,
      clusterId: this.#config.clusterId,
      votes: us.votes,
      expectedVotes: us.expectedVotes,
      majorVersion: CMAN_VERSION.major,
      minorVersion: CMAN_VERSION.minor,
      patchVersion: CMAN_VERSION.patch,
      configVersion: this.#reload.running,
      flags: seesDisallowed ? us.flags | NodeFlag.seesDisallowed : us.flags,
      fencedAt: us.fencedAt,
      startedAt: this.#startedAt,
      clusterName: this.#config.clusterName,
      fenceAgent: us.fenceAgent,
    };
    this.#cast(0, message, emit);
  }

  /**
   * `do_process_transition`: the sender is a member from now on.
   *
   * Differs from cman: the votes are reckoned once, with what the sender expects now; cman also does it before, with
   * what the sender expected in an earlier life, and quorum cannot fall again after that.
   */
  #onTransition(now: Nanos, from: NodeId, message: TransitionMessage, emit: Emit): void {
    // Differs from cman: its own check of the message forgets that this node is a newcomer before it is asked.
    const isBarred = this.#isBarred(message);
    if (!this.#isValidTransition(now, from, message, emit)) return;
    if (isBarred) return this.#fail(now, 'disallowed-nodes', emit);
    const node = this.#membership.find(from) ?? this.#addUnknownNode(from, emit);
    if (this.#isDisallowedEnabled && this.#hasStateOfItsOwn(node, message)) return this.#disallow(now, node, emit);

    const isUp = this.#membership.up(node, this.#ring.seq, this.#clock.seconds(now));
    const isConfused =
      this.#isDisallowedEnabled && message.isFirst && node !== this.#us && this.#membership.hasDisallowed();
    if (isConfused) this.#markDisallowed(node);
    node.flags = message.flags & ~NodeFlag.seesDisallowed;
    node.startedAt = message.startedAt;
    const isOtherExpectation = node.expectedVotes !== message.expectedVotes;
    node.expectedVotes = message.expectedVotes;
    this.#us.expectedVotes = Math.max(this.#us.expectedVotes, message.expectedVotes);
    if (isUp) this.#recalculate(now, 'member-up', false, emit);
    else if (isOtherExpectation) this.#recalculate(now, 'expected-seen', false, emit);

    this.#exchangeFenceStatus(node, message, emit);
    // Differs from cman, which asks when a client first wants to know.
    if (node.state === 'member' && !hasPortBit(node.ports, 0)) this.#cast(from, { kind: 'port-enquiry' }, emit);
  }

  /** `valid_transition_msg`. */
  #isValidTransition(now: Nanos, from: NodeId, message: TransitionMessage, emit: Emit): boolean {
    const { clusterName, clusterId } = this.#config;
    if (message.clusterName !== clusterName) {
      return this.#conflict(from, `cluster name='${message.clusterName}', local='${clusterName}'`, emit);
    }
    if (message.clusterId !== clusterId) {
      return this.#conflict(from, `cluster id=${message.clusterId}, local=${clusterId}`, emit);
    }
    if (message.majorVersion !== CMAN_VERSION.major) {
      return this.#conflict(from, `version id=${message.majorVersion}, local=${CMAN_VERSION.major}`, emit);
    }
    if (this.#isStartOver(now)) this.#isLocalFirstTransition = false;
    if (message.configVersion > this.#reload.running) {
      this.#pending.set(from, message);
      this.#reload.want(message.configVersion, emit);
      return false;
    }
    if (message.configVersion === this.#reload.running && from !== this.#us.nodeId)
      this.#isLocalFirstTransition = false;
    return true;
  }

  #conflict(from: NodeId, what: string, emit: Emit): false {
    this.#log('err', `Node ${from} conflict, remote ${what}`, emit);
    this.#reject(from, 'conflict', emit);
    return false;
  }

  /** Whether the time is over in which a starting node may still look for the others' configuration. */
  #isStartOver(now: Nanos): boolean {
    return this.#clock.seconds(now) > this.#startedAt + (this.#config.startupConfigTimeoutSec ?? 0);
  }

  #addUnknownNode(nodeId: NodeId, emit: Emit): ClusterNode {
    this.#log('err', `Got node from AIS id ${nodeId} with no config entry`, emit);
    return this.#membership.addNewNode(nodeId, `Node${nodeId}`, 1);
  }

  /** `del_ais_node`. */
  #delAisNode(now: Nanos, node: ClusterNode | undefined, emit: Emit): void {
    if (node === undefined) return;
    this.#pending.delete(node.nodeId);
    const state = this.#membership.down(node, this.#clock.seconds(now));
    if (state === 'leaving' && node.leaveReason === LeaveReason.removed) {
      this.#membership.expectAll(this.#membership.countMembers());
      this.#recalculate(now, 'removed', true, emit);
    } else if (state === 'member' || state === 'leaving') {
      this.#recalculate(now, 'member-down', false, emit);
    }
  }

  // Nodes that come back with state (`cman/@disallowed`)

  /** A cluster with disallowed nodes cannot tell a newcomer who its members are. */
  #isBarred(message: TransitionMessage): boolean {
    const seesDisallowed = (message.flags & NodeFlag.seesDisallowed) !== 0;
    return (
      this.#isDisallowedEnabled && this.#isLocalFirstTransition && seesDisallowed && !this.#membership.hasDisallowed()
    );
  }

  #hasStateOfItsOwn(node: ClusterNode, message: TransitionMessage): boolean {
    if ((message.flags & NodeFlag.dirty) === 0) return false;
    if ((node.flags & NodeFlag.beenDown) !== 0) return true;
    return message.isFirst && node !== this.#us && (this.#us.flags & NodeFlag.dirty) !== 0;
  }

  #disallow(now: Nanos, node: ClusterNode, emit: Emit): void {
    if (node.state === 'disallowed') return;
    this.#markDisallowed(node);
    if (!this.#isQuorate) {
      return this.#log('crit', `Node ${node.name} not joined to cman because it has existing state`, emit);
    }
    const because = 'rejoined the cluster with existing state';
    if (!this.#isTwoNode) {
      this.#log('crit', `Killing node ${node.name} because it has ${because}`, emit);
      this.#sendKill(now, node.nodeId, 'rejoin', emit);
    } else if (node.nodeId > this.#us.nodeId) {
      this.#log('crit', `Killing node ${node.name} because it has ${because} and has higher node ID`, emit);
      this.#sendKill(now, node.nodeId, 'rejoin', emit);
    } else {
      const text = `Not killing node ${node.name} despite it rejoining the cluster with existing state`;
      this.#log('crit', `${text}, it has a lower node ID`, emit);
    }
  }

  #markDisallowed(node: ClusterNode): void {
    node.state = 'disallowed';
    node.isCounted = false;
  }

  // Votes

  /** `recalculate_quorum`. */
  #recalculate(now: Nanos, cause: QuorumCause, isDecreaseAllowed: boolean, emit: Emit): void {
    const count = this.#membership.count(this.#device.votesUp);
    this.#quorum = calculateQuorum(count, this.#quorum, isDecreaseAllowed, this.#isTwoNode);
    this.#setQuorate(now, count.total, emit);
    this.#isStale = true;
    this.#observe?.({
      kind: 'quorum.changed',
      now,
      cause,
      isQuorate: this.#isQuorate,
      quorum: this.#quorum,
      total: count.total,
      expected: count.expected,
      members: this.#membership.members().map(({ nodeId, votes }) => ({ node: nodeId, votes })),
      deviceVotes: this.#device.votesUp,
      ring: this.#ring,
      isTwoNode: this.#isTwoNode,
      hasConfigError: this.#reload.hasError,
    });
  }

  /** `set_quorate`. */
  #setQuorate(now: Nanos, totalVotes: number, emit: Emit): void {
    const isQuorate = this.#quorum <= totalVotes && !this.#reload.hasError;
    if (this.#isQuorate && !isQuorate) this.#log('info', 'quorum lost, blocking activity', emit);
    if (!this.#isQuorate && isQuorate) {
      this.#log('info', 'quorum regained, resuming activity', emit);
      for (const node of this.#membership.nodes) {
        if (node.state === 'disallowed') this.#sendKill(now, node.nodeId, 'rejoin', emit);
      }
    }
    this.#isQuorate = isQuorate;
  }

  #announce(emit: Emit): void {
    const members = this.#membership.members();
    const quorumGained = this.#isQuorate && !this.#wasQuorate;
    this.#wasQuorate = this.#isQuorate;
    this.#announcedSeq = this.#ring.seq;
    this.#isStale = false;
    emit({
      kind: 'state-change',
      members: members.map((node) => node.nodeId),
      memberships: members.map(({ nodeId, incarnation, joinedAt }) => ({ node: nodeId, incarnation, joinedAt })),
      ring: this.#ring,
      isQuorate: this.#isQuorate,
      quorumGained,
    });
  }

  /**
   * `do_cmd_set_expected`. Votes are reckoned when the own message comes back.
   *
   * Differs from cman: a refused value is forgotten; there it stays in the record of every member.
   */
  #onSetExpected(votes: number, emit: Emit): void {
    if (!this.#isActive) return this.#refuse('set-expected', 'ENOENT', emit);
    if (this.#membership.hasDisallowed()) {
      this.#log('notice', 'Attempt to set expected votes when cluster has AISONLY nodes in it.', emit);
      return this.#refuse('set-expected', 'EINVAL', emit);
    }
    const count = this.#membership.count(this.#device.votesUp);
    const quorum = calculateQuorum({ ...count, expected: votes }, this.#quorum, true, this.#isTwoNode);
    if (!(votes >= 1) || !isAcceptableQuorum(quorum, count.total)) return this.#refuse('set-expected', 'EINVAL', emit);
    this.#membership.overrideExpected(votes);
    this.#cast(0, { kind: 'reconfigure', param: 'expected-votes', node: this.#us.nodeId, value: votes }, emit);
  }

  /** `do_cmd_set_votes`. */
  #onSetVotes(now: Nanos, nodeId: NodeId, votes: number, emit: Emit): void {
    if (!this.#isActive) return this.#refuse('set-votes', 'ENOTCONN', emit);
    const node = this.#membership.find(nodeId);
    if (node === undefined) return this.#refuse('set-votes', 'ENOENT', emit);
    if (!(votes >= 0 && votes <= VOTES_MAX)) return this.#refuse('set-votes', 'EINVAL', emit);
    const savedVotes = node.votes;
    node.votes = votes;
    const count = this.#membership.count(this.#device.votesUp);
    if (!isAcceptableQuorum(calculateQuorum(count, this.#quorum, true, this.#isTwoNode), count.total)) {
      node.votes = savedVotes;
      return this.#refuse('set-votes', 'EINVAL', emit);
    }
    this.#recalculate(now, 'votes', true, emit);
    this.#cast(0, { kind: 'reconfigure', param: 'node-votes', node: nodeId, value: votes }, emit);
  }

  /** `do_reconfigure_msg`. */
  #onReconfigureMessage(now: Nanos, message: Extract<CmanMessage, { kind: 'reconfigure' }>, emit: Emit): void {
    const node = this.#membership.find(message.node);
    if (node === undefined) return;
    this.#isLocalFirstTransition = false;
    switch (message.param) {
      case 'expected-votes':
        node.expectedVotes = message.value;
        this.#membership.overrideExpected(message.value);
        return this.#recalculate(now, 'expected', true, emit);
      case 'node-votes':
        node.votes = message.value;
        return this.#recalculate(now, 'votes', true, emit);
      case 'config-version':
        return this.#reload.want(message.value, emit);
    }
  }

  // Quorum device

  /** `do_cmd_register_quorum_device`. */
  #onRegisterDevice(now: Nanos, input: Input<'register-device'>, emit: Emit): void {
    const { kind, name, votes } = input;
    if (!this.#isActive) {
      this.#log('err', 'unable to register quorum device: this node is not part of a cluster', emit);
      return emit({ kind: 'device-refused', operation: kind, errno: 'ENOENT' });
    }
    if (name === '' || name.length > NAME_MAX) {
      this.#log('err', 'unable to register quorum device: name is too long', emit);
      return emit({ kind: 'device-refused', operation: kind, errno: 'EINVAL' });
    }
    if (this.#device.name !== '' && this.#device.name !== name) {
      this.#log('err', 'unable to re-register quorum device: device names do not match', emit);
    } else if (this.#membership.findByName(name) !== undefined) {
      const text = `unable to register quorum device: a node with the same name (${name}) already exists`;
      this.#log('err', text, emit);
      return emit({ kind: 'device-refused', operation: kind, errno: 'EALREADY' });
    }
    this.#onDeviceCall(now, kind, this.#device.register(name, votes, this.#clock.seconds(now)), emit);
  }

  /** What a call did to the device, or why it was refused. Other votes can lower the quorum, a device up or down cannot. */
  #onDeviceCall(now: Nanos, operation: DeviceOperation, change: DeviceChange | DeviceErrno, emit: Emit): void {
    switch (change) {
      case 'EINVAL':
      case 'ENOENT':
      case 'EBUSY':
      case 'EALREADY':
        return emit({ kind: 'device-refused', operation, errno: change });
      case 'none':
        return;
      case 'registered':
      case 're-registered':
      case 'unregistered':
        this.#log('info', `quorum device ${change}`, emit);
        return this.#observeDevice(now, change);
      case 'renamed':
        this.#log('info', `quorum device name changed to ${this.#device.name}`, emit);
        return this.#observeDevice(now, change);
      case 'up':
      case 'down':
        this.#observeDevice(now, change);
        return this.#recalculate(now, 'device', false, emit);
      case 'votes':
        this.#observeDevice(now, change);
        return this.#recalculate(now, 'device', true, emit);
    }
  }

  /** `quorum_device_timer_fn`. */
  #lapseDevice(now: Nanos, emit: Emit): void {
    if (!this.#device.lapse(now)) return;
    this.#log('info', 'lost contact with quorum device', emit);
    this.#observeDevice(now, 'lapsed');
    this.#recalculate(now, 'device', false, emit);
  }

  #observeDevice(now: Nanos, event: Extract<QuorumFact, { kind: 'quorum.device' }>['event']): void {
    const { name, votes, isUp } = this.#device;
    this.#observe?.({ kind: 'quorum.device', now, event, name, votes, isUp });
  }

  // Ports

  /** `do_cmd_bind`. A node without a ring tells its ports when it is asked. */
  #onOpenPort(port: number, emit: Emit): void {
    if (!(port >= 1 && port <= PORT_MAX)) return this.#refuse('open-port', 'EINVAL', emit);
    if (hasPortBit(this.#us.ports, port)) return this.#refuse('open-port', 'EADDRINUSE', emit);
    setPortBit(this.#us.ports, port);
    if (this.#isActive) this.#cast(0, { kind: 'port-opened', port }, emit);
  }

  #onClosePort(port: number, emit: Emit): void {
    if (!(port >= 1 && port <= PORT_MAX) || !hasPortBit(this.#us.ports, port)) {
      return this.#refuse('close-port', 'EINVAL', emit);
    }
    clearPortBit(this.#us.ports, port);
    if (this.#isActive) this.#cast(0, { kind: 'port-closed', port }, emit);
  }

  #onPortMessage(from: NodeId, port: number, kind: 'port-opened' | 'port-closed', emit: Emit): void {
    const node = this.#membership.find(from);
    if (node === undefined) return;
    // The own bits were set when the port was opened; it may be closed and open again since.
    if (node !== this.#us && kind === 'port-opened') setPortBit(node.ports, port);
    if (node !== this.#us && kind === 'port-closed') clearPortBit(node.ports, port);
    emit({ kind, node: from, port });
  }

  #onPortStatus(from: NodeId, ports: Uint8Array, emit: Emit): void {
    const node = this.#membership.find(from);
    if (node === undefined || node === this.#us) return;
    const before = node.ports.slice();
    node.ports.set(ports);
    for (let port = 1; port <= PORT_MAX; port++) {
      const isOpen = hasPortBit(ports, port);
      if (isOpen !== hasPortBit(before, port)) emit({ kind: isOpen ? 'port-opened' : 'port-closed', node: from, port });
    }
  }

  #onSend(input: Input<'send'>, emit: Emit): void {
    const { port, to, payload, fromPort = port } = input;
    if (!this.#isActive) return this.#refuse('send', 'ENOTCONN', emit);
    const isValid = port >= 1 && port <= PORT_MAX && fromPort >= 0 && fromPort <= PORT_MAX;
    if (!isValid || payload.length > MESSAGE_MAX) return this.#refuse('send', 'EINVAL', emit);
    if (port > HIGH_PROTECTED_PORT && !this.#isQuorate) return this.#refuse('send', 'EAGAIN', emit);
    const writer = writeHeader(this.#writer.reset(), { toPort: port, fromPort, from: this.#us.nodeId, to });
    emit({ kind: 'cast', payload: writer.raw(payload).bytes() });
  }

  // Kill and leave

  /** `do_cmd_kill_node`. A dead node never hears of it: it stays a member until totem says otherwise. */
  #onKill(now: Nanos, nodeId: NodeId, reason: KillReason, emit: Emit): void {
    if (!this.#isActive) return this.#refuse('kill', 'ENOENT', emit);
    const node = this.#membership.find(nodeId);
    if (node === undefined || (node.state !== 'member' && node.state !== 'disallowed')) {
      return this.#refuse('kill', 'EINVAL', emit);
    }
    node.leaveReason = LeaveReason.killed;
    node.state = 'leaving';
    this.#sendKill(now, nodeId, reason, emit);
  }

  #sendKill(now: Nanos, node: NodeId, reason: KillReason, emit: Emit): void {
    this.#observe?.({ kind: 'quorum.kill', now, victim: node, reason });
    this.#cast(node, { kind: 'kill', node, reason: killReasonNumber(reason) }, emit);
  }

  #onKillMessage(now: Nanos, by: NodeId, node: NodeId, number: number, emit: Emit): void {
    if (node !== this.#us.nodeId) return;
    const reason = killReasonOf(number) ?? 'unknown';
    const text = reason === 'unknown' ? `we got kill message number ${number}` : KILL_TEXTS[reason];
    this.#log('crit', `cman killed by node ${by} because ${text}`, emit);
    this.#observe?.({ kind: 'quorum.killed', now, by, reason });
    this.#isFinished = true;
    emit({ kind: 'killed', by, reason, text });
  }

  /** `do_cmd_try_shutdown`. */
  #onLeave(now: Nanos, input: Input<'leave'>, emit: Emit): void {
    const { isRemoved, isForced = false, listeners = 0 } = input;
    if (this.#shutdown !== undefined || this.#isLeaving) return this.#refuse('leave', 'EALREADY', emit);
    const deadline = now + (this.#config.shutdownTimeout ?? DEFAULT_SHUTDOWN_TIMEOUT);
    this.#shutdown = new ShutdownVote({ isRemoved, isForced, listeners, deadline });
    if (listeners > 0) emit({ kind: 'try-shutdown', isRemoved, isForced });
    this.#checkShutdown(now, emit);
  }

  #onShutdownReply(now: Nanos, isYes: boolean, emit: Emit): void {
    this.#shutdown?.reply(isYes);
    this.#checkShutdown(now, emit);
  }

  /** `check_shutdown_status`. */
  #checkShutdown(now: Nanos, emit: Emit): void {
    const shutdown = this.#shutdown;
    const outcome = shutdown?.outcome(now);
    if (shutdown === undefined || outcome === undefined) return;
    this.#shutdown = undefined;
    if (outcome === 'stay') return this.#refuse('leave', 'EBUSY', emit);
    this.#isLeaving = true;
    this.#us.leaveReason = shutdown.isRemoved ? LeaveReason.removed : LeaveReason.down;
    // Without a ring nobody would send the message back.
    if (!this.#isActive) return this.#left(now, emit);
    this.#cast(0, { kind: 'leave', reason: this.#us.leaveReason }, emit);
  }

  #onLeaveMessage(now: Nanos, from: NodeId, reason: number, emit: Emit): void {
    if (from === this.#us.nodeId) return this.#left(now, emit);
    const node = this.#membership.find(from);
    if (node === undefined) return;
    node.leaveReason = reason;
    if (node.state === 'member' || node.state === 'disallowed') node.state = 'leaving';
  }

  #left(now: Nanos, emit: Emit): void {
    this.#observe?.({ kind: 'quorum.left', now, isRemoved: this.#us.leaveReason === LeaveReason.removed });
    this.#isFinished = true;
    emit({ kind: 'left' });
  }

  #fail(now: Nanos, reason: FailureReason, emit: Emit): void {
    if (reason === 'disallowed-nodes')
      this.#log('crit', 'CMAN: Joined a cluster with disallowed nodes. must die', emit);
    this.#observe?.({ kind: 'quorum.failed', now, reason });
    this.#isFinished = true;
    emit({ kind: 'failed', reason });
  }

  // Fencing, as far as cman keeps a record of it

  /** `do_cmd_update_fence_info`. */
  #onNodeFenced(input: Input<'node-fenced'>, emit: Emit): void {
    const { node: nodeId, at, agent } = input;
    if (!this.#isActive) return this.#refuse('node-fenced', 'ENOENT', emit);
    const node = this.#membership.find(nodeId);
    if (node === undefined || agent.length >= NAME_MAX) return this.#refuse('node-fenced', 'EINVAL', emit);
    this.#markFenced(node);
    this.#cast(0, { kind: 'fence-status', node: nodeId, isFenced: true, at, agent }, emit);
  }

  /** `do_fence_msg`. */
  #onFenceStatus(message: Extract<CmanMessage, { kind: 'fence-status' }>): void {
    const node = this.#membership.find(message.node);
    if (node === undefined) return;
    node.fencedAt = message.at;
    node.fenceAgent = message.agent;
    if (message.isFenced) this.#markFenced(node);
  }

  #markFenced(node: ClusterNode): void {
    node.flags |= NodeFlag.fenced;
    if (node.state === 'member') node.flags |= NodeFlag.fencedWhileUp;
  }

  /** Learns when the sender was fenced, or tells it: a node that has just started cannot know. */
  #exchangeFenceStatus(node: ClusterNode, message: TransitionMessage, emit: Emit): void {
    if (node.fenceAgent !== '' && message.fenceAgent !== '' && node.fenceAgent !== message.fenceAgent) {
      node.fenceAgent = message.fenceAgent;
      node.fencedAt = message.fencedAt;
    }
    if (node.fencedAt === 0 || node.fenceAgent === '' || message.fencedAt !== 0 || message.fenceAgent !== '') return;
    const { nodeId, fencedAt: at, fenceAgent: agent } = node;
    this.#cast(nodeId, { kind: 'fence-status', node: nodeId, isFenced: false, at, agent }, emit);
  }

  // Configuration

  /**
   * `reload_config`, once the file is there.
   *
   * Differs from cman: TRANSITIONs that needed this version are taken now; there their senders stay non-members here
   * until the ring changes again.
   */
  #onReconfigure(now: Nanos, input: Input<'reconfigure'>, emit: Emit): void {
    checkNodesConfig(input);
    const version = input.configVersion;
    const refusal = this.#reload.take(version, emit);
    if (refusal !== undefined) return this.#onReconfigureFailed(now, refusal, emit);
    this.#membership.readNodes(input.nodes, input.expectedVotes);
    if (input.isBroadcast === true && this.#isActive) {
      this.#cast(0, { kind: 'reconfigure', param: 'config-version', node: this.#us.nodeId, value: version }, emit);
    }
    this.#recalculate(now, 'config', true, emit);
    for (const [nodeId, message] of [...this.#pending]) {
      if (message.configVersion > version) continue;
      this.#pending.delete(nodeId);
      this.#onTransition(now, nodeId, message, emit);
      if (this.#isFinished) return;
    }
    this.#announce(emit);
    emit({ kind: 'config-updated', configVersion: version });
  }

  /** A file nobody waits for may stay unread; without the one that the others run, this node has no quorum. */
  #onReconfigureFailed(now: Nanos, reason: string, emit: Emit): void {
    // Differs from cman, which is inquorate only when the votes are reckoned next.
    if (this.#reload.fail(now, reason, emit)) this.#recalculate(now, 'config-error', false, emit);
    const isGivenUp = this.#reload.hasError && this.#reload.isRetry && this.#isLocalFirstTransition;
    if (isGivenUp && this.#isStartOver(now)) this.#failToStart(now, emit);
  }

  #failToStart(now: Nanos, emit: Emit): void {
    const wanted = `wanted ${this.#reload.wanted}, only got ${this.#reload.running}`;
    this.#log('err', `Failed to get an up-to-date config file, ${wanted}. Will exit`, emit);
    this.#log('err', 'Check your configuration distribution method is working correctly', emit);
    this.#fail(now, 'old-configuration', emit);
  }

  #onWake(now: Nanos, emit: Emit): void {
    this.#lapseDevice(now, emit);
    this.#reload.wake(now, emit);
    this.#checkShutdown(now, emit);
  }

  // What the rest stands on

  get #isTwoNode(): boolean {
    return this.#config.isTwoNode === true;
  }

  get #isDisallowedEnabled(): boolean {
    return this.#config.isDisallowedEnabled === true;
  }

  /** `to` 0: everybody. */
  #cast(to: NodeId, message: CmanMessage, emit: Emit): void {
    const header = { toPort: 0, fromPort: 0, from: this.#us.nodeId, to };
    emit({ kind: 'cast', payload: writeMessage(writeHeader(this.#writer.reset(), header), message).bytes() });
  }

  #refuse(operation: CmanOperation, errno: CmanErrno, emit: Emit): void {
    emit({ kind: 'refused', operation, errno });
  }

  #reject(from: NodeId, reason: CmanReject, emit: Emit): void {
    this.#rejected.set(reason, (this.#rejected.get(reason) ?? 0) + 1);
    emit({ kind: 'reject', from, reason });
  }

  #log(priority: LogPriority, text: string, emit: Emit): void {
    emit({ kind: 'log', priority, text });
  }
}
