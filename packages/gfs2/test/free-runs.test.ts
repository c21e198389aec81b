import { Prng } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { allocDinode, giveBackDinode } from '../src/allocator/allocate.js';
import { Reservation } from '../src/allocator/reservation.js';
import { inplaceRelease } from '../src/allocator/reserve.js';
import type { Rgrp } from '../src/allocator/rgrp.js';
import { emptyRgrp, LoneNode } from './lone-node.js';

/** Two groups of several bitmap blocks. */
function nodeOfTwo(): LoneNode {
  const first = emptyRgrp(512, 100, 20_000).rgrp;
  return new LoneNode([first, emptyRgrp(512, first.rindex.data0 + first.rindex.data, 6000).rgrp]);
}

/** What files get that come, grow and go until the groups are fragmented, and what searches have left behind in the groups. */
function program(node: LoneNode, seed: number): unknown[] {
  const prng = Prng.derive({ hi: 0, lo: seed }, 'free runs');
  const told: unknown[] = [];
  const files: { readonly rs: Reservation; readonly blocks: number[] }[] = [];
  for (let i = 0; i < 4000; i++) {
    const kind = prng.below(10);
    if (kind < 3 || files.length === 0) {
      const rs = new Reservation(0, 100 + prng.below(26_000), prng.below(8) === 0);
      if (prng.below(20) === 0) rs.sizeHint = prng.below(3000);
      files.push({ rs, blocks: [] });
    }
    const file = files[prng.below(files.length)]!;
    if (kind < 8) {
      const extents = node.allocate(file.rs, 1 + prng.below(prng.below(50) === 0 ? 1500 : 12));
      told.push(extents);
      for (const { block, count } of extents === 'ENOSPC' ? [] : extents) {
        for (let b = block; b < block + count; b++) file.blocks.push(b);
      }
    }
    if (kind === 8) file.rs.drop();
    if (kind === 9 || told.at(-1) === 'ENOSPC') {
      for (const block of file.blocks.splice(0, 1 + prng.below(40))) node.free(block, 1);
    }
    if (prng.below(15) === 0) node.flush();
    if (prng.below(40) === 0) told.push(takeBack(node, file.rs.goal));
  }
  told.push(node.index.all.map(({ lastAlloc, extfailPt, free, requested }) => [lastAlloc, extfailPt, free, requested]));
  return told;
}

/** Makes a dinode, and gives it back in the same transaction. */
function takeBack(node: LoneNode, goal: number): number | 'ENOSPC' {
  const rs = new Reservation(0, goal, false);
  const rgrp = node.reserve(rs, { target: 1 });
  if (rgrp === 'ENOSPC') return 'ENOSPC';
  const { block } = allocDinode(rs, node);
  giveBackDinode(rgrp, block, node);
  inplaceRelease(rs);
  rs.drop();
  return block;
}

it.each([1, 2, 3])('searches that pass over sections find what others find, seed %i', (seed) => {
  const patient = nodeOfTwo();
  for (const { runs } of patient.index.all) runs.skip = (_: Rgrp, at: number) => at;
  const quick = nodeOfTwo();
  let skipped = 0;
  for (const { runs } of quick.index.all) {
    const skip = runs.skip.bind(runs);
    runs.skip = (rgrp, at, end, length) => {
      const to = skip(rgrp, at, end, length);
      skipped += to - at;
      return to;
    };
  }
  const told = program(quick, seed);
  expect(told).toEqual(program(patient, seed));
  expect(skipped).toBeGreaterThan(100_000);
});
