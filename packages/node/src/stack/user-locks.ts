import { Status } from '@quorate/dlm';
import { type Errno, type Nanos, PENDING, type TaskId } from '@quorate/kernel';
import type { LockManager, LockspaceUser } from './lock-manager.js';
import type { NodeServices } from './services.js';

/** What programs ask of the lock manager, as libdlm does through the lockspace's device. `process` is the caller's pid. */
export type DlmCall =
  /** Opens a lockspace, which is made if need be: answered when it runs, or with an `Errno`. */
  | { readonly kind: 'open'; readonly lockspace: string; readonly process: number }
  /** Asks for a lock, or with CONVERT and its `lkid` for another mode. Answered at once with the lock's id or an `Errno`. */
  | {
      readonly kind: 'lock';
      readonly lockspace: string;
      readonly process: number;
      readonly lkid?: number;
      readonly name: string;
      readonly mode: number;
      readonly flags: number;
      readonly lvb?: Uint8Array;
    }
  /** Answered at once, undefined or with an `Errno`. */
  | {
      readonly kind: 'unlock';
      readonly lockspace: string;
      readonly process: number;
      readonly lkid: number;
      readonly flags: number;
      readonly lvb?: Uint8Array;
    }
  /** The next AST of the caller's locks, a `UserAst`; undefined when none came within `timeout`. */
  | { readonly kind: 'read'; readonly lockspace: string; readonly process: number; readonly timeout?: Nanos }
  /** Unlocks the orphans of all processes of this node. */
  | { readonly kind: 'purge'; readonly lockspace: string; readonly process: number }
  /** Leaves the lockspace: answered when it is left, or with EBUSY while it has locks of this node. Whoever has it open finds it closed. */
  | { readonly kind: 'release'; readonly lockspace: string };

/** What a program reads from the lockspace's device. */
export type UserAst =
  /** Completion. `status` as libdlm gives it; `mode` is the granted one, -1: the lock is gone. */
  | {
      readonly kind: 'cast';
      readonly lkid: number;
      readonly status: number;
      readonly mode: number;
      readonly flags: number;
      readonly lvb: Uint8Array | undefined;
    }
  /** Somebody wants `mode`. */
  | { readonly kind: 'bast'; readonly lkid: number; readonly mode: number }
  /** The call did nothing: no completion comes. */
  | { readonly kind: 'refused'; readonly lkid: number; readonly errno: Errno };

/** A process that has a lockspace open. */
interface Client {
  /** ASTs that it has not read. */
  readonly asts: UserAst[];
  /** Its task that reads, and until when. */
  reader: { readonly task: TaskId; readonly until: Nanos } | undefined;
}

/**
 * The device of a lockspace for programs, `/dev/misc/dlm_NAME`: their calls go to the lock manager, their ASTs come back one by
 * one in order. When a process ends, its locks are unlocked or become orphans.
 *
 * A call that Linux would refuse at once is refused through `read` here: with the lockspace stopped, Linux would keep the caller
 * waiting for it.
 *
 * Source: Linux fs/dlm/user.c.
 */
class LockspaceDevice implements LockspaceUser {
  readonly #services: NodeServices;
  readonly #locks: LockManager;
  readonly #lockspace: string;
  readonly #clients = new Map<number, Client>();
  /** Processes of locks that are not gone. */
  readonly #owners = new Map<number, number>();
  #lastLkid = 0;
  /** Tasks that wait until it runs; undefined once it does, or could not be made. */
  #opening: TaskId[] | undefined = [];
  /** Why it could not be made. */
  #refusal: Errno | undefined;
  /** Tasks that want it left. */
  readonly #releasing: TaskId[] = [];
  /** What came of a release, if that is known at once. */
  #outcome: 'left' | Errno | undefined;
  readonly #onReleased: () => void;

  constructor(services: NodeServices, locks: LockManager, lockspace: string, onReleased: () => void) {
    this.#services = services;
    this.#locks = locks;
    this.#lockspace = lockspace;
    this.#onReleased = onReleased;
  }

  get isRefused(): boolean {
    return this.#refusal !== undefined;
  }

