import { type Errno, isErrno, type Os, strerror, type Task } from '@quorate/kernel';
import { ask } from '../../os/mounted-files.js';
import { type AccountKind, readAccounts } from '../accounts.js';
import type { MountedVolume } from '../gfs2/mounted-volume.js';
import { parseOptions } from '../options.js';
import { typesOf } from './limits.js';
import { quotaVolumes } from './quota-volumes.js';

/**
 * `quotacheck [-u] [-g] [-v] -a | FILESYSTEM`: counts the blocks of users and groups in the mounted tree, and writes what it finds
 * into their records. Nobody may write meanwhile, on any node.
 *
 * Source: quotacheck(8) of quota 3.17.
 */
export function* quotacheck(argv: readonly string[], os: Os): Task<number> {
  const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'ugvabcdfimMnR', values: 'F' });
  if (error !== undefined || (operands.length === 0 && !flags.has('a'))) {
    os.printError(`quotacheck: ${error ?? 'Bad number of arguments.'}\n`);
    return 1;
  }
  const volumes = quotaVolumes(os, flags.has('a') ? undefined : operands);
  if (volumes.length === 0) {
    os.printError('quotacheck: Cannot find filesystem to check or filesystem not mounted with quota option.\n');
    return 1;
  }
  for (const volume of volumes) {
    const failed = yield* checkVolume(os, volume, typesOf(flags), flags.has('v'));
    if (failed === undefined) continue;
    os.printError(`quotacheck: ${volume.mount.device} [${volume.directory}]: ${strerror(failed)}\n`);
    return 1;
  }
  return 0;
}

function* checkVolume(
  os: Os,
  volume: MountedVolume,
  types: readonly AccountKind[],
  isVerbose: boolean,
): Task<Errno | undefined> {
  // What this node has noted would be added to what is written.
  const refused = yield* ask(volume, { kind: 'syncquota' });
  if (isErrno(refused)) return refused;
  const tree = new Tree();
  const failed = yield* tree.scan(volume, '/');
  if (failed !== undefined) return failed;
  for (const type of types) {
    const sums = tree.sums[type];
    for (const id of (yield* readAccounts(os, type)).ids) if (!sums.has(id)) sums.set(id, 0);
    for (const [id, value] of sums) {
      const record = yield* ask(volume, { kind: 'getquota', of: type, id });
      if (isErrno(record)) return record;
      if (record.value === value) continue;
      const wrong = yield* ask(volume, { kind: 'setquota', of: type, id, value });
      if (isErrno(wrong)) return wrong;
    }
  }
  if (isVerbose) {
    os.print(`quotacheck: Scanning ${volume.mount.device} [${volume.directory}] done\n`);
    os.print(`quotacheck: Checked ${tree.directories} directories and ${tree.files} files\n`);
  }
  return undefined;
}

/** Blocks of the file system by owner; an inode with several names counts once. */
class Tree {
  readonly sums: Readonly<Record<AccountKind, Map<number, number>>> = { user: new Map(), group: new Map() };
  directories = 0;
  files = 0;
  readonly #seen = new Set<number>();

  *scan(volume: MountedVolume, path: string): Task<Errno | undefined> {
    const stat = yield* ask(volume, { kind: 'lstat', path });
    if (isErrno(stat)) return stat;
    if (this.#seen.has(stat.inode)) return undefined;
    this.#seen.add(stat.inode);
    this.#add('user', stat.uid, stat.blocks);
    this.#add('group', stat.gid, stat.blocks);
    if (stat.type !== 'directory') {
      this.files += 1;
      return undefined;
    }
    this.directories += 1;
    const entries = yield* ask(volume, { kind: 'readdir', path });
    if (isErrno(entries)) return entries;
    for (const { name } of entries) {
      const failed = yield* this.scan(volume, `${path === '/' ? '' : path}/${name}`);
      if (failed !== undefined) return failed;
    }
    return undefined;
  }

  #add(type: AccountKind, id: number, blocks: number): void {
    this.sums[type].set(id, (this.sums[type].get(id) ?? 0) + blocks);
  }
}
