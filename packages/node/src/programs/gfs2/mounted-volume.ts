import type { MountInfo, Os } from '@quorate/kernel';
import { absolutePath } from '../../os/files.js';
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
  const full = absolutePath(os.directory, path);
  const around = os.mounts().filter(({ directory }) => `${full}/`.startsWith(`${directory}/`));
  const mount = around.sort((a, b) => b.directory.length - a.directory.length)[0];
  if (mount?.type !== 'gfs2') return undefined;
  const volume = { mount, directory: mount.directory, pid: os.pid };
  return { volume, path: full.slice(mount.directory.length) || '/' };
}

/** The GFS2 file system that is mounted on a directory, or from a device; undefined when there is none. */
export function mountedVolume(os: Os, path: string): MountedVolume | undefined {
  const directory = absolutePath(os.directory, path);
  const mount = os.mounts().find((each) => each.type === 'gfs2' && [each.directory, each.device].includes(directory));
  return mount && { mount, directory: mount.directory, pid: os.pid };
}
