import { Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { check } from '../src/check.js';
import { repair } from '../src/repair.js';
import { Volume } from '../src/volume.js';
import { CrashWorkload } from './crash-workload.js';
import { formattedDisk } from './formatted-disk.js';
import { WALL } from './node-driver.js';
import { fsck, fsckMend, hasProgram, listing } from './real-programs.js';
import type { SparseImage } from './sparse-image.js';

/** How many workloads, and the first seed; `CRASHES=500` for all that the issue wants. */
const CRASHES = Number(process.env.CRASHES ?? (isThorough ? 30 : 8));
const FIRST = Number(process.env.CRASH ?? 1);

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

describe(`${CRASHES} random workloads on one to five nodes, whose power is cut while writes are under way`, () => {
  it.each(Array.from({ length: CRASHES }, (_, i) => FIRST + i))(
    'seed %i: what was synced is there, and the trees are equal, whoever replays the journals',
    (seed) => {
      const workload = new CrashWorkload(empty.fork(), seed);
      const cut = workload.run();
      const images = [repaired(cut), ...(isJudged(seed) ? [mendedByFsck(cut)] : [])];
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
    },
  );
});
