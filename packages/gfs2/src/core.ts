import {
  type LogPriority,
  type Nanos,
  type Observe,
  type Prng,
  type Task,
  WallClock,
  type WallTime,
} from '@quorate/kernel';
import type { AddressSpace } from './buffer/buffer.js';
import { BufferCache } from './buffer/buffer-cache.js';
import { Disk, type DiskOutput } from './disk.js';
import type { Gfs2Fact } from './facts.js';
import type { Glock, GlockState } from './glock/glock.js';
import { GlockType } from './glock/glock-name.js';
import { Glocks, type LockCall, type UnlockCall } from './glock/glocks.js';
import { Locks } from './glock/locks.js';
import { type HeaderSource, Log } from './log/log.js';
import type { MountOptions } from './mount/mount-options.js';
import { type Geometry, geometryOf } from './ondisk/geometry.js';
import { LogHeaderCodec } from './ondisk/log-header.js';
import type { Superblock } from './ondisk/superblock.js';
import { Refusal } from './refusal.js';
import { Scheduler } from './scheduler.js';

export interface CoreConfig {
  readonly blockSize: number;
  readonly protocol: 'lock_dlm' | 'lock_nolock';
  readonly era: 'rhel6' | 'modern';
  readonly maxBuffers: number;
  readonly maxUnusedGlocks: number;
  readonly prng: Prng;
  readonly observe: Observe<Gfs2Fact> | undefined;
}

export interface LogLine {
  readonly kind: 'log';
  readonly priority: LogPriority;
  readonly text: string;
}

export type CoreOutput = DiskOutput | LockCall | UnlockCall | LogLine;

/** What the layers above do when something happens below. */
export interface CoreHooks {
  sync(glock: Glock): Generator<unknown, void, unknown>;
  invalidated(glock: Glock, isMetadataKept: boolean): void;
  wanted(glock: Glock, state: GlockState): void;
  /** A flush has committed what is in memory, and transactions have not begun again. */
  durable(): Task;
  /** A flush has committed blocks of that space. */
  committed(space: AddressSpace): void;
  header(): HeaderSource;
  withdraw(reason: string): void;
}

/**
 * What every part of a mount stands on (`gfs2_sbd`): tasks, disk, glocks, cached blocks and the journal.
 *
 * The hooks are set by the layers above while they are put together, before anything runs.
 */
export class Core {
  readonly config: CoreConfig;
  readonly geometry: Geometry;
  readonly headerCodec: LogHeaderCodec;
  readonly scheduler: Scheduler;
  readonly disk: Disk;
  readonly cache: BufferCache;
  readonly glocks: Glocks;
  readonly locks: Locks;
  readonly log: Log;
  readonly hooks: CoreHooks;
  readonly emit: (output: CoreOutput) => void;
  /** What the mount found and was told. */
  superblock: Superblock | undefined = undefined;
  options: MountOptions;
  jid = 0;
  /** `my-cluster:storage.0` once the journal is known, for log lines. */
  fsName = '';
  isReadOnly = false;
  isWithdrawn = false;
  readonly #wallClock = new WallClock();

  constructor(config: CoreConfig, options: MountOptions, hooks: CoreHooks, emit: (output: CoreOutput) => void) {
    this.config = config;
    this.options = options;
    this.hooks = hooks;
    this.emit = emit;
    this.geometry = geometryOf(config.blockSize);
    this.headerCodec = new LogHeaderCodec(config.blockSize);
    this.scheduler = new Scheduler();
    this.disk = new Disk(config.blockSize, this.scheduler, emit, config.observe);
    this.cache = new BufferCache(this.disk, this.scheduler, config.maxBuffers, config.observe, (text) =>
      this.inconsistent(text),
    );
    this.glocks = new Glocks({
      protocol: config.protocol,
      lvbTypes: new Set(
        config.era === 'modern' ? [GlockType.inode, GlockType.rgrp, GlockType.quota] : [GlockType.quota],
      ),
      maxUnused: config.maxUnusedGlocks,
      ...(config.observe === undefined ? {} : { observe: config.observe }),
    });
    this.locks = new Locks(this.glocks, this.scheduler, {
      call: emit,
      sync: (glock) => hooks.sync(glock),
      invalidate: (glock, isMetadataKept) => hooks.invalidated(glock, isMetadataKept),
      wanted: (glock, state) => hooks.wanted(glock, state),
    });
    this.log = new Log(
      {
        geometry: this.geometry,
        headerCodec: this.headerCodec,
        commit: options.commit,
        wall: () => this.wall(),
        header: () => hooks.header(),
        durable: () => hooks.durable(),
        committed: (space) => hooks.committed(space),
        failed: (text) => hooks.withdraw(text),
        observe: config.observe,
      },
      this.scheduler,
      this.disk,
      this.cache,
    );
  }

  get now(): Nanos {
    return this.scheduler.now;
  }

  /** Sets the wall clock as it is at `now`. */
  setWall(wall: WallTime): void {
    this.#wallClock.set(this.now, wall);
  }

  wall(): WallTime {
    return this.#wallClock.at(this.now);
  }

  /** A line of the kernel's log about this file system. */
  print(priority: LogPriority, text: string): void {
    const program = this.config.era === 'rhel6' ? 'GFS2' : 'gfs2';
    this.emit({
      kind: 'log',
      priority,
      text: `${program}: ${this.fsName === '' ? '' : `fsid=${this.fsName}: `}${text}`,
    });
  }

  /**
   * Something on the disk contradicts itself: this node stops using the file system (`gfs2_consist`).
   *
   * @throws {Refusal} EIO, always.
   */
  inconsistent(text: string): never {
    this.hooks.withdraw(`fatal: filesystem consistency error - ${text}`);
    throw new Refusal('EIO');
  }
}
