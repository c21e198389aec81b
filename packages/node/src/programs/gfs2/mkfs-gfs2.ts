import { type MkfsOptions, mkfs, mkfsReport } from '@quorate/gfs2';
import { ConfigError, type Errno, isErrno, type Os, type Program, strerror, type Task } from '@quorate/kernel';
import { SECTOR_BYTES } from '@quorate/volumes';
import type { BlockDevice } from '../../os/disks.js';
import { sectorDevice } from '../../os/sector-device.js';
import type { Storage } from '../../os/storage.js';
import { parseOptions } from '../options.js';
import { type SectorWrite, writeJoined } from './transfers.js';

/**
 * `mkfs.gfs2 [-b BYTES] [-j N] [-J MiB] [-O] [-p PROTOCOL] [-q] [-r MiB] [-t TABLE] DEVICE [BLOCKS]`: asks first, unless `-O` is given.
 *
 * Source: mkfs.gfs2(8).
 */
export function mkfsGfs2({ disks, prng }: Storage): Program {
  return function* (argv, os) {
    const { flags, values, operands, error } = parseOptions(argv.slice(1), { flags: 'KOq', values: 'bcjJprt' });
    const [path, blocks] = operands;
    if (error !== undefined || path === undefined) {
      os.printError(`mkfs.gfs2: ${error ?? 'no device specified'}\n`);
      return 255;
    }
    const device = disks.device(path);
    if (device === undefined) {
      os.printError(`mkfs.gfs2: ${path}: ${strerror('ENOENT')}\n`);
      return 255;
    }
    if (!flags.has('O') && !isConfirmed(os, path)) return 255;
    const number = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text));
    const given = {
      blockSize: number(values.get('b')),
      quotaChangeMiB: number(values.get('c')),
      journals: number(values.get('j')),
      journalMiB: number(values.get('J')),
      lockProtocol: values.get('p'),
      rgrpMiB: number(values.get('r')),
      lockTable: values.get('t'),
      blocks: number(blocks),
    };
    const present = Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined));
    try {
      const report = yield* format(device, { ...present, wall: os.wall(), prng }, path);
      if (isErrno(report)) throw new ConfigError(path, strerror(report), 'a device that takes writes');
      if (!flags.has('q')) os.print(report.text);
      return 0;
    } catch (refused) {
      if (!(refused instanceof ConfigError)) throw refused;
      os.printError(`mkfs.gfs2: ${refused.message}\n`);
      return 255;
    }
  };
}

function isConfirmed(os: Os, path: string): boolean {
  os.print(`This will destroy any data on ${path}.\n\nAre you sure you want to proceed? [y/n] `);
  const isSure = /^\s*y/i.test(os.input);
  os.print(isSure ? '\n' : '\nAborted.\n');
  return isSure;
}

function* format(device: BlockDevice, options: MkfsOptions, path: string): Task<{ readonly text: string } | Errno> {
  const writes: SectorWrite[] = [];
  const sizeBytes = device.blocks * SECTOR_BYTES;
  const result = mkfs(options, {
    sizeBytes,
    write: (at, bytes) => writes.push({ sector: at / SECTOR_BYTES, bytes: bytes.slice() }),
  });
  const failed = yield* writeJoined(sectorDevice(device), writes);
  return failed ?? { text: mkfsReport(result, path) };
}
