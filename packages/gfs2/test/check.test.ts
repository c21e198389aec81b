import { Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { type CheckOptions, check } from '../src/check.js';
import { DAMAGES, garden, mountedGarden, Saboteur, UNNOTICED } from './damaged-images.js';
import { NodeDriver } from './node-driver.js';
import { fsck, hasProgram, recordedImage } from './real-programs.js';
import type { SparseImage } from './sparse-image.js';

const HAS_FSCK = hasProgram('fsck.gfs2');
const clean = garden().image;

it('a file system that was unmounted in order is clean, and fsck.gfs2 agrees', () => {
  expect(check(clean)).toEqual([]);
  if (HAS_FSCK) expect(fsck(clean)).toEqual({ status: 0, complaints: [] });
});

describe.skipIf(!hasProgram('xz'))('images of the real kernel (skipped without xz to unpack them)', () => {
  it.each(['tree-5j', 'bs1024'] as const)('%s is clean', (name) => {
    expect(check(recordedImage(name))).toEqual([]);
  });

  it('one with a dirty journal is dirty, and older than what the journal holds', () => {
    const rules = check(recordedImage('dirty-jid2')).map(({ rule }) => rule);
    expect(new Set(rules)).toEqual(new Set(['journal-dirty', 'dirent-target', 'nlink']));
  });
});

describe.each(DAMAGES)('%s', (name, rules, plant) => {
  const image = clean.fork();
  plant(new Saboteur(image));

  it('is found', () => {
    const found = check(image);
    expect(found.map(({ rule }) => rule)).toEqual(expect.arrayContaining([...rules]));
  });

  it.skipIf(!HAS_FSCK || UNNOTICED.has(name))('is found by fsck.gfs2 (skipped where it is not installed)', () => {
    expect(fsck(image)).not.toEqual({ status: 0, complaints: [] });
  });
});

describe('what an image may have', () => {
  const driver = mountedGarden();
  driver.run({ kind: 'open', path: '/flat' });
  driver.run({ kind: 'unlink', path: '/flat' });
  driver.run({ kind: 'sync' });
  // Power is cut; the next mount replays the journal and has neither looked for unlinked inodes yet nor synced
  // what it took over.
  const replayed = NodeDriver.mounted(driver.disk.fork()).disk.image;

  const unsynced = clean.fork();
  const saboteur = new Saboteur(unsynced);
  saboteur.add(saboteur.system('statfs').addr, 232 + 12, 3);
  saboteur.patch(saboteur.system('per_node/statfs_change0').addr, (view) => view.setBigInt64(232 + 8, -3n));

  it.each<[string, SparseImage, CheckOptions, string[]]>([
    ['no unlinked inode', replayed, { mayHaveUnsyncedStatfs: true }, ['unlinked']],
    ['unlinked inodes', replayed, { mayHaveUnlinked: true, mayHaveUnsyncedStatfs: true }, []],
    ['no unsynced counts', unsynced, {}, ['statfs']],
    ['unsynced counts', unsynced, { mayHaveUnsyncedStatfs: true }, []],
    ['no dirty journal', driver.disk.image, {}, ['journal-dirty']],
    ['dirty journals', driver.disk.image, { mayHaveDirtyJournals: true }, []],
  ])('%s', (_name, image, options, rules) => {
    expect(check(image, options).map(({ rule }) => rule)).toEqual(rules);
  });

  it('findings stop at the limit', () => {
    const damaged = clean.fork();
    const saboteur = new Saboteur(damaged);
    for (let i = 0; i < 20; i++) saboteur.setState(saboteur.freeBlock - i, 1);
    expect(check(damaged, { limit: 7 })).toHaveLength(7);
  });
});

it('any damage to metadata is answered with findings: no exception, no endless walk', () => {
  const prng = new Prng(9, 9, 9, 9);
  const saboteur = new Saboteur(clean);
  const inodes = [...saboteur.volume.tree()].slice(0, 12).map(({ dinode }) => dinode.addr);
  const system = ['rindex', 'statfs', 'jindex', 'per_node', 'jindex/journal0', 'per_node/quota_change0'];
  const targets = [16, 17, ...inodes, ...system.map((path) => saboteur.system(path).addr)];
  for (let i = 0; i < 60; i++) {
    const image = clean.fork();
    for (let j = 0; j < 8; j++) {
      const at = prng.below(400);
      image.patch(4096, targets[prng.below(targets.length)]!, (bytes) => {
        bytes[at] = prng.below(2) === 0 ? 0xff : prng.below(256);
      });
    }
    expect(check(image)).toBeInstanceOf(Array);
  }
});
