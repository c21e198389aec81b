import { type Prng, utf8Bytes } from '@quorate/kernel';
import type { FallocateMode, Operation, OperationResult, OperationResults } from '../src/calls/operation.js';
import { DIF, MODE } from '../src/ondisk/dinode.js';

/** What a file system holds, as plain data. */
type Node =
  | { readonly kind: 'file'; bytes: Uint8Array; links: number; readonly xattrs: Xattrs }
  | { readonly kind: 'directory'; readonly entries: Map<string, Node>; readonly xattrs: Xattrs }
  | { readonly kind: 'special'; readonly mode: number; links: number }
  | { readonly kind: 'symlink'; readonly target: string };

type Xattrs = Map<string, Uint8Array>;

function newDirectory(): Node & { kind: 'directory' } {
  return { kind: 'directory', entries: new Map(), xattrs: new Map() };
}

/** A file system in memory that does what the real one should do, without any of its machinery. */
export class Model {
  readonly root: Node & { kind: 'directory' } = newDirectory();

  /** Changes the model as the operation should change the file system; the errno name if it should be refused. */
  apply(operation: ModelOperation): string | undefined {
    switch (operation.kind) {
      case 'mkdir':
        return this.#add(operation.path, newDirectory());
      case 'symlink':
        return this.#add(operation.path, { kind: 'symlink', target: operation.target });
      case 'write':
        return this.#write(operation.path, operation.offset, operation.bytes);
      case 'truncate':
        return this.#change(operation.path, (bytes) => resized(bytes, operation.size));
      case 'allocate': {
        const { offset, length, how } = operation;
        return this.#change(operation.path, (bytes) => {
          if (how === 'punch-hole') return bytes.fill(0, offset, offset + length);
          return how === 'grow' ? resized(bytes, Math.max(bytes.length, offset + length)) : bytes;
        });
      }
      case 'mknod':
        return this.#add(operation.path, { kind: 'special', mode: operation.mode, links: 1 });
      case 'setxattr':
      case 'removexattr':
        return this.#xattr(operation);
      case 'journal': {
        const node = this.#find(operation.path);
        return typeof node === 'string' ? node : node.kind === 'file' ? undefined : 'EINVAL';
      }
      case 'unlink':
        return this.#unlink(operation.path);
      case 'rmdir':
        return this.#rmdir(operation.path);
      case 'link':
        return this.#link(operation.from, operation.to);
      case 'rename':
        return this.#rename(operation.from, operation.to);
    }
  }

  /** Every path with what is there. */
  tree(): Map<string, string> {
    const lines = new Map<string, string>();
    const visit = (path: string, node: Node): void => {
      lines.set(path, describe(node));
      if (node.kind === 'directory') for (const [name, child] of node.entries) visit(`${path}/${name}`, child);
    };
    visit('', this.root);
    return lines;
  }

  #parent(path: string): { dir: Map<string, Node>; name: string } | string {
    const parts = path.split('/').filter((part) => part !== '');
    const name = parts.pop()!;
    let node: Node = this.root;
    for (const part of parts) {
      if (node.kind !== 'directory') return noWayThrough(node);
      const child: Node | undefined = node.entries.get(part);
      if (child === undefined) return 'ENOENT';
      node = child;
    }
    return node.kind === 'directory' ? { dir: node.entries, name } : noWayThrough(node);
  }

  #add(path: string, node: Node): string | undefined {
    const parent = this.#parent(path);
    if (typeof parent === 'string') return parent;
    if (parent.dir.has(parent.name)) return 'EEXIST';
    parent.dir.set(parent.name, node);
    return undefined;
  }

  #write(path: string, offset: number, bytes: Uint8Array): string | undefined {
    const parent = this.#parent(path);
    if (typeof parent === 'string') return parent;
    let node = parent.dir.get(parent.name);
    if (node === undefined) {
      node = { kind: 'file', bytes: new Uint8Array(0), links: 1, xattrs: new Map() };
      parent.dir.set(parent.name, node);
    }
    if (node.kind === 'directory') return 'EISDIR';
    if (node.kind === 'symlink') return 'ENOENT';
    if (node.kind === 'special') return 'EINVAL';
    node.bytes = resized(node.bytes, Math.max(node.bytes.length, offset + bytes.length));
    node.bytes.set(bytes, offset);
    return undefined;
  }

  /** What a path leads to. */
  #find(path: string): Node | string {
    const parent = this.#parent(path);
    if (typeof parent === 'string') return parent;
    const node = parent.dir.get(parent.name);
    return node === undefined || node.kind === 'symlink' ? 'ENOENT' : node;
  }

  /** Changes the content of a file. */
  #change(path: string, change: (bytes: Uint8Array) => Uint8Array): string | undefined {
    const node = this.#find(path);
    if (typeof node === 'string') return node;
    if (node.kind === 'directory') return 'EISDIR';
    if (node.kind !== 'file') return 'EINVAL';
    node.bytes = change(node.bytes);
    return undefined;
  }

  #xattr(operation: XattrOperation): string | undefined {
    const node = this.#find(operation.path);
    if (typeof node === 'string') return node;
    if (!('xattrs' in node)) return 'EPERM';
    if (operation.kind === 'removexattr') return node.xattrs.delete(operation.name) ? undefined : 'ENODATA';
    node.xattrs.set(operation.name, operation.bytes);
    return undefined;
  }

  #unlink(path: string): string | undefined {
    const parent = this.#parent(path);
    if (typeof parent === 'string') return parent;
    const node = parent.dir.get(parent.name);
    if (node === undefined) return 'ENOENT';
    if (node.kind === 'directory') return 'EISDIR';
    if ('links' in node) node.links -= 1;
    parent.dir.delete(parent.name);
    return undefined;
  }

  #rmdir(path: string): string | undefined {
    const parent = this.#parent(path);
    if (typeof parent === 'string') return parent;
    const node = parent.dir.get(parent.name);
    if (node === undefined) return 'ENOENT';
    if (node.kind !== 'directory') return 'ENOTDIR';
    if (node.entries.size > 0) return 'ENOTEMPTY';
    parent.dir.delete(parent.name);
    return undefined;
  }

  #link(from: string, to: string): string | undefined {
    const source = this.#parent(from);
    if (typeof source === 'string') return source;
    const node = source.dir.get(source.name);
    if (node === undefined) return 'ENOENT';
    const target = this.#parent(to);
    if (typeof target === 'string') return target;
    if (node.kind === 'directory') return 'EPERM';
    if (target.dir.has(target.name)) return 'EEXIST';
    if ('links' in node) node.links += 1;
    target.dir.set(target.name, node);
    return undefined;
  }

  #rename(from: string, to: string): string | undefined {
    const source = this.#parent(from);
    if (typeof source === 'string') return source;
    const target = this.#parent(to);
    if (typeof target === 'string') return target;
    const node = source.dir.get(source.name);
    if (node === undefined) return 'ENOENT';
    const replaced = target.dir.get(target.name);
    if (replaced === node) return undefined;
    if (node.kind === 'directory' && source.dir !== target.dir && `${to}/`.startsWith(`${from}/`)) return 'EINVAL';
    if (replaced !== undefined) {
      if (node.kind === 'directory') {
        if (replaced.kind !== 'directory') return 'ENOTDIR';
        if (replaced.entries.size > 0) return 'ENOTEMPTY';
      } else if (replaced.kind === 'directory') return replaced.entries.size > 0 ? 'EISDIR' : 'EISDIR';
      if ('links' in replaced) replaced.links -= 1;
    }
    source.dir.delete(source.name);
    target.dir.set(target.name, node);
    return undefined;
  }
}

