import { Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { check } from '../src/check.js';
import { RINDEX_ENTRY_BYTES } from '../src/ondisk/rindex.js';
import { repair } from '../src/repair.js';
import { Volume } from '../src/volume.js';
import { CrashWorkload } from './crash-workload.js';
import { formattedDisk } from './formatted-disk.js';
import { MemoryDisk } from './memory-disk.js';
import { WALL } from './node-driver.js';
import { fsck, fsckMend, hasProgram, listing } from './real-programs.js';
import type { SparseImage } from './sparse-image.js';

/** How many workloads, and the first seed; `CRASHES=500` for all that the issue wants. */
const CRASHES = Number(process.env.CRASHES ?? (isThorough ? 30 : 8));
const FIRST = Number(process.env.CRASH ?? 1);

/** Of those that change the size. */
const RESIZES = Number(process.env.CRASHES ?? (isThorough ? 9 : 3));

/** The real program takes most of the time: in a short run it sees every third. */
const isJudged = (seed: number): boolean => hasProgram('fsck.gfs2') && (CRASHES > 30 || seed % 3 === 0);

const empty = formattedDisk(96, { journals: 5, lockTable: 'my-cluster:storage', rgrpMiB: 32 });

function repaired(cut: SparseImage): SparseImage {
  const image = cut.fork();
  expect(repair(image, { wall: WALL, prng: new Prng(1, 2, 3, 4) }).left).toEqual([]);
  return image;
}

function mendedByFsck(cut: SparseImage): SparseImage {
  const { status, mended } = fsckMend(cut);
  expect(status).toBeLessThan(2);
  return mended;
}

/** Cuts the power, and compares what repair, the real program and the nodes themselves make of what is on the disk then. */
function expectKept(workload: CrashWorkload, seed: number, mend = mendedByFsck): void {
  const cut = workload.run();
  const images = [repaired(cut), ...(isJudged(seed) ? [mend(cut)] : [])];
  for (const image of images) {
    expect(check(image)).toEqual([]);
    expect(workload.broken(image)).toEqual([]);
  }
  workload.recover();
  const { image } = workload.cluster.disk;
  expect(workload.cluster.violations).toEqual([]);
  expect(workload.broken(image)).toEqual([]);
  const findings = check(image);
  expect(findings.filter(({ rule }) => rule !== 'unlinked')).toEqual([]);
  if (isJudged(seed)) expect(fsck(image)).toMatchObject({ status: findings.length === 0 ? 0 : 4 });
  if (workload.loss === 'some, the others work') images.length = 0;
  for (const other of images) expect(listing(Volume.open(image)!)).toEqual(listing(Volume.open(other)!));
}

function rgrpsOf(image: SparseImage): number {
  return (Volume.open(image)!.systemFile('rindex') as { size: number }).size / RINDEX_ENTRY_BYTES;
}

describe(`${CRASHES} random workloads on one to five nodes, whose power is cut while writes are under way`, () => {
  it.each(Array.from({ length: CRASHES }, (_, i) => FIRST + i))(
    'seed %i: what was synced is there, and the trees are equal, whoever replays the journals',
    (seed) => expectKept(new CrashWorkload(empty.fork(), seed), seed),
  );
});

describe(`${RESIZES} such workloads on a device that has become larger`, () => {
  const grow = { kind: 'grow', deviceBlocks: (200 << 20) / 4096 } as const;
  const addJournal = { kind: 'add-journals', count: 1, journalMiB: 8, quotaChangeMiB: 1 } as const;

  it.each(Array.from({ length: RESIZES }, (_, i) => FIRST + i))(
    'seed %i: the power goes while one node grows the file system or adds a journal, and what was synced is there',
    (seed) => {
      const resizing = [[grow], [addJournal], [grow, addJournal]][seed % 3]!;
      const disk = new MemoryDisk(empty.blockSize, empty.image.resized(200 << 20));
      const workload = new CrashWorkload(disk, seed, resizing);
      // It reads `rindex` before it replays the journal that has what was added, and goes by what it has read.
      expectKept(workload, seed, (cut) => mendedByFsck(mendedByFsck(cut)));
      workload.resizeAgain();
      const { image } = workload.cluster.disk;
      expect(workload.broken(image)).toEqual([]);
      expect(check(image).filter(({ rule }) => rule !== 'unlinked')).toEqual([]);
      if (isJudged(seed)) expect(fsck(image).status % 4).toBe(0);
      expect(rgrpsOf(image) - rgrpsOf(empty.image)).toBe(resizing.includes(grow) ? 1 : 0);
    },
  );
});
