import { Prng } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { BlockAllocator, newBitmapGroup } from '../src/allocator/index.js';
import { isRgrpCrcRight } from '../src/ondisk/rgrp-header.js';

function allocatorOf(...sizes: readonly number[]) {
  let addr = 0;
  const groups = sizes.map((data) => {
    const group = newBitmapGroup(1024, addr, data);
    addr = group.rindex.data0 + data;
    return group;
  });
  const changed = new Set<number>();
  return { allocator: new BlockAllocator(groups, (block) => changed.add(block)), groups, changed };
}

it('what is freed is given out again after a commit, or when nothing else is left', () => {
  const { allocator, groups } = allocatorOf(64, 64);
  const [first, second] = groups.map(({ rindex }) => rindex.data0) as [number, number];
  const grower = allocator.grower(first);
  expect(allocator.allocate(grower, 64)).toEqual([{ block: first, count: 64 }]);
  allocator.release(first, 64);
  expect(allocator.allocate(grower, 64)).toEqual([{ block: second, count: 64 }]);
  expect(allocator.allocate(grower, 64)).toEqual([{ block: first, count: 64 }]);
  expect(allocator.allocate(grower, 1)).toBe('ENOSPC');
  expect(allocator.create(allocator.grower(first))).toBe('ENOSPC');
  expect(() => allocator.release(second + 64, 1)).toThrow(RangeError);
});

it('a random program gives no block twice, and the bitmaps say what is taken', () => {
  const { allocator, groups, changed } = allocatorOf(8000, 400, 4000);
  const prng = Prng.derive({ hi: 0, lo: 1 }, 'blocks');
  const taken = new Set<number>();
  const growers = Array.from({ length: 20 }, () => allocator.grower(groups[prng.below(3)]!.rindex.data0));
  for (let i = 0; i < 3000; i++) {
    const grower = growers[prng.below(20)]!;
    const runs = allocator.allocate(grower, 1 + prng.below(8));
    for (const { block, count } of runs === 'ENOSPC' ? [] : runs) {
      for (let b = block; b < block + count; b++) {
        expect(taken.has(b)).toBe(false);
        taken.add(b);
      }
    }
    if (prng.below(3) === 0 || runs === 'ENOSPC') {
      for (const block of [...taken].slice(0, 20)) {
        allocator.release(block, 1);
        taken.delete(block);
      }
    }
    if (prng.below(50) === 0) allocator.commit();
    if (prng.below(50) === 0) allocator.close(grower);
  }
  expect(allocator.free).toBe(12_400 - taken.size);
  for (const { blocks, rindex } of groups) {
    expect(isRgrpCrcRight(blocks[0]!)).toBe(true);
    expect(changed.has(rindex.addr)).toBe(true);
  }
});