  open(task: TaskId, process: number): unknown {
    if (this.isRefused) return this.#refusal;
    this.#clients.set(process, { asts: [], reader: undefined });
    if (this.#opening === undefined) return undefined;
    this.#opening.push(task);
    return PENDING;
  }

  call(task: TaskId, call: Exclude<DlmCall, { kind: 'open' }>): unknown {
    if (call.kind === 'release') return this.#release(task);
    const client = this.#clients.get(call.process);
    if (client === undefined) return 'EBADF';
    switch (call.kind) {
      case 'lock':
        return this.#lock(call);
      case 'unlock':
        return this.#unlock(call);
      case 'read':
        return this.#read(task, client, call.timeout);
      case 'purge':
        this.#locks.locks({ kind: 'purge', lockspace: this.#lockspace, node: 0, process: 0, by: call.process });
        return undefined;
    }
  }

  processEnded(process: number): void {
    if (!this.#clients.delete(process)) return;
    for (const [lkid, owner] of this.#owners) if (owner === process) this.#owners.delete(lkid);
    this.#locks.locks({ kind: 'process-exit', lockspace: this.#lockspace, process });
  }

  deadline(): Nanos {
    let least = Infinity;
    for (const { reader } of this.#clients.values()) if (reader !== undefined) least = Math.min(least, reader.until);
    return least;
  }

  wakeIfDue(now: Nanos): void {
    for (const client of [...this.#clients.values()]) {
      const { reader } = client;
      if (reader === undefined || reader.until > now) continue;
      client.reader = undefined;
      this.#services.system.reply(reader.task, undefined);
    }
  }

  created(errno: Errno | undefined): void {
    const opening = this.#opening ?? [];
    this.#opening = undefined;
    this.#refusal = errno;
    for (const task of opening) this.#services.system.reply(task, errno);
  }

  cast({ handle, status, mode, flags, lvb }: Parameters<LockspaceUser['cast']>[0]): void {
    const owner = this.#owners.get(handle);
    if (status === Status.EUNLOCK || mode < 0) this.#owners.delete(handle);
    this.#tell(owner, { kind: 'cast', lkid: handle, status, mode, flags, lvb: lvb?.slice() });
  }

  bast(handle: number, mode: number): void {
    this.#tell(this.#owners.get(handle), { kind: 'bast', lkid: handle, mode });
  }

  callRefused(handle: number, errno: Errno): void {
    this.#tell(this.#owners.get(handle), { kind: 'refused', lkid: handle, errno });
  }

  released(): void {
    this.#onReleased();
    for (const { reader } of this.#clients.values()) {
      if (reader !== undefined) this.#services.system.reply(reader.task, 'EBADF');
    }
    this.#clients.clear();
    for (const task of this.#opening?.splice(0) ?? []) this.#services.system.reply(task, 'EBADF');
    this.#outcome = 'left';
    for (const task of this.#releasing.splice(0)) this.#services.system.reply(task, undefined);
  }

  releaseRefused(errno: Errno): void {
    this.#outcome = errno;
    for (const task of this.#releasing.splice(0)) this.#services.system.reply(task, errno);
  }

  #release(task: TaskId): unknown {
    this.#outcome = undefined;
    if (this.#releasing.length === 0) this.#locks.release(this.#lockspace, false);
    if (this.#outcome !== undefined) return this.#outcome === 'left' ? undefined : this.#outcome;
    this.#releasing.push(task);
    return PENDING;
  }

  #lock({ lkid, process, name, mode, flags, lvb }: Extract<DlmCall, { kind: 'lock' }>): number | Errno {
    if (lkid !== undefined && this.#owners.get(lkid) !== process) return 'ENOENT';
    if (lkid === undefined) this.#lastLkid += 1;
    const handle = lkid ?? this.#lastLkid;
    this.#owners.set(handle, process);
    const lockspace = this.#lockspace;
    this.#locks.locks({ kind: 'lock', lockspace, handle, name, mode, flags, process, ...(lvb && { lvb }) });
    return handle;
  }

  #unlock({ lkid, process, flags, lvb }: Extract<DlmCall, { kind: 'unlock' }>): Errno | undefined {
    if (this.#owners.get(lkid) !== process) return 'ENOENT';
    this.#locks.locks({ kind: 'unlock', lockspace: this.#lockspace, handle: lkid, flags, ...(lvb && { lvb }) });
    return undefined;
  }

  #read(task: TaskId, client: Client, timeout = Infinity): unknown {
    const ast = client.asts.shift();
    if (ast !== undefined) return ast;
    client.reader = { task, until: this.#services.now() + timeout };
    return PENDING;
  }

  /** Nobody hears of locks whose process is gone. */
  #tell(process: number | undefined, ast: UserAst): void {
    const client = process === undefined ? undefined : this.#clients.get(process);
    if (client === undefined) return;
    const { reader } = client;
    client.reader = undefined;
    if (reader === undefined) client.asts.push(ast);
    else this.#services.system.reply(reader.task, ast);
  }
}

/** The lockspaces of programs, and those who have them open. */
export class UserLocks {
  readonly #services: NodeServices;
  readonly #locks: LockManager;
  readonly #devices = new Map<string, LockspaceDevice>();

  constructor(services: NodeServices, locks: LockManager) {
    this.#services = services;
    this.#locks = locks;
  }

  call(task: TaskId, call: DlmCall): unknown {
    const device = this.#devices.get(call.lockspace);
    if (call.kind !== 'open') return device === undefined ? 'EBADF' : device.call(task, call);
    if (device?.isRefused === false) return device.open(task, call.process);
    const made = new LockspaceDevice(this.#services, this.#locks, call.lockspace, () => {
      this.#devices.delete(call.lockspace);
    });
    this.#devices.set(call.lockspace, made);
    this.#locks.create(call.lockspace, false, made);
    return made.open(task, call.process);
  }

  processEnded(pid: number): void {
    for (const device of this.#devices.values()) device.processEnded(pid);
  }

  deadline(): Nanos {
    let least = Infinity;
    for (const device of this.#devices.values()) least = Math.min(least, device.deadline());
    return least;
  }

  wakeIfDue(now: Nanos): void {
    for (const device of this.#devices.values()) device.wakeIfDue(now);
  }
}
