import { Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { check } from '../src/check.js';
import { formattedDisk } from './formatted-disk.js';
import { Model, perform, randomOperation, treeOf } from './model.js';
import { NodeDriver } from './node-driver.js';
import { fsck, hasProgram } from './real-programs.js';

/** Carries out a random program of calls on a file system and on its model; both must answer the same. */
function runProgram(driver: NodeDriver, model: Model, prng: Prng, operations: number): void {
  for (let i = 0; i < operations; i++) {
    const operation = randomOperation(prng);
    const expected = model.apply(operation);
    expect(perform(driver, operation), `${i}: ${JSON.stringify(operation)}`).toBe(expected);
  }
}

const sorted = (tree: Map<string, string>) => [...tree].sort(([a], [b]) => (a < b ? -1 : 1));

describe('a random program of calls', () => {
  it.each([
    [512, 1],
    [1024, 2],
    [4096, 3],
  ])('on blocks of %i bytes does what the model does and leaves a clean image (seed %i)', (blockSize, seed) => {
    const disk = formattedDisk(24, { blockSize });
    const driver = NodeDriver.mounted(disk);
    const model = new Model();
    runProgram(driver, model, new Prng(seed, 0, 0, 1), 200);
    driver.unmount();
    expect(check(disk.image)).toEqual([]);
    if (hasProgram('fsck.gfs2')) expect(fsck(disk.image)).toEqual({ status: 0, complaints: [] });
    const again = NodeDriver.mounted(disk);
    expect(sorted(treeOf(again))).toEqual(sorted(model.tree()));
  });
});
