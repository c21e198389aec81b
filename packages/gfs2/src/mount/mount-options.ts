import { ConfigError, type Nanos, SECOND } from '@quorate/kernel';

/** What `mount -o` says, as far as it means something here. */
export interface MountOptions {
  readonly isReadOnly: boolean;
  /** Longest time that a change stays in memory (`commit=`). */
  readonly commit: Nanos;
  /** How often the changes of the statfs figures go to the master file (`statfs_quantum=`). */
  readonly statfsQuantum: Nanos;
  /** Sync of the statfs figures when they have changed by that many percent (`statfs_percent=`); 0 is off. */
  readonly statfsPercent: number;
  /** Whether what is read is noted: `relatime`, `strictatime`. Differs from Linux, where `relatime` is what is not said. */
  readonly atime: 'never' | 'relative' | 'always';
  /** Not for directories (`nodiratime`). */
  readonly isNodiratime: boolean;
  /** Whether blocks are counted for users and groups, and limits hold (`quota=`). */
  readonly quota: 'off' | 'account' | 'on';
  /** How often the changes of quotas go to the `quota` file (`quota_quantum=`). */
  readonly quotaQuantum: Nanos;
  /** Whether access control lists are there (`acl`). */
  readonly isAcl: boolean;
  /** Whether the disk is told at once what was freed (`discard`). */
  readonly isDiscarding: boolean;
  /** `lockproto=` and `locktable=` override the superblock. */
  readonly lockProtocol: 'lock_dlm' | 'lock_nolock' | undefined;
  readonly lockTable: string | undefined;
}

/** Options that change nothing here: they are the only way we work, or what they govern is absent. */
const ACCEPTED: ReadonlySet<string> = new Set([
  '',
  'rw',
  'defaults',
  '_netdev',
  'noauto',
  'auto',
  'data=ordered',
  'errors=withdraw',
  'barrier',
  'localflocks',
  'ignore_local_fs',
  'norgrplvb',
  'noloccookie',
]);

/**
 * Reads the options of a mount: `noatime,commit=10`.
 *
 * @throws {ConfigError} for an option that GFS2 does not have, that is not offered here, or whose value is out of range.
 */
export function parseMountOptions(text: string): MountOptions {
  const options = {
    isReadOnly: false,
    commit: 30 * SECOND,
    statfsQuantum: 30 * SECOND,
    statfsPercent: 0,
    atime: 'never' as MountOptions['atime'],
    isNodiratime: false,
    quota: 'off' as MountOptions['quota'],
    quotaQuantum: 60 * SECOND,
    isAcl: false,
    isDiscarding: false,
    lockProtocol: undefined as MountOptions['lockProtocol'],
    lockTable: undefined as string | undefined,
  };
  for (const option of text.split(',')) {
    const at = option.indexOf('=');
    const name = at < 0 ? option : option.slice(0, at);
    const value = at < 0 ? '' : option.slice(at + 1);
    if (ACCEPTED.has(option)) continue;
    switch (name) {
      case 'ro':
        options.isReadOnly = true;
        break;
      case 'commit':
        options.commit = seconds(name, value, 1);
        break;
      case 'statfs_quantum':
        options.statfsQuantum = seconds(name, value, 1);
        break;
      case 'statfs_percent':
        options.statfsPercent = whole(name, value, 0, 100);
        break;
      case 'noatime':
        options.atime = 'never';
        break;
      case 'relatime':
        options.atime = 'relative';
        break;
      case 'strictatime':
        options.atime = 'always';
        break;
      case 'nodiratime':
        options.isNodiratime = true;
        break;
      case 'quota':
        if (!['', 'off', 'account', 'on'].includes(value)) throw new ConfigError(name, value, 'off, account or on');
        options.quota = value === '' ? 'on' : (value as MountOptions['quota']);
        break;
      case 'noquota':
        options.quota = 'off';
        break;
      case 'quota_quantum':
        options.quotaQuantum = seconds(name, value, 1);
        break;
      case 'acl':
      case 'noacl':
        options.isAcl = name === 'acl';
        break;
      case 'discard':
      case 'nodiscard':
        options.isDiscarding = name === 'discard';
        break;
      case 'lockproto':
        if (value !== 'lock_dlm' && value !== 'lock_nolock')
          throw new ConfigError(name, value, 'lock_dlm or lock_nolock');
        options.lockProtocol = value;
        break;
      case 'locktable':
        options.lockTable = value;
        break;
      // The journal and the first mounter come with the request to mount.
      case 'hostdata':
        break;
      default:
        throw new ConfigError(name, option, 'an option that this file system has');
    }
  }
  return options;
}

function seconds(name: string, value: string, least: number): Nanos {
  return whole(name, value, least, 86_400) * SECOND;
}

function whole(name: string, value: string, least: number, most: number): number {
  const number = /^\d+$/.test(value) ? Number(value) : -1;
  if (number < least || number > most) throw new ConfigError(name, value, `a whole number from ${least} to ${most}`);
  return number;
}
