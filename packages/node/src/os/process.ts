import type {
  Errno,
  FileInfo,
  FileLock,
  FileSystemSpace,
  InterfaceInfo,
  LockedFile,
  LogPriority,
  MountInfo,
  Nanos,
  Observe,
  Os,
  ProcessInfo,
  ProgramResult,
  RunOptions,
  ScsiReply,
  Socket,
  Task,
  WallTime,
} from '@quorate/kernel';
import { isErrno, sleep } from '@quorate/kernel';
import { absolutePath } from './files.js';
import * as mounted from './mounted-files.js';
import { isNfs, NfsFiles } from './nfs/nfs-files.js';
import type { OperatingSystem } from './operating-system.js';
import type { SystemCall } from './system-call.js';

/** Hands one call to the operating system and waits for its answer. */
function* call<Result>(request: SystemCall): Task<Result> {
  return (yield request) as Result;
}

function* refused(errno: Errno): Task<Errno> {
  return errno;
}

/** One running program: its view of the machine, and what it has printed. */
export class Process implements Os {
  readonly pid: number;
  /** Init's once that process has ended. */
  parent: number;
  readonly argv: readonly string[];
  readonly startedAt: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly input: string;
  readonly hostname: string;
  #directory: string;
  readonly #system: OperatingSystem;
  #output = '';
  #errors = '';

  constructor(system: OperatingSystem, pid: number, parent: number, argv: readonly string[], options: RunOptions) {
    this.#system = system;
    this.pid = pid;
    this.parent = parent;
    this.argv = argv;
    this.startedAt = system.wall().sec;
    this.environment = options.environment ?? {};
    this.input = options.input ?? '';
    this.hostname = system.hostname;
    this.#directory = options.directory ?? '/';
  }

  get directory(): string {
    return this.#directory;
  }

  get output(): string {
    return this.#output;
  }

  get errors(): string {
    return this.#errors;
  }

  print(text: string): void {
    this.#output += text;
  }

  printError(text: string): void {
    this.#errors += text;
  }

  log(priority: LogPriority, tag: string, text: string): void {
    this.#system.log(priority, tag, text);
  }

  now(): Nanos {
    return this.#system.now();
  }

  wall(): WallTime {
    return this.#system.wall();
  }

  uptime(): Nanos {
    return this.#system.uptime();
  }

  sleep(duration: Nanos): Task {
    return sleep(duration);
  }

  run(argv: readonly string[], options: RunOptions = {}): Task<ProgramResult> {
    return call({ call: 'run', argv, options });
  }

  spawn(argv: readonly string[], options: RunOptions = {}): number | Errno {
    return this.#system.spawn(argv, options, this.pid);
  }

  kill(pid: number, signal: number): Errno | undefined {
    return this.#system.kill(pid, signal);
  }

  trap(signal: number, act: () => Task<number>): void {
    this.#system.trap(this.pid, signal, act);
  }

  processes(): readonly ProcessInfo[] {
    return this.#system.processes();
  }

