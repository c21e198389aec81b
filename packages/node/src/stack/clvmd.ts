import { LockFlag, Mode, Status } from '@quorate/dlm';
import { type Errno, type Nanos, PENDING, SECOND, type TaskId } from '@quorate/kernel';
import { activate, findGroupById } from '../os/activation.js';
import type { ClvmdCall } from '../programs/lvm/clvmd-call.js';
import type { ClusterEngine } from './cluster-engine.js';
import type { LockManager, LockspaceUser } from './lock-manager.js';
import type { NodeServices } from './services.js';

/** cman port of clvmd. */
const CLVMD_PORT = 11;

const LOCKSPACE = 'clvmd';

/** `-T30`, as its init script starts it: so long whoever starts it waits for the lockspace. */
const STARTUP: Nanos = 30 * SECOND;

type VolumeCall = Extract<ClvmdCall, { readonly volumeId: string }>;

interface Lock {
  readonly name: string;
  /** Process that holds a group's lock; 0 for the lock of an active volume, which clvmd holds itself. */
  readonly holder: number;
  isGranted: boolean;
  /** Told when the lock is granted, refused, or gone. */
  done: ((status: number, handle: number) => void) | undefined;
}

/**
 * clvmd: commands of LVM lock groups through it, and volumes of clustered groups are active with a lock of the cluster.
 *
 * A group's lock is `V_` and its name, PR to read its metadata and PW to change it; it is given back by the command, or when the
 * command ends. A volume's lock is the identifiers of group and volume, CR as long as it is active; in EX it is granted when the
 * volume is active nowhere.
 *
 * Differs from the original, where a command can have other nodes activate a volume too, by messages on the port.
 *
 * Source: LVM2 daemons/clvmd/clvmd-command.c, lvm-functions.c.
 */
export class Clvmd implements LockspaceUser {
  readonly #services: NodeServices;
  readonly #engine: ClusterEngine;
  readonly #lockManager: LockManager;
  readonly #pid: number;
  readonly #ended: () => void;
  readonly #locks = new Map<number, Lock>();
  #state: 'joining' | 'running' | 'leaving' | 'ended' = 'joining';
  #starting: TaskId | undefined;
  #startBy: Nanos = Infinity;
  #lastHandle: number;

  constructor(services: NodeServices, engine: ClusterEngine, locks: LockManager, pid: number, ended: () => void) {
    this.#services = services;
    this.#engine = engine;
    this.#lockManager = locks;
    this.#pid = pid;
    this.#ended = ended;
    // Those of another one that was killed may still be on their way out of the lockspace.
    this.#lastHandle = pid * 0x10000;
  }

