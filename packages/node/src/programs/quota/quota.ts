import { isErrno, type Os, strerror, type Task } from '@quorate/kernel';
import { ask } from '../../os/mounted-files.js';
import { type AccountKind, readAccounts } from '../accounts.js';
import { parseOptions } from '../options.js';
import { hasLimits, isOver, typesOf, type Usage, usageOf } from './limits.js';
import { quotaVolumes } from './quota-volumes.js';

/**
 * `quota [-u|-g] [-v] [-q] [-w] [NAME…]`: what users or groups have and may have. Status 1 when somebody is over a limit.
 *
 * Source: quota(1) of quota 3.17.
 */
export function* quota(argv: readonly string[], os: Os): Task<number> {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'ugvqwsilpQ', values: 'F' });
  if (error !== undefined) {
    os.printError(`quota: ${error}\n`);
    return 1;
  }
  let status = 0;
  for (const type of typesOf(flags)) {
    const names = yield* readAccounts(os, type);
    for (const name of operands.length > 0 ? operands : [names.nameOf(0)]) {
      const id = names.idOf(name);
      if (id === undefined) {
        os.printError(`quota: ${type} ${name} does not exist.\n`);
        status = 1;
      } else if (yield* show(os, type, { name, id }, flags)) status = 1;
    }
  }
  return status;
}

interface Whom {
  readonly name: string;
  readonly id: number;
}

/** Whether somebody is over a limit. */
function* show(os: Os, type: AccountKind, { name, id }: Whom, flags: ReadonlySet<string>): Task<boolean> {
  const rows: string[] = [];
  let isAnyOver = false;
  for (const volume of quotaVolumes(os)) {
    const space = yield* os.space(volume.directory);
    const record = yield* ask(volume, { kind: 'getquota', of: type, id });
    const failed = isErrno(space) ? space : isErrno(record) ? record : undefined;
    if (failed !== undefined)
      os.printError(
        `quota: error while getting quota from ${volume.mount.device} for ${name} (id ${id}): ${strerror(failed)}\n`,
      );
    if (isErrno(space) || isErrno(record)) continue;
    const usage = usageOf(record, space.blockSize);
    if (!hasLimits(usage) && !flags.has('v')) continue;
    isAnyOver ||= isOver(usage);
    rows.push(row(volume.mount.device, usage, flags.has('w')));
  }
  const title = `Disk quotas for ${type} ${name} (${type[0]}id ${id}): `;
  if (flags.has('q')) {
    if (isAnyOver) os.print(`${title}over\n`);
  } else if (rows.length === 0) os.print(`${title}none\n`);
  else
    os.print(
      `${title}\n     Filesystem  blocks   quota   limit   grace   files   quota   limit   grace\n${rows.join('')}`,
    );
  return isAnyOver;
}

/** GFS2 counts no files and gives no time of grace. A long name has a line of its own. */
function row(device: string, usage: Usage, isOneLine: boolean): string {
  const name = device.length > 15 && !isOneLine ? `${device}\n${''.padEnd(15)}` : device.padStart(15);
  const { used, soft, hard } = usage;
  const blocks = `${String(used).padStart(8)}${isOver(usage) ? '*' : ' '}${String(soft).padStart(7)}${String(hard).padStart(8)}`;
  return `${name}${blocks}${''.padStart(8)}${'0'.padStart(8)} ${'0'.padStart(7)}${'0'.padStart(8)}${''.padStart(8)}\n`;
}
