import type { ClusterConf, DlmSection } from '@quorate/cluster-conf';
import {
  type CallInput,
  type ClusterViews,
  type ControldFact,
  type ControldInput,
  type ControldOutput,
  Dlm,
  DlmControld,
  type DlmFact,
  type DlmInput,
  type DlmOutput,
  LockFlag,
  type NodeViews,
  type PlockConfig,
  type PlockInput,
  type PlockResult,
} from '@quorate/dlm';
import { DebugBuffer, type Errno, MILLISECOND, type Nanos, type Observe, PENDING, type TaskId } from '@quorate/kernel';
import { Child } from '../child.js';
import { DlmTransport } from '../dlm-transport.js';
import { LOCKSPACES } from '../os/files.js';
import { ringAddresses, type StackConfig } from '../stack-config.js';
import type { ClusterEngine, GroupChange, GroupMember } from './cluster-engine.js';
import type { ControldCall } from './controld-call.js';
import type { NodeServices } from './services.js';

/** Linux from 6.4 on; before that every batch was acknowledged. */
const ACK_AFTER = 32;
/** Linux's first wait between two questions how far a recovery is. */
const RECOVER_POLL: Nanos = 20 * MILLISECOND;
const CENTISECOND: Nanos = 10 * MILLISECOND;

/** Whoever has a lockspace on this node: a mounted file system, clvmd or rgmanager. */
export interface LockspaceUser {
  /** The lockspace runs, or could not be made. */
  created(errno: Errno | undefined): void;
  cast(output: Extract<DlmOutput, { kind: 'cast' }>): void;
  bast(handle: number, mode: number): void;
  callRefused(handle: number, errno: Errno): void;
  released(): void;
  /** It is not left: it has locks. */
  releaseRefused?(errno: Errno): void;
  /** The answer to a posix lock that was asked for. */
  plockResult?(id: number, result: PlockResult): void;
}

/** What gfs_controld hears of the lockspaces of file systems. */
export interface LockspaceWatcher {
  lockspaceStopped(lockspace: string): void;
  lockspaceStarted(lockspace: string): void;
}

/** The DLM of a node, its daemon, and the connections between nodes. */
export class LockManager implements GroupMember {
  readonly #services: NodeServices;
  readonly #engine: ClusterEngine;
  readonly #nodeId: number;
  readonly #conf: ClusterConf;
  readonly #pid: number;
  readonly #watcher: LockspaceWatcher;
  readonly #transport: DlmTransport;
  readonly #dlm: Child<DlmInput, DlmOutput>;
  readonly #dlmMachine: Dlm;
  readonly #controld: Child<ControldInput, ControldOutput>;
  readonly #controldMachine: DlmControld;
  readonly #users = new Map<string, LockspaceUser>();
  readonly #debugBuffer = new DebugBuffer();
  readonly #viewsTold = new Map<TaskId, (views: ClusterViews) => void>();
  #members: readonly number[] = [];
  #hasExited = false;