  /** `task` is answered when the lockspace is there, or with why it is not. */
  start(task: TaskId): void {
    this.#starting = task;
    this.#startBy = this.#services.now() + STARTUP;
    this.#engine.cman({ kind: 'open-port', port: CLVMD_PORT });
    // One that was killed has left its lockspace behind.
    if (this.#lockManager.open(LOCKSPACE, this)) this.created(undefined);
    else this.#lockManager.create(LOCKSPACE, false, this);
  }

  /** SIGTERM: its lockspace goes, with all locks in it; volumes stay active. */
  stop(): void {
    const isThere = this.#state === 'running';
    if (this.#state !== 'ended') this.#state = 'leaving';
    if (isThere) this.#lockManager.release(LOCKSPACE);
  }

  /** SIGKILL: the kernel drops its locks and keeps the lockspace. */
  kill(): void {
    this.#engine.cman({ kind: 'close-port', port: CLVMD_PORT });
    this.#lockManager.locks({ kind: 'process-exit', lockspace: LOCKSPACE, process: this.#pid });
    this.clusterDown();
  }

  /** The cluster engine is gone: it ends, and whoever waits for it hears so. */
  clusterDown(): void {
    this.#state = 'ended';
    this.#answerStart('cluster is down');
    const locks = [...this.#locks.values()];
    this.#locks.clear();
    for (const { done } of locks) done?.(Status.ECANCEL, 0);
  }

  call(task: TaskId, call: ClvmdCall): unknown {
    if (this.#state !== 'running') return 'ECONNREFUSED';
    switch (call.kind) {
      case 'lock-group':
        return this.#lockGroup(task, call);
      case 'unlock-group':
        return this.#unlockGroup(task, call);
      case 'activate':
        return this.#activate(task, call);
      case 'deactivate':
        return this.#deactivate(task, call);
      case 'claim':
        return this.#claim(task, call);
    }
  }

  /** A command has ended, and gives back what it did not. */
  processEnded(pid: number): void {
    for (const [handle, lock] of this.#locks) {
      if (lock.holder === pid && lock.isGranted && lock.done === undefined) this.#unlock(handle);
    }
  }

  deadline(): Nanos {
    return this.#startBy;
  }

  wakeIfDue(now: Nanos): void {
    if (this.#startBy <= now) this.#answerStart('startup timed out');
  }

  inspect(): unknown {
    const locks = [...this.#locks.values()].map(({ name, holder, isGranted }) => ({ name, holder, isGranted }));
    return { state: this.#state, locks };
  }

  created(errno: Errno | undefined): void {
    if (this.#state === 'ended') return;
    if (errno !== undefined) {
      this.#services.log('err', 'clvmd', `Unable to create DLM lockspace for CLVM: ${errno}`);
      this.#answerStart(`could not create its lockspace: ${errno}`);
      return this.#end();
    }
    if (this.#state === 'leaving') return this.#lockManager.release(LOCKSPACE);
    this.#state = 'running';
    this.#services.log('notice', 'clvmd', 'Cluster LVM daemon started - connected to CMAN');
    this.#answerStart(undefined);
  }

  cast({ handle, status }: Parameters<LockspaceUser['cast']>[0]): void {
    const lock = this.#locks.get(handle);
    if (lock === undefined) return;
    lock.isGranted = status === Status.granted;
    if (!lock.isGranted) this.#locks.delete(handle);
    const { done } = lock;
    lock.done = undefined;
    done?.(status, handle);
  }

  /** A group's lock is short, and a volume is active as long as its administrator wants. */
  bast(): void {}

  callRefused(handle: number, errno: Errno): void {
    this.#services.log('err', 'clvmd', `dlm call failed: ${errno}`);
    this.cast({ kind: 'cast', lockspace: LOCKSPACE, handle, status: Status.ECANCEL, mode: Mode.IV, flags: 0 });
  }

  released(): void {
    if (this.#state === 'ended') return;
    this.#end();
  }

  #lockGroup(task: TaskId, { group, mode, process }: Extract<ClvmdCall, { kind: 'lock-group' }>): unknown {
    const { system } = this.#services;
    this.#lock(groupResource(group), mode === 'read' ? Mode.PR : Mode.PW, 0, process, (status, handle) => {
      if (status === Status.granted && !system.isWaiting(task)) return this.#unlock(handle);
      system.reply(task, status === Status.granted ? undefined : 'Lock was not granted');
    });
    return PENDING;
  }

  #unlockGroup(task: TaskId, { group, process }: Extract<ClvmdCall, { kind: 'unlock-group' }>): unknown {
    const found = this.#find(groupResource(group), process);
    if (found === undefined) return 'EINVAL';
    this.#unlock(found[0], () => this.#services.system.reply(task, undefined));
    return PENDING;
  }

  #activate(task: TaskId, call: VolumeCall): unknown {
    const { system } = this.#services;
    const name = resourceOf(call);
    const done = (why: string | undefined): void => system.reply(task, why);
    const found = this.#find(name, 0);
    if (found !== undefined) {
      if (!found[1].isGranted || found[1].done !== undefined) return 'Resource temporarily unavailable';
      this.#map(call, done);
      return PENDING;
    }
    this.#lock(name, Mode.CR, LockFlag.NOQUEUE, 0, (status, handle) => {
      if (status === Status.EAGAIN) return done('Volume is busy on another node');
      if (status !== Status.granted) return done('Lock was not granted');
      this.#map(call, (why) => {
        if (why !== undefined) this.#unlock(handle);
        done(why);
      });
    });
    return PENDING;
  }

  /** Reads the metadata and maps the volume, unless this daemon has ended meanwhile and its locks are gone. */
  #map({ groupId, volumeId }: VolumeCall, done: (why: string | undefined) => void): void {
    const { system, storage } = this.#services;
    system.runTask(findGroupById(storage, groupId), (found) => {
      if (this.#state !== 'running') return done('Lock was not granted');
      const volume = found?.group.logicalVolumes.find(({ id }) => id === volumeId);
      if (found === undefined || volume === undefined) return done(`There is no volume ${groupId} ${volumeId}`);
      done(activate(storage, found, volume.name));
    });
  }

  #deactivate(task: TaskId, call: VolumeCall): unknown {
    const { system, storage } = this.#services;
    if (storage.mapper.unmap(call.volumeId) === 'EBUSY') return 'Device or resource busy';
    const found = this.#find(resourceOf(call), 0);
    if (found === undefined) return undefined;
    this.#unlock(found[0], () => system.reply(task, undefined));
    return PENDING;
  }

  /** Nobody can activate it as long as the caller has the lock of its group. */
  #claim(task: TaskId, call: VolumeCall): unknown {
    const { system } = this.#services;
    this.#lock(resourceOf(call), Mode.EX, LockFlag.NOQUEUE, 0, (status, handle) => {
      if (status !== Status.granted) return system.reply(task, 'Volume is busy on another node');
      this.#unlock(handle, () => system.reply(task, undefined));
    });
    return PENDING;
  }

  #lock(name: string, mode: number, flags: number, holder: number, done: NonNullable<Lock['done']>): void {
    this.#lastHandle += 1;
    const handle = this.#lastHandle;
    this.#locks.set(handle, { name, holder, isGranted: false, done });
    const process = this.#pid;
    this.#lockManager.locks({
      kind: 'lock',
      lockspace: LOCKSPACE,
      handle,
      name,
      mode,
      flags,
      wantsBast: false,
      process,
    });
  }

  #unlock(handle: number, done: () => void = () => {}): void {
    const lock = this.#locks.get(handle);
    if (lock === undefined) return;
    lock.done = done;
    this.#lockManager.locks({ kind: 'unlock', lockspace: LOCKSPACE, handle, flags: 0 });
  }

  #find(name: string, holder: number): [number, Lock] | undefined {
    return [...this.#locks].find(([, lock]) => lock.name === name && lock.holder === holder);
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

/** The resource of a volume's lock: 64 characters. */
function resourceOf({ groupId, volumeId }: VolumeCall): string {
  return `${groupId}${volumeId}`.replaceAll('-', '');
}

/** The resource of a group's lock. `#orphans` are the physical volumes that belong to none. */
function groupResource(group: string): string {
  return `${group.startsWith('#') ? 'P' : 'V'}_${group}`;
}
