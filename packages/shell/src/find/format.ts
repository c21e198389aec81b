import { formatDateTime } from '@quorate/kernel';
import { kibibytes, modeText, ownerText } from '../ls.js';
import type { Found } from './expression.js';

const TYPES = { directory: 'd', symlink: 'l', file: 'f' } as const;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', '0': '\0', '\\': '\\' };

/** What stands behind `%` in a format of `-printf`. */
const FIELDS: Readonly<Record<string, (found: Found) => string | number>> = {
  '%': () => '%',
  d: ({ depth }) => depth,
  f: ({ name }) => name,
  g: ({ info }) => ownerText(info.gid),
  G: ({ info }) => info.gid,
  h: ({ path }) => (path.includes('/') ? path.slice(0, path.lastIndexOf('/')) : '.'),
  i: ({ info }) => info.inode,
  k: ({ info }) => kibibytes(info.size),
  m: ({ info }) => (info.mode & 0o7777).toString(8),
  M: ({ info }) => modeText(info),
  n: ({ info }) => info.links,
  p: ({ path }) => path,
  s: ({ info }) => info.size,
  t: ({ info }) => formatDateTime(info.modifiedAt),
  u: ({ info }) => ownerText(info.uid),
  U: ({ info }) => info.uid,
  y: ({ info }) => TYPES[info.type],
};

/** A format of `-printf` for a file; what it does not know stays. */
export function formatted(format: string, found: Found): string {
  return format.replace(/\\(.)|%(T@|.)/g, (whole, escaped?: string, field?: string) => {
    if (escaped !== undefined) return ESCAPES[escaped] ?? whole;
    if (field === 'T@') return `${found.info.modifiedAt}.0000000000`;
    return String(FIELDS[field!]?.(found) ?? whole);
  });
}

/** A line of `-ls`. */
export function longLine({ path, info }: Found): string {
  const columns = [
    String(info.inode).padStart(6),
    String(kibibytes(info.size)).padStart(4),
    modeText(info),
    String(info.links).padStart(3),
    ownerText(info.uid).padEnd(8),
    ownerText(info.gid).padEnd(8),
    String(info.size).padStart(8),
    formatDateTime(info.modifiedAt).slice(0, 16),
    path,
  ];
  return `${columns.join(' ')}\n`;
}
