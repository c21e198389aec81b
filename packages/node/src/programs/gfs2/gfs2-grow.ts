import { isErrno, type Os, type Program, strerror, type Task } from '@quorate/kernel';
import { SECTOR_BYTES } from '@quorate/volumes';
import { ask } from '../../os/mounted-files.js';
import type { Storage } from '../../os/storage.js';
import { parseOptions } from '../options.js';
import { mountedVolume } from './mounted-volume.js';

/**
 * `gfs2_grow [-q] DIRECTORY…`: takes what the device under a mounted file system has become larger by.
 *
 * Source: gfs2_grow(8); gfs2-utils gfs2/mkfs/main_grow.c.
 */
export function gfs2Grow(storage: Storage): Program {
  return function* (argv, os) {
    const { flags, operands, error } = parseOptions(argv.slice(1), { flags: 'qv', values: '' });
    if (error !== undefined || operands.length === 0) {
      os.printError(
        error === undefined ? 'Usage:\n\ngfs2_grow [options] /path/to/filesystem\n' : `gfs2_grow: ${error}\n`,
      );
      return 1;
    }
    let status = 0;
    for (const path of operands) status = Math.max(status, yield* grow(os, path, storage, flags.has('q')));
    if (!flags.has('q')) os.print('gfs2_grow complete.\n');
    return status;
  };
}

function* grow(os: Os, path: string, { disks }: Storage, isQuiet: boolean): Task<number> {
  const volume = mountedVolume(os, path);
  if (volume === undefined) {
    os.printError(`${path}: not a mounted gfs2 file system\n`);
    return 1;
  }
  const { device, directory } = volume.mount;
  const space = yield* ask(volume, { kind: 'statfs' });
  if (isErrno(space)) return failed(os, path, strerror(space));
  const { blockSize } = space;
  const deviceBlocks = Math.floor(((disks.device(device)?.blocks ?? 0) * SECTOR_BYTES) / blockSize);
  const growth = yield* ask(volume, { kind: 'grow', deviceBlocks });
  if (isErrno(growth)) return failed(os, path, strerror(growth));
  const { before, after, rgrps } = growth;
  if (rgrps === 0) {
    os.printError(`The calculated resource group size is too small.\n${device} has not grown.\n`);
    return 255;
  }
  if (isQuiet) return 0;
  const lines = [
    ['FS: Mount point:', directory],
    ['FS: Device:', device],
    ['FS: Size:', `${before} (0x${before.toString(16)})`],
    ['DEV: Length:', `${deviceBlocks} (0x${deviceBlocks.toString(16)})`],
  ] as const;
  os.print(lines.map(([title, value]) => `${title.padEnd(29)}${value}\n`).join(''));
  os.print(`The file system will grow by ${Math.floor(((after - before) * blockSize) / 2 ** 20)}MB.\n`);
  return 0;
}

function failed(os: Os, path: string, why: string): number {
  os.printError(`gfs2_grow: ${path}: ${why}\n`);
  return 1;
}
