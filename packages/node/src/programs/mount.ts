import { isErrno, type Os, type Program, type Task } from '@quorate/kernel';
import { absolutePath } from '../os/files.js';
import { fstabEntries } from './fstab.js';
import { resolveHost } from './hosts.js';
import { parseOptions } from './options.js';

/**
 * `mount [-t type] [-o options] device directory`; with one of the two what /etc/fstab says of it; without operands the list of
 * mounts.
 */
export const mount: Program = function* (argv, os) {
  const { operands, values } = parseOptions(argv.slice(1), { flags: 'avn', values: 'to' });
  const [first, second] = operands;
  if (first === undefined) {
    for (const each of os.mounts())
      os.print(`${each.device} on ${each.directory} type ${each.type} (${shownOptions(each.options)})\n`);
    return 0;
  }
  const known = (yield* fstabEntries(os)).find(({ device, directory }) => device === first || directory === first);
  const wanted = second === undefined ? known : { device: first, directory: second, type: 'auto', options: 'defaults' };
  if (wanted === undefined) {
    os.printError(`mount: can't find ${first} in /etc/fstab or /etc/mtab\n`);
    return 1;
  }
  const { device, directory, type, options } = wanted;
  const found = yield* os.stat(directory);
  if (isErrno(found)) {
    os.printError(`mount: mount point ${directory} does not exist\n`);
    return 32;
  }
  const fileSystem = values.get('t') ?? (/^[^/:]+:\//.test(device) ? 'nfs' : type);
  const all = yield* withAddress(os, device, fileSystem, values.get('o') ?? options);
  if (all === undefined) {
    os.printError(
      `mount.${fileSystem}: Failed to resolve server ${device.split(':', 1)[0]}: Name or service not known\n`,
    );
    return 32;
  }
  const refused = yield* os.mount(device, directory, fileSystem, all);
  if (refused === undefined) return 0;
  const complaints = isNfs(fileSystem) ? NFS_MOUNT_ERRORS : MOUNT_ERRORS;
  os.printError(`mount: ${device} on ${directory}: ${complaints.get(refused) ?? refused}\n`);
  return 32;
};

/** Options as the kernel wants them: for NFS with the server's address. Undefined when the server's name has none. */
function* withAddress(os: Os, device: string, type: string, options: string): Task<string | undefined> {
  if (!isNfs(type)) return options;
  const address = yield* resolveHost(os, device.split(':', 1)[0]!);
  return address === undefined ? undefined : `${options},addr=${address}`;
}

function isNfs(type: string): boolean {
  return type === 'nfs' || type === 'nfs4';
}

const MOUNT_ERRORS = new Map<string, string>([
  ['EBUSY', 'already mounted or mount point busy'],
  ['ENOENT', 'special device does not exist'],
  ['ENODEV', 'unknown filesystem type'],
  ['EINVAL', 'wrong fs type, bad option, bad superblock'],
  ['EUSERS', 'there are no journals left for this node'],
  ['ECONNREFUSED', 'gfs_controld is not running'],
]);

const NFS_MOUNT_ERRORS = new Map<string, string>([
  ['EBUSY', 'already mounted or mount point busy'],
  ['EINVAL', 'incorrect mount option'],
  ['ECONNREFUSED', 'connection refused'],
  ['EACCES', 'access denied by server'],
  ['EIO', 'the server does not answer'],
]);

/** `umount directory`. */
export const umount: Program = function* (argv, os) {
  const options = parseOptions(argv.slice(1), { flags: 'afl', values: 't' });
  const which = options.operands[0];
  const directory = which && absolutePath(os.directory, which);
  const mounted = os.mounts().find((each) => each.directory === directory || each.device === which);
  if (mounted === undefined) {
    os.printError(`umount: ${which ?? ''}: not mounted\n`);
    return 1;
  }
  const refused = yield* os.unmount(mounted.directory);
  if (refused === undefined) return 0;
  os.printError(`umount: ${mounted.directory}: ${refused === 'EBUSY' ? 'device is busy' : refused}\n`);
  return 1;
};

/** As mount(8) keeps them in /etc/mtab: `rw` or `ro` first, and no `defaults`. */
function shownOptions(options: string): string {
  const others = options.split(',').filter((option) => !['defaults', 'rw', 'ro'].includes(option));
  return [options.split(',').includes('ro') ? 'ro' : 'rw', ...others].join(',');
}
