import type { Os } from '@quorate/kernel';
import { type MountedVolume, mountedVolume } from '../gfs2/mounted-volume.js';

/** The file systems that are mounted with `quota=on` or `quota=account`: those that were named, or all. */
export function quotaVolumes(os: Os, named?: readonly string[]): readonly MountedVolume[] {
  const directories = named ?? os.mounts().map(({ directory }) => directory);
  return directories.flatMap((directory) => {
    const volume = mountedVolume(os, directory);
    return volume !== undefined && countsQuotas(volume.mount.options) ? [volume] : [];
  });
}

/** The last of the options counts. */
function countsQuotas(options: string): boolean {
  const last = options
    .split(',')
    .filter((option) => /^(no)?quota(=|$)/.test(option))
    .at(-1);
  return last !== undefined && last !== 'noquota' && last !== 'quota=off';
}
