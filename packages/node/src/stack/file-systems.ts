import { GfsControld, type GfsControldInput, type GfsControldOutput } from '@quorate/gfs2';
import { DebugBuffer, type Nanos, PENDING, type Prng, type TaskId } from '@quorate/kernel';
import { Child } from '../child.js';
import type { StackConfig } from '../stack-config.js';
import type { ClusterEngine, GroupChange, GroupMember } from './cluster-engine.js';
import type { ControldCall } from './controld-call.js';
import type { LockManager, LockspaceWatcher } from './lock-manager.js';
import { type FileSystemCall, Mount, type MountCall } from './mount.js';
import type { NodeServices } from './services.js';

/** gfs_controld and the mounted GFS2 file systems of a node. */
export class FileSystems implements GroupMember, LockspaceWatcher {
  readonly #services: NodeServices;
  readonly #config: StackConfig;
  readonly #engine: ClusterEngine;
  readonly #pid: number;
  readonly #prng: (component: string) => Prng;
  readonly #machine: GfsControld;
  readonly #controld: Child<GfsControldInput, GfsControldOutput>;
  /** By the name of the file system, the part behind the colon of its lock table. */
  readonly #mounts = new Map<string, Mount>();
  readonly #groupMembers = new Map<string, number>();
  readonly #debugBuffer = new DebugBuffer();
  #locks: LockManager | undefined;
  #hasExited = false;

  constructor(
    services: NodeServices,
    config: StackConfig,
    engine: ClusterEngine,
    pid: number,
    prng: (component: string) => Prng,
  ) {
    this.#services = services;
    this.#config = config;
    this.#engine = engine;
    this.#pid = pid;
    this.#prng = prng;
    this.#machine = new GfsControld({ node: config.nodeId });
    this.#controld = new Child(this.#machine, () => services.now(), this.#onControld);
    engine.attach(pid, this);
  }

  start(locks: LockManager): void {
    this.#locks = locks;
    const membership = this.#engine.membership;
    if (membership !== undefined) this.membership(membership);
  }

