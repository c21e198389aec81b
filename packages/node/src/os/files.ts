import type { Errno } from '@quorate/kernel';

/** Directories whose content a boot finds empty. */
const VOLATILE = ['/dev/shm', '/proc', '/sys', '/tmp', '/var/lock', '/var/run'];

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

export function parentOf(path: string): string {
  const slash = path.lastIndexOf('/');
  return slash <= 0 ? '/' : path.slice(0, slash);
}

/** The last part of a path. */
export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

interface FileEntry {
  bytes: Uint8Array;
  modifiedAt: number;
  readonly inode: number;
}

/** Called for each change of a file that survives a reboot; without bytes when it was removed. */
type Persist = (path: string, bytes: Uint8Array | undefined) => void;

/**
 * The root file system of a node: small files by absolute path, directories made as needed by whoever writes.
 *
 * Files under /var/run, /tmp and the like are gone at the next boot; every other change is handed to `persist`.
 */
export class RootFiles {
  readonly #files = new Map<string, FileEntry>();
  readonly #directories = new Map<string, number>([['/', 2]]);
  readonly #persist: Persist;
  #lastInode = 2;

  constructor(content: ReadonlyMap<string, Uint8Array>, persist: Persist) {
    this.#persist = persist;
    for (const [path, bytes] of content) this.#add(normalizePath(path), bytes, 0);
    for (const directory of VOLATILE) this.#makeParents(`${directory}/x`);
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(path);
  }

  read(path: string): Uint8Array | Errno {
    const file = this.#files.get(path);
    if (file !== undefined) return file.bytes;
    return this.#directories.has(path) ? 'EISDIR' : 'ENOENT';
  }

  /** Replaces the content, or adds to it. The directory must exist. */
  write(path: string, bytes: Uint8Array, append: boolean, at: number): number | Errno {
    if (this.#directories.has(path)) return 'EISDIR';
    if (!this.#directories.has(parentOf(path))) return this.#files.has(parentOf(path)) ? 'ENOTDIR' : 'ENOENT';
    const old = append ? this.#files.get(path)?.bytes : undefined;
    const content = new Uint8Array((old?.length ?? 0) + bytes.length);
    if (old !== undefined) content.set(old);
    content.set(bytes, old?.length ?? 0);
    const file = this.#files.get(path);
    if (file === undefined) this.#add(path, content, at);
    else {
      file.bytes = content;
      file.modifiedAt = at;
    }
    this.#tell(path, content);
    return bytes.length;
  }

  remove(path: string): Errno | undefined {
    if (!this.#files.delete(path)) return this.#directories.has(path) ? 'EISDIR' : 'ENOENT';
    this.#tell(path, undefined);
    return undefined;
  }

  rename(from: string, to: string, at: number): Errno | undefined {
    const file = this.#files.get(from);
    if (file === undefined) return this.#directories.has(from) ? 'EISDIR' : 'ENOENT';
    const written = this.write(to, file.bytes, false, at);
    if (typeof written === 'string') return written;
    return from === to ? undefined : this.remove(from);
  }

  makeDirectory(path: string): Errno | undefined {
    if (this.#directories.has(path) || this.#files.has(path)) return 'EEXIST';
    if (!this.#directories.has(parentOf(path))) return 'ENOENT';
    this.#makeParents(`${path}/x`);
    return undefined;
  }

  removeDirectory(path: string): Errno | undefined {
    if (!this.#directories.has(path)) return this.#files.has(path) ? 'ENOTDIR' : 'ENOENT';
    if (this.list(path).length > 0) return 'ENOTEMPTY';
    this.#directories.delete(path);
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
      return { isDirectory: false, inode: file.inode, size: file.bytes.length, modifiedAt: file.modifiedAt };
    }
    const inode = this.#directories.get(path);
    return inode === undefined ? 'ENOENT' : { isDirectory: true, inode, size: 4096, modifiedAt: 0 };
  }

  #add(path: string, bytes: Uint8Array, at: number): void {
    this.#makeParents(path);
    this.#lastInode += 1;
    this.#files.set(path, { bytes, modifiedAt: at, inode: this.#lastInode });
  }

  #makeParents(path: string): void {
    for (let at = path.indexOf('/', 1); at > 0; at = path.indexOf('/', at + 1)) {
      const directory = path.slice(0, at);
      if (this.#directories.has(directory)) continue;
      this.#lastInode += 1;
      this.#directories.set(directory, this.#lastInode);
    }
  }

  #tell(path: string, bytes: Uint8Array | undefined): void {
    if (!VOLATILE.some((directory) => path.startsWith(`${directory}/`))) this.#persist(path, bytes);
  }
}
