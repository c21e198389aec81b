import type { Observe } from './fact.js';
import type { Nanos } from './machine.js';
import type { Task } from './task.js';

/** Why a call of the operating system was refused, by the name that programmers know. */
export type Errno =
  | 'E2BIG'
  | 'EACCES'
  | 'EADDRINUSE'
  | 'EAGAIN'
  | 'EBADF'
  | 'EBADR'
  | 'EBUSY'
  | 'ECONNREFUSED'
  | 'ECONNRESET'
  | 'EDEADLK'
  | 'EDQUOT'
  | 'EEXIST'
  | 'EFBIG'
  | 'EHOSTUNREACH'
  | 'EINTR'
  | 'EINVAL'
  | 'EIO'
  | 'EISDIR'
  | 'EMLINK'
  | 'ENAMETOOLONG'
  | 'ENETDOWN'
  | 'ENETUNREACH'
  | 'ENODATA'
  | 'ENODEV'
  | 'ENOENT'
  | 'ENOEXEC'
  | 'ENOLCK'
  | 'ENOSPC'
  | 'ENOSYS'
  | 'ENOTCONN'
  | 'ENOTDIR'
  | 'ENOTEMPTY'
  | 'ENXIO'
  | 'EOPNOTSUPP'
  | 'EPERM'
  | 'EPIPE'
  | 'EPROTO'
  | 'ERANGE'
  | 'EROFS'
  | 'ESRCH'
  | 'ESTALE'
  | 'ETIMEDOUT'
  | 'EUSERS'
  | 'EXDEV';

/** How a program ended, and what it printed. */
export interface ProgramResult {
  /** Exit status 0..255; 128 + the signal's number if it was killed. */
  readonly status: number;
  readonly output: string;
  readonly errors: string;
}

/** Seconds and nanoseconds since 1970-01-01 00:00 UTC. */
export interface WallTime {
  readonly sec: number;
  readonly nsec: number;
}

/** One line of `ps`. */
export interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly argv: readonly string[];
  /** Wall clock second of its start. */
  readonly startedAt: number;
}

export interface InterfaceInfo {
  /** `eth0`. */
  readonly name: string;
  /** `00:15:5d:4c:4a:01`. */
  readonly mac: string;
  /** Administratively up (`ifconfig eth0 up`). */
  readonly isUp: boolean;
  /** There is a link at the other end of the cable. */
  readonly hasCarrier: boolean;
  /** Addresses with prefix length, the first one primary: `10.156.76.74/22`. */
  readonly addresses: readonly string[];
}

export interface MountInfo {
  readonly device: string;
  readonly directory: string;
  readonly type: string;
  readonly options: string;
}

/** An advisory lock: flock(2) on the whole file, or fcntl(2) on bytes from `start` on, without `length` to its end. */
export interface FileLock {
  readonly kind: 'flock' | 'posix';
  readonly isExclusive: boolean;
  readonly isWaiting: boolean;
  readonly start?: number;
  readonly length?: number;
}

/** An open file with a lock on it. */
export interface LockedFile {
  readonly directory: string;
  readonly fd: number;
}

export interface FileInfo {
  readonly type: 'file' | 'directory' | 'symlink';
  readonly inode: number;
  readonly mode: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  readonly size: number;
  /** Seconds. */
  readonly modifiedAt: number;
  /** The three times, where the file system has them. */
  readonly times?: FileTimes;
}

/** When a file was read, when its content changed, and when anything of it did. */
export interface FileTimes {
  readonly accessed: WallTime;
  readonly modified: WallTime;
  readonly changed: WallTime;
}

/** How full a file system is. */
export interface FileSystemSpace {
  readonly blockSize: number;
  readonly blocks: number;
  readonly freeBlocks: number;
  /** Files and directories. */
  readonly inodes: number;
}

export interface ScsiReply {
  /** SCSI status byte: 0 GOOD, 2 CHECK CONDITION, 0x18 RESERVATION CONFLICT, …; -1 when the path to the disk is gone. */
  readonly status: number;
  /** Fixed or descriptor format sense data; empty unless CHECK CONDITION. */
  readonly sense: Uint8Array;
  /** Data-In. */
  readonly data: Uint8Array;
}

export type LogPriority = 'emerg' | 'alert' | 'crit' | 'err' | 'warning' | 'notice' | 'info' | 'debug';

/** A file descriptor of a socket. */
export type Socket = number;

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** What it can read from standard input. */
  readonly input?: string;
  /** Killed with SIGKILL after that long. */
  readonly timeout?: Nanos;
  /** Where it begins; that of the process which starts it unless told. */
  readonly directory?: string;
}

/**
 * What a machine offers to a process that runs on it. `node` implements it; a test hands in a fake.
 *
 * Calls that can take time are tasks (`yield* os.sleep(SECOND)`). A call that is refused gives an `Errno` in place
 * of its result and changes nothing.
 */
export interface Os {
  readonly hostname: string;
  readonly pid: number;
  readonly environment: Readonly<Record<string, string>>;
  /** All of standard input. */
  readonly input: string;
  /** Where paths begin that do not begin with a slash; absolute. */
  readonly directory: string;

