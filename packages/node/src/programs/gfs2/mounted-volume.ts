import type { MountInfo, Os } from '@quorate/kernel';
import { normalizePath } from '../../os/files.js';
import type { Asked } from '../../os/mounted-files.js';

/** A mounted GFS2 file system, and who asks it. */
export interface MountedVolume extends Asked {
  readonly mount: MountInfo;
}

/** A file on a GFS2 file system. */
export interface VolumePath {
  readonly volume: MountedVolume;
  /** From the root of the file system. */
  readonly path: string;
}

/** The file system that a path leads into; undefined when it stays on the machine. */
export function volumePath(os: Os, path: string): VolumePath | undefined {
  const full = normalizePath(path);
  const mount = os.mounts().find(({ type, directory }) => type === 'gfs2' && `${full}/`.startsWith(`${directory}/`));
  if (mount === undefined) return undefined;
  const volume = { mount, directory: mount.directory, pid: os.pid };
  return { volume, path: full.slice(mount.directory.length) || '/' };
}

/** The GFS2 file system that is mounted on a directory, or from a device; undefined when there is none. */
export function mountedVolume(os: Os, path: string): MountedVolume | undefined {
  const directory = normalizePath(path);
  const mount = os.mounts().find((each) => each.type === 'gfs2' && [each.directory, each.device].includes(directory));
  return mount && { mount, directory: mount.directory, pid: os.pid };
}
