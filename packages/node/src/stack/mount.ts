import type { PlockResult } from '@quorate/dlm';
import {
  decodeSuperblock,
  type Fd,
  Gfs2,
  type Gfs2Fact,
  type Gfs2Input,
  type Gfs2Output,
  type GfsControldInput,
  type Operation,
  type OperationResult,
} from '@quorate/gfs2';
import type { Errno, Nanos, Observe, Prng, TaskId } from '@quorate/kernel';
import { Child } from '../child.js';
import type { BlockDevice } from '../os/disks.js';
import type { SystemCall } from '../os/system-call.js';
import type { TransferOwner } from '../os/transfer-owner.js';
import type { StackConfig } from '../stack-config.js';
import type { LockManager, LockspaceUser } from './lock-manager.js';
import type { NodeServices } from './services.js';

/** Where a GFS2 superblock is, in 512-byte blocks, and how much of it is read. */
const SUPERBLOCK_AT = 128;
const SUPERBLOCK_BLOCKS = 8;

export type MountCall = Extract<SystemCall, { call: 'mount' }>;
export type FileSystemCall = Extract<SystemCall, { call: 'file-system' }>;

/** What a mount needs of the file systems around it. */
interface MountPorts {
  /** False when this node has it mounted already, or is about to. */
  joinGroup(name: string): boolean;
  toControld(input: GfsControldInput): void;
  /** No other node has it mounted. */
  isAlone(name: string): boolean;
  ended(name: string): void;
  /** Whether the program that called is still there. */
  isWaiting(task: TaskId): boolean;
  reply(task: TaskId, value: unknown): void;
}

/** A call that the file system is to answer. */
interface Call {
  /** Undefined when nobody waits for the answer. */
  readonly task: TaskId | undefined;
  readonly pid: number;
  readonly isOpen: boolean;
  /** It may wait for a posix lock. */
  readonly isLock: boolean;
}

/**
 * One mount, from the first look at its superblock to its end.
 *
 * mount.gfs2's order: superblock, group (which gives the journal), lockspace, file system; unmount is the reverse.
 */
export class Mount implements TransferOwner, LockspaceUser {
  readonly directory: string;
  readonly #services: NodeServices;
  readonly #config: StackConfig;
  readonly #locks: LockManager;
  #device: BlockDevice;
  readonly #call: MountCall;
  readonly #prng: Prng;
  readonly #ports: MountPorts;
  readonly #calls = new Map<number, Call>();
  /** Processes by the descriptors that they have open. */
  readonly #owners = new Map<Fd, number>();
  #name = '';
  #blockSize = 4096;
  #machine: Gfs2 | undefined;
  #gfs2: Child<Gfs2Input, Gfs2Output> | undefined;
  #journal: { readonly jid: number; readonly isFirst: boolean } | undefined;
  #mounting: TaskId | undefined;
  #unmounting: TaskId | undefined;
  #failure: Errno | undefined;
  #lastOperation = 0;
  /** gfs_controld keeps locks back: a member has died, and its journal is not replayed yet. */
  #isBlocked = false;
  /** The lockspace runs, and the file system waits for that replay, or for its journal. */
  #isPostponed = false;
  #isHeld = false;

  constructor(
    services: NodeServices,
    config: StackConfig,
    locks: LockManager,
    device: BlockDevice,
    call: MountCall,
    prng: Prng,
    ports: MountPorts,
  ) {
    this.#services = services;
    this.#config = config;
    this.#locks = locks;
    this.#device = device;
    this.#call = call;
    this.#prng = prng;
    this.#ports = ports;
    this.directory = call.directory;
  }

  begin(task: TaskId): void {
    this.#mounting = task;
    this.#services.system.disks.open(this.#device);
    this.#services.system.disks.read(this.#device, SUPERBLOCK_AT, SUPERBLOCK_BLOCKS, this, 0);
  }

  /** The group has given this node a journal, or another one because nobody is left who could replay those of the dead. */
  start(jid: number, isFirst: boolean): void {
    const isAgain = this.#journal !== undefined;
    this.#journal = { jid, isFirst };
    this.#isHeld = false;
    if (isAgain) return this.#startPostponed();
    // mount.gfs2 was killed while it waited for the group, and nobody calls mount(2).
    // Differs from gfs_controld, which stays in the group then, and refuses the next mount as one under way.
    if (!this.#ports.isWaiting(this.#mounting!)) {
      this.#failure = 'EINTR';
      return this.#ports.toControld({ kind: 'mount-done', filesystem: this.#name, isSuccess: false });
    }
    this.#locks.create(this.#name, true, this);
  }

