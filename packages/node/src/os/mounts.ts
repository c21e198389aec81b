import type { Errno, FileInfo, MountInfo } from '@quorate/kernel';
import { normalizePath } from './files.js';

/** What a mounted file system can be asked, by path from its root. */
export type FileSystemOperation =
  | { readonly operation: 'read-file'; readonly path: string }
  | { readonly operation: 'write-file'; readonly path: string; readonly bytes: Uint8Array; readonly append: boolean }
  | { readonly operation: 'remove'; readonly path: string }
  | { readonly operation: 'rename'; readonly from: string; readonly to: string }
  | { readonly operation: 'make-directory'; readonly path: string }
  | { readonly operation: 'remove-directory'; readonly path: string }
  | { readonly operation: 'list'; readonly path: string }
  | { readonly operation: 'stat'; readonly path: string }
  | { readonly operation: 'statfs' };

/** Space of a file system, in its own blocks. */
export interface FileSystemSpace {
  readonly blockSize: number;
  readonly blocks: number;
  readonly free: number;
}

/** What an operation gives, by its name; an `Errno` when it was refused. */
export type FileSystemResult =
  | Errno
  | undefined
  | Uint8Array
  | number
  | readonly string[]
  | FileInfo
  | FileSystemSpace;

/** Which directories other file systems are mounted on. */
export class MountTable {
  readonly #mounts = new Map<string, MountInfo>();

  add(mount: MountInfo): void {
    this.#mounts.set(mount.directory, mount);
  }

  remove(directory: string): void {
    this.#mounts.delete(directory);
  }

  list(): readonly MountInfo[] {
    return [...this.#mounts.values()];
  }

  get(directory: string): MountInfo | undefined {
    return this.#mounts.get(normalizePath(directory));
  }

  /** The mount a normalised path lies in, and the path from its root; undefined for the root file system. */
  resolve(path: string): { readonly mount: MountInfo; readonly path: string } | undefined {
    for (const mount of this.#mounts.values()) {
      if (path === mount.directory) return { mount, path: '/' };
      if (path.startsWith(`${mount.directory}/`)) return { mount, path: path.slice(mount.directory.length) };
    }
    return undefined;
  }
}
