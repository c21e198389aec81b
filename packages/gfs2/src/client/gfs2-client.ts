import type { Nanos, Prng, WallTime } from '@quorate/kernel';
import type { Caller } from '../calls/caller.js';
import type {
  DirectoryEntry,
  FallocateMode,
  Fd,
  Growth,
  JournalCounts,
  NewTime,
  OpenFlags,
  Operation,
  OperationResults,
  Stat,
  StatFs,
} from '../calls/operation.js';
import type { LogLine } from '../core.js';
import { Gfs2 } from '../gfs2.js';
import type { Gfs2Input, Gfs2Output } from '../gfs2-ports.js';
import type { Quota } from '../ondisk/accounting.js';
import { SUPERBLOCK_BYTE } from '../ondisk/geometry.js';
import { decodeSuperblock } from '../ondisk/superblock.js';
import type { FsErrno } from '../refusal.js';
import type { ClientDevice } from './device.js';
import { Gfs2Error } from './gfs2-error.js';

export interface ClientOptions {
  /** The wall clock now, for the times of files. */
  readonly wall: WallTime;
  /** Draws what the file system leaves to chance. */
  readonly prng: Prng;
  /** Nanoseconds since any moment, never less than before; without it every file made gets the time of the mount. */
  readonly now?: () => Nanos;
  /** As in `mount -o`: `ro`, `spectator`, `noatime`, … */
  readonly mountOptions?: string;
  /** Who makes the calls; default root, who may do everything. */
  readonly caller?: Caller;
  /** What the kernel would log. */
  readonly log?: (line: LogLine) => void;
}

/** Sizes of what `addJournals` makes, in MiB. */
export interface JournalSizes {
  /** 8 to 1024 */
  readonly journalMiB?: number;
  /** 1 to 64 */
  readonly quotaChangeMiB?: number;
}

type Waiting = { readonly resolve: (result: never) => void; readonly reject: (error: unknown) => void };

/** How much a read of a whole file asks for at once. */
const CHUNK_BYTES = 1 << 20;
const SUPERBLOCK_BYTES = 512;

/**
 * A file system that one program has to itself: mounted without a lock manager, whatever its superblock says, so no node may
 * have it mounted meanwhile. Journals that were left dirty are replayed by the mount.
 *
 * Calls may overlap. Changes are on the disk after `sync`, `unmount`, or the `fsync` of a file; there is no timer that writes
 * them out. Calls that the file system refuses reject with a `Gfs2Error`; when the device rejects, so does what waited for it.
 */
export class Gfs2Client {
  readonly #device: ClientDevice;
  readonly #gfs2: Gfs2;
  readonly #blockSize: number;
  readonly #now: () => Nanos;
  readonly #log: ((line: LogLine) => void) | undefined;
  readonly #caller: Caller | undefined;
  readonly #calls = new Map<number, Waiting & { readonly what: string }>();
  #mounting: Waiting | undefined;
  #unmounting: Waiting | undefined;
  #lastId = 0;
  /** Inputs that came while the machine was stepped. */
  readonly #inputs: Gfs2Input[] = [];
  #isStepping = false;
  /** Why the device rejected, the first time. */
  #failure: unknown;

  private constructor(device: ClientDevice, blockSize: number, options: ClientOptions) {
    const { prng, now = () => 0, log, caller } = options;
    this.#device = device;
    this.#blockSize = blockSize;
    this.#gfs2 = new Gfs2({ blockSize, protocol: 'lock_nolock', era: 'modern', prng });
    this.#now = now;
    this.#log = log;
    this.#caller = caller;
  }

  /** @throws {Gfs2Error} EINVAL for a device without a file system or a wrong option, EIO, EROFS, … from the mount. */
  static async mount(device: ClientDevice, options: ClientOptions): Promise<Gfs2Client> {
    const isLargeEnough = device.sizeBytes >= SUPERBLOCK_BYTE + SUPERBLOCK_BYTES;
    const superblock = isLargeEnough
      ? decodeSuperblock(await device.read(SUPERBLOCK_BYTE, SUPERBLOCK_BYTES))
      : undefined;
    if (superblock === undefined) throw new Gfs2Error('EINVAL', 'the device has no GFS2 superblock');
    const client = new Gfs2Client(device, superblock.blockSize, options);
    await client.#mount(options);
    return client;
  }