  /** The journal that `start` gave counts no more: it waits for another one. */
  hold(): void {
    this.#isHeld = true;
  }

  unmount(task: TaskId): void {
    if (this.#unmounting !== undefined) return this.#ports.reply(task, 'EBUSY');
    this.#unmounting = task;
    this.send({ kind: 'unmount', isLast: this.#ports.isAlone(this.#name) });
  }

  operation(task: TaskId | undefined, pid: number, operation: Operation): void {
    this.#lastOperation += 1;
    this.#calls.set(this.#lastOperation, {
      task,
      pid,
      isOpen: operation.kind === 'open',
      isLock: operation.kind === 'setlk',
    });
    if (operation.kind === 'close') this.#owners.delete(operation.fd);
    this.send({ kind: 'operation', id: this.#lastOperation, operation, process: pid });
  }

  /** Closes what a process had open. If it was killed it may still be in calls: they are waited for, as the kernel does. */
  processEnded(pid: number): void {
    // A wait for a posix lock ends with it.
    for (const call of this.#calls.values()) {
      if (call.pid === pid && call.isLock) return this.send({ kind: 'process-killed', process: pid });
    }
    for (const call of this.#calls.values()) if (call.pid === pid) return;
    for (const [fd, owner] of this.#owners) if (owner === pid) this.operation(undefined, pid, { kind: 'close', fd });
  }

  blockLocks(isBlocked: boolean): void {
    this.#isBlocked = isBlocked;
    this.send({ kind: 'block-locks', isBlocked });
    this.#startPostponed();
  }

  send(input: Gfs2Input): void {
    this.#gfs2?.send(input);
  }

  deadline(): Nanos {
    return this.#gfs2?.deadline() ?? Infinity;
  }

  wakeIfDue(now: Nanos): void {
    this.#gfs2?.wakeIfDue(now);
  }

  inspect(): unknown {
    return { name: this.#name, directory: this.directory, gfs2: this.#machine?.inspect() };
  }

  transferDone(id: number, data: Uint8Array, error: Errno | undefined): void {
    if (this.#gfs2 === undefined) return this.#onSuperblock(data, error);
    this.send({ kind: 'io-done', id, ...(error === undefined ? { data } : { error }) });
  }

  created(errno: Errno | undefined): void {
    if (errno !== undefined) {
      this.#failure = errno;
      return this.#ports.toControld({ kind: 'mount-done', filesystem: this.#name, isSuccess: false });
    }
    // Nothing is granted here while locks are kept back. The file system is not there yet to keep them back itself, so it
    // comes when the journal is replayed, or as the first mounter, to replay it.
    this.#isPostponed = true;
    this.#startPostponed();
  }

  #startPostponed(): void {
    if (!this.#isPostponed || this.#isHeld || (this.#isBlocked && !this.#journal!.isFirst)) return;
    this.#isPostponed = false;
    this.#startFilesystem();
  }

  #startFilesystem(): void {
    const { jid, isFirst } = this.#journal!;
    const { observe } = this.#services;
    this.#machine = new Gfs2({
      blockSize: this.#blockSize,
      protocol: 'lock_dlm',
      era: 'rhel6',
      prng: this.#prng,
      ...(observe && { observe: observe as Observe<Gfs2Fact> }),
    });
    this.#gfs2 = new Child(this.#machine, () => this.#services.now(), this.#onGfs2);
    this.#ports.toControld({ kind: 'mount-begun', filesystem: this.#name });
    this.send({ kind: 'mount', jid, isFirst, options: this.#call.options, wall: this.#services.system.wall() });
  }

  cast(output: Parameters<LockspaceUser['cast']>[0]): void {
    const { handle, status, mode, flags, lvb } = output;
    this.send({ kind: 'lock-cast', handle, status, mode, flags, ...(lvb && { lvb }) });
  }

  bast(handle: number, mode: number): void {
    this.send({ kind: 'lock-bast', handle, mode });
  }

  plockResult(id: number, result: PlockResult): void {
    const inTheWay = typeof result === 'object' ? { ...result, node: result.nodeid } : result;
    this.send({ kind: 'plock-done', id, result: inTheWay });
  }

  callRefused(handle: number, errno: Errno): void {
    this.send({ kind: 'call-refused', handle, errno });
  }

  released(): void {
    if (this.#unmounting !== undefined || this.#failure !== undefined) {
      this.#ports.toControld({ kind: 'leave', filesystem: this.#name });
    }
  }

  refused(errno: Errno): void {
    this.#end(errno);
  }

  /** The group is left: the mount is over. */
  left(): void {
    this.#services.system.mountTable.remove(this.directory);
    this.#end(this.#failure);
  }

  #onSuperblock(data: Uint8Array, error: Errno | undefined): void {
    const superblock = error === undefined ? decodeSuperblock(data) : undefined;
    if (superblock === undefined) return this.#end(error ?? 'EINVAL');
    const [cluster, name = ''] = superblock.lockTable.split(':');
    const { clusterName } = this.#config.cman;
    if (cluster !== clusterName) {
      const text = `fs is for a different cluster: it says "${cluster}", this is "${clusterName}"`;
      this.#services.log('err', 'mount.gfs2', text);
      return this.#end('EINVAL');
    }
    this.#name = name;
    this.#blockSize = superblock.blockSize;
    if (this.#ports.joinGroup(name)) return;
    this.#name = '';
    this.#end('EBUSY');
  }

  readonly #onGfs2 = (output: Gfs2Output): void => {
    const { system } = this.#services;
    // A volume that was extended is another device under the same name.
    this.#device = system.disks.device(this.#call.device) ?? this.#device;
    const perBlock = this.#blockSize / 512;
    const filesystem = this.#name;
    switch (output.kind) {
      case 'read':
        system.disks.read(this.#device, output.block * perBlock, output.count * perBlock, this, output.id);
        break;
      case 'write':
        system.disks.write(this.#device, output.block * perBlock, output.data, this, output.id);
        break;
      case 'discard':
        system.disks.discard(this.#device, output.block * perBlock, output.count * perBlock, this, output.id);
        break;
      case 'flush':
        system.disks.flush(this.#device, this, output.id);
        break;
      case 'lock':
      case 'unlock':
        this.#locks.locks({ ...output, lockspace: filesystem });
        break;
      case 'plock':
        this.#locks.plock({ ...output, lockspace: filesystem });
        break;
      case 'mounted': {
        const { device, directory, type, options } = this.#call;
        system.mountTable.add({ device, directory, type, options });
        this.#ports.toControld({ kind: 'mount-done', filesystem, isSuccess: true });
        this.#mounting = this.#answer(this.#mounting, undefined);
        break;
      }
      case 'mount-failed':
        this.#services.log('err', 'mount.gfs2', output.text);
        this.#failure = output.errno === 'ELOOP' ? 'EINVAL' : output.errno;
        this.#locks.release(filesystem);
        break;
      case 'unmounted':
        this.#locks.release(filesystem);
        break;
      case 'unmount-failed':
        this.#unmounting = this.#answer(this.#unmounting, output.errno);
        break;
      case 'result':
        this.#onResult(output.id, output.result);
        break;
      case 'recovered':
        this.#ports.toControld({ kind: 'recovered', filesystem, jid: output.jid, result: output.result });
        break;
      case 'first-done':
        this.#ports.toControld({ kind: 'first-done', filesystem });
        break;
      case 'withdrawn':
        this.#ports.toControld({ kind: 'withdrawn', filesystem });
        break;
      case 'log':
        this.#services.log(output.priority, 'kernel', output.text);
        break;
    }
  };

  #onResult(id: number, result: OperationResult): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const { task, pid, isOpen } = call;
    this.#calls.delete(id);
    if (isOpen && typeof result === 'number') this.#owners.set(result, pid);
    // The task may be resumed after this call, when lent bytes are no longer there.
    if (task !== undefined) this.#ports.reply(task, result instanceof Uint8Array ? result.slice() : result);
    if (!this.#services.system.isRunning(pid)) this.processEnded(pid);
  }

  #end(errno: Errno | undefined): void {
    this.#services.system.disks.close(this.#device);
    this.#ports.ended(this.#name);
    this.#mounting = this.#answer(this.#mounting, errno ?? 'EIO');
    this.#unmounting = this.#answer(this.#unmounting, errno);
  }

  #answer(task: TaskId | undefined, value: Errno | undefined): undefined {
    if (task !== undefined) this.#ports.reply(task, value);
    return undefined;
  }
}
