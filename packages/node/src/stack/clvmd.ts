import { Mode, Status } from '@quorate/dlm';
import { type Errno, type Nanos, PENDING, SECOND, type TaskId } from '@quorate/kernel';
import type { ClvmdCall } from '../programs/lvm/clvmd-call.js';
import type { StackConfig } from '../stack-config.js';
import type { ClusterEngine } from './cluster-engine.js';
import { CLVMD_LOCKSPACE, ClvmdLocks } from './clvmd-locks.js';
import { CLVMD_PORT, ClvmdPeers, type NodeError } from './clvmd-peers.js';
import { ClvmdVolumes, volumeResource } from './clvmd-volumes.js';
import type { LockManager, LockspaceUser } from './lock-manager.js';
import type { NodeServices } from './services.js';

/** `-T30`, as its init script starts it: so long whoever starts it waits for the lockspace. */
const STARTUP: Nanos = 30 * SECOND;

type GroupCall<K> = Extract<ClvmdCall, { readonly kind: K }>;
type VolumeCall = Extract<ClvmdCall, { readonly volumeId: string }>;

/**
 * clvmd: commands of LVM lock groups through it, and volumes of clustered groups are active with a lock of the cluster.
 *
 * A group's lock is `V_` and its name, PR to read its metadata and PW to change it; it is given back by the command, or when the
 * command ends. What is done to a volume is done on this node, or on all of them: see `ClvmdVolumes` and `ClvmdPeers`.
 *
 * Source: LVM2 daemons/clvmd/clvmd-command.c, clvmd.c.
 */
export class Clvmd implements LockspaceUser {
  readonly #services: NodeServices;
  readonly #config: StackConfig;
  readonly #engine: ClusterEngine;
  readonly #lockManager: LockManager;
  readonly #pid: number;
  readonly #ended: () => void;
  readonly #locks: ClvmdLocks;
  readonly #volumes: ClvmdVolumes;
  readonly #peers: ClvmdPeers;
  /** What others sent before the lockspace was there. */
  readonly #early: { readonly from: number; readonly payload: Uint8Array }[] = [];
  #state: 'joining' | 'running' | 'leaving' | 'ended' = 'joining';
  #starting: TaskId | undefined;
  #startBy: Nanos = Infinity;

