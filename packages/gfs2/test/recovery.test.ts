import { Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { check } from '../src/check.js';
import { Volume } from '../src/volume.js';
import { formattedDisk } from './formatted-disk.js';
import { type DiskEvent, MemoryDisk } from './memory-disk.js';
import { perform, randomOperation, treeOf } from './model.js';
import { NodeDriver } from './node-driver.js';
import { cutPower } from './power-cut.js';
import { fsck, hasProgram, listing, recordedImage, recordedList } from './real-programs.js';

describe.skipIf(!hasProgram('xz'))(
  'a journal that the real kernel left dirty (skipped without xz to unpack it)',
  () => {
    it('leaves the tree that the kernel had after its own replay', () => {
      const disk = new MemoryDisk(4096, recordedImage('dirty-jid2').fork());
      NodeDriver.mounted(disk).unmount();
      expect(check(disk.image)).toEqual([]);
      expect(listing(Volume.open(disk.image)!)).toEqual(recordedList('dirty-jid2.after-replay'));
    });
  },
);

/** A disk that a random program has written to, and what it wrote. */
function written(seed: number, blockSize: number): { before: MemoryDisk; history: readonly DiskEvent[] } {
  const prng = Prng.derive({ hi: 0, lo: seed }, 'written');
  const disk = formattedDisk(24, { blockSize });
  const driver = NodeDriver.mounted(disk);
  const before = disk.fork();
  disk.history = [];
  for (let i = 0; i < 100; i++) {
    perform(driver, randomOperation(prng));
    if (prng.below(8) === 0) driver.run({ kind: 'sync' });
  }
  driver.run({ kind: 'sync' });
  return { before, history: disk.history };
}

describe('power is cut at any write', () => {
  it.each([
    [4096, 1],
    [1024, 2],
  ])('blocks of %i bytes: the replay leaves a clean image, and does so when it is cut itself', (blockSize, seed) => {
    const prng = Prng.derive({ hi: 0, lo: seed }, 'cuts');
    const { before, history } = written(seed, blockSize);
    for (let i = 0; i < 4; i++) {
      const cut = cutPower(before, history, prng.below(history.length + 1), prng);
      const once = cut.fork();
      once.history = [];
      const driver = NodeDriver.mounted(once);
      const replay = once.history;
      const tree = treeOf(driver);
      driver.unmount();
      expect(check(once.image)).toEqual([]);
      const twice = cutPower(cut, replay, prng.below(replay.length + 1), prng);
      const second = NodeDriver.mounted(twice);
      expect(treeOf(second)).toEqual(tree);
      second.unmount();
      expect(check(twice.image)).toEqual([]);
      if (i === 0 && hasProgram('fsck.gfs2')) expect(fsck(once.image)).toEqual({ status: 0, complaints: [] });
    }
  });
});
