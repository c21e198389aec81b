import { isErrno, type Os, strerror, type Task } from '@quorate/kernel';
import { ask } from '../../os/mounted-files.js';
import { parseOptions } from '../options.js';
import { mountedVolume } from './mounted-volume.js';

/**
 * `fstrim [-v] [-o OFFSET] [-l LENGTH] [-m MINIMUM] DIRECTORY`: discards what a mounted file system does not use.
 *
 * Source: fstrim(8).
 */
export function* fstrim(argv: readonly string[], os: Os): Task<number> {
  const { flags, values, operands, error } = parseOptions(argv.slice(1), { flags: 'v', values: 'olm' });
  const [path] = operands;
  if (error !== undefined || path === undefined) {
    os.printError(`fstrim: ${error ?? 'no mountpoint specified'}\n`);
    return 1;
  }
  const volume = mountedVolume(os, path);
  if (volume === undefined) {
    os.printError(`fstrim: ${path}: the discard operation is not supported\n`);
    return 1;
  }
  const bytesOf = (letter: string) => (values.has(letter) ? sizeOf(values.get(letter)!) : undefined);
  const [start, length, minLength] = [bytesOf('o'), bytesOf('l'), bytesOf('m')];
  const trimmed = yield* ask(volume, {
    kind: 'trim',
    ...(start !== undefined && { start }),
    ...(length !== undefined && { length }),
    ...(minLength !== undefined && { minLength }),
  });
  if (isErrno(trimmed)) {
    const why =
      trimmed === 'EOPNOTSUPP' ? 'the discard operation is not supported' : `FITRIM ioctl failed: ${strerror(trimmed)}`;
    os.printError(`fstrim: ${path}: ${why}\n`);
    return 1;
  }
  if (flags.has('v')) os.print(`${path}: ${trimmed} bytes were trimmed\n`);
  return 0;
}

/** `64K`, `1M`; NaN, which the file system refuses, for what is no size. */
function sizeOf(text: string): number {
  const [, digits = '', unit = ''] = /^(\d+)([KMGT]?)(?:iB)?$/.exec(text) ?? [];
  return digits === '' ? Number.NaN : Number(digits) * 1024 ** ' KMGT'.indexOf(unit || ' ');
}
