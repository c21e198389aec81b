import type { MountInfo } from '@quorate/kernel';
import { normalizePath } from './files.js';

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
