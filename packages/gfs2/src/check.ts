import { BLKST } from './bitmap.js';
import { checkDirectories } from './check/directories.js';
import type { Finding } from './check/finding.js';
import { CheckImage } from './check/image.js';
import { checkInodes } from './check/inodes.js';
import { JournalChecker } from './check/journals.js';
import { checkConnectivity, checkLinks } from './check/links.js';
import { type CheckedRgrps, checkRgrps } from './check/rgrps.js';
import { type CheckedSystemFiles, SystemFileChecker } from './check/system-files.js';
import type { ReadableDevice } from './device.js';
import { decodeStatfsChange, STATFS_BYTES } from './ondisk/accounting.js';
import { geometryOf, SUPERBLOCK_BYTE } from './ondisk/geometry.js';
import { decodeRindex, RINDEX_ENTRY_BYTES, type RindexEntry } from './ondisk/rindex.js';
import { decodeSuperblock, MULTIHOST_FORMAT, type Superblock } from './ondisk/superblock.js';

/** What an image may have without being wrong. By default it must be as all nodes leave it that unmount in order. */
export interface CheckOptions {
  /** Unlinked dinodes whose blocks nobody has reclaimed: after a node died with a deleted file open. */
  readonly mayHaveUnlinked?: boolean;
  /** Journals with something to replay. What the image says elsewhere is then older than what they hold. */
  readonly mayHaveDirtyJournals?: boolean;
  /** Block counts that nodes have noted in their `statfs_change` and not yet added to `statfs`: while it is mounted. */
  readonly mayHaveUnsyncedStatfs?: boolean;
  /** Most findings to give; default 1000. */
  readonly limit?: number;
}

/**
 * Checks an image for everything that fsck.gfs2 checks, without changing it. An empty list means that it is right.
 *
 * Cost: reads all metadata once, directories twice, journals whole; file data not at all. In memory two bits for each
 * block of every resource group that something is in, and an object for each inode.
 *
 * Source: gfs2-utils gfs2/fsck, whose passes give the names.
 */
export function check(device: ReadableDevice, options: CheckOptions = {}): readonly Finding[] {
  const superblock = readSuperblock(device);
  if (typeof superblock === 'string') {
    return [{ pass: 'initialize', rule: 'superblock', block: 0, text: superblock }];
  }
  const image = new CheckImage(device, geometryOf(superblock.blockSize), options.limit ?? 1000);
  const files = new SystemFileChecker(image).check(superblock);
  const journals = new JournalChecker(image, options.mayHaveDirtyJournals === true);
  for (const [jid, { journal }] of files.nodes.entries()) journals.check(`journal${jid}`, journal);
  const rgrps = checkRgrps(image, readRindex(image, files));
  const inodes = checkInodes(image, rgrps);
  reconcile(image, rgrps, options.mayHaveUnlinked === true);
  checkDirectories(image, inodes);
  checkConnectivity(image, inodes, [superblock.rootDir.addr, superblock.masterDir.addr]);
  checkLinks(image, inodes);
  checkStatfs(image, rgrps, files, options.mayHaveUnsyncedStatfs === true);
  return image.findings;
}

/** The superblock, or what is wrong with it. */
function readSuperblock(device: ReadableDevice): Superblock | string {
  const bytes = new Uint8Array(512);
  if (device.sizeBytes < SUPERBLOCK_BYTE + bytes.length) return `the device has ${device.sizeBytes} bytes`;
  device.read(SUPERBLOCK_BYTE, bytes);
  const superblock = decodeSuperblock(bytes);
  if (superblock === undefined) return 'no superblock at byte 65536';
  const { fsFormat, multihostFormat } = superblock;
  if (fsFormat >= 1801 && fsFormat <= 1802 && multihostFormat === MULTIHOST_FORMAT) return superblock;
  return `format ${fsFormat} and multihost format ${multihostFormat} are not known`;
}

function readRindex(image: CheckImage, { rindex }: CheckedSystemFiles): RindexEntry[] {
  if (rindex === undefined) return [];
  const bytes = image.content(rindex, rindex.size - (rindex.size % RINDEX_ENTRY_BYTES));
  if (bytes !== undefined) return decodeRindex(bytes);
  image.report('initialize', 'system-content', rindex.addr, `rindex has not the ${rindex.size} bytes that it claims`);
  return [];
}

/** Compares every block's state with what the inodes say. */
function reconcile(image: CheckImage, rgrps: CheckedRgrps, mayHaveUnlinked: boolean): void {
  for (const rgrp of rgrps.all) {
    rgrp.forEachDifference((block, onDisk, rebuilt) => {
      image.report('reconcile', 'bitmap-state', block, `block ${block} is in state ${onDisk}, ${rebuilt} is right`);
    });
    if (mayHaveUnlinked) continue;
    rgrp.forEachInState(BLKST.UNLINKED, (block) => {
      image.report('reconcile', 'unlinked', block, `dinode ${block} is unlinked and was not reclaimed`);
    });
  }
}

/** The master file says what the resource groups add up to. */
function checkStatfs(image: CheckImage, rgrps: CheckedRgrps, files: CheckedSystemFiles, mayBeUnsynced: boolean): void {
  const { statfs } = files;
  if (statfs === undefined) return;
  const sum = { total: 0, free: 0, dinodes: 0 };
  for (const parts of [statfs, ...(mayBeUnsynced ? files.nodes.map((node) => node.statfsChange) : [])]) {
    const bytes = parts === undefined ? undefined : image.content(parts, STATFS_BYTES);
    if (bytes === undefined) continue;
    const { total, free, dinodes } = decodeStatfsChange(bytes);
    sum.total += total;
    sum.free += free;
    sum.dinodes += dinodes;
  }
  const truth = countAll(rgrps);
  if (sum.total === truth.total && sum.free === truth.free && sum.dinodes === truth.dinodes) return;
  const text = `total ${sum.total}, free ${sum.free}, dinodes ${sum.dinodes}`;
  const right = `${truth.total}, ${truth.free}, ${truth.dinodes} are right`;
  image.report('statfs', 'statfs', statfs.addr, `statfs says ${text}; ${right}`);
}

function countAll(rgrps: CheckedRgrps): { total: number; free: number; dinodes: number } {
  const truth = { total: 0, free: 0, dinodes: 0 };
  for (const { rindex, counts } of rgrps.all) {
    truth.total += rindex.data;
    truth.free += counts[BLKST.FREE];
    truth.dinodes += counts[BLKST.DINODE] + counts[BLKST.UNLINKED];
  }
  return truth;
}