  // Whole files

  async readFile(path: string): Promise<Uint8Array> {
    const file = await this.open(path);
    try {
      const { size } = await file.stat();
      const content = new Uint8Array(size);
      for (let at = 0; at < size; ) {
        const part = await file.read(at, Math.min(CHUNK_BYTES, size - at));
        if (part.length === 0) return content.subarray(0, at);
        content.set(part, at);
        at += part.length;
      }
      return content;
    } finally {
      await file.close();
    }
  }

  /** Makes the file, or replaces what is in it. */
  async writeFile(path: string, content: Uint8Array, mode?: number): Promise<void> {
    const file = await this.open(path, { write: true, create: true, truncate: true }, mode);
    try {
      for (let at = 0; at < content.length; at += CHUNK_BYTES) {
        await file.write(at, content.subarray(at, at + CHUNK_BYTES));
      }
    } finally {
      await file.close();
    }
  }

  async appendFile(path: string, content: Uint8Array): Promise<void> {
    const file = await this.open(path, { write: true, create: true, append: true });
    try {
      await file.append(content);
    } finally {
      await file.close();
    }
  }

  async open(path: string, flags: OpenFlags = {}, mode?: number): Promise<Gfs2File> {
    const fd = await this.call({ kind: 'open', path, flags, ...(mode !== undefined && { mode }) }, path);
    return new Gfs2File(this, fd, path);
  }

  // Paths

  /** Follows symbolic links. */
  stat(path: string): Promise<Stat> {
    return this.call({ kind: 'stat', path }, path);
  }

  lstat(path: string): Promise<Stat> {
    return this.call({ kind: 'lstat', path }, path);
  }

  /** Without `.` and `..`, in the order of the kernel's readdir. */
  readdir(path: string): Promise<readonly DirectoryEntry[]> {
    return this.call({ kind: 'readdir', path }, path);
  }

  mkdir(path: string, mode?: number): Promise<void> {
    return this.call({ kind: 'mkdir', path, ...(mode !== undefined && { mode }) }, path);
  }

  rmdir(path: string): Promise<void> {
    return this.call({ kind: 'rmdir', path }, path);
  }

  unlink(path: string): Promise<void> {
    return this.call({ kind: 'unlink', path }, path);
  }

  rename(from: string, to: string): Promise<void> {
    return this.call({ kind: 'rename', from, to }, `${from} ${to}`);
  }

  link(from: string, to: string): Promise<void> {
    return this.call({ kind: 'link', from, to }, `${from} ${to}`);
  }

  symlink(target: string, path: string): Promise<void> {
    return this.call({ kind: 'symlink', target, path }, path);
  }

  async readlink(path: string): Promise<string> {
    return (await this.call({ kind: 'readlink', path }, path)).target;
  }

  chmod(path: string, mode: number): Promise<void> {
    return this.call({ kind: 'chmod', path, mode }, path);
  }

  chown(path: string, owner: { readonly uid?: number; readonly gid?: number }): Promise<void> {
    return this.call({ kind: 'chown', path, ...owner }, path);
  }

  /** Sets the times of access and of change; what is absent stays. */
  utimes(path: string, times: { readonly atime?: NewTime; readonly mtime?: NewTime }): Promise<void> {
    return this.call({ kind: 'utimes', path, ...times }, path);
  }

  /** Makes a fifo, a socket or a device node: type bits and permissions in `mode`. */
  mknod(path: string, mode: number, major = 0, minor = 0): Promise<void> {
    return this.call({ kind: 'mknod', path, mode, major, minor }, path);
  }

  // Extended attributes, by name with prefix: `user.note`

  getXattr(path: string, name: string): Promise<Uint8Array> {
    return this.call({ kind: 'getxattr', path, name }, `${path} ${name}`);
  }

  listXattrs(path: string): Promise<readonly string[]> {
    return this.call({ kind: 'listxattr', path }, path);
  }

  setXattr(path: string, name: string, value: Uint8Array, how?: 'create' | 'replace'): Promise<void> {
    const operation = { kind: 'setxattr', path, name, bytes: value, ...(how !== undefined && { how }) } as const;
    return this.call(operation, `${path} ${name}`);
  }

