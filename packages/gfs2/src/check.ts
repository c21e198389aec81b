import { BLKST } from './bitmap.js';
import { checkDirectories } from './check/directories.js';
import type { Finding } from './check/finding.js';
import type { Fix, Fixer } from './check/fix.js';
import { CheckImage } from './check/image.js';
import { checkInodes } from './check/inodes.js';
import { JournalChecker } from './check/journals.js';
import { checkConnectivity, checkLinks } from './check/links.js';
import { checkQuotas } from './check/quotas.js';
import { type CheckedRgrp, CheckedRgrps, checkRgrps } from './check/rgrps.js';
import { type CheckedSystemFiles, SystemFileChecker } from './check/system-files.js';
import type { ReadableDevice } from './device.js';
import { decodeStatfsChange, encodeStatfsChange, STATFS_BYTES } from './ondisk/accounting.js';
import { DINODE_BYTES, geometryOf, SUPERBLOCK_BYTE } from './ondisk/geometry.js';
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
  /** It was always mounted with `quota=account` or `quota=on`: the records are to say what users and groups have. */
  readonly hasQuotas?: boolean;
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
  return examine(device, options).findings;
}

/** What an examination gives beside its findings. */
export interface Examination {
  readonly findings: readonly Finding[];
  readonly fixes: readonly (readonly [Finding, Fix])[];
  /** Undefined when there is no file system. */
  readonly superblock: Superblock | undefined;
  readonly rgrps: CheckedRgrps;
}

/** The same as `check`, and how to mend what it finds. */
export function examine(device: ReadableDevice, options: CheckOptions): Examination {
  const superblock = readSuperblock(device);
  if (typeof superblock === 'string') {
    const finding: Finding = { pass: 'initialize', rule: 'superblock', block: 0, text: superblock };
    return { findings: [finding], fixes: [], superblock: undefined, rgrps: new CheckedRgrps([]) };
  }
  const image = new CheckImage(device, geometryOf(superblock.blockSize), options.limit ?? 1000);
  const files = new SystemFileChecker(image).check(superblock);
  const journals = new JournalChecker(image, options.mayHaveDirtyJournals === true);
  for (const [jid, { journal }] of files.nodes.entries()) journals.check(`journal${jid}`, journal);
  const rgrps = checkRgrps(image, readRindex(image, files), files.rindex);
  checkSystemStates(image, rgrps, files.addrs);
  const inodes = checkInodes(image, rgrps);
  reconcile(image, rgrps, options.mayHaveUnlinked === true);
  checkDirectories(image, inodes, rgrps);
  checkConnectivity(image, inodes, [superblock.rootDir.addr, superblock.masterDir.addr]);
  checkLinks(image, inodes);
  checkStatfs(image, rgrps, files, options.mayHaveUnsyncedStatfs === true);
  if (options.hasQuotas === true) checkQuotas(image, device, inodes);
  return { findings: image.findings, fixes: image.fixes, superblock, rgrps };
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
  image.report(
    'initialize',
    'system-content',
    rindex.addr,
    `rindex has not the ${rindex.size} bytes that it claims`,
    (fixer) => fixer.rebuildRindex(rindex, []),
  );
  return [];
}

/** Without the system files in the bitmap nothing else would be found. */
function checkSystemStates(image: CheckImage, rgrps: CheckedRgrps, addrs: readonly number[]): void {
  for (const addr of addrs) {
    const state = rgrps.find(addr)?.stateOf(addr) ?? BLKST.DINODE;
    if (state === BLKST.DINODE) continue;
    image.report('rindex', 'bitmap-state', addr, `system inode ${addr} is in state ${state}, 3 is right`, (fixer) =>
      fixer.setState(addr, BLKST.DINODE),
    );
  }
}

/** Compares every block's state with what the inodes say. */
function reconcile(image: CheckImage, rgrps: CheckedRgrps, mayHaveUnlinked: boolean): void {
  for (const rgrp of rgrps.all) {
    let first: number | undefined;
    rgrp.forEachDifference((block, onDisk, rebuilt) => {
      first ??= block;
      // The first one mends the whole group: there may be more than are told.
      const isFirst = block === first;
      const text = `block ${block} is in state ${onDisk}, ${rebuilt} is right`;
      image.report('reconcile', 'bitmap-state', block, text, isFirst ? (fixer) => writeBitmap(fixer, rgrp) : undefined);
    });
    if (mayHaveUnlinked) continue;
    rgrp.forEachInState(BLKST.UNLINKED, (block) => {
      image.report('reconcile', 'unlinked', block, `dinode ${block} is unlinked and was not reclaimed`, (fixer) =>
        fixer.setState(block, BLKST.FREE),
      );
    });
  }
}

function writeBitmap(fixer: Fixer, rgrp: CheckedRgrp): void {
  for (const [i, { offset, bytes }] of rgrp.rebuiltBytes().entries()) {
    fixer.patch(rgrp.rindex.addr + i, (block) => block.set(bytes, offset));
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
  image.report('statfs', 'statfs', statfs.addr, `statfs says ${text}; ${right}`, (fixer) => {
    fixer.patch(statfs.addr, (bytes) => encodeStatfsChange(truth, bytes, DINODE_BYTES));
    // What nodes have not told yet is in it now.
    for (const { statfsChange } of files.nodes) {
      if (statfsChange !== undefined) fixer.patch(statfsChange.addr, (bytes) => bytes.fill(0, DINODE_BYTES));
    }
  });
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
