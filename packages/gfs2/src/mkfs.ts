import type { WritableDevice } from './device.js';
import { ImageBuilder } from './mkfs/image-builder.js';
import { JournalWriter, journalBlocks } from './mkfs/journal.js';
import { type MkfsOptions, type MkfsPlan, planMkfs, tooSmall } from './mkfs/options.js';
import { placeRgrps } from './mkfs/rgrp-plan.js';
import { SystemFiles } from './mkfs/system-files.js';
import { SUPERBLOCK_BYTE } from './ondisk/geometry.js';
import type { RindexEntry } from './ondisk/rindex.js';
import { encodeSuperblock, MULTIHOST_FORMAT, type Superblock } from './ondisk/superblock.js';

/** What was made, as `mkfs.gfs2` reports it. */
export interface MkfsResult {
  readonly superblock: Superblock;
  readonly deviceBytes: number;
  /** Blocks up to the end of the last resource group. */
  readonly fsBlocks: number;
  readonly journals: number;
  readonly journalMiB: number;
  readonly rgrps: readonly RindexEntry[];
}

/**
 * Writes an empty file system: the same blocks with the same content as mkfs.gfs2 3.5 on a device without topology,
 * but for UUID, times and the journals' first sequence numbers, which are the caller's.
 *
 * Blocks that hold nothing are not written: the sink must give zeros or anything for them. The superblock comes last.
 *
 * @throws {ConfigError} for an option out of its range, and when the device is too small (path `device`).
 */
export function mkfs(options: MkfsOptions, device: WritableDevice): MkfsResult {
  const plan = planMkfs(options, device.sizeBytes);
  const { geometry } = plan;
  const journalData = (plan.journalMiB << 20) / geometry.blockSize;
  const blocksPerJournal = journalBlocks(geometry, journalData);
  const placed = placeRgrps({ ...plan, blocksPerJournal });
  if (placed === undefined) throw tooSmall(device.sizeBytes, `${plan.journals} journals of ${plan.journalMiB} MiB`);
  const rgrps = placed.map(({ rindex }) => rindex);
  const builder = new ImageBuilder(geometry, device, placed, plan.sec);
  const writer = new JournalWriter(builder, journalData);
  const journals = rgrps.slice(0, plan.journals).map((_, i) => writer.place(i, plan.prng));
  const { master, root } = new SystemFiles(builder, plan).make(journals, rgrps);
  builder.writeRgrps();
  const superblock = writeSuperblock(plan, device, { masterDir: inumOf(master), rootDir: inumOf(root) });
  const { data0, data } = rgrps.at(-1)!;
  return {
    superblock,
    deviceBytes: device.sizeBytes,
    fsBlocks: data0 + data,
    journals: plan.journals,
    journalMiB: plan.journalMiB,
    rgrps,
  };
}

function writeSuperblock(
  plan: MkfsPlan,
  device: WritableDevice,
  directories: Pick<Superblock, 'masterDir' | 'rootDir'>,
): Superblock {
  const { blockSize } = plan.geometry;
  const superblock: Superblock = {
    fsFormat: plan.format,
    multihostFormat: MULTIHOST_FORMAT,
    blockSize,
    ...directories,
    lockProtocol: plan.lockProtocol,
    lockTable: plan.lockTable,
    uuid: plan.uuid.slice(),
  };
  const bytes = new Uint8Array(SUPERBLOCK_BYTE + blockSize);
  encodeSuperblock(superblock, bytes.subarray(SUPERBLOCK_BYTE));
  device.write(0, bytes);
  return superblock;
}

function inumOf({ formalIno, addr }: { formalIno: number; addr: number }): { formalIno: number; addr: number } {
  return { formalIno, addr };
}
