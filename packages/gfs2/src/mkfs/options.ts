import { ConfigError, type Prng, type WallTime } from '@quorate/kernel';
import { type Geometry, geometryOf } from '../ondisk/geometry.js';

/** What to make: the options of `mkfs.gfs2` with its letters. */
export interface MkfsOptions {
  /** `-b`: 512, 1024, 2048 or 4096 (the default); larger ones exist on disk, but no kernel with 4 KiB pages mounts them. */
  readonly blockSize?: number;
  /** `-j`: how many nodes can mount at once; default 1. */
  readonly journals?: number;
  /** `-J`: size of each journal, 8 to 1024 MiB; default by the size of the device. */
  readonly journalMiB?: number;
  /** `-r`: size of the resource groups, 32 to 2048 MiB; default 256. */
  readonly rgrpMiB?: number;
  /** `-c`: size of the quota change file of each journal, 1 to 64 MiB; default 1. */
  readonly quotaChangeMiB?: number;
  /** Size of the file system in blocks; default the whole device. */
  readonly blocks?: number;
  /** `-o sunit=,swidth=`: resource groups begin at stripe units and are stripes long. Undefined: no alignment. */
  readonly stripe?: Stripe;
  /** `-p`; default `lock_dlm`. */
  readonly lockProtocol?: string;
  /** `-t`: `cluster:filesystem`. Optional with `lock_nolock` only. */
  readonly lockTable?: string;
  /** `-U`: 16 bytes; default drawn from `prng`. */
  readonly uuid?: Uint8Array;
  /** `-o format=`: 1801 or 1802 (the default). */
  readonly format?: number;
  /** `-o root_inherit_jdata`: files made in the root directory journal their data. */
  readonly isRootJournaled?: boolean;
  /** Time of all inodes, in whole seconds as the real program sets it. */
  readonly wall: WallTime;
  /** Draws the UUID and the sequence number with which each journal starts. */
  readonly prng: Prng;
}

/** How a striped device is laid out, in bytes: the unit on one disk, and all units side by side. */
export interface Stripe {
  /** A multiple of the block size. */
  readonly unitBytes: number;
  /** A multiple of the unit. */
  readonly widthBytes: number;
}

/** To what resource groups are aligned, in blocks; both 0: to nothing (`rgs->align`, `rgs->align_off`). */
export interface RgrpAlignment {
  readonly width: number;
  readonly unit: number;
}

/** Options with every default filled in. */
export interface MkfsPlan {
  readonly geometry: Geometry;
  readonly deviceBytes: number;
  /** Blocks that may be used: those of the device, or fewer by option. */
  readonly deviceBlocks: number;
  readonly journals: number;
  readonly journalMiB: number;
  readonly rgrpMiB: number;
  readonly quotaChangeMiB: number;
  readonly alignment: RgrpAlignment;
  readonly lockProtocol: string;
  readonly lockTable: string;
  readonly uuid: Uint8Array;
  readonly format: number;
  readonly isRootJournaled: boolean;
  readonly sec: number;
  readonly prng: Prng;
}

const MIN_JOURNAL_MIB = 8;
const MAX_JOURNAL_MIB = 1024;
const MAX_QUOTA_CHANGE_MIB = 64;

/**
 * Checks the options and fills in the defaults, as `opts_check` and `sbd_init` of mkfs.gfs2 do.
 *
 * @throws {ConfigError} with the option's letter as its path.
 */
export function planMkfs(options: MkfsOptions, deviceBytes: number): MkfsPlan {
  const { lockProtocol = 'lock_dlm', journals = 1, rgrpMiB = 256, quotaChangeMiB = 1, format = 1802 } = options;
  const blockSize = checkBlockSize(options.blockSize ?? 4096);
  const deviceBlocks = checkBlocks(options.blocks, Math.floor(deviceBytes / blockSize));
  const lockTable = checkLocking(lockProtocol, options.lockTable);
  checkRange('-j', journals, 1, 0x7fff_ffff, 'a number of journals, at least 1');
  checkRange('-r', rgrpMiB, 32, 2048, 'a resource group size of 32 to 2048 MiB');
  checkRange('-c', quotaChangeMiB, 1, MAX_QUOTA_CHANGE_MIB, 'a quota change file size of 1 to 64 MiB');
  checkRange('-o format', format, 1801, 1802, 'the format 1801 or 1802');
  return {
    geometry: geometryOf(blockSize),
    deviceBytes,
    deviceBlocks,
    journals,
    journalMiB: journalSize(options.journalMiB, blockSize, deviceBlocks, journals),
    rgrpMiB,
    quotaChangeMiB,
    alignment: checkStripe(options.stripe, blockSize),
    lockProtocol,
    lockTable,
    uuid: checkUuid(options.uuid) ?? drawUuid(options.prng),
    format,
    isRootJournaled: options.isRootJournaled ?? false,
    sec: options.wall.sec,
    prng: options.prng,
  };
}

