import type { Errno } from '@quorate/kernel';

/** Directories whose content a boot finds empty. */
const VOLATILE = ['/dev/shm', '/proc', '/sys', '/tmp', '/var/lock', '/var/run'];

/** Directory of the kernel's DLM: one of its own for each lockspace. */
export const LOCKSPACES = '/sys/kernel/dlm';

/** Directories that every root disk has, among them those that the node itself writes to. */
const STANDARD = ['/etc/cluster', '/root', LOCKSPACES, '/var/lib/corosync', '/var/log/cluster'];

/** A path without `.`, `..`, doubled or trailing slashes; it begins with a slash. */
export function normalizePath(path: string): string {
  const parts: string[] = [];
  for (const part of path.split('/')) {
    if (part === '' || part === '.') continue;
    if (part === '..') parts.pop();
    else parts.push(part);
  }
  return `/${parts.join('/')}`;
}

/** The same of a path that begins in a directory unless it begins with a slash. */
export function absolutePath(directory: string, path: string): string {
  return normalizePath(path.startsWith('/') ? path : `${directory}/${path}`);
}

/** The directory that a path is in. */
export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

interface FileEntry {
  /** Its first `size` bytes are the content: a log grows without being copied for every line. */
  buffer: Uint8Array;
  size: number;
  modifiedAt: number;
  readonly inode: number;
}

/** A change of a file, or of a directory, whose path ends with a slash, that survives a reboot. */
export type FileChange =
  | { readonly change: 'replaced' | 'appended'; readonly path: string; readonly bytes: Uint8Array }
  | { readonly change: 'removed'; readonly path: string };

interface DirectoryEntry {
  readonly inode: number;
  /** When a name came or went last. */
  modifiedAt: number;
}

/** What is written there is gone, and there is nothing to read. */
const NOWHERE = '/dev/null';

/**
 * The root file system of a node: small files by absolute path, directories made as needed by whoever writes.
 *
 * Files under /var/run, /tmp and the like are gone at the next boot; every other change is told.
 */
export class RootFiles {
  readonly #files = new Map<string, FileEntry>();
  readonly #directories = new Map<string, DirectoryEntry>([['/', { inode: 2, modifiedAt: 0 }]]);
  readonly #onChange: (change: FileChange) => void;
  #lastInode = 2;

  constructor(content: ReadonlyMap<string, Uint8Array>, onChange: (change: FileChange) => void) {
    this.#onChange = onChange;
    for (const [path, bytes] of content) {
      if (path.endsWith('/')) this.#makeParents(`${normalizePath(path)}/x`, 0);
      else this.#add(normalizePath(path), bytes, 0);
    }
    for (const directory of [...VOLATILE, ...STANDARD]) this.#makeParents(`${directory}/x`, 0);
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(path);
  }

  /** The content; valid until the file changes. */
  read(path: string): Uint8Array | Errno {
    const file = this.#files.get(path);
    if (file !== undefined) return file.buffer.subarray(0, file.size);
    if (path === NOWHERE) return new Uint8Array(0);
    return this.#directories.has(path) ? 'EISDIR' : 'ENOENT';
  }

