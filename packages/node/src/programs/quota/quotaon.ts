import { isErrno, type Os, type Program, strerror, type Task } from '@quorate/kernel';
import { ask } from '../../os/mounted-files.js';
import type { MountedVolume } from '../gfs2/mounted-volume.js';
import { parseOptions } from '../options.js';
import { typesOf } from './limits.js';
import { quotaVolumes } from './quota-volumes.js';

/**
 * `quotaon [-u] [-g] [-p] -a | FILESYSTEM…`, and quotaoff: with GFS2 only what `-p` prints; it is the mount that turns quotas on.
 *
 * Source: quotaon(8) of quota 3.17.
 */
export const quotaon: Program = function* (argv, os) {
  const [program = 'quotaon', ...args] = argv;
  const { flags, operands, error } = parseOptions(args, { flags: 'ugavpfx', values: 'F' });
  if (error !== undefined || (operands.length === 0 && !flags.has('a'))) {
    os.printError(`${program}: ${error ?? 'Bad number of arguments.'}\n`);
    return 1;
  }
  const volumes = quotaVolumes(os, flags.has('a') ? undefined : operands);
  if (flags.has('p')) {
    for (const volume of volumes) for (const type of typesOf(flags)) os.print(stateOf(volume, type));
    return 0;
  }
  if (volumes.length > 0) os.printError(`${program}: Cannot change state of GFS2 quota.\n`);
  return volumes.length > 0 ? 1 : 0;
};

function stateOf({ mount: { device, directory } }: MountedVolume, type: string): string {
  return `${type} quota on ${directory} (${device}) is on\n`;
}

/**
 * `quotasync [-u] [-g] -a | FILESYSTEM…`: has this node add what it has counted to the records.
 *
 * Source: quotasync(1) of quota 3.17.
 */
export function* quotasync(argv: readonly string[], os: Os): Task<number> {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'uga', values: '' });
  if (error !== undefined || (operands.length === 0 && !flags.has('a'))) {
    os.printError(`quotasync: ${error ?? 'Bad number of arguments.'}\n`);
    return 1;
  }
  for (const volume of quotaVolumes(os, flags.has('a') ? undefined : operands)) {
    const refused = yield* ask(volume, { kind: 'syncquota' });
    if (!isErrno(refused)) continue;
    os.printError(`quotasync: ${volume.mount.device}: ${strerror(refused)}\n`);
    return 1;
  }
  return 0;
}
