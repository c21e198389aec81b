import { type Nanos, type Os, type Program, SECOND, type Task } from '@quorate/kernel';
import { type FstabEntry, fstabEntries } from '../programs/fstab.js';

/** The file systems of type gfs2 in /etc/fstab, without those marked `noauto`. */
function* gfs2Entries(os: Os): Task<readonly FstabEntry[]> {
  const entries = yield* fstabEntries(os);
  return entries.filter(({ type, options }) => type === 'gfs2' && !options.split(',').includes('noauto'));
}

/** How often the script tries to unmount, and how long it leaves in between to those who are busy there. */
const UNMOUNT_TRIES = 6;
const BETWEEN_TRIES: Nanos = 12 * SECOND;

/**
 * Unmounts everything of type gfs2, again while something is busy, and goes on without what stays so.
 *
 * The original kills between two tries who has files open (`fuser -k -m`). No program here keeps a file open from one call to the
 * next, and a call that waits for a lock of the cluster cannot be killed.
 */
function* stop(os: Os): Task<number> {
  let status = 0;
  for (let tries = 1; ; tries++) {
    status = 0;
    for (const { directory } of os.mounts().filter(({ type }) => type === 'gfs2')) {
      os.print(`Unmounting GFS2 filesystem (${directory}): `);
      const done = yield* os.run(['umount', directory]);
      os.print(done.status === 0 ? '[  OK  ]\n' : `${done.errors}[FAILED]\n`);
      status ||= done.status;
    }
    if (status === 0 || tries === UNMOUNT_TRIES) return status;
    yield* os.sleep(BETWEEN_TRIES);
  }
}

/** `/etc/init.d/gfs2 start|stop|status`: mounts what /etc/fstab says is GFS2, or unmounts all of it. Source: gfs2-utils gfs2.in. */
export const gfs2Script: Program = function* (argv, os) {
  switch (argv[1]) {
    case 'start': {
      let status = 0;
      for (const { device, directory, options } of yield* gfs2Entries(os)) {
        if (os.mounts().some((mount) => mount.directory === directory)) continue;
        os.print(`Mounting GFS2 filesystem (${directory}): `);
        const done = yield* os.run(['mount', '-t', 'gfs2', '-o', options, device, directory]);
        os.print(done.status === 0 ? '[  OK  ]\n' : `${done.errors}[FAILED]\n`);
        status ||= done.status;
      }
      return status;
    }
    case 'stop':
      return yield* stop(os);
    case 'status': {
      const mounted = os.mounts().filter(({ type }) => type === 'gfs2');
      for (const { directory } of mounted) os.print(`Active GFS2 mountpoints: \n${directory}\n`);
      return mounted.length > 0 ? 0 : 3;
    }
    default:
      os.printError('Usage: /etc/init.d/gfs2 {start|stop|status}\n');
      return 2;
  }
};