  /** Replaces the content, or adds to it. The directory must exist. */
  write(path: string, bytes: Uint8Array, append: boolean, at: number): number | Errno {
    if (this.#directories.has(path)) return 'EISDIR';
    if (path === NOWHERE) return bytes.length;
    if (!this.#directories.has(parentOf(path))) return this.#files.has(parentOf(path)) ? 'ENOTDIR' : 'ENOENT';
    const file = this.#files.get(path) ?? this.#add(path, new Uint8Array(0), at);
    file.modifiedAt = at;
    if (append) extend(file, bytes);
    else {
      file.buffer = bytes.slice();
      file.size = bytes.length;
    }
    this.#tell({ change: append ? 'appended' : 'replaced', path, bytes });
    return bytes.length;
  }

  remove(path: string, at: number): Errno | undefined {
    if (!this.#files.delete(path)) return this.#directories.has(path) ? 'EISDIR' : 'ENOENT';
    this.#changed(parentOf(path), at);
    this.#tell({ change: 'removed', path });
    return undefined;
  }

  rename(from: string, to: string, at: number): Errno | undefined {
    const file = this.#files.get(from);
    if (file === undefined) return this.#directories.has(from) ? this.#renameDirectory(from, to, at) : 'ENOENT';
    const written = this.write(to, file.buffer.subarray(0, file.size), false, at);
    if (typeof written === 'string') return written;
    return from === to ? undefined : this.remove(from, at);
  }

  /** Makes it again elsewhere with all that is in it. */
  #renameDirectory(from: string, to: string, at: number): Errno | undefined {
    if (from === to) return undefined;
    if (from === '/' || to === '/') return 'EBUSY';
    if (to.startsWith(`${from}/`)) return 'EINVAL';
    if (this.#files.has(to)) return 'ENOTDIR';
    const refused = this.#directories.has(to) ? this.removeDirectory(to, at) : undefined;
    if (refused !== undefined) return refused;
    const made = this.makeDirectory(to, at);
    if (made !== undefined) return made;
    for (const name of this.list(from)) this.rename(`${from}/${name}`, `${to}/${name}`, at);
    return this.removeDirectory(from, at);
  }

  makeDirectory(path: string, at: number): Errno | undefined {
    if (this.#directories.has(path) || this.#files.has(path)) return 'EEXIST';
    if (!this.#directories.has(parentOf(path))) return 'ENOENT';
    this.#makeParents(`${path}/x`, at);
    this.#tell({ change: 'replaced', path: `${path}/`, bytes: new Uint8Array(0) });
    return undefined;
  }

  removeDirectory(path: string, at: number): Errno | undefined {
    if (!this.#directories.has(path)) return this.#files.has(path) ? 'ENOTDIR' : 'ENOENT';
    if (this.list(path).length > 0) return 'ENOTEMPTY';
    this.#directories.delete(path);
    this.#changed(parentOf(path), at);
    this.#tell({ change: 'removed', path: `${path}/` });
    return undefined;
  }

  /** Names in a directory, sorted; empty if there is no such directory. */
  list(path: string): readonly string[] {
    const names: string[] = [];
    for (const known of [this.#files.keys(), this.#directories.keys()]) {
      for (const other of known) if (other !== '/' && parentOf(other) === path) names.push(baseName(other));
    }
    return names.sort();
  }

  /** Inode number, size and modification second of a file or directory. */
  stat(path: string): { isDirectory: boolean; inode: number; size: number; modifiedAt: number } | Errno {
    const file = this.#files.get(path);
    if (file !== undefined) {
      return { isDirectory: false, inode: file.inode, size: file.size, modifiedAt: file.modifiedAt };
    }
    if (path === NOWHERE) return { isDirectory: false, inode: 1, size: 0, modifiedAt: 0 };
    const directory = this.#directories.get(path);
    return directory === undefined ? 'ENOENT' : { isDirectory: true, ...directory, size: 4096 };
  }

  #add(path: string, bytes: Uint8Array, at: number): FileEntry {
    this.#makeParents(path, at);
    this.#changed(parentOf(path), at);
    this.#lastInode += 1;
    const file = { buffer: bytes, size: bytes.length, modifiedAt: at, inode: this.#lastInode };
    this.#files.set(path, file);
    return file;
  }

  /** A name came into a directory, or went. */
  #changed(directory: string, at: number): void {
    const entry = this.#directories.get(directory);
    if (entry !== undefined) entry.modifiedAt = at;
  }

  #makeParents(path: string, at: number): void {
    for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) {
      const directory = path.slice(0, end);
      if (this.#directories.has(directory)) continue;
      this.#lastInode += 1;
      this.#directories.set(directory, { inode: this.#lastInode, modifiedAt: at });
      this.#changed(parentOf(directory), at);
    }
  }

  #tell(change: FileChange): void {
    if (!VOLATILE.some((directory) => change.path.startsWith(`${directory}/`))) this.#onChange(change);
  }
}

function extend(file: FileEntry, bytes: Uint8Array): void {
  const size = file.size + bytes.length;
  if (size > file.buffer.length) {
    const grown = new Uint8Array(size * 2);
    grown.set(file.buffer.subarray(0, file.size));
    file.buffer = grown;
  }
  file.buffer.set(bytes, file.size);
  file.size = size;
}