export type ModelOperation =
  | { readonly kind: 'mkdir' | 'unlink' | 'rmdir'; readonly path: string }
  | { readonly kind: 'symlink'; readonly path: string; readonly target: string }
  | { readonly kind: 'write'; readonly path: string; readonly offset: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly path: string; readonly size: number }
  | {
      readonly kind: 'allocate';
      readonly path: string;
      readonly offset: number;
      readonly length: number;
      readonly how: FallocateMode;
    }
  | { readonly kind: 'mknod'; readonly path: string; readonly mode: number; readonly minor: number }
  /** Whether the data of a file goes through the journal. */
  | { readonly kind: 'journal'; readonly path: string; readonly isOn: boolean }
  | XattrOperation
  | { readonly kind: 'link' | 'rename'; readonly from: string; readonly to: string };

type XattrOperation =
  | { readonly kind: 'setxattr'; readonly path: string; readonly name: string; readonly bytes: Uint8Array }
  | { readonly kind: 'removexattr'; readonly path: string; readonly name: string };

function resized(bytes: Uint8Array, size: number): Uint8Array {
  const copy = new Uint8Array(size);
  copy.set(bytes.subarray(0, size));
  return copy;
}

/** Every symbolic link of the tests leads nowhere. */
function noWayThrough(node: Node): string {
  return node.kind === 'symlink' ? 'ENOENT' : 'ENOTDIR';
}

