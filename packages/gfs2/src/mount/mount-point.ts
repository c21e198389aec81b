import type { Nanos, Task, TaskId } from '@quorate/kernel';
import type { AddressSpace } from '../buffer/buffer.js';
import { type Caller, ROOT } from '../calls/caller.js';
import { Descriptors } from '../calls/descriptors.js';
import type { Operation, OperationResult } from '../calls/operation.js';
import { isChanging, perform, performNow } from '../calls/perform.js';
import { type PlockCall, PosixLocks } from '../calls/posix-locks.js';
import { freezeOrThaw } from '../calls/volume-calls.js';
import { Core, type CoreConfig } from '../core.js';
import { type FileSystem, onBehalfOf, type SystemFiles } from '../filesystem.js';
import type { Gfs2Input, Gfs2Output } from '../gfs2-ports.js';
import type { Glock, GlockState } from '../glock/glock.js';
import { GlockType, NondiskLock } from '../glock/glock-name.js';
import type { GlockView } from '../glock/glocks.js';
import { evictInode, onIopenWanted, reclaimInode } from '../inode/evict.js';
import { Inodes } from '../inode/inodes.js';
import { FormalNumbers } from '../inode/inum.js';
import { instantiateAcl } from '../inode/stored-acl.js';
import { finishTruncate } from '../inode/truncate.js';
import type { LogView } from '../log/log.js';
import type { StatfsChange } from '../ondisk/accounting.js';
import { LOG_HEAD } from '../ondisk/log-header.js';
import { QuotaChanges } from '../quota/quota-changes.js';
import { type RecoveryResult, recoverJournal } from '../recovery/recover-journal.js';
import { Recoveries } from '../recovery/recoveries.js';
import { Refusal } from '../refusal.js';
import { discardFreed } from '../rgrp/discard-freed.js';
import { updateRindex } from '../rgrp/read-rindex.js';
import { ResourceGroups } from '../rgrp/resource-groups.js';
import { Statfs } from '../rgrp/statfs.js';
import { Signal, wait } from '../scheduler.js';
import { Freezer } from './freezer.js';
import { asMountRefusal, findNewJournals, type MountHold, MountRefusal, mountFileSystem } from './mount.js';
import type { MountOptions } from './mount-options.js';
import { giveBackLocks, unmountFileSystem } from './unmount.js';

type State = 'idle' | 'mounting' | 'mounted' | 'unmounting' | 'withdrawn' | 'ended';

/** What `inspect` shows of a mount. */
export interface MountView {
  readonly state: State;
  /** `my-cluster:storage.0`; empty before the journal is known. */
  readonly fsName: string;
  readonly jid: number;
  /** Open files, calls under way, inodes in memory, cached blocks. */
  readonly descriptors: number;
  readonly operations: number;
  /** This node or another one has stopped all changes. */
  readonly isFrozen: boolean;
  readonly inodes: number;
  readonly blocks: number;
  readonly log: LogView;
  readonly statfs: StatfsChange;
  readonly glocks: readonly GlockView[];
}

/** Bytes of the largest write that is kept without new memory. */
const MAX_WRITE_KEPT = 65_536;

/** A mount from its first step to its last: puts the parts together and passes inputs to them. */
export class MountPoint implements FileSystem {
  readonly core: Core;
  readonly inodes: Inodes;
  readonly rgrps: ResourceGroups;
  readonly statfs: Statfs;
  readonly quotaChanges: QuotaChanges;
  readonly formalNumbers: FormalNumbers;
  readonly posixLocks: PosixLocks;
  readonly closing: Signal = new Signal();
  readonly caller: Caller = ROOT;
  #system: SystemFiles | undefined;
  readonly #descriptors = new Descriptors();
  readonly #hold: MountHold = { holders: [], inodes: [], journals: [] };
  readonly #operations = new Map<number, TaskId>();
  readonly #recoveries: Recoveries;
  readonly #freezer: Freezer;
  /** Told whenever the DLM has answered. */
  readonly #answered = new Signal();
  /** Memory for the bytes of a small write, and the call that uses it. */
  #written: Uint8Array | undefined = undefined;
  #writer: number | undefined = undefined;
  #state: State = 'idle';
  #emit: (output: Gfs2Output) => void = () => {};

