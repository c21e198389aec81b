import type { Nanos, Observe, Prng } from '@quorate/kernel';
import {
  Cman,
  type CmanErrno,
  type CmanInput,
  type CmanNodeStatus,
  type CmanOutput,
  type CmanStatus,
  type QuorumFact,
  type QuorumServiceView,
} from '@quorate/quorum';
import { Totem, type TotemFact, type TotemInput, type TotemOutput } from '@quorate/totem';
import { Cpg, type CpgFact, type CpgInput, type CpgOutput, CpgReason, type ProcessInfo } from '@quorate/totem/cpg';
import { Child } from '../child.js';
import type { CmanVersion } from '../programs/cman/cman-call.js';
import { ringAddresses, type StackConfig } from '../stack-config.js';
import { readRingId, ringIdFile, ringIdPath } from './ring-id-file.js';
import type { NodeServices } from './services.js';

/** A configuration of a group: daemons run once on a node, so they know each other by it. */
export interface GroupChange {
  readonly group: string;
  readonly members: readonly number[];
  readonly joined: readonly number[];
  readonly left: readonly { readonly node: number; readonly reason: 'leave' | 'nodedown' | 'procdown' }[];
}

/** What a daemon asks of process groups. */
type GroupCall =
  | { readonly kind: 'cpg-join' | 'cpg-leave'; readonly group: string }
  | { readonly kind: 'cpg-mcast'; readonly group: string; readonly payload: Uint8Array };

/** What a daemon hears of the process groups it has joined. */
export interface GroupMember {
  confchg(change: GroupChange): void;
  message(group: string, from: number, payload: Uint8Array): void;
  ringConfchg(ring: { readonly representative: number; readonly seq: number }, members: readonly number[]): void;
}

/** What the rest of the node hears of the engine. */
export interface EngineListener {
  membership(change: Extract<CmanOutput, { kind: 'state-change' }>): void;
  portChanged(port: number): void;
  portData(port: number, from: number, payload: Uint8Array): void;
  /** May this node leave? One answer from each daemon that was counted as a listener. */
  tryShutdown(): readonly boolean[];
  /** cman did not take the quorum device. */
  deviceRefused(errno: string): void;
  /** This node cannot leave now: somebody on it said no, or it is leaving already. */
  leaveRefused(errno: CmanErrno): void;
  /** Another node runs a newer configuration. */
  reloadConfig(): void;
  /** cman has taken a newer configuration over. */
  configUpdated(): void;
  /** The engine is gone: this node was killed, gave up, or left. */
  ended(why: 'killed' | 'failed' | 'left'): void;
}

/**
 * corosync with cman in it: the ring, the process groups, and the votes, from `cman_tool join` to its end.
 *
 * totem hands its configurations to cman first and then to the groups, as cman's plugin is called first in the original.
 */
export class ClusterEngine {
  readonly #services: NodeServices;
  readonly #config: StackConfig;
  readonly #listener: EngineListener;
  readonly #totem: Child<TotemInput, TotemOutput>;
  readonly #totemMachine: Totem;
  readonly #cpg: Child<CpgInput, CpgOutput>;
  readonly #cpgMachine: Cpg;
  readonly #cman: Child<CmanInput, CmanOutput>;
  readonly #cmanMachine: Cman;
  readonly #members = new Map<number, GroupMember>();
  readonly #addresses: ReadonlyMap<number, string>;
  readonly #nodes: ReadonlyMap<string, number>;
  #last: Extract<CmanOutput, { kind: 'state-change' }> | undefined;
  /** Why cman refused the last call of a tool. */
  #refusal: CmanErrno | undefined;
  /** Whether the ring's address was on an interface that is up when totem last asked. */
  #isInterfaceUp = false;
  #hasEnded = false;