  removeXattr(path: string, name: string): Promise<void> {
    return this.call({ kind: 'removexattr', path, name }, `${path} ${name}`);
  }

  // The file system

  statfs(): Promise<StatFs> {
    return this.call({ kind: 'statfs' }, 'the file system');
  }

  /** Stops changes, and leaves the device as if it were unmounted: for who takes a copy of it. Changes wait for `thaw`. */
  freeze(): Promise<void> {
    return this.call({ kind: 'freeze' }, 'the file system');
  }

  thaw(): Promise<void> {
    return this.call({ kind: 'thaw' }, 'the file system');
  }

  /** What a user or group has and may have, in blocks. Counted when it is mounted with `quota=account` or `quota=on`. */
  quota(of: 'user' | 'group', id: number): Promise<Quota> {
    return this.call({ kind: 'getquota', of, id }, `${of} ${id}`);
  }

  /** Sets a limit in blocks; 0 is none. It holds with `quota=on`. */
  setQuota(of: 'user' | 'group', id: number, limit: number): Promise<void> {
    return this.call({ kind: 'setquota', of, id, limit }, `${of} ${id}`);
  }

  /** Tells the device which blocks are free, and gives their bytes; runs shorter than `minLength` bytes are left alone. */
  trim(minLength = 0): Promise<number> {
    return this.call({ kind: 'trim', minLength }, 'the file system');
  }

  /** Takes what the device has become larger by since it was formatted, or since the last time. */
  grow(): Promise<Growth> {
    const deviceBlocks = Math.floor(this.#device.sizeBytes / this.#blockSize);
    return this.call({ kind: 'grow', deviceBlocks }, 'the file system');
  }

  /** Makes it possible for `count` more nodes to mount; journals have 128 MiB, files of quota changes 1, unless it is said. */
  addJournals(count: number, { journalMiB = 128, quotaChangeMiB = 1 }: JournalSizes = {}): Promise<JournalCounts> {
    return this.call({ kind: 'add-journals', count, journalMiB, quotaChangeMiB }, 'the file system');
  }

  /** Everything that was changed is on the disk, and survives a power cut. */
  sync(): Promise<void> {
    return this.call({ kind: 'sync' }, 'the file system');
  }

  /** @throws {Gfs2Error} EBUSY while files are open. */
  unmount(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#unmounting = { resolve, reject };
      this.#step({ kind: 'unmount', isLast: true });
    });
  }

  /** Any operation of the machine; `what` names its object in an error. */
  call<Kind extends Operation['kind']>(
    operation: Extract<Operation, { kind: Kind }>,
    what: string,
  ): Promise<OperationResults[Kind]> {
    return new Promise((resolve, reject) => {
      this.#lastId += 1;
      this.#calls.set(this.#lastId, { resolve, reject, what: `${operation.kind} ${what}` });
      const caller = this.#caller;
      this.#step({ kind: 'operation', id: this.#lastId, operation, ...(caller !== undefined && { caller }) });
    });
  }

  #mount({ mountOptions = '', wall }: ClientOptions): Promise<void> {
    const options = [mountOptions, 'lockproto=lock_nolock'].filter((option) => option !== '').join();
    return new Promise((resolve, reject) => {
      this.#mounting = { resolve, reject };
      this.#step({ kind: 'mount', jid: 0, isFirst: true, options, wall });
    });
  }

  /** Steps the machine, and wakes it when it is due. */
  #step(input: Gfs2Input): void {
    this.#inputs.push(input);
    if (this.#isStepping) return;
    this.#isStepping = true;
    for (let next = this.#inputs.shift(); next !== undefined; next = this.#inputs.shift()) {
      this.#gfs2.step(this.#now(), next, (output) => this.#onOutput(output));
      if (this.#inputs.length === 0 && this.#gfs2.deadline() <= this.#now()) this.#inputs.push({ kind: 'wake' });
    }
    this.#isStepping = false;
  }

  #onOutput(output: Gfs2Output): void {
    switch (output.kind) {
      case 'read': {
        const length = output.count * this.#blockSize;
        return this.#transfer(output.id, this.#device.read(output.block * this.#blockSize, length));
      }
      case 'write':
        return this.#transfer(output.id, this.#device.write(output.block * this.#blockSize, output.data.slice()));
      case 'discard':
        return this.#discard(output);
      case 'flush':
        return this.#transfer(output.id, this.#device.flush());
      case 'mounted':
        return settle(this.#mounting, undefined);
      case 'mount-failed':
        return this.#mounting?.reject(this.#failure ?? new Gfs2Error(output.errno, output.text));
      case 'unmounted':
        return settle(this.#unmounting, undefined);
      case 'unmount-failed':
        return this.#unmounting?.reject(new Gfs2Error(output.errno, 'unmount: files are open'));
      case 'result':
        return this.#onResult(output.id, output.result);
      case 'withdrawn':
        return this.#onWithdrawn(output.reason);
      case 'log':
        return this.#log?.(output);
      default:
        return undefined;
    }
  }

  #transfer(id: number, done: Promise<Uint8Array | undefined | void>): void {
    done.then(
      (data) => this.#step({ kind: 'io-done', id, ...(data instanceof Uint8Array && { data }) }),
      (error: unknown) => {
        this.#failure ??= error;
        this.#step({ kind: 'io-done', id, error: error instanceof Error ? error.message : String(error) });
      },
    );
  }

  #discard({ id, block, count }: Extract<Gfs2Output, { kind: 'discard' }>): void {
    const done = this.#device.discard?.(block * this.#blockSize, count * this.#blockSize);
    if (done !== undefined) this.#transfer(id, done);
    else this.#step({ kind: 'io-done', id, error: 'EOPNOTSUPP' });
  }

  #onResult(id: number, result: unknown): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    this.#calls.delete(id);
    if (typeof result === 'string') return call.reject(this.#failure ?? new Gfs2Error(result as FsErrno, call.what));
    settle(call, result instanceof Uint8Array ? result.slice() : result);
  }

  /** Nothing that is under way will end. */
  #onWithdrawn(reason: string): void {
    const error = this.#failure ?? new Gfs2Error('EIO', `the file system withdrew: ${reason}`);
    this.#unmounting?.reject(error);
    for (const call of this.#calls.values()) call.reject(error);
    this.#calls.clear();
  }
}