  constructor(
    services: NodeServices,
    config: StackConfig,
    engine: ClusterEngine,
    pid: number,
    watcher: LockspaceWatcher,
  ) {
    this.#services = services;
    this.#engine = engine;
    this.#nodeId = config.nodeId;
    this.#conf = config.conf;
    this.#pid = pid;
    this.#watcher = watcher;
    const observe = services.observe;
    this.#dlmMachine = new Dlm({
      nodeId: config.nodeId,
      ackAfter: ACK_AFTER,
      recoverPoll: RECOVER_POLL,
      ...timewarnOf(config.conf.dlm),
      ...(observe && { observe: observe as Observe<DlmFact> }),
    });
    this.#controldMachine = new DlmControld({
      nodeId: config.nodeId,
      enableFencing: config.conf.dlm.isFencingEnabled,
      enableQuorum: config.conf.dlm.isQuorumEnabled,
      enableDeadlock: config.conf.dlm.isDeadlockEnabled,
      weightOf: (lockspace, node) => weightOf(config.conf, lockspace, node),
      plock: plockConfig(config.conf.dlm),
      ...(observe && { observe: observe as Observe<ControldFact> }),
    });
    const clock = (): Nanos => services.now();
    this.#dlm = new Child(this.#dlmMachine, clock, this.#onDlm);
    this.#controld = new Child(this.#controldMachine, clock, this.#onControld);
    this.#transport = new DlmTransport(ringAddresses(config), {
      toStack: (input) => services.toStack(input),
      newConnection: () => services.newConnection(),
      received: (from, bytes) => this.#dlm.send({ kind: 'packet', from, bytes }),
      connected: (node) => this.#dlm.send({ kind: 'connected', node }),
      disconnected: (node) => this.#dlm.send({ kind: 'disconnected', node }),
    });
    engine.attach(pid, this);
  }

  start(): void {
    this.#transport.start();
    // What the kernel has from before has no daemon that knows of it.
    this.#controld.send({ kind: 'start', uncontrolled: this.#services.system.files.list(LOCKSPACES) });
    const membership = this.#engine.membership;
    if (membership !== undefined) this.membership(membership);
  }

  /** SIGTERM, which dlm_controld ignores while there are lockspaces; whether it has ended. */
  terminate(): boolean {
    this.#controld.send({ kind: 'shutdown' });
    if (this.#hasExited) this.clusterDown();
    return this.#hasExited;
  }

  /** The cluster is gone: the daemon ends, whatever lockspaces there are. */
  clusterDown(): void {
    this.#transport.stop();
    this.#engine.detach(this.#pid);
  }

  /**
   * dlm_controld is killed: the kernel keeps its lockspaces with their locks, and stops them, as nobody tells it of members
   * any more. While there are lockspaces the node then has itself removed from the cluster.
   *
   * Differs from RHEL 6, where only the members of its daemons' groups remove it: where it was alone in them, the next node that
   * joined would know nothing of what is locked here.
   *
   * Source: Linux fs/dlm/user.c, `monitor_device_close`.
   */
  killDaemon(): void {
    this.#controld.end();
    this.#engine.detach(this.#pid);
    if (this.#users.size === 0) return;
    for (const lockspace of this.#users.keys()) this.#dlm.send({ kind: 'stop', lockspace });
    this.#services.log('err', 'kernel', 'dlm: dlm_controld is gone with lockspaces, leaving the cluster');
    this.#engine.cman({ kind: 'kill', node: this.#nodeId, reason: 'cmantool' });
  }

  get transport(): DlmTransport {
    return this.#transport;
  }

  create(lockspace: string, isFs: boolean, user: LockspaceUser): void {
    if (this.#users.has(lockspace)) return user.created('EEXIST');
    this.#users.set(lockspace, user);
    const { system } = this.#services;
    system.files.makeDirectory(`${LOCKSPACES}/${lockspace}`, system.wall().sec);
    const isNodir = this.#conf.dlm.lockspaces.find(({ name }) => name === lockspace)?.isNodir === true;
    this.#dlm.send({ kind: 'create', lockspace, lvbLength: 32, isFs, isNodir });
  }

  /** A process asks for a posix lock; dlm_controld answers its user's `plockResult`. */
  plock(call: PlockInput): void {
    this.#controld.send(call);
  }

  /** Unless forced it is refused while the lockspace has locks of this node. */
  release(lockspace: string, isForced = true): void {
    this.#dlm.send({ kind: 'release', lockspace, isForced });
  }

  /** Takes over a lockspace that somebody who was killed has left behind; false when there is none. */
  open(lockspace: string, user: LockspaceUser): boolean {
    if (!this.#users.has(lockspace)) return false;
    this.#users.set(lockspace, user);
    return true;
  }

  locks(input: CallInput): void {
    this.#dlm.send(input);
  }

  membership(change: NonNullable<ClusterEngine['membership']>): void {
    const { members, ring, isQuorate } = change;
    for (const node of this.#members) if (!members.includes(node)) this.#dlm.send({ kind: 'node-gone', node });
    this.#members = members;
    this.#controld.send({ kind: 'membership', members, ring, isQuorate });
  }

  fenced(node: number, at: Nanos): void {
    this.#controld.send({ kind: 'fenced', node, at });
  }

  victims(nodes: readonly number[]): void {
    this.#controld.send({ kind: 'victims', nodes });
  }

  fsRegistered(lockspace: string): void {
    this.#controld.send({ kind: 'fs-registered', lockspace });
  }

  fsNotified(lockspace: string, node: number): void {
    this.#controld.send({ kind: 'fs-notified', lockspace, node });
  }

  confchg(change: GroupChange): void {
    this.#controld.send({ kind: 'confchg', ...change });
  }

  message(group: string, from: number, payload: Uint8Array): void {
    this.#controld.send({ kind: 'message', group, from, payload });
  }

  ringConfchg(ring: { readonly representative: number; readonly seq: number }): void {
    this.#controld.send({ kind: 'ring-confchg', ring });
  }

  deadline(): Nanos {
    return Math.min(this.#dlm.deadline(), this.#controld.deadline());
  }

  wakeIfDue(now: Nanos): void {
    this.#controld.wakeIfDue(now);
    this.#dlm.wakeIfDue(now);
  }

  /** Serves the tools. */
  call(task: TaskId, { kind, name = '', resources = [] }: ControldCall): unknown {
    // What the kernel shows is there without the daemon, too.
    if (kind === 'views') return this.inspect();
    if (this.#controld.hasEnded) return 'ECONNREFUSED';
    switch (kind) {
      case 'dump':
        return this.#debugBuffer.text();
      case 'plocks':
        return this.#controldMachine.plocks(name) ?? 'ENOENT';
      case 'deadlock-check':
        this.#controld.send({ kind: 'deadlock-check', lockspace: name });
        return 0;
      case 'cluster-views':
        return this.#clusterViews(task, name, resources);
      case 'list':
        return this.#controldMachine.inspect().lockspaces;
    }
  }

  /** Answered at once where there is no other node. */
  #clusterViews(task: TaskId, lockspace: string, resources: readonly string[]): unknown {
    const { system } = this.#services;
    let isPending = false;
    let answer: ClusterViews | typeof PENDING = PENDING;
    this.#viewsTold.set(task, (views) => {
      if (isPending) system.reply(task, views);
      else answer = views;
    });
    this.#controld.send({ kind: 'ask-views', id: task, lockspace, resources });
    isPending = true;
    return answer;
  }

  inspect(): NodeViews {
    return { dlm: this.#dlmMachine.inspect(), controld: this.#controldMachine.inspect() };
  }

  readonly #onDlm = (output: DlmOutput): void => {
    switch (output.kind) {
      case 'packet':
        this.#transport.send(output.to, output.bytes);
        break;
      case 'disconnect':
        this.#services.log('info', 'kernel', `dlm: closing connection to node ${output.node}`);
        this.#transport.disconnect(output.node);
        break;
      case 'cast':
        this.#users.get(output.lockspace)?.cast(output);
        break;
      case 'bast':
        this.#users.get(output.lockspace)?.bast(output.handle, output.mode);
        break;
      case 'call-refused':
        this.#users.get(output.lockspace)?.callRefused(output.handle, output.errno);
        break;
      case 'online':
      case 'offline':
      case 'stopped':
      case 'timewarn':
        this.#controld.send(output);
        break;
      case 'created':
        this.#users.get(output.lockspace)?.created(undefined);
        break;
      case 'create-refused':
        this.#users.get(output.lockspace)?.created(output.errno);
        this.#forget(output.lockspace);
        break;
      case 'released': {
        const user = this.#users.get(output.lockspace);
        this.#forget(output.lockspace);
        user?.released();
        break;
      }
      case 'recover-prep':
        this.#watcher.lockspaceStopped(output.lockspace);
        break;
      case 'recover-done':
        this.#watcher.lockspaceStarted(output.lockspace);
        break;
      case 'log':
        this.#services.log(output.priority, 'kernel', output.text);
        break;
      case 'release-refused':
        this.#users.get(output.lockspace)?.releaseRefused?.(output.errno);
        break;
      case 'recover-slot':
      case 'reject':
        break;
    }
  };

  readonly #onControld = (output: ControldOutput): void => {
    switch (output.kind) {
      case 'cpg-join':
      case 'cpg-leave':
      case 'cpg-mcast':
        this.#engine.groups(this.#pid, output);
        break;
      case 'stop':
      case 'start':
      case 'left':
        this.#dlm.send(output);
        break;
      case 'read-locks': {
        const { lockspace } = output;
        const view = this.#dlmMachine.inspect().lockspaces.find(({ name }) => name === lockspace);
        this.#controld.send({ kind: 'locks', lockspace, view });
        break;
      }
      case 'deadlock-cancel': {
        const { lockspace, handle } = output;
        this.#dlm.send({ kind: 'unlock', lockspace, handle, flags: LockFlag.CANCEL, isDeadlock: true });
        break;
      }
      case 'read-views': {
        const { kind: _, ...question } = output;
        this.#controld.send({ kind: 'views', ...question, dlm: this.#dlmMachine.inspect() });
        break;
      }
      case 'views-told':
        this.#viewsTold.get(output.id)?.(output.views);
        this.#viewsTold.delete(output.id);
        break;
      case 'plock-result':
        this.#users.get(output.lockspace)?.plockResult?.(output.id, output.result);
        break;
      case 'kick':
        this.#engine.cman({ kind: 'kill', node: output.node, reason: 'cmantool' });
        break;
      case 'log':
        this.#debugBuffer.add(this.#services.system.wall().sec, output.text);
        this.#services.log(output.priority, 'dlm_controld', output.text);
        break;
      case 'exited':
        this.#hasExited = true;
        break;
      default:
        break;
    }
  };

  #forget(lockspace: string): void {
    this.#users.delete(lockspace);
    const { system } = this.#services;
    system.files.removeDirectory(`${LOCKSPACES}/${lockspace}`, system.wall().sec);
  }
}

function timewarnOf({ timewarnCentiseconds }: DlmSection): { readonly timewarn?: Nanos } {
  return timewarnCentiseconds ? { timewarn: timewarnCentiseconds * CENTISECOND } : {};
}

/** A node's share in the resources of a lockspace; with `<master>` none but those have one. */
function weightOf({ dlm, nodes }: ClusterConf, lockspace: string, node: number): number {
  const found = nodes.find(({ nodeId }) => nodeId === node);
  const masters = dlm.lockspaces.find(({ name }) => name === lockspace)?.masters ?? [];
  if (masters.length === 0) return found?.weight ?? 1;
  return masters.find(({ name }) => name === found?.name)?.weight ?? 0;
}

function plockConfig(dlm: DlmSection): PlockConfig {
  return {
    isEnabled: dlm.isPlockEnabled,
    isOwnership: dlm.isPlockOwnership,
    rateLimit: dlm.plockRateLimit,
    dropTime: dlm.dropResourcesTimeMs * MILLISECOND,
    dropCount: dlm.dropResourcesCount,
    dropAge: dlm.dropResourcesAgeMs * MILLISECOND,
  };
}
