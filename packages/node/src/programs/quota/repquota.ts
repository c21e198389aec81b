import { isErrno, type Os, strerror, type Task } from '@quorate/kernel';
import { ask } from '../../os/mounted-files.js';
import { type AccountKind, readAccounts } from '../accounts.js';
import type { MountedVolume } from '../gfs2/mounted-volume.js';
import { parseOptions } from '../options.js';
import { hasLimits, isOver, typesOf, usageOf } from './limits.js';
import { quotaVolumes } from './quota-volumes.js';

/**
 * `repquota [-u] [-g] [-v] [-n] -a | FILESYSTEM…`: what all users or groups have and may have. As the original does with GFS2, it
 * asks for those in /etc/passwd or /etc/group.
 *
 * Source: repquota(8) of quota 3.17.
 */
export function* repquota(argv: readonly string[], os: Os): Task<number> {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'augvnstcCip', values: 'F' });
  if (error !== undefined || (operands.length === 0 && !flags.has('a'))) {
    os.printError(error === undefined ? 'Bad number of arguments.\n' : `repquota: ${error}\n`);
    os.printError(
      'Utility for reporting quotas.\nUsage:\nrepquota [-vugsi] [-c|C] [-t|n] [-F quotaformat] (-a | mntpoint)\n',
    );
    return 1;
  }
  const volumes = quotaVolumes(os, flags.has('a') ? undefined : operands);
  for (const type of typesOf(flags)) for (const volume of volumes) yield* report(os, volume, type, flags);
  return flags.has('a') ? 0 : complainOfMissing(os, operands);
}

/** Of operands that are no file system with quotas. */
export function complainOfMissing(os: Os, operands: readonly string[], program = 'repquota'): number {
  const missing = operands.filter((operand) => quotaVolumes(os, [operand]).length === 0);
  for (const each of missing) {
    os.printError(`${program}: Mountpoint (or device) ${each} not found or has no quota enabled.\n`);
  }
  if (missing.length === 0) return 0;
  os.printError(`${program}: Not all specified mountpoints are using quota.\n`);
  return 1;
}

function* report(os: Os, volume: MountedVolume, type: AccountKind, flags: ReadonlySet<string>): Task {
  const space = yield* os.space(volume.directory);
  if (isErrno(space)) return void os.printError(`repquota: ${volume.mount.device}: ${strerror(space)}\n`);
  os.print(`*** Report for ${type} quotas on device ${volume.mount.device}
Block grace time: 00:00; Inode grace time: 00:00
                        Block limits                File limits
${(type === 'user' ? 'User' : 'Group').padEnd(16)}used    soft    hard  grace    used  soft  hard  grace
----------------------------------------------------------------------
`);
  const names = yield* readAccounts(os, type);
  for (const id of names.ids) {
    const record = yield* ask(volume, { kind: 'getquota', of: type, id });
    if (isErrno(record)) {
      os.printError(`repquota: ${volume.mount.device}: ${strerror(record)}\n`);
      return;
    }
    const usage = usageOf(record, space.blockSize);
    if (usage.used === 0 && !hasLimits(usage) && !flags.has('v')) continue;
    const name = flags.has('n') ? `#${id}` : names.nameOf(id);
    const figures = [usage.used, usage.soft, usage.hard].map((each) => String(each).padStart(7)).join(' ');
    os.print(
      `${name.padEnd(9)} ${isOver(usage) ? '+' : '-'}- ${figures} ${''.padEnd(6)} ${'0'.padStart(7)} ${'0'.padStart(5)} ${'0'.padStart(5)} ${''.padEnd(6)}\n`,
    );
  }
  os.print('\n');
}
