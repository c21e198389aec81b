import { LockFlag, Status } from '@quorate/dlm';
import { dashed, type FoundGroup, type LogicalVolume, undashed } from '@quorate/volumes';
import { activate, findGroupById, reload } from '../os/activation.js';
import { type ClvmdLocks, VolumeMode } from './clvmd-locks.js';
import type { VolumeCommand } from './clvmd-message.js';
import type { NodeServices } from './services.js';

/** Undefined, or why not. */
type Done = (why: string | undefined) => void;

/** Name of the lock of a volume: the identifiers of group and volume, without dashes. */
export function volumeResource(groupId: string, volumeId: string): string {
  return undashed(groupId) + undashed(volumeId);
}

/**
 * What a clvmd does to the volumes of its own node, for commands on this node and on others.
 *
 * A volume of a clustered group is active with a lock: CR, so that it may be active elsewhere too, or EX. Neither becomes the other
 * while it is active. Nothing waits for a lock: what is active elsewhere in another mode is refused.
 *
 * Source: LVM2 daemons/clvmd/lvm-functions.c, `do_lock_lv`.
 */
export class ClvmdVolumes {
  readonly #services: NodeServices;
  readonly #locks: ClvmdLocks;
  /** Whether the daemon has its lockspace still. */
  readonly #isRunning: () => boolean;

  constructor(services: NodeServices, locks: ClvmdLocks, isRunning: () => boolean) {
    this.#services = services;
    this.#locks = locks;
    this.#isRunning = isRunning;
  }

  run(command: VolumeCommand, resource: string, done: Done): void {
    switch (command) {
      case 'activate':
        return this.#activate(resource, VolumeMode.shared, done);
      case 'activate-exclusive':
        return this.#activate(resource, VolumeMode.exclusive, done);
      case 'deactivate':
        return this.#deactivate(resource, done);
      case 'resume':
        return this.#resume(resource, done);
    }
  }

  #activate(resource: string, mode: number, done: Done): void {
    const held = this.#locks.find(resource, 0);
    if (held !== undefined) {
      if (!held.isSettled) return done('Resource temporarily unavailable');
      return done(held.mode === mode ? undefined : 'Device or resource busy');
    }
    this.#locks.lock(resource, mode, LockFlag.NOQUEUE, 0, (status, handle) => {
      if (status === Status.EAGAIN) return done('Volume is busy on another node');
      if (status !== Status.granted) return done('Lock was not granted');
      this.#withVolume(resource, done, (found, { name }) => {
        const why = activate(this.#services.storage, found, name);
        if (why !== undefined) this.#locks.unlock(handle);
        done(why);
      });
    });
  }

  #deactivate(resource: string, done: Done): void {
    const { mapper } = this.#services.storage;
    const id = this.#activeId(resource);
    const volume = id === undefined ? undefined : mapper.active.get(id);
    if (volume !== undefined && mapper.unmap(id!) === 'EBUSY') {
      return done(`Logical volume ${volume.group}/${volume.name} in use.`);
    }
    const held = this.#locks.find(resource, 0);
    if (held === undefined) return done(undefined);
    this.#locks.unlock(held.handle, () => done(undefined));
  }

  /** Takes over what the metadata says now, on a node on which the volume is active. */
  #resume(resource: string, done: Done): void {
    if (this.#activeId(resource) === undefined || this.#locks.find(resource, 0) === undefined) return done(undefined);
    this.#withVolume(resource, done, (found, { name }) => done(reload(this.#services.storage, found, name)));
  }

  /** Reads the metadata, unless the daemon has ended meanwhile and its locks are gone. */
  #withVolume(resource: string, done: Done, act: (found: FoundGroup, volume: LogicalVolume) => void): void {
    const { system, storage } = this.#services;
    const groupId = dashed(resource.slice(0, 32));
    const volumeId = dashed(resource.slice(32));
    system.runTask(findGroupById(storage, groupId), (found) => {
      if (!this.#isRunning()) return done('Lock was not granted');
      const volume = found?.group.logicalVolumes.find(({ id }) => id === volumeId);
      if (found === undefined || volume === undefined) return done(`There is no volume ${groupId} ${volumeId}`);
      act(found, volume);
    });
  }

  #activeId(resource: string): string | undefined {
    const id = dashed(resource.slice(32));
    return this.#services.storage.mapper.active.has(id) ? id : undefined;
  }
}