  /** `prng` gives the random delays of `send_join`. */
  constructor(services: NodeServices, config: StackConfig, prng: Prng, listener: EngineListener) {
    this.#services = services;
    this.#config = config;
    this.#listener = listener;
    this.#addresses = ringAddresses(config);
    this.#nodes = new Map([...this.#addresses].map(([node, address]) => [address, node]));
    const observe = services.observe;
    this.#totemMachine = new Totem({
      nodeId: config.nodeId,
      nodes: config.totemNodes,
      era: 'rhel6',
      timings: config.totemTimings,
      ringSeq: this.#loadRingSeq(),
      netMtu: config.conf.totem.netmtuBytes,
      tokenFacts: true,
      prng,
      ...(observe && { observe: observe as Observe<TotemFact> }),
    });
    this.#cmanMachine = new Cman({ ...config.cman, ...(observe && { observe: observe as Observe<QuorumFact> }) });
    this.#cpgMachine = new Cpg({ nodeId: config.nodeId, ...(observe && { observe: observe as Observe<CpgFact> }) });
    const clock = (): Nanos => services.now();
    this.#totem = new Child(this.#totemMachine, clock, this.#onTotem);
    this.#cpg = new Child(this.#cpgMachine, clock, this.#onCpg);
    this.#cman = new Child(this.#cmanMachine, clock, this.#onCman);
  }

  start(): void {
    this.#services.toStack({ kind: 'udp-bind', port: this.#config.port, groups: [this.#config.multicastAddress] });
    this.#cman.send({ kind: 'start', wall: this.#services.system.wall() });
    this.#totem.send({ kind: this.#checkInterface() ? 'network-up' : 'network-down' });
  }

  datagram(bytes: Uint8Array): void {
    if (!this.#hasEnded) this.#totem.send({ kind: 'datagram', bytes });
  }

  deadline(): Nanos {
    if (this.#hasEnded) return Infinity;
    return Math.min(this.#totem.deadline(), this.#cpg.deadline(), this.#cman.deadline());
  }

  wakeIfDue(now: Nanos): void {
    if (this.#hasEnded) return;
    this.#totem.wakeIfDue(now);
    this.#cpg.wakeIfDue(now);
    this.#cman.wakeIfDue(now);
  }

  /** Registers who hears the groups that `pid` joins. */
  attach(pid: number, member: GroupMember): void {
    this.#members.set(pid, member);
  }

  /** The process is gone: it leaves its groups. */
  detach(pid: number): void {
    if (!this.#members.delete(pid) || this.#hasEnded) return;
    this.#cpg.send({ kind: 'exit', pid });
  }

  groups(pid: number, call: GroupCall): void {
    if (this.#hasEnded) return;
    const { group } = call;
    if (call.kind === 'cpg-mcast') this.#cpg.send({ kind: 'mcast', group, pid, payload: call.payload });
    else this.#cpg.send({ kind: call.kind === 'cpg-join' ? 'join' : 'leave', group, pid });
  }

  /** The process is killed: nothing more is sent. */
  kill(): void {
    this.#end('killed');
  }

  cman(input: CmanInput): void {
    if (!this.#hasEnded) this.#cman.send(input);
  }

  /** A call of a tool; returns why cman refused it. */
  call(input: CmanInput): CmanErrno | undefined {
    this.#refusal = undefined;
    this.cman(input);
    return this.#refusal;
  }

  get version(): CmanVersion {
    return { protocol: this.#cmanMachine.version, config: this.#cmanMachine.configVersion };
  }

  /** Undefined before the first configuration. */
  status(activeSubsystems: number): CmanStatus | undefined {
    return this.#cmanMachine.status(activeSubsystems);
  }

  nodes(): readonly CmanNodeStatus[] {
    return this.#cmanMachine.nodes();
  }

  get isQuorate(): boolean {
    return this.#last?.isQuorate ?? false;
  }

  /** The newest membership, undefined before the first. */
  get membership(): Extract<CmanOutput, { kind: 'state-change' }> | undefined {
    return this.#last;
  }

  /** Ring addresses by node id. */
  get addresses(): ReadonlyMap<number, string> {
    return this.#addresses;
  }

  /** Who is in which process group, on all nodes. */
  processGroups(): readonly ProcessInfo[] {
    return this.#cpgMachine.iterate();
  }

  /** What the quorum service hears of cman. */
  quorumService(): QuorumServiceView {
    const nodes = this.#cmanMachine.nodes().filter(({ nodeId, state }) => nodeId > 0 && state === 'member');
    return {
      provider: 'quorum_cman',
      isQuorate: this.isQuorate,
      ring: this.#last?.ring ?? { representative: 0, seq: 0 },
      members: nodes.map(({ nodeId, name }) => ({ nodeId, name })),
    };
  }

  /** Members that listen on a port. */
  listeningOn(port: number): readonly number[] {
    return this.#cmanMachine.listeners(port);
  }

  inspect(): Readonly<Record<string, unknown>> {
    return { totem: this.#totemMachine.inspect(), cman: this.#cmanMachine.inspect(), hasEnded: this.#hasEnded };
  }

  readonly #onTotem = (output: TotemOutput): void => {
    switch (output.kind) {
      case 'unicast': {
        const to = this.#addresses.get(output.to);
        if (to !== undefined) this.#toNetwork(to, output.bytes);
        break;
      }
      case 'multicast':
        this.#toNetwork(this.#config.multicastAddress, output.bytes);
        break;
      case 'deliver':
        if (output.group === 'CMAN') this.#cman.send({ kind: 'deliver', from: output.from, payload: output.payload });
        else this.#cpg.send(output);
        break;
      case 'configuration':
        this.#cman.send(output);
        this.#cpg.send(output);
        break;
      case 'store-ring-seq':
        this.#storeRingSeq(output.seq);
        break;
      case 'refused':
        // Nothing of ours comes near the 4 MiB of the queue; a daemon whose message is lost could not go on.
        this.#services.log('crit', 'corosync', `the message queue is full: a message to ${output.group} is lost`);
        this.#end('failed');
        break;
      case 'log':
        this.#services.log(output.priority, 'corosync', output.text);
        break;
      case 'left':
        this.#end('left');
        break;
      case 'check-interface': {
        const wasUp = this.#isInterfaceUp;
        const isUp = this.#checkInterface();
        if (isUp !== wasUp) this.#totem.send({ kind: isUp ? 'network-up' : 'network-down' });
        break;
      }
      case 'queue-level':
        this.#cpg.send(output);
        break;
      case 'reject':
        break;
    }
  };

  readonly #onCpg = (output: CpgOutput): void => {
    switch (output.kind) {
      case 'cast':
        this.#totem.send(output);
        break;
      case 'sync-done':
        this.#totem.send(output);
        break;
      case 'confchg':
        this.#members.get(output.pid)?.confchg(groupChange(output));
        break;
      case 'message':
        this.#members.get(output.pid)?.message(output.group, output.from.node, output.payload);
        break;
      case 'ring-confchg':
        this.#members.get(output.pid)?.ringConfchg(output.ring, output.members);
        break;
      case 'log':
        this.#services.log(output.priority, 'corosync', output.text);
        break;
      case 'refused':
      case 'reject':
        break;
    }
  };

  readonly #onCman = (output: CmanOutput): void => {
    switch (output.kind) {
      case 'cast':
        this.#totem.send({ kind: 'cast', group: 'CMAN', payload: output.payload });
        break;
      case 'state-change':
        this.#last = { ...output };
        this.#listener.membership(this.#last);
        break;
      case 'port-opened':
      case 'port-closed':
        this.#listener.portChanged(output.port);
        break;
      case 'data':
        this.#listener.portData(output.port, output.from, output.payload);
        break;
      case 'killed':
        this.#services.log('crit', 'corosync', output.text);
        this.#end('killed');
        break;
      case 'failed':
        this.#end('failed');
        break;
      case 'left':
        // The process ends when the ring has been told; who is killed or gives up just stops.
        this.#totem.send({ kind: 'leave' });
        break;
      case 'log':
        this.#services.log(output.priority, 'corosync', output.text);
        break;
      case 'try-shutdown':
        for (const isYes of this.#listener.tryShutdown()) this.#cman.send({ kind: 'shutdown-reply', isYes });
        break;
      case 'device-refused':
        if (output.operation === 'register-device') this.#listener.deviceRefused(output.errno);
        break;
      case 'refused':
        if (output.operation === 'leave') this.#listener.leaveRefused(output.errno);
        else this.#refusal = output.errno;
        break;
      case 'reload-config':
        this.#listener.reloadConfig();
        break;
      case 'config-updated':
        this.#listener.configUpdated();
        break;
      case 'reject':
        break;
    }
  };

  /** A cable that is pulled leaves the address: that is a partition, and not for totem to see. */
  #checkInterface(): boolean {
    const address = this.#addresses.get(this.#config.nodeId);
    this.#isInterfaceUp = this.#services.system
      .interfaces()
      .some(({ isUp, addresses }) => isUp && addresses.some((found) => found.split('/')[0] === address));
    return this.#isInterfaceUp;
  }

  #toNetwork(to: string, bytes: Uint8Array): void {
    const { port } = this.#config;
    this.#services.toStack({ kind: 'udp-send', port, to, toPort: port, bytes });
  }

  #end(why: 'killed' | 'failed' | 'left'): void {
    if (this.#hasEnded) return;
    this.#hasEnded = true;
    this.#services.toStack({ kind: 'udp-unbind', port: this.#config.port });
    this.#listener.ended(why);
  }

  get #ringAddress(): string {
    return this.#addresses.get(this.#config.nodeId)!;
  }

  #loadRingSeq(): number {
    const bytes = this.#services.system.files.read(ringIdPath(this.#ringAddress));
    return typeof bytes === 'string' ? 0 : readRingId(bytes);
  }

  #storeRingSeq(seq: number): void {
    const { path, bytes } = ringIdFile(this.#ringAddress, seq);
    this.#services.system.files.write(path, bytes, false, this.#services.system.wall().sec);
  }
}

function groupChange({ group, members, joined, left }: Extract<CpgOutput, { kind: 'confchg' }>): GroupChange {
  return {
    group,
    members: members.map(({ node }) => node),
    joined: joined.map(({ node }) => node),
    left: left.map(({ node, reason }) => ({ node, reason: leaveReason(reason) })),
  };
}

/** Why a member left a group, as the daemons of the DLM and of GFS2 tell it apart. */
function leaveReason(reason: number): 'leave' | 'nodedown' | 'procdown' {
  if (reason === CpgReason.nodeDown) return 'nodedown';
  return reason === CpgReason.procDown ? 'procdown' : 'leave';
}
