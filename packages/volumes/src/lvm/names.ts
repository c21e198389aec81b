import { VolumeError } from '../volume-error.js';

/** Longest name of a group or volume, less the NUL. */
const NAME_CHARACTERS = 127;
const RESERVED_PARTS = ['_mlog', '_mimage', '_rimage', '_rmeta', '_tdata', '_tmeta', '_vorigin', '_cdata', '_cmeta'];

/** Whether a group, a volume or a physical volume in a text can have that name. */
export function isName(name: string): boolean {
  const isSpelt = /^[A-Za-z0-9+_.][A-Za-z0-9+_.-]*$/.test(name);
  return isSpelt && name.length <= NAME_CHARACTERS && name !== '.' && name !== '..';
}

/**
 * Checks the name of a group or a volume that is to be made.
 *
 * @throws {VolumeError} `bad-name`: characters other than A-Z a-z 0-9 + _ . -, a hyphen at its start, `.` or `..`, more
 * than 127 characters, and for a volume what LVM keeps for its own ones.
 */
export function checkName(what: 'volume group' | 'logical volume', name: string): void {
  const fail = (why: string) => new VolumeError('bad-name', `${what} name "${name.slice(0, 160)}" ${why}`);
  if (name === '') throw fail('is empty');
  if (name.length > NAME_CHARACTERS) throw fail(`has ${name.length} characters, expected at most ${NAME_CHARACTERS}`);
  if (!isName(name)) throw fail('is invalid: expected A-Z a-z 0-9 + _ . - only, no hyphen first, and no directory');
  if (what === 'volume group') return;
  const isReserved = /^(snapshot|pvmove)/.test(name) || RESERVED_PARTS.some((part) => name.includes(part));
  if (isReserved) throw fail('is reserved');
}

/** Name of a logical volume under /dev/mapper: hyphens within a name are doubled, one joins the two. `my--vg1-my--store1`. */
export function mapperName(group: string, volume: string): string {
  return `${group.replaceAll('-', '--')}-${volume.replaceAll('-', '--')}`;
}

/** The names of group and volume in a name under /dev/mapper; undefined if it is not of that form. */
export function splitMapperName(name: string): { readonly group: string; readonly volume: string } | undefined {
  const [, group, volume] = /^((?:[^-]|--)+)-((?:[^-]|--)+)$/.exec(name) ?? [];
  if (group === undefined || volume === undefined) return undefined;
  return { group: group.replaceAll('--', '-'), volume: volume.replaceAll('--', '-') };
}