function describe(node: Node): string {
  switch (node.kind) {
    case 'directory':
      return `directory${describeXattrs(node.xattrs)}`;
    case 'special':
      return `special ${node.mode.toString(8)} ${node.links}`;
    case 'symlink':
      return `symlink ${node.target}`;
    case 'file':
      return `file ${node.links} ${digest(node.bytes)}${describeXattrs(node.xattrs)}`;
  }
}

function describeXattrs(xattrs: Xattrs): string {
  return [...xattrs]
    .map(([name, value]) => ` ${name}=${digest(value)}`)
    .sort()
    .join('');
}

/** Length and a checksum of some bytes. */
export function digest(bytes: Uint8Array): string {
  let sum = 0;
  for (const byte of bytes) sum = (Math.imul(sum, 31) + byte) >>> 0;
  return `${bytes.length}:${sum.toString(16)}`;
}

/** Something that carries out operations of a file system. */
export interface Runner {
  run(operation: Operation): OperationResult;
}

/** Carries out a model's operation on a file system; the errno name if it was refused. */
export function perform(runner: Runner, operation: ModelOperation): string | undefined {
  switch (operation.kind) {
    case 'write': {
      const fd = runner.run({ kind: 'open', path: operation.path, flags: { write: true, create: true } });
      if (typeof fd !== 'number') return String(fd);
      const result = runner.run({ kind: 'pwrite', fd, offset: operation.offset, bytes: operation.bytes });
      runner.run({ kind: 'close', fd });
      return result === operation.bytes.length ? undefined : String(result);
    }
    case 'truncate':
    case 'allocate': {
      const fd = runner.run({ kind: 'open', path: operation.path, flags: { write: true } });
      if (typeof fd !== 'number') return String(fd);
      const result =
        operation.kind === 'truncate'
          ? runner.run({ kind: 'ftruncate', fd, size: operation.size })
          : runner.run({ ...operation, kind: 'fallocate', fd });
      runner.run({ kind: 'close', fd });
      // A file that is no regular one has neither size nor blocks.
      return result === 'ENODEV' ? 'EINVAL' : (result as string | undefined);
    }
    case 'journal': {
      const { path, isOn } = operation;
      return runner.run({ kind: 'setflags', path, flags: isOn ? DIF.JDATA : 0, mask: DIF.JDATA }) as string | undefined;
    }
    default:
      return runner.run(operation) as string | undefined;
  }
}

/** Every path of a file system with what is there, to be compared with a model's. */
export function treeOf(runner: Runner): Map<string, string> {
  const lines = new Map<string, string>();
  const visit = (path: string): void => {
    const stat = runner.run({ kind: 'lstat', path: path === '' ? '/' : path });
    if (typeof stat !== 'object' || !('type' in stat)) throw new Error(`${path}: ${JSON.stringify(stat)}`);
    if (stat.type === 'symlink') {
      const link = runner.run({ kind: 'readlink', path });
      lines.set(path, `symlink ${(link as { target: string }).target}`);
    } else if (stat.type === 'other') lines.set(path, `special ${stat.mode.toString(8)} ${stat.links}`);
    else if (stat.type === 'file') {
      const content = digest(readWhole(runner, path, stat.size));
      lines.set(path, `file ${stat.links} ${content}${describeXattrs(xattrsOf(runner, path))}`);
    } else {
      lines.set(path, `directory${describeXattrs(xattrsOf(runner, path === '' ? '/' : path))}`);
      const entries = runner.run({ kind: 'readdir', path }) as OperationResults['readdir'];
      for (const { name } of entries) visit(`${path}/${name}`);
    }
  };
  visit('');
  return lines;
}

