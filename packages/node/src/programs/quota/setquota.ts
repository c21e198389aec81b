import { isErrno, type Os, strerror, type Task } from '@quorate/kernel';
import { ask } from '../../os/mounted-files.js';
import { readAccounts } from '../accounts.js';
import { parseOptions } from '../options.js';
import { quotaVolumes } from './quota-volumes.js';
import { complainOfMissing } from './repquota.js';

/**
 * `setquota [-u|-g] NAME SOFT HARD FILES-SOFT FILES-HARD -a | FILESYSTEM…`: sets limits, in KiB; 0 is none. GFS2 has none for files.
 *
 * Source: setquota(8) of quota 3.17; what edquota(8) asks an editor for.
 */
export function* setquota(argv: readonly string[], os: Os): Task<number> {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'uga', values: 'F' });
  const [name, soft, hard, filesSoft, filesHard, ...named] = operands;
  if (error !== undefined || name === undefined || filesHard === undefined || (named.length === 0 && !flags.has('a'))) {
    os.printError(`setquota: ${error ?? 'Bad number of arguments.'}\n`);
    os.printError(
      'setquota: Usage:\n  setquota [-u|-g] [-F quotaformat] <user|group>\n\t<block-softlimit> <block-hardlimit> <inode-softlimit> <inode-hardlimit> -a|<filesystem>...\n',
    );
    return 1;
  }
  const wrong = [soft, hard, filesSoft, filesHard].find((word) => !/^\d+$/.test(word!));
  if (wrong !== undefined) {
    os.printError(`setquota: Bad number: ${wrong}\n`);
    return 1;
  }
  const of = flags.has('g') ? 'group' : 'user';
  const id = (yield* readAccounts(os, of)).idOf(name);
  if (id === undefined) {
    os.printError(`setquota: ${of} ${name} does not exist.\n`);
    return 1;
  }
  const missing = flags.has('a') ? 0 : complainOfMissing(os, named, 'setquota');
  if (missing !== 0) return missing;
  for (const volume of quotaVolumes(os, flags.has('a') ? undefined : named)) {
    const space = yield* os.space(volume.directory);
    const blocks = (kib: string): number =>
      Math.floor((Number(kib) * 1024) / (isErrno(space) ? 4096 : space.blockSize));
    const refused = yield* ask(volume, { kind: 'setquota', of, id, limit: blocks(hard!), warn: blocks(soft!) });
    if (isErrno(refused)) {
      os.printError(
        `setquota: Cannot set quota for ${of} ${id} from kernel on ${volume.mount.device}: ${strerror(refused)}\n`,
      );
      return 1;
    }
  }
  return 0;
}