  /** SIGTERM, which gfs_controld ignores while something is mounted; whether it has ended. */
  terminate(): boolean {
    this.#controld.send({ kind: 'shutdown' });
    if (this.#hasExited) this.clusterDown();
    return this.#hasExited;
  }

  /** The cluster is gone: the daemon ends, whatever is mounted. */
  clusterDown(): void {
    this.#engine.detach(this.#pid);
  }

  /** gfs_controld is killed: what is mounted stays mounted. */
  killDaemon(): void {
    this.#controld.end();
    this.#engine.detach(this.#pid);
  }

  /** dlm_controld is gone, and gfs_controld ends with it. */
  dlmControldGone(): void {
    if (this.#controld.hasEnded) return;
    this.#services.log('err', 'gfs_controld', 'cluster is down, exiting');
    this.killDaemon();
  }

  clockStep(): void {
    const wall = this.#services.system.wall();
    for (const mount of this.#mounts.values()) mount.send({ kind: 'clock-step', wall });
  }

  /** Serves `mount -t gfs2`; the reply comes when the file system is mounted or refused. */
  mount(task: TaskId, call: MountCall): unknown {
    const { system } = this.#services;
    const locks = this.#locks;
    const device = system.disks.device(call.device);
    if (device === undefined) return 'ENOENT';
    if (this.#controld.hasEnded) return 'ECONNREFUSED';
    if (locks === undefined) return 'ECONNREFUSED';
    if (system.mountTable.get(call.directory) !== undefined) return 'EBUSY';
    const mount = new Mount(this.#services, this.#config, locks, device, call, this.#prng('gfs2'), {
      joinGroup: (name) => {
        if (this.#mounts.has(name)) return false;
        this.#mounts.set(name, mount);
        this.#controld.send({ kind: 'join', filesystem: name });
        return true;
      },
      toControld: (input) => this.#controld.send(input),
      isAlone: (name) => (this.#groupMembers.get(name) ?? 1) <= 1,
      ended: (name) => this.#mounts.delete(name),
      isWaiting: (caller) => system.isWaiting(caller),
      reply: (to, value) => system.reply(to, value),
    });
    mount.begin(task);
    return PENDING;
  }

  unmount(task: TaskId, directory: string): unknown {
    const mount = this.#at(directory);
    if (mount === undefined) return 'EINVAL';
    mount.unmount(task);
    return PENDING;
  }

  operation(task: TaskId, { directory, pid, operation }: FileSystemCall): unknown {
    const mount = this.#at(directory);
    if (mount === undefined) return 'EIO';
    mount.operation(task, pid, operation);
    return PENDING;
  }

  processEnded(pid: number): void {
    for (const mount of this.#mounts.values()) mount.processEnded(pid);
  }

  membership(change: NonNullable<ClusterEngine['membership']>): void {
    const { members, isQuorate } = change;
    this.#controld.send({ kind: 'membership', members, isQuorate });
  }

  lockspaceStopped(lockspace: string): void {
    this.#controld.send({ kind: 'dlm-stopped', lockspace });
  }

  lockspaceStarted(lockspace: string): void {
    this.#controld.send({ kind: 'dlm-started', lockspace });
  }

  confchg(change: GroupChange): void {
    this.#groupMembers.set(change.group.slice(change.group.lastIndexOf(':') + 1), change.members.length);
    this.#controld.send({ kind: 'confchg', ...change });
  }

  message(group: string, from: number, payload: Uint8Array): void {
    this.#controld.send({ kind: 'message', group, from, payload });
  }

  ringConfchg(): void {}

  deadline(): Nanos {
    let deadline = this.#controld.deadline();
    for (const mount of this.#mounts.values()) deadline = Math.min(deadline, mount.deadline());
    return deadline;
  }

  wakeIfDue(now: Nanos): void {
    this.#controld.wakeIfDue(now);
    for (const mount of this.#mounts.values()) mount.wakeIfDue(now);
  }

  /** Serves the tools. */
  call({ kind }: ControldCall): unknown {
    if (this.#controld.hasEnded) return 'ECONNREFUSED';
    return kind === 'dump' ? this.#debugBuffer.text() : this.#machine.inspect();
  }

  inspect(): unknown {
    return { groups: this.#machine.inspect(), mounts: [...this.#mounts.values()].map((mount) => mount.inspect()) };
  }

  readonly #onControld = (output: GfsControldOutput): void => {
    switch (output.kind) {
      case 'cpg-join':
      case 'cpg-leave':
      case 'cpg-mcast':
        this.#engine.groups(this.#pid, output);
        break;
      case 'mount':
        this.#mounts.get(output.filesystem)?.start(output.jid, output.isFirst);
        break;
      case 'hold-mount':
        this.#mounts.get(output.filesystem)?.hold();
        break;
      case 'abort-mount':
        this.#mounts.get(output.filesystem)?.send({ kind: 'abort-mount' });
        break;
      case 'block-locks':
        this.#mounts.get(output.filesystem)?.blockLocks(output.isBlocked);
        break;
      case 'recover-journal':
        this.#mounts.get(output.filesystem)?.send({ kind: 'recover-journal', jid: output.jid });
        break;
      case 'fs-registered':
        this.#locks?.fsRegistered(output.lockspace);
        break;
      case 'fs-notified':
        this.#locks?.fsNotified(output.lockspace, output.node);
        break;
      case 'kick':
        this.#engine.cman({ kind: 'kill', node: output.node, reason: 'cmantool' });
        break;
      case 'left':
        this.#mounts.get(output.filesystem)?.left();
        break;
      case 'withdraw-done':
        this.#locks?.release(output.filesystem);
        break;
      case 'refused':
        this.#mounts.get(output.filesystem)?.refused(output.errno);
        break;
      case 'log':
        this.#debugBuffer.add(this.#services.system.wall().sec, output.text);
        this.#services.log(output.priority, 'gfs_controld', output.text);
        break;
      case 'exited':
        this.#hasExited = true;
        break;
      case 'reject':
        break;
    }
  };

  #at(directory: string): Mount | undefined {
    for (const mount of this.#mounts.values()) if (mount.directory === directory) return mount;
    return undefined;
  }
}