function xattrsOf(runner: Runner, path: string): Xattrs {
  const names = runner.run({ kind: 'listxattr', path }) as readonly string[];
  return new Map(names.map((name) => [name, (runner.run({ kind: 'getxattr', path, name }) as Uint8Array).slice()]));
}

export function readWhole(runner: Runner, path: string, size: number): Uint8Array {
  const fd = runner.run({ kind: 'open', path });
  if (typeof fd !== 'number') throw new Error(`open ${path}: ${String(fd)}`);
  const bytes = runner.run({ kind: 'pread', fd, offset: 0, length: size });
  runner.run({ kind: 'close', fd });
  if (!(bytes instanceof Uint8Array)) throw new Error(`read ${path}: ${String(bytes)}`);
  return bytes;
}

/** A random operation on a small set of names, so that they often mean something. */
export function randomOperation(prng: Prng): ModelOperation {
  const name = (): string =>
    `${['a', 'b', 'c', 'dir', 'a rather long name that takes room in its directory'][prng.below(5)]}${prng.below(4)}`;
  const path = (): string =>
    Array.from({ length: 1 + prng.below(3) }, name)
      .map((part) => `/${part}`)
      .join('');
  const kind = prng.below(26);
  if (kind < 4) return { kind: 'mkdir', path: path() };
  if (kind < 11) return randomWrite(prng, path());
  if (kind < 12) return { kind: 'symlink', path: path(), target: `nowhere/${name()}` };
  if (kind < 14) return { kind: 'unlink', path: path() };
  if (kind < 15) return { kind: 'rmdir', path: path() };
  if (kind < 16) return { kind: 'link', from: path(), to: path() };
  if (kind < 18) return { kind: 'rename', from: path(), to: path() };
  if (kind < 20) return { kind: 'truncate', path: path(), size: prng.below(4) === 0 ? 0 : prng.below(60_000) };
  if (kind < 22) {
    const how = (['grow', 'keep-size', 'punch-hole', 'punch-hole'] as const)[prng.below(4)]!;
    return { kind: 'allocate', path: path(), offset: prng.below(90_000), length: 1 + prng.below(90_000), how };
  }
  if (kind < 23) return { kind: 'journal', path: path(), isOn: prng.below(2) === 0 };
  if (kind < 24) {
    const type = [MODE.FIFO, MODE.SOCKET, MODE.BLOCK, MODE.CHARACTER][prng.below(4)]!;
    return { kind: 'mknod', path: path(), mode: type | 0o600, minor: prng.below(256) };
  }
  return randomXattr(prng, path());
}

/** Attributes of all sizes: several fit a record's block, or the value needs blocks of its own. */
function randomXattr(prng: Prng, path: string): ModelOperation {
  const name = `user.${'long '.repeat(prng.below(3) * 8)}${prng.below(8)}`;
  if (prng.below(4) === 0) return { kind: 'removexattr', path, name };
  const bytes = utf8Bytes(`${name} ${prng.next()}`.padEnd(prng.below([30, 400, 5000, 20_000][prng.below(4)]!), '-'));
  return { kind: 'setxattr', path, name, bytes };
}

function randomWrite(prng: Prng, path: string): ModelOperation {
  const length = [10, 300, 4000, 9000, 70_000][prng.below(5)]!;
  const bytes = utf8Bytes(`${path} ${prng.next()}`.padEnd(1 + prng.below(length), '.'));
  const offset = prng.below(3) === 0 ? prng.below([100, 5000, 300_000][prng.below(3)]!) : 0;
  return { kind: 'write', path, offset, bytes };
}