  constructor(config: CoreConfig, options: MountOptions) {
    this.core = new Core(
      config,
      options,
      {
        sync: (glock) => this.#sync(glock),
        invalidated: (glock, isMetadataKept) => this.#invalidate(glock, isMetadataKept),
        wanted: (glock, state) => this.#onWanted(glock, state),
        durable: () => discardFreed(this),
        committed: (space) => this.#onCommitted(space),
        header: () => this.#header(),
        withdraw: (reason) => this.#withdraw(reason),
      },
      (output) => this.#emit(output),
    );
    this.core.isReadOnly = options.isReadOnly;
    this.#recoveries = new Recoveries(this.core.scheduler);
    this.#freezer = new Freezer(this, this.#hold);
    this.inodes = new Inodes(this.core);
    this.inodes.evict = (inode) => evictInode(this, inode);
    this.inodes.readAcl = (inode) => instantiateAcl(this, inode);
    this.inodes.resumeTruncate = (inode) => finishTruncate(this, inode);
    this.statfs = new Statfs(this.core, this.inodes);
    this.quotaChanges = new QuotaChanges(this.core);
    this.rgrps = new ResourceGroups(this.core, this.statfs, this.quotaChanges);
    this.rgrps.readIndex = () => updateRindex(this);
    this.rgrps.reclaim = (addr) => this.core.scheduler.start(reclaimInode(this, addr, 0));
    this.formalNumbers = new FormalNumbers(this.core, this.inodes);
    this.posixLocks = new PosixLocks(this.core.scheduler, (call) => this.#askPlock(call));
  }

  get system(): SystemFiles {
    return this.#system!;
  }

  set system(files: SystemFiles) {
    this.#system = files;
  }

  step(now: Nanos, input: Gfs2Input, emit: (output: Gfs2Output) => void): void {
    const { core } = this;
    core.scheduler.now = now;
    this.#emit = emit;
    switch (input.kind) {
      case 'mount':
        this.#onMount(input);
        break;
      case 'abort-mount':
        this.#onAbortMount();
        break;
      case 'unmount':
        this.#onUnmount(input.isLast);
        break;
      case 'io-done':
        core.disk.complete(input);
        break;
      case 'lock-cast':
        core.locks.input(input);
        core.scheduler.notify(this.#answered);
        break;
      case 'lock-bast':
      case 'call-refused':
      case 'block-locks':
        core.locks.input(input);
        break;
      case 'recover-journal':
        this.#onRecoverJournal(input.jid);
        break;
      case 'operation':
        this.#onOperation(input);
        break;
      case 'process-killed':
        this.posixLocks.killed(input.process);
        break;
      case 'plock-done':
        this.posixLocks.done(input);
        break;
      case 'clock-step':
        core.setWall(input.wall);
        break;
      case 'wake':
        core.locks.input({ kind: 'wake' });
        core.scheduler.wake();
        break;
    }
    core.scheduler.drain();
    if (this.#operations.size === 0) core.cache.sweep();
  }

  deadline(): Nanos {
    return Math.min(this.core.scheduler.deadline(), this.core.glocks.deadline());
  }

  inspect(): MountView {
    const { core } = this;
    return {
      state: this.#state,
      fsName: core.fsName,
      jid: core.jid,
      descriptors: this.#descriptors.size,
      operations: this.#operations.size,
      isFrozen: this.#freezer.isFrozen,
      inodes: this.inodes.size,
      blocks: core.cache.size,
      log: core.log.inspect(),
      statfs: this.statfs.figures,
      glocks: core.glocks.inspect(),
    };
  }

  #onMount({ jid, isFirst, wall }: Extract<Gfs2Input, { kind: 'mount' }>): void {
    const { core } = this;
    core.jid = jid;
    core.setWall(wall);
    this.#state = 'mounting';
    core.config.observe?.({ kind: 'gfs2.mounting', now: core.now, jid });
    core.scheduler.start(this.#mount(isFirst));
  }

  *#mount(isFirst: boolean): Task {
    const { core } = this;
    try {
      const firstDone = (): void => this.#emit({ kind: 'first-done' });
      yield* mountFileSystem({ fs: this, hold: this.#hold, isFirst, firstDone });
    } catch (error) {
      const refusal = asMountRefusal(error);
      if (refusal === undefined) throw error;
      core.print('err', refusal.text);
      yield* giveBackLocks(this, this.#hold, this.#answered);
      this.#state = 'ended';
      this.#emit({ kind: 'mount-failed', errno: refusal.errno, text: refusal.text });
      return;
    }
    this.#state = 'mounted';
    this.#freezer.giveWayIfAsked();
    core.config.observe?.({ kind: 'gfs2.mounted', now: core.now, jid: core.jid, isFirst });
    this.#emit({ kind: 'mounted' });
  }

  /** Its locks go with the lockspace: those that it waits for would never be answered. */
  #onAbortMount(): void {
    if (this.#state !== 'mounting') return;
    const { core } = this;
    const text = 'gave up the mount: nobody is left who could replay the journals of dead nodes';
    core.print('err', text);
    core.scheduler.cancelAll();
    this.#state = 'ended';
    this.#emit({ kind: 'mount-failed', errno: 'EIO', text });
  }

  #onUnmount(isLast: boolean): void {
    // A call under way holds the mount as an open file does: on a path, or on its way to a descriptor.
    const isBusy = this.#descriptors.size > 0 || this.#operations.size > 0 || this.#freezer.isFrozen;
    if (isBusy && this.#state === 'mounted') {
      this.#emit({ kind: 'unmount-failed', errno: 'EBUSY' });
      return;
    }
    if (this.#state === 'mounted') {
      this.#state = 'unmounting';
      this.core.scheduler.start(this.#unmount(isLast));
    } else if (this.#state === 'withdrawn') {
      this.#state = 'ended';
      this.#emit({ kind: 'unmounted' });
    }
  }

  *#unmount(isLast: boolean): Task {
    const { core } = this;
    yield* unmountFileSystem({
      fs: this,
      hold: this.#hold,
      isLast,
      recoveries: this.#recoveries,
      answered: this.#answered,
    });
    this.#state = 'ended';
    core.config.observe?.({ kind: 'gfs2.unmounted', now: core.now, jid: core.jid });
    this.#emit({ kind: 'unmounted' });
  }

  #onRecoverJournal(jid: number): void {
    const isInUse = this.#state === 'mounted' || this.#state === 'unmounting';
    if (isInUse && this.#recoveries.isOpen) this.#recoveries.start(this.#recover(jid));
    else this.#emit({ kind: 'recovered', jid, result: 'failed' });
  }

  *#recover(jid: number): Task {
    const { journals } = this.#hold;
    let result: RecoveryResult = 'failed';
    try {
      if (journals[jid] === undefined) yield* findNewJournals(this, this.#hold);
      if (journals[jid] !== undefined) result = yield* recoverJournal(this, journals[jid]);
    } catch (error) {
      if (!(error instanceof Refusal) && !(error instanceof MountRefusal)) throw error;
    }
    this.#emit({ kind: 'recovered', jid, result });
  }

  #onOperation({ id, operation, process = 0, caller }: Extract<Gfs2Input, { kind: 'operation' }>): void {
    if (this.#state !== 'mounted') {
      this.#emit({ kind: 'result', id, result: this.#state === 'withdrawn' ? 'EIO' : 'ENODEV' });
      return;
    }
    const result = this.#performNow(operation, caller);
    if (result !== undefined) {
      this.#emit({ kind: 'result', id, result });
      return;
    }
    // Lent bytes are kept: the operation may have to wait.
    const kept = 'bytes' in operation ? { ...operation, bytes: this.#keep(id, operation) } : operation;
    const task = this.core.scheduler.start(this.#perform(id, kept, process, caller), () => this.#onOperationEnded(id));
    this.#operations.set(id, task);
  }

  /** A copy of what a call hands over; that of a small write, where no other is under way, is in memory used again and again. */
  #keep(id: number, { kind, bytes }: Extract<Operation, { bytes: Uint8Array }>): Uint8Array {
    const isWrite = kind === 'append' || kind === 'pwrite';
    if (!isWrite || bytes.length > MAX_WRITE_KEPT || this.#writer !== undefined) return bytes.slice();
    this.#written ??= new Uint8Array(MAX_WRITE_KEPT);
    this.#written.set(bytes);
    this.#writer = id;
    return this.#written.subarray(0, bytes.length);
  }

  /** Undefined when it has to be a task. */
  #performNow(operation: Operation, caller: Caller | undefined): OperationResult | undefined {
    if (this.#freezer.isFrozen) return undefined;
    try {
      return performNow(caller === undefined ? this : onBehalfOf(this, caller), this.#descriptors, operation);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return error.errno;
    }
  }

  *#perform(id: number, operation: Operation, process: number, caller: Caller | undefined): Task {
    let result: OperationResult;
    const freezer = this.#freezer;
    const isWriter = isChanging(operation);
    if (isWriter) yield* freezer.enter();
    try {
      const fs = caller === undefined ? this : onBehalfOf(this, caller);
      const isFreezing = operation.kind === 'freeze' || operation.kind === 'thaw';
      result = yield* isFreezing
        ? freezeOrThaw(fs, freezer, operation.kind)
        : perform(fs, this.#descriptors, operation, process);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      result = error.errno;
    } finally {
      if (isWriter) freezer.leave();
    }
    this.#operations.delete(id);
    this.#emit({ kind: 'result', id, result });
  }

  /** Posix locks are dlm_controld's; without a DLM nobody has them. */
  #askPlock(call: PlockCall): void {
    if (this.core.config.protocol === 'lock_dlm') this.#emit(call);
    else if (!call.isClose) this.posixLocks.done({ kind: 'plock-done', id: call.id, result: 'ENOLCK' });
  }

  /** An operation that was cancelled has not said what became of it. */
  #onOperationEnded(id: number): void {
    if (this.#writer === id) this.#writer = undefined;
    if (this.#operations.delete(id)) this.#emit({ kind: 'result', id, result: 'EIO' });
  }

  /** Brings what a glock protects to stable storage before another node may have it (`inode_go_sync`, `rgrp_go_sync`). */
  *#sync(glock: Glock): Task {
    const flag = glock.type === GlockType.rgrp ? LOG_HEAD.LFC_RGRP_GO_SYNC : LOG_HEAD.LFC_INODE_GO_SYNC;
    yield* this.core.log.sync(glock.space, flag);
  }

  #invalidate(glock: Glock, isMetadataKept: boolean): void {
    if (!isMetadataKept) this.core.cache.invalidate(glock.space);
    if (glock.type === GlockType.rgrp) this.rgrps.invalidated(glock.number);
    else if (glock === this.#system?.rindex.glock) this.rgrps.isIndexStale = true;
  }

  #onWanted(glock: Glock, state: GlockState): void {
    if (glock.type === GlockType.iopen && state === 'UN') {
      const inode = this.inodes.find(glock.number);
      if (inode !== undefined) onIopenWanted(this, inode);
    } else if (glock.type === GlockType.inode) {
      const upgrading = this.inodes.find(glock.number)?.upgrading;
      if (upgrading !== undefined) this.core.locks.poke(upgrading);
    } else if (glock.type === GlockType.nondisk && glock.number === NondiskLock.live) {
      this.core.print('info', 'some node has withdrawn');
    } else if (glock.type === GlockType.nondisk && glock.number === NondiskLock.freeze) {
      if (this.#state === 'mounted') this.#freezer.giveWayIfAsked();
    }
  }

  #onCommitted(space: AddressSpace): void {
    if (space.type === GlockType.rgrp) this.rgrps.committed(space);
  }

  #header(): {
    statfsAddr: number;
    quotaAddr: number;
    localTotal: number;
    localFree: number;
    localDinodes: number;
  } {
    const { total, free, dinodes } = this.statfs.local;
    return {
      statfsAddr: this.system.statfsChanges.get(this.core.jid)!.addr,
      quotaAddr: this.system.quotaChange.addr,
      localTotal: total,
      localFree: free,
      localDinodes: dinodes,
    };
  }

  /** Something is wrong on the disk or with it: this node stops using the file system (`gfs2_withdraw`). */
  #withdraw(reason: string): void {
    const { core } = this;
    if (core.isWithdrawn) return;
    core.isWithdrawn = true;
    core.print('err', reason);
    core.print('err', 'about to withdraw this file system');
    core.disk.isCut = true;
    core.log.kill();
    const wasMounting = this.#state === 'mounting';
    this.#state = 'withdrawn';
    core.scheduler.cancelAll();
    core.scheduler.start(this.#endWithdraw(reason));
    if (wasMounting) this.#emit({ kind: 'mount-failed', errno: 'EIO', text: reason });
  }

  /** With the journal's lock given back the others can replay it. */
  *#endWithdraw(reason: string): Task {
    const { core } = this;
    const journal = core.jid;
    for (const holder of [...this.#hold.holders]) {
      const isJournal = holder.glock.type === GlockType.journal && holder.glock.number === journal;
      const isInode = holder.glock.number === this.#hold.journals[journal]?.inode.addr;
      if (isJournal || isInode) core.locks.release(holder);
    }
    core.print('err', core.config.era === 'rhel6' ? 'telling LM to unmount' : 'withdrawn');
    core.config.observe?.({ kind: 'gfs2.withdrawn', now: core.now, jid: journal, reason });
    this.#emit({ kind: 'withdrawn', reason });
    yield* wait(new Signal());
  }
}
