import { isErrno, type Os, strerror, type Task } from '@quorate/kernel';
import { ask } from '../../os/mounted-files.js';
import { parseOptions } from '../options.js';
import { mountedVolume } from './mounted-volume.js';

/**
 * `gfs2_jadd [-c MiB] [-J MiB] [-j N] [-q] DIRECTORY`: adds journals to a mounted file system.
 *
 * Source: gfs2_jadd(8); gfs2-utils gfs2/mkfs/main_jadd.c.
 */
export function* gfs2Jadd(argv: readonly string[], os: Os): Task<number> {
  const options = parseOptions(argv.slice(1), { flags: 'q', values: 'cJj' });
  const [path] = options.operands;
  if (options.error !== undefined || path === undefined) {
    os.printError(`gfs2_jadd: ${options.error ?? 'no path specified (try -h for help)'}\n`);
    return 255;
  }
  const volume = mountedVolume(os, path);
  if (volume === undefined) {
    os.printError(`${path}: not a mounted gfs2 file system\n`);
    return 255;
  }
  const counts = yield* ask(volume, {
    kind: 'add-journals',
    count: options.number('j', 1),
    journalMiB: options.number('J', 128),
    quotaChangeMiB: options.number('c', 1),
  });
  if (isErrno(counts)) {
    os.printError(`Failed to add journals: ${strerror(counts)}\n`);
    return 255;
  }
  if (options.flags.has('q')) return 0;
  os.print(`Filesystem: ${volume.directory}\nOld journals: ${counts.before}\nNew journals: ${counts.after}\n`);
  return 0;
}