  constructor(
    services: NodeServices,
    config: StackConfig,
    engine: ClusterEngine,
    lockManager: LockManager,
    pid: number,
    ended: () => void,
  ) {
    this.#services = services;
    this.#config = config;
    this.#engine = engine;
    this.#lockManager = lockManager;
    this.#pid = pid;
    this.#ended = ended;
    this.#locks = new ClvmdLocks(lockManager, pid);
    this.#volumes = new ClvmdVolumes(services, this.#locks, () => this.#state === 'running');
    this.#peers = new ClvmdPeers(config.nodeId, {
      send: (to, payload) => engine.cman({ kind: 'send', port: CLVMD_PORT, to, payload }),
      now: () => services.now(),
      members: () => engine.membership?.members ?? [config.nodeId],
      listening: () => engine.listeningOn(CLVMD_PORT),
      run: (command, resource, done) => this.#volumes.run(command, resource, done),
      died: (node) => services.log('notice', 'clvmd', `clvmd on node ${this.#nameOf(node)} has died`),
    });
  }

  /** `task` is answered when the lockspace is there, or with why it is not. */
  start(task: TaskId): void {
    this.#starting = task;
    this.#startBy = this.#services.now() + STARTUP;
    this.#engine.cman({ kind: 'open-port', port: CLVMD_PORT });
    // One that was killed has left its lockspace behind.
    if (this.#lockManager.open(CLVMD_LOCKSPACE, this)) this.created(undefined);
    else this.#lockManager.create(CLVMD_LOCKSPACE, false, this);
  }

  /** SIGTERM: its lockspace goes, with all locks in it; volumes stay active. */
  stop(): void {
    const isThere = this.#state === 'running';
    if (this.#state !== 'ended') this.#state = 'leaving';
    if (isThere) this.#lockManager.release(CLVMD_LOCKSPACE);
  }

  /** SIGKILL: the kernel drops its locks and keeps the lockspace. */
  kill(): void {
    this.#engine.cman({ kind: 'close-port', port: CLVMD_PORT });
    this.#lockManager.locks({ kind: 'process-exit', lockspace: CLVMD_LOCKSPACE, process: this.#pid });
    this.clusterDown();
  }

  /** The cluster engine is gone: it ends, and whoever waits for it hears so. */
  clusterDown(): void {
    this.#state = 'ended';
    this.#answerStart('cluster is down');
    this.#locks.clear();
    this.#peers.clear();
  }

  membersChanged(): void {
    this.#peers.membersChanged();
  }

  /** Another node opened or closed the port. */
  portChanged(): void {
    if (this.#state === 'running') this.#peers.portChanged();
  }

  message(from: number, payload: Uint8Array): void {
    if (this.#state === 'joining') this.#early.push({ from, payload: payload.slice() });
    else if (this.#state === 'running') this.#peers.message(from, payload);
  }

  call(task: TaskId, call: ClvmdCall): unknown {
    if (this.#state !== 'running') return 'ECONNREFUSED';
    switch (call.kind) {
      case 'lock-group':
        return this.#lockGroup(task, call);
      case 'unlock-group':
        return this.#unlockGroup(task, call);
      case 'activate':
      case 'activate-exclusive':
      case 'deactivate':
      case 'resume':
        return call.isLocal ? this.#onThisNode(task, call) : this.#onAllNodes(task, call);
    }
  }

  /** A command has ended, and gives back what it did not. */
  processEnded(pid: number): void {
    this.#locks.processEnded(pid);
  }

  deadline(): Nanos {
    return Math.min(this.#startBy, this.#peers.deadline());
  }

  wakeIfDue(now: Nanos): void {
    if (this.#startBy <= now) this.#answerStart('startup timed out');
    this.#peers.wakeIfDue(now);
  }

  inspect(): unknown {
    return { state: this.#state, locks: this.#locks.inspect(), peers: this.#peers.inspect() };
  }

  created(errno: Errno | undefined): void {
    if (this.#state === 'ended') return;
    if (errno !== undefined) {
      this.#services.log('err', 'clvmd', `Unable to create DLM lockspace for CLVM: ${errno}`);
      this.#answerStart(`could not create its lockspace: ${errno}`);
      return this.#end();
    }
    if (this.#state === 'leaving') return this.#lockManager.release(CLVMD_LOCKSPACE);
    this.#state = 'running';
    this.#peers.start();
    for (const { from, payload } of this.#early.splice(0)) this.#peers.message(from, payload);
    this.#services.log('notice', 'clvmd', 'Cluster LVM daemon started - connected to CMAN');
    this.#answerStart(undefined);
  }

  cast(cast: Parameters<LockspaceUser['cast']>[0]): void {
    this.#locks.cast(cast);
  }

  /** A group's lock is short, and a volume is active as long as its administrator wants. */
  bast(): void {}

  callRefused(handle: number, errno: Errno): void {
    this.#services.log('err', 'clvmd', `dlm call failed: ${errno}`);
    this.#locks.cast({ handle, status: Status.ECANCEL });
  }

  released(): void {
    if (this.#state === 'ended') return;
    this.#end();
  }

  #lockGroup(task: TaskId, { group, mode, process }: GroupCall<'lock-group'>): unknown {
    const { system } = this.#services;
    this.#locks.lock(groupResource(group), mode === 'read' ? Mode.PR : Mode.PW, 0, process, (status, handle) => {
      if (status === Status.granted && !system.isWaiting(task)) return this.#locks.unlock(handle);
      system.reply(task, status === Status.granted ? undefined : 'Lock was not granted');
    });
    return PENDING;
  }

  #unlockGroup(task: TaskId, { group, process }: GroupCall<'unlock-group'>): unknown {
    const found = this.#locks.find(groupResource(group), process);
    if (found === undefined) return 'EINVAL';
    this.#locks.unlock(found.handle, () => this.#services.system.reply(task, undefined));
    return PENDING;
  }

  #onThisNode(task: TaskId, { kind, groupId, volumeId }: VolumeCall): unknown {
    const { nodeId } = this.#config;
    return this.#answered(task, (done) =>
      this.#volumes.run(kind, volumeResource(groupId, volumeId), (why) =>
        done(why === undefined ? [] : [{ node: nodeId, text: why }]),
      ),
    );
  }

  #onAllNodes(task: TaskId, { kind, groupId, volumeId }: VolumeCall): unknown {
    const down = this.#peers.down();
    if (down.length > 0) return down.map((node) => `clvmd not running on node ${this.#nameOf(node)}`).join('\n');
    return this.#answered(task, (done) => this.#peers.onAllNodes(kind, volumeResource(groupId, volumeId), done));
  }

  /** What went wrong, now if it is known, or later. */
  #answered(task: TaskId, start: (done: (errors: readonly NodeError[]) => void) => void): unknown {
    let isPending = false;
    let answer: string | undefined | typeof PENDING = PENDING;
    start((errors) => {
      answer = errors.map(({ node, text }) => `Error locking on node ${this.#nameOf(node)}: ${text}`).join('\n');
      if (answer === '') answer = undefined;
      if (isPending) this.#services.system.reply(task, answer);
    });
    isPending = true;
    return answer;
  }

  #nameOf(node: number): string {
    return this.#config.conf.nodes.find(({ nodeId }) => nodeId === node)?.name ?? `${node}`;
  }

  #end(): void {
    this.#engine.cman({ kind: 'close-port', port: CLVMD_PORT });
    this.clusterDown();
    this.#ended();
  }

  #answerStart(why: string | undefined): void {
    this.#startBy = Infinity;
    const task = this.#starting;
    this.#starting = undefined;
    if (task !== undefined) this.#services.system.reply(task, why);
  }
}

/** The resource of a group's lock. `#orphans` are the physical volumes that belong to none. */
function groupResource(group: string): string {
  return `${group.startsWith('#') ? 'P' : 'V'}_${group}`;
}