/**
 * Blocks of a journal by default, from the blocks that the device has for each; -1 when even 8 MiB do not fit. The
 * steps are meant for blocks of 4 KiB.
 */
function defaultJournalSize(blockSize: number, blocksPerJournal: number): number {
  const least = (MIN_JOURNAL_MIB << 20) / blockSize;
  if (blocksPerJournal < 2 * least) return -1;
  if (blocksPerJournal < 131_072) return least;
  if (blocksPerJournal < 512 * 1024) return 4096;
  if (blocksPerJournal < 2048 * 1024) return 8192;
  if (blocksPerJournal < 4096 * 1024) return 16_384;
  if (blocksPerJournal < 262_144 * 1024) return 32_768;
  return blocksPerJournal < 2_621_440 * 1024 ? 131_072 : 262_144;
}

function journalSize(asked: number | undefined, blockSize: number, blocks: number, journals: number): number {
  if (asked === undefined) {
    const size = defaultJournalSize(blockSize, Math.floor(blocks / journals));
    if (size < 0) throw tooSmall(blocks * blockSize, `2 x ${MIN_JOURNAL_MIB} MiB for each of ${journals} journals`);
    return Math.max(MIN_JOURNAL_MIB, Math.floor((size * blockSize) / 2 ** 20));
  }
  checkRange('-J', asked, MIN_JOURNAL_MIB, MAX_JOURNAL_MIB, 'a journal size of 8 to 1024 MiB');
  if ((asked * journals * 2 ** 20) / blockSize > Math.floor(blocks / 2)) {
    throw tooSmall(blocks * blockSize, `twice the ${journals} journals of ${asked} MiB`);
  }
  return asked;
}

/** The device cannot hold what the options ask for; mkfs.gfs2 says "gfs2 will not fit on this device." */
export function tooSmall(bytes: number, needed: string): ConfigError {
  return new ConfigError('device', `${bytes} bytes`, `at least ${needed}`);
}

function checkBlockSize(blockSize: number): number {
  if (blockSize < 512 || blockSize > 65536 || (blockSize & (blockSize - 1)) !== 0) {
    throw new ConfigError('-b', String(blockSize), 'a power of two from 512 to 65536');
  }
  return blockSize;
}

function checkBlocks(asked: number | undefined, deviceBlocks: number): number {
  if (asked === undefined) return deviceBlocks;
  checkRange('block-count', asked, 1, deviceBlocks, `a number of blocks that the device has, at most ${deviceBlocks}`);
  return asked;
}

function checkStripe(stripe: Stripe | undefined, blockSize: number): RgrpAlignment {
  if (stripe === undefined) return { width: 0, unit: 0 };
  const { unitBytes, widthBytes } = stripe;
  if (!(unitBytes > 0) || unitBytes % blockSize !== 0) {
    throw new ConfigError('-o sunit', String(unitBytes), `a multiple of the block size ${blockSize}`);
  }
  if (!(widthBytes > 0) || widthBytes % unitBytes !== 0) {
    throw new ConfigError('-o swidth', String(widthBytes), `a multiple of the stripe unit ${unitBytes}`);
  }
  return { width: widthBytes / blockSize, unit: unitBytes / blockSize };
}

function checkRange(path: string, value: number, least: number, most: number, expected: string): void {
  if (!Number.isInteger(value) || value < least || value > most) throw new ConfigError(path, String(value), expected);
}

function checkLocking(protocol: string, table: string | undefined): string {
  if (protocol !== 'lock_dlm' && protocol !== 'lock_nolock') {
    throw new ConfigError('-p', protocol, 'lock_dlm or lock_nolock');
  }
  if (table === undefined && protocol === 'lock_nolock') return '';
  const text = table ?? '';
  const parts = text.split(':');
  const [cluster = '', name = ''] = parts;
  if (/[^A-Za-z0-9_:-]/.test(text)) throw new ConfigError('-t', text, 'letters, digits, "-", "_" and one colon');
  if (parts.length !== 2) throw new ConfigError('-t', text, 'cluster:filesystem with exactly one colon');
  if (cluster === '' || cluster.length > 32) throw new ConfigError('-t', text, 'a cluster name of 1 to 32 characters');
  if (name === '' || name.length > 30) throw new ConfigError('-t', text, 'a file system name of 1 to 30 characters');
  return text;
}

function checkUuid(uuid: Uint8Array | undefined): Uint8Array | undefined {
  if (uuid !== undefined && uuid.length !== 16) throw new ConfigError('-U', `${uuid.length} bytes`, '16 bytes');
  return uuid;
}

/** A random UUID (version 4). */
function drawUuid(prng: Prng): Uint8Array {
  const uuid = new Uint8Array(16);
  for (let i = 0; i < 16; i++) uuid[i] = prng.below(256);
  uuid[6] = (uuid[6]! & 0x0f) | 0x40;
  uuid[8] = (uuid[8]! & 0x3f) | 0x80;
  return uuid;
}
