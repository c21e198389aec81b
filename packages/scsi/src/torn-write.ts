import { type Choices, fmix32 } from '@quorate/kernel';

/** Blocks of a write, counted from its first one. */
export interface BlockRun {
  readonly first: number;
  readonly blocks: number;
}

/** Which of its blocks a torn write leaves: its first ones, its last ones, or any. */
const Shape = { first: 0, last: 1, any: 2 } as const;

/** Sets of blocks that a torn write may leave, for each number of them. */
const PATTERNS = 0x1_0000;

/**
 * Decides what a write of so many blocks leaves when it is torn: fewer blocks than it has, in ascending runs; none for
 * nothing. A block is never torn. Source: simulation specification, 7.3.
 */
export function tornRuns(choices: Choices, blocks: number): readonly BlockRun[] {
  const count = blocks > 1 ? choices.choose('torn', blocks) : 0;
  if (count === 0) return [];
  switch (choices.choose('torn-shape', 3)) {
    case Shape.last:
      return [{ first: blocks - count, blocks: count }];
    case Shape.any:
      return scattered(blocks, count, choices.choose('torn-pattern', PATTERNS));
    default:
      return [{ first: 0, blocks: count }];
  }
}

/** `count` of so many blocks: one set for each pattern. One decision and not one for each block, so that it stays one to shrink. */
function scattered(blocks: number, count: number, pattern: number): readonly BlockRun[] {
  const runs: { first: number; blocks: number }[] = [];
  let left = count;
  for (let block = 0; left > 0; block++) {
    // Selection sampling: of the blocks that are left, so many are still to be taken.
    if (fmix32(pattern * 0x9e37 + block) % (blocks - block) >= left) continue;
    left -= 1;
    const last = runs.at(-1);
    if (last !== undefined && last.first + last.blocks === block) last.blocks += 1;
    else runs.push({ first: block, blocks: 1 });
  }
  return runs;
}
