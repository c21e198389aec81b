import { Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { check } from '../src/check.js';
import { repair } from '../src/repair.js';
import { Volume } from '../src/volume.js';
import { DAMAGES, garden, mountedGarden, Saboteur } from './damaged-images.js';
import { NodeDriver, WALL } from './node-driver.js';
import { fsck, hasProgram, listing, recordedImage, recordedList } from './real-programs.js';
import type { SparseImage } from './sparse-image.js';

const HAS_FSCK = hasProgram('fsck.gfs2');
const clean = garden().image;
const paths = (image: SparseImage) => [...Volume.open(image)!.tree()].map(({ path }) => path);

function mend(image: SparseImage) {
  return repair(image, { wall: WALL, prng: new Prng(1, 2, 3, 4) });
}

/** The real one is asked about all of them in CI, and about some else: it takes longer than all the rest. */
let mended = 0;

function expectMended(image: SparseImage): void {
  expect(check(image)).toEqual([]);
  mended += 1;
  if (HAS_FSCK && (isThorough || mended % 5 === 1)) expect(fsck(image)).toEqual({ status: 0, complaints: [] });
}

/** Where a system file is missing or a journal has lost a part, somebody must make it anew. */
const BEYOND_REPAIR: ReadonlySet<string> = new Set([
  'a journal has a hole',
  'a system file is missing',
  'the superblock is of another format',
  'the superblock is gone',
]);

it('a clean image stays as it is', () => {
  const image = clean.fork();
  expect(mend(image)).toEqual({ found: [], left: [] });
  expect(image.differences(clean)).toEqual([]);
});

it.each(DAMAGES)('%s: what can be mended is, and fsck.gfs2 agrees', (name, _rules, plant) => {
  const image = clean.fork();
  plant(new Saboteur(image));
  const { found, left } = mend(image);
  if (BEYOND_REPAIR.has(name)) return expect(left).not.toEqual([]);
  expect(found).not.toEqual([]);
  expect(left).toEqual([]);
  expectMended(image);
});

describe('what is kept', () => {
  const damaged = (name: string): SparseImage => {
    const image = clean.fork();
    DAMAGES.find(([one]) => one === name)![2](new Saboteur(image));
    mend(image);
    return image;
  };
  const all = paths(clean);

  it('a name in the wrong leaf is entered where it belongs', () => {
    expect(paths(damaged('a name is in the wrong leaf'))).toHaveLength(all.length);
  });

  it.each([
    'the bitmap of a group is lost',
    'the root directory is free in the bitmap',
    'an inode with a name is free in the bitmap',
    'the header of a group is lost',
  ])('all of it when %s', (name) => {
    expect(listing(Volume.open(damaged(name))!)).toEqual(listing(Volume.open(clean)!));
  });

  it('a lost leaf takes names, not files', () => {
    const found = paths(damaged('a leaf is lost'));
    const orphans = found.filter((path) => path.startsWith('/lost+found/'));
    // Empty files without a name are not kept.
    expect(found.filter((path) => path.startsWith('/many/')).length).toBeGreaterThan(60);
    expect(orphans).toEqual([]);
  });

  it('a directory without a name is found in lost+found with all that is in it', () => {
    const image = damaged('a directory has no name');
    const { addr } = Volume.open(clean)!.lookup('/dir') as { addr: number };
    expect(paths(image)).toEqual(expect.arrayContaining([`/lost+found/lost_dir_${addr}/sub`]));
  });

  it('of two files that share a block one keeps it', () => {
    const image = damaged('two files share a block');
    const [before, after] = [clean, image].map((one) => {
      const volume = Volume.open(one)!;
      return volume.read(volume.lookup('/flat') as never);
    });
    expect(after).toEqual(before);
  });
});

it.skipIf(!hasProgram('xz'))('a dirty journal is replayed (skipped without xz to unpack it)', () => {
  const image = recordedImage('dirty-jid2').fork();
  expect(mend(image).left).toEqual([]);
  expectMended(image);
  expect(listing(Volume.open(image)!)).toEqual(recordedList('dirty-jid2.after-replay'));
});

it('what was deleted while it was open goes', () => {
  const driver = mountedGarden();
  driver.run({ kind: 'open', path: '/flat' });
  driver.run({ kind: 'unlink', path: '/flat' });
  driver.run({ kind: 'sync' });
  const { image } = NodeDriver.mounted(driver.disk.fork()).disk;
  expect(mend(image).left).toEqual([]);
  expectMended(image);
});
