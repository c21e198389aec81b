import { isErrno, type Os, type Program, type Task, utf8Bytes, utf8Text } from '@quorate/kernel';
import { parseOptions } from '../options.js';

const ETAB = '/var/lib/nfs/etab';
const DEFAULT_OPTIONS = ['ro', 'sync', 'wdelay', 'hide', 'root_squash'];

/** A directory that is served to somebody. */
export interface Export {
  readonly path: string;
  /** A host, a pattern with `*` and `?`, or `*` for everybody. */
  readonly target: string;
  readonly options: readonly string[];
}

/** What is exported now: the table in /var/lib/nfs/etab. */
export function* readExports(os: Os): Task<readonly Export[]> {
  const bytes = yield* os.readFile(ETAB);
  if (isErrno(bytes)) return [];
  return utf8Text(bytes)
    .split('\n')
    .flatMap((line) => {
      const [, path, target, options] = /^(\S+)\t(\S+)\(([^)]*)\)$/.exec(line) ?? [];
      return path === undefined ? [] : [{ path, target: target ?? '*', options: (options ?? '').split(',') }];
    });
}

function* writeExports(os: Os, exports: readonly Export[]): Task<boolean> {
  for (const directory of ['/var/lib', '/var/lib/nfs']) yield* os.makeDirectory(directory);
  const lines = exports.map(({ path, target, options }) => `${path}\t${target}(${options.join(',')})\n`);
  return !isErrno(yield* os.writeFile(ETAB, utf8Bytes(lines.join(''))));
}

/** Whether an export is for a host of that name. */
export function isFor({ target }: Export, host: string): boolean {
  const pattern = target
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${pattern}$`).test(host);
}

/**
 * `exportfs [-i] [-o OPTIONS] TARGET:PATH`, `exportfs -u TARGET:PATH`, `exportfs [-v]`: changes and shows the table of exports.
 *
 * Simplified: /etc/exports is not read, and of the options `ro` and `rw` have an effect.
 */
export const exportfs: Program = function* (argv, os) {
  const { flags, values, operands, error } = parseOptions(argv.slice(1), { flags: 'iuv', values: 'o' });
  const [first, ...more] = operands;
  if (error !== undefined || more.length > 0) {
    os.printError('usage: exportfs [-iuv] [-o OPTIONS] [TARGET:PATH]\n');
    return 1;
  }
  const exports = yield* readExports(os);
  if (first === undefined) {
    for (const { path, target, options } of exports) {
      const who = target === '*' ? '<world>' : target;
      os.print(`${path.padEnd(15)}\t${who}${flags.has('v') ? `(${options.join(',')})` : ''}\n`);
    }
    return 0;
  }
  const [, target, path] = /^([^:]*):(\/.*)$/.exec(first) ?? [];
  if (target === undefined || path === undefined) {
    os.printError(`exportfs: invalid exporting option: ${first}\n`);
    return 1;
  }
  const others = exports.filter((each) => each.path !== path || each.target !== target);
  if (flags.has('u')) {
    if (others.length === exports.length) {
      os.printError(`exportfs: Could not find '${first}' to unexport.\n`);
      return 1;
    }
    return (yield* writeExports(os, others)) ? 0 : 1;
  }
  const found = yield* os.stat(path);
  if (isErrno(found) || found.type !== 'directory') {
    os.printError(`exportfs: ${path} does not exist\n`);
    return 1;
  }
  const given = (values.get('o') ?? '').split(',').filter(Boolean);
  const standard = DEFAULT_OPTIONS.filter((option) => option !== 'ro' || !given.includes('rw'));
  const options = [...new Set([...standard, ...given])];
  return (yield* writeExports(os, [...others, { path, target, options }])) ? 0 : 1;
};
