import { Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import { check } from '../src/check.js';
import { decodeQuota, QUOTA_BYTES } from '../src/ondisk/accounting.js';
import type { Dinode } from '../src/ondisk/dinode.js';
import { repair } from '../src/repair.js';
import { Volume } from '../src/volume.js';
import { DAMAGES, garden, mountedGarden, Saboteur } from './damaged-images.js';
import { MemoryDisk } from './memory-disk.js';
import { NodeDriver, WALL } from './node-driver.js';
import { fsck, fsckMend, hasProgram, listing, recordedImage, recordedList } from './real-programs.js';
import type { SparseImage } from './sparse-image.js';

const HAS_FSCK = hasProgram('fsck.gfs2');
const clean = garden('quota=account').image;
const paths = (image: SparseImage) => [...Volume.open(image)!.tree()].map(({ path }) => path);

function mend(image: SparseImage) {
  return repair(image, { wall: WALL, prng: new Prng(1, 2, 3, 4) });
}

/** The real one is asked about all of them in CI, and about some else: it takes longer than all the rest. */
let mended = 0;

function expectMended(image: SparseImage, hasQuotas = true): void {
  expect(check(image, { hasQuotas })).toEqual([]);
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

  it('of two files that share a block of data the one at the lower address keeps it, the other gets a copy, as by fsck.gfs2', () => {
    const driver = mountedGarden();
    const fd = driver.run({ kind: 'open', path: '/other', flags: { write: true, create: true } }) as number;
    driver.run({ kind: 'pwrite', fd, offset: 0, bytes: new Uint8Array(10 * 4096).fill(0x7a) });
    driver.run({ kind: 'close', fd });
    driver.unmount();
    for (const [from, to] of [
      ['/flat', '/other'],
      ['/other', '/flat'],
    ] as const) {
      const image = driver.disk.image.fork();
      const saboteur = new Saboteur(image);
      saboteur.setPointer(to, 2, saboteur.pointer(from, 2));
      const damagedList = listing(Volume.open(image)!);
      const theirs = HAS_FSCK ? fsckMend(image.fork()).mended : undefined;
      expect(mend(image).left).toEqual([]);
      expectMended(image, false);
      const after = Volume.open(image)!;
      for (const path of ['/flat', '/other']) {
        const mendedBytes = after.read(after.lookup(path) as never) as Uint8Array;
        const before = path === to ? 4096 * 2 : -1;
        expect(mendedBytes[0]).toBe(path === '/flat' ? 0x78 : 0x7a);
        if (before > 0) expect(mendedBytes[before]).toBe(from === '/flat' ? 0x78 : 0x7a);
        if (theirs !== undefined) {
          const volume = Volume.open(theirs)!;
          expect(mendedBytes).toEqual(volume.read(volume.lookup(path) as never));
        }
      }
      expect(damagedList).toHaveLength(listing(after).length);
    }
  });

  it('a file that claims a block twice keeps it at the first place and gets copies at the others, as by fsck.gfs2', () => {
    const image = clean.fork();
    const saboteur = new Saboteur(image);
    const shared = saboteur.pointer('/flat', 1);
    for (const index of [2, 4]) saboteur.setPointer('/flat', index, shared);
    const damagedBytes = Volume.open(image)!.read(Volume.open(image)!.lookup('/flat') as never);
    const theirs = HAS_FSCK ? fsckMend(image.fork()).mended : undefined;
    expect(mend(image).left).toEqual([]);
    expectMended(image, false);
    const pointers = [0, 1, 2, 3, 4].map((index) => new Saboteur(image).pointer('/flat', index));
    expect(pointers[1]).toBe(shared);
    expect(new Set(pointers).size).toBe(5);
    for (const mended of [image, ...(theirs === undefined ? [] : [theirs])]) {
      const volume = Volume.open(mended)!;
      expect(volume.read(volume.lookup('/flat') as never)).toEqual(damagedBytes);
    }
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
  expectMended(image, false);
  expect(listing(Volume.open(image)!)).toEqual(recordedList('dirty-jid2.after-replay'));
});

it('what was deleted while it was open goes', () => {
  const driver = mountedGarden('quota=account');
  driver.run({ kind: 'open', path: '/flat' });
  driver.run({ kind: 'unlink', path: '/flat' });
  driver.run({ kind: 'sync' });
  const { image } = NodeDriver.mounted(driver.disk.fork()).disk;
  expect(mend(image).left).toEqual([]);
  expectMended(image);
});

describe('quota records', () => {
  /** The records of user 500 and of root, as they are on the disk. */
  const records = (image: SparseImage) => {
    const volume = Volume.open(image)!;
    const quota = volume.systemFile('quota') as never;
    const held = [500, 0].map((id) => volume.read(quota, 2 * id * QUOTA_BYTES, QUOTA_BYTES) as Uint8Array);
    return held.map((bytes) => (bytes.length < QUOTA_BYTES ? undefined : decodeQuota(bytes)));
  };
  const wrong = (): SparseImage => {
    const image = clean.fork();
    const driver = NodeDriver.mounted(new MemoryDisk(4096, image), {}, 'quota=account');
    driver.run({ kind: 'setquota', of: 'user', id: 500, limit: 20, warn: 10 });
    driver.unmount();
    const uncounted = NodeDriver.mounted(driver.disk, {}, 'noquota');
    uncounted.run({ kind: 'unlink', path: '/tall' });
    uncounted.unmount();
    return image;
  };

  it('are left as they are when nothing else is wrong, as fsck.gfs2 does', () => {
    const image = wrong();
    const before = image.fork();
    expect(mend(image)).toEqual({ found: [], left: [] });
    expect(image.differences(before)).toEqual([]);
    if (HAS_FSCK) expect(fsck(image)).toEqual({ status: 0, complaints: [] });
  });

  it('say what users and groups have when that is asked for; limits stay', () => {
    const image = wrong();
    const { found, left } = repair(image, { wall: WALL, prng: new Prng(1, 2, 3, 4), hasQuotas: true });
    expect(found.map(({ text }) => text)).toContain('the quota of user 500 says 6 blocks, 1 are right');
    expect(left).toEqual([]);
    expect(records(image)[0]).toEqual({ limit: 20, warn: 10, value: 1 });
    expectMended(image);
  });

  it('hold what a dead node had counted and not told', () => {
    const { image } = mountedGarden('quota=account').disk;
    new Saboteur(image).setPointer('/flat', 3, 0);
    expect(mend(image).left).toEqual([]);
    expectMended(image);
    // A node that mounts it later does not count that again.
    const later = new MemoryDisk(4096, image);
    NodeDriver.mounted(later, {}, 'quota=on').unmount();
    expectMended(image);
  });

  it('stay as mkfs wrote them where nobody counts', () => {
    const image = garden('noquota').image.fork();
    DAMAGES.find(([name]) => name === 'a leaf is lost')![2](new Saboteur(image));
    expect(mend(image).left).toEqual([]);
    const { size } = Volume.open(image)!.systemFile('quota') as Dinode;
    expect(size).toBe(2 * QUOTA_BYTES);
    expect(records(image)[1]).toEqual({ limit: 0, warn: 0, value: 1 });
  });
});