  print(text: string): void;
  printError(text: string): void;
  log(priority: LogPriority, tag: string, text: string): void;

  now(): Nanos;
  wall(): WallTime;
  /** Since the boot. */
  uptime(): Nanos;
  sleep(duration: Nanos): Task;

  /** Runs a program to its end. A name that no program has gives status 127 and a shell's message. */
  run(argv: readonly string[], options?: RunOptions): Task<ProgramResult>;
  /** Starts a program and does not wait for it. */
  spawn(argv: readonly string[], options?: RunOptions): number | Errno;
  kill(pid: number, signal: number): Errno | undefined;
  /**
   * From now on this signal does not end the process: it gives up whatever it is doing and does this, whose result is its exit
   * status. Meanwhile it ignores all signals but SIGKILL (9), which nothing holds off.
   */
  trap(signal: number, act: () => Task<number>): void;
  processes(): readonly ProcessInfo[];

  readFile(path: string): Task<Uint8Array | Errno>;
  /** Creates the file if need be; replaces its content unless `append`. Returns the number of bytes written. */
  writeFile(path: string, bytes: Uint8Array, options?: { readonly append?: boolean }): Task<number | Errno>;
  /**
   * Waits until what a file has is on stable storage, as fsync(2) does; of the directory that a file system is mounted on, until all that
   * this node has changed there is, as syncfs(2).
   */
  sync(path: string): Task<Errno | undefined>;
  /**
   * Takes an advisory lock on a file of a mounted file system, which is made if it is not there. Waits for it, or gives EAGAIN. It is
   * held until `unlockFile`, or the end of the process.
   */
  lockFile(path: string, lock: FileLock): Task<LockedFile | Errno>;
  unlockFile(file: LockedFile): Task<Errno | undefined>;
  remove(path: string): Task<Errno | undefined>;
  rename(from: string, to: string): Task<Errno | undefined>;
  makeDirectory(path: string): Task<Errno | undefined>;
  removeDirectory(path: string): Task<Errno | undefined>;
  /** Names in the directory, without `.` and `..`, in the order of the file system. */
  list(path: string): Task<readonly string[] | Errno>;
  /** Of what a symbolic link names, unless told. */
  stat(path: string, isLinkFollowed?: boolean): Task<FileInfo | Errno>;
  /** Makes a symbolic link. EPERM where the file system has none. */
  makeSymlink(target: string, path: string): Task<Errno | undefined>;
  /** What a symbolic link names; EINVAL for another file. */
  readLink(path: string): Task<{ readonly target: string } | Errno>;
  /** Paths begin there from now on, also those of programs that are run later. */
  changeDirectory(path: string): Task<Errno | undefined>;

  mounts(): readonly MountInfo[];
  /** How full the file system is that a path lies in; ENOSYS for the root, which takes what memory there is. */
  space(path: string): Task<FileSystemSpace | Errno>;
  mount(device: string, directory: string, type: string, options: string): Task<Errno | undefined>;
  unmount(directory: string): Task<Errno | undefined>;

  /** Sends one command to a SCSI disk. Unit attentions are reported as they come. */
  scsi(device: string, cdb: Uint8Array, data?: Uint8Array): Task<ScsiReply | Errno>;

  interfaces(): readonly InterfaceInfo[];
  setInterface(name: string, isUp: boolean): Errno | undefined;
  addAddress(name: string, address: string): Errno | undefined;
  deleteAddress(name: string, address: string): Errno | undefined;
  /** One ICMP echo; the round trip time, or why there was no answer. */
  echo(
    address: string,
    options: { readonly ttl: number; readonly timeout: Nanos; readonly seq: number },
  ): Task<Nanos | Errno>;
  /** Tells everybody on the link who has this address now (an ARP request for oneself). */
  announce(name: string, address: string): Errno | undefined;

  /** Waits for connections on a port of every address. */
  listen(port: number): Socket | Errno;
  accept(listener: Socket): Task<Socket | Errno>;
  connect(address: string, port: number, timeout: Nanos): Task<Socket | Errno>;
  /** The next bytes of the stream; empty at its end. */
  receive(socket: Socket): Task<Uint8Array | Errno>;
  send(socket: Socket, bytes: Uint8Array): Task<Errno | undefined>;
  close(socket: Socket): void;

  /** Asks a daemon on this machine, as its tools do through its local socket. Typed by the daemon's own client. */
  call(daemon: string, request: unknown): Task<unknown>;

  /** Tells a fact of the program to whoever watches the machine; undefined when nobody does. */
  readonly observe?: Observe | undefined;

  /** Stops the machine at once, as the kernel does; programs that want an orderly end run `shutdown`. */
  halt(how: 'poweroff' | 'reboot'): void;
}

/** A program: what it prints goes through `os`, what it returns is its exit status. */
export type Program = (argv: readonly string[], os: Os) => Task<number>;

/** Whether the result of a call is an error. */
export function isErrno(result: unknown): result is Errno {
  return typeof result === 'string';
}