function settle(waiting: Waiting | undefined, result: unknown): void {
  waiting?.resolve(result as never);
}

/** An open file. Offsets and sizes are in bytes. */
export class Gfs2File {
  readonly path: string;
  readonly #client: Gfs2Client;
  readonly #fd: Fd;

  /** Made by `Gfs2Client.open`. */
  constructor(client: Gfs2Client, fd: Fd, path: string) {
    this.#client = client;
    this.#fd = fd;
    this.path = path;
  }

  /** Shorter than asked at the end of the file. */
  read(offset: number, length: number): Promise<Uint8Array> {
    return this.#client.call({ kind: 'pread', fd: this.#fd, offset, length }, this.path);
  }

  write(offset: number, bytes: Uint8Array): Promise<number> {
    return this.#client.call({ kind: 'pwrite', fd: this.#fd, offset, bytes: bytes.slice() }, this.path);
  }

  /** Writes at the end of the file. */
  append(bytes: Uint8Array): Promise<number> {
    return this.#client.call({ kind: 'append', fd: this.#fd, bytes: bytes.slice() }, this.path);
  }

  truncate(size: number): Promise<void> {
    return this.#client.call({ kind: 'ftruncate', fd: this.#fd, size }, this.path);
  }

  /** Gives blocks to holes of a range, or makes it a hole. */
  allocate(offset: number, length: number, how: FallocateMode = 'grow'): Promise<void> {
    return this.#client.call({ kind: 'fallocate', fd: this.#fd, offset, length, how }, this.path);
  }

  stat(): Promise<Stat> {
    return this.#client.call({ kind: 'fstat', fd: this.#fd }, this.path);
  }

  /** What was written to it is on the disk, and survives a power cut. */
  sync(): Promise<void> {
    return this.#client.call({ kind: 'fsync', fd: this.#fd }, this.path);
  }

  /** The same but for its times. */
  datasync(): Promise<void> {
    return this.#client.call({ kind: 'fdatasync', fd: this.#fd }, this.path);
  }

  close(): Promise<void> {
    return this.#client.call({ kind: 'close', fd: this.#fd }, this.path);
  }
}