  readFile(path: string): Task<Uint8Array | Errno> {
    return this.#at(
      path,
      (files, name) => files.read(name),
      mounted.readFile,
      (served, name) => served.readFile(name),
    );
  }

  writeFile(path: string, bytes: Uint8Array, options: { readonly append?: boolean } = {}): Task<number | Errno> {
    const append = options.append === true;
    return this.#at(
      path,
      (files, name) => files.write(name, bytes, append, this.wall().sec),
      (asked, name) => mounted.writeFile(asked, name, bytes, append),
      (served, name) => served.writeFile(name, bytes, append),
    );
  }

  sync(path: string): Task<Errno | undefined> {
    return this.#at(
      path,
      (files, name) => {
        const found = files.read(name);
        return isErrno(found) ? found : undefined;
      },
      mounted.sync,
      (served, name) => served.sync(name),
    );
  }

  lockFile(path: string, lock: FileLock): Task<LockedFile | Errno> {
    return this.#at<LockedFile | Errno>(
      path,
      () => 'EOPNOTSUPP',
      (asked, name) => mounted.lockFile(asked, name, lock),
      () => refused('ENOLCK'),
    );
  }

  unlockFile({ directory, fd }: LockedFile): Task<Errno | undefined> {
    return mounted.unlockFile({ directory, pid: this.pid }, fd);
  }

  remove(path: string): Task<Errno | undefined> {
    return this.#at(
      path,
      (files, name) => files.remove(name, this.wall().sec),
      mounted.remove,
      (served, name) => served.remove(name),
    );
  }

  *rename(from: string, to: string): Task<Errno | undefined> {
    const [old, name] = [this.#absolute(from), this.#absolute(to)];
    const source = this.#system.mountTable.resolve(old);
    const target = this.#system.mountTable.resolve(name);
    if (source?.mount !== target?.mount) return 'EXDEV';
    if (source === undefined || target === undefined) {
      return this.#system.files.rename(old, name, this.wall().sec);
    }
    if (isNfs(source.mount)) return yield* new NfsFiles(this, source.mount).rename(source.path, target.path);
    return yield* mounted.rename(this.#asked(source), source.path, target.path);
  }

  makeDirectory(path: string): Task<Errno | undefined> {
    return this.#at(
      path,
      (files, name) => files.makeDirectory(name, this.wall().sec),
      mounted.makeDirectory,
      (served, name) => served.makeDirectory(name),
    );
  }

  removeDirectory(path: string): Task<Errno | undefined> {
    return this.#at(
      path,
      (files, name) => files.removeDirectory(name, this.wall().sec),
      mounted.removeDirectory,
      (served, name) => served.removeDirectory(name),
    );
  }

  list(path: string): Task<readonly string[] | Errno> {
    return this.#at(
      path,
      (files, name) => {
        if (files.isDirectory(name)) return files.list(name);
        return typeof files.read(name) === 'string' ? 'ENOENT' : 'ENOTDIR';
      },
      mounted.list,
      (served, name) => served.list(name),
    );
  }

  makeSymlink(target: string, path: string): Task<Errno | undefined> {
    return this.#at<Errno | undefined>(
      path,
      () => 'EPERM',
      (asked, name) => mounted.makeSymlink(asked, target, name),
      () => refused('EPERM'),
    );
  }

  readLink(path: string): Task<{ readonly target: string } | Errno> {
    return this.#at<{ readonly target: string } | Errno>(
      path,
      (files, name) => (isErrno(files.stat(name)) ? 'ENOENT' : 'EINVAL'),
      mounted.readLink,
      () => refused('EINVAL'),
    );
  }

  stat(path: string, isLinkFollowed = true): Task<FileInfo | Errno> {
    return this.#at<FileInfo | Errno>(
      path,
      (files, name) => {
        const found = files.stat(name);
        if (typeof found === 'string') return found;
        const { isDirectory, inode, size, modifiedAt } = found;
        return {
          type: isDirectory ? 'directory' : 'file',
          inode,
          mode: isDirectory ? 0o755 : 0o644,
          links: isDirectory ? 2 : 1,
          uid: 0,
          gid: 0,
          size,
          modifiedAt,
        };
      },
      (asked, name) => mounted.stat(asked, name, isLinkFollowed),
      (served, name) => served.stat(name),
    );
  }

  *changeDirectory(path: string): Task<Errno | undefined> {
    const found = yield* this.stat(path);
    if (typeof found === 'string') return found;
    if (found.type !== 'directory') return 'ENOTDIR';
    this.#directory = this.#absolute(path);
    return undefined;
  }

  space(path: string): Task<FileSystemSpace | Errno> {
    return this.#at<FileSystemSpace | Errno>(
      path,
      () => 'ENOSYS',
      mounted.space,
      () => refused('ENOSYS'),
    );
  }

  mounts(): readonly MountInfo[] {
    return this.#system.mountTable.list();
  }

  mount(device: string, directory: string, type: string, options: string): Task<Errno | undefined> {
    const wanted = { device, directory: this.#absolute(directory), type, options };
    return isNfs(wanted) ? this.#mountNfs(wanted) : call({ call: 'mount', ...wanted });
  }

  /** The kernel's part of it: programs ask the server by themselves. */
  *#mountNfs(wanted: MountInfo): Task<Errno | undefined> {
    const { mountTable } = this.#system;
    if (mountTable.get(wanted.directory) !== undefined) return 'EBUSY';
    const refused = yield* new NfsFiles(this, wanted).mount();
    if (refused === undefined) mountTable.add(wanted);
    return refused;
  }

  unmount(directory: string): Task<Errno | undefined> {
    const path = this.#absolute(directory);
    const mounted = this.#system.mountTable.get(path);
    if (mounted !== undefined && this.#system.isSomebodyIn(path)) return refused('EBUSY');
    if (mounted === undefined || !isNfs(mounted)) return call({ call: 'unmount', directory: path });
    return this.#unmountNfs(path);
  }

  *#unmountNfs(directory: string): Task<Errno | undefined> {
    this.#system.mountTable.remove(directory);
    return undefined;
  }

  scsi(device: string, cdb: Uint8Array, data?: Uint8Array): Task<ScsiReply | Errno> {
    return call({ call: 'scsi', device, cdb, data });
  }

  interfaces(): readonly InterfaceInfo[] {
    return this.#system.interfaces();
  }

  setInterface(name: string, isUp: boolean): Errno | undefined {
    return this.#system.setInterface(name, isUp);
  }

  addAddress(name: string, address: string): Errno | undefined {
    return this.#system.changeAddress('add-address', name, address);
  }

  deleteAddress(name: string, address: string): Errno | undefined {
    return this.#system.changeAddress('delete-address', name, address);
  }

  echo(
    address: string,
    options: { readonly ttl: number; readonly timeout: Nanos; readonly seq: number },
  ): Task<Nanos | Errno> {
    return call({ call: 'echo', address, ...options });
  }

  announce(name: string, address: string): Errno | undefined {
    return this.#system.announce(name, address);
  }

  listen(port: number): Socket | Errno {
    return this.#system.sockets.listen(port, this.pid);
  }

  accept(listener: Socket): Task<Socket | Errno> {
    return call({ call: 'accept', listener });
  }

  connect(address: string, port: number, timeout: Nanos): Task<Socket | Errno> {
    return call({ call: 'connect', address, port, timeout });
  }

  receive(socket: Socket): Task<Uint8Array | Errno> {
    return call({ call: 'receive', socket });
  }

  *send(socket: Socket, bytes: Uint8Array): Task<Errno | undefined> {
    return this.#system.sockets.send(socket, bytes);
  }

  close(socket: Socket): void {
    this.#system.sockets.close(socket);
  }

  call(daemon: string, request: unknown): Task<unknown> {
    return call({ call: 'daemon', daemon, request });
  }

  get observe(): Observe | undefined {
    return this.#system.observe;
  }

  halt(how: 'poweroff' | 'reboot'): void {
    this.#system.halt(how);
  }

  /** Does an operation in the root file system at once, or asks the file system that is mounted there, or who serves it. */
  *#at<Result>(
    path: string,
    local: (files: OperatingSystem['files'], name: string) => Result,
    remote: (asked: mounted.Asked, name: string) => Task<Result>,
    served: (files: NfsFiles, name: string) => Task<Result>,
  ): Task<Result> {
    const name = this.#absolute(path);
    const place = this.#system.mountTable.resolve(name);
    if (place === undefined) return local(this.#system.files, name);
    if (isNfs(place.mount)) return yield* served(new NfsFiles(this, place.mount), place.path);
    return yield* remote(this.#asked(place), place.path);
  }

  #absolute(path: string): string {
    return absolutePath(this.#directory, path);
  }

  #asked({ mount }: { readonly mount: MountInfo }): mounted.Asked {
    return { directory: mount.directory, pid: this.pid };
  }
}
