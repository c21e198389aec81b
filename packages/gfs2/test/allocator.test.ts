import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { allocBlocks, allocDinode, freeBlocks, freeDinode, unlinkDinode } from '../src/allocator/allocate.js';
import { nextUnreservedBlock, Reservation } from '../src/allocator/reservation.js';
import { inplaceRelease } from '../src/allocator/reserve.js';
import { RDF, Rgrp } from '../src/allocator/rgrp.js';
import { RgrpIndex } from '../src/allocator/rgrp-index.js';
import { decodeRgrpLvb, encodeRgrpLvb } from '../src/allocator/rgrp-lvb.js';
import { freeExtlen, rbmFind } from '../src/allocator/search.js';
import { BLKST } from '../src/bitmap.js';
import { geometryOf } from '../src/ondisk/geometry.js';
import { decodeRgrpHeader, isRgrpCrcRight, RGF } from '../src/ondisk/rgrp-header.js';
import { emptyRgrp, LoneNode } from './lone-node.js';

/** One group of 4000 blocks in two bitmap blocks of 512 bytes, 384 and 488 bytes of bitmap, and 128 more in a third. */
const setUp = (data = 4000): { node: LoneNode; rgrp: Rgrp; blocks: Uint8Array[] } => {
  const { rgrp, blocks } = emptyRgrp(512, 100, data);
  return { node: new LoneNode([rgrp]), rgrp, blocks };
};

describe('a reservation', () => {
  it('takes 32 blocks for a file, and one for a directory', () => {
    const { node, rgrp } = setUp();
    const file = new Reservation(0, rgrp.rindex.data0, false);
    node.reserve(file, { target: 1 });
    const dir = new Reservation(0, rgrp.rindex.data0, true);
    node.reserve(dir, { target: 1 });
    expect([file.start, file.requested]).toEqual([rgrp.rindex.data0, 32]);
    expect([dir.start, dir.requested]).toEqual([rgrp.rindex.data0 + 32, 1]);
    expect(rgrp.requested).toBe(33);
  });

  it('keeps others away until it is used up, and then wants 64 blocks more', () => {
    const { node, rgrp } = setUp();
    const { data0 } = rgrp.rindex;
    const a = new Reservation(0, data0, false);
    node.reserve(a, { target: 1 });
    inplaceRelease(a);
    const b = new Reservation(0, data0, false);
    expect(node.allocate(b, 2)).toEqual([{ block: data0 + 32, count: 2 }]);
    expect(node.allocate(a, 32)).toEqual([{ block: data0, count: 32 }]);
    expect([a.isActive, a.sizeHint]).toEqual([false, 64]);
    node.reserve(a, { target: 1 });
    expect([a.start, a.requested]).toEqual([data0 + 64, 64]);
  });

  it('is dropped by an allocation elsewhere', () => {
    const { node, rgrp } = setUp();
    const a = new Reservation(0, rgrp.rindex.data0, false);
    node.reserve(a, { target: 1 });
    a.adjust(rgrp.rindex.data0 + 100, 1);
    expect([a.isActive, rgrp.requested, rgrp.reservations.length]).toEqual([false, 0, 0]);
  });

  it('gives way when nothing else is free', () => {
    const { node, rgrp } = setUp(64);
    const { data0 } = rgrp.rindex;
    const a = new Reservation(0, data0, false);
    node.reserve(a, { target: 1 });
    inplaceRelease(a);
    const b = new Reservation(0, data0, false);
    expect(node.allocate(b, 32)).toEqual([{ block: data0 + 32, count: 32 }]);
    // 32 blocks are left, all reserved by `a`.
    expect(node.reserve(b, { target: 1 })).toBe('ENOSPC');
    a.drop();
    expect(node.allocate(b, 32)).toEqual([{ block: data0, count: 32 }]);
  });

  it('the longest free run is taken when none is long enough', () => {
    const { node, rgrp } = setUp(400);
    const { data0 } = rgrp.rindex;
    const filler = new Reservation(0, data0, true);
    for (let at = 0; at < 400; at += 40) {
      filler.goal = data0 + at + 20;
      node.allocate(filler, 1);
    }
    const file = new Reservation(0, data0, false);
    file.sizeHint = 100;
    node.reserve(file, { target: 1 });
    expect([file.start, file.requested]).toEqual([data0 + 21, 39]);
  });
});

describe('reserving', () => {
  it('goes to the next group when the first is too full, and comes back with the goal', () => {
    const first = emptyRgrp(512, 100, 64).rgrp;
    const second = emptyRgrp(512, 300, 640).rgrp;
    const node = new LoneNode([first, second]);
    const rs = new Reservation(first.rindex.data0, first.rindex.data0, false);
    expect(node.reserve(rs, { target: 100 })).toBe(second);
    inplaceRelease(rs);
    rs.drop();
    expect(node.reserve(rs, { target: 10 })).toBe(first);
  });

  it('a goal outside all groups becomes the inode itself', () => {
    const { node, rgrp } = setUp();
    const rs = new Reservation(rgrp.rindex.data0 + 7, 1, false);
    node.reserve(rs, { target: 1 });
    expect(rs.goal).toBe(rgrp.rindex.data0 + 7);
  });

  it('in the last pass the log is flushed, and the lesser target will do', () => {
    const { node, rgrp } = setUp(64);
    const { data0 } = rgrp.rindex;
    const rs = new Reservation(0, data0, false);
    node.allocate(rs, 64);
    node.free(data0, 20);
    expect(node.reserve(rs, { target: 30 })).toBe('ENOSPC');
    expect(node.flushes).toBe(1);
    expect(node.reserve(rs, { target: 30, minTarget: 10 })).toBe(rgrp);
    expect(rs.reserved).toBe(20);
  });

  it('a group is passed by for each that the caller wants skipped', () => {
    const rgrps = [100, 300, 500].map((addr) => emptyRgrp(512, addr, 64).rgrp);
    const node = new LoneNode(rgrps);
    const rs = new Reservation(0, rgrps[0]!.rindex.data0, true);
    expect(node.reserve(rs, { target: 1, skip: 2 })).toBe(rgrps[2]);
  });

  it.each([
    ['NOALLOC', RGF.NOALLOC],
    ['ERROR', RDF.ERROR],
  ])('nothing comes from a group marked %s', (_, flag) => {
    const { node, rgrp } = setUp();
    rgrp.flags = (rgrp.flags | flag) >>> 0;
    expect(node.reserve(new Reservation(0, rgrp.rindex.data0, false), { target: 1 })).toBe('ENOSPC');
  });

  it('two promises at once, or none, are the caller’s mistake', () => {
    const { node, rgrp } = setUp();
    const rs = new Reservation(0, rgrp.rindex.data0, false);
    expect(() => node.reserve(rs, { target: 0 })).toThrow(RangeError);
    node.reserve(rs, { target: 1 });
    expect(() => node.reserve(rs, { target: 1 })).toThrow(RangeError);
  });

  it('a congested group waits for the last pass', () => {
    const [slow, fast] = [emptyRgrp(512, 100, 64).rgrp, emptyRgrp(512, 300, 64).rgrp];
    const node = new LoneNode([slow, fast]);
    node.isCongested = ((rgrp: Rgrp) => rgrp === slow) as () => boolean;
    const rs = new Reservation(0, slow.rindex.data0, false);
    expect(node.reserve(rs, { target: 8 })).toBe(fast);
    inplaceRelease(rs);
    rs.drop();
    expect(node.reserve(rs, { target: 40 })).toBe(fast);
    inplaceRelease(rs);
    rs.drop();
    node.allocate(new Reservation(0, fast.rindex.data0, false), 60);
    expect(node.reserve(rs, { target: 40 })).toBe(slow);
  });
});

describe('clone bitmaps', () => {
  it('a freed block is not allocated before its flush', () => {
    const { node, rgrp } = setUp(64);
    const { data0 } = rgrp.rindex;
    const rs = new Reservation(0, data0, false);
    node.allocate(rs, 64);
    node.free(data0 + 5, 3);
    expect([rgrp.free, rgrp.freeClone]).toEqual([3, 0]);
    expect(rgrp.stateOf(data0 + 5)).toBe(BLKST.FREE);
    expect(rbmFind(rgrp, 0, 1, undefined, false, { offset: 0, length: 0 })).toBe(false);
    node.flush();
    expect(rgrp.freeClone).toBe(3);
    expect(node.allocate(rs, 3)).toEqual([{ block: data0 + 5, count: 3 }]);
  });

  it('an allocation after a free is seen by both bitmaps', () => {
    const { node, rgrp } = setUp();
    const { data0 } = rgrp.rindex;
    const rs = new Reservation(0, data0, false);
    node.allocate(rs, 1);
    node.free(data0, 1);
    node.allocate(rs, 1);
    node.flush();
    expect([rgrp.stateOf(data0), rgrp.stateOf(data0 + 1)]).toEqual([BLKST.FREE, BLKST.USED]);
    expect(rgrp.free).toBe(3999);
  });
});

describe('dinodes', () => {
  it('get generations that count up from the header’s, without 0', () => {
    const { node, rgrp, blocks } = setUp();
    const rs = new Reservation(0, rgrp.rindex.data0, false);
    node.reserve(rs, { target: 2 });
    expect(allocDinode(rs, node)).toEqual({ block: rgrp.rindex.data0, generation: 1 });
    expect(allocDinode(rs, node)).toEqual({ block: rgrp.rindex.data0 + 1, generation: 2 });
    expect(decodeRgrpHeader(blocks[0]!)).toMatchObject({ dinodes: 2, free: 3998, igeneration: 3 });
    expect(isRgrpCrcRight(blocks[0]!)).toBe(true);
  });

  it('are unlinked, found again and freed', () => {
    const { node, rgrp } = setUp();
    const made = [node.create(rgrp.rindex.data0, true), node.create(rgrp.rindex.data0, true)];
    for (const { addr } of made) unlinkDinode(rgrp, addr, node);
    expect(rgrp.unlinkedDinodes()).toEqual(made.map(({ addr }) => addr));
    expect(rgrp.unlinkedDinodes(made[1]!.addr)).toEqual([made[1]!.addr]);
    expect([rgrp.dinodes, rgrp.free]).toEqual([2, 3998]);
    freeDinode(rgrp, made[0]!.addr, node);
    expect([rgrp.dinodes, rgrp.free, rgrp.stateOf(made[0]!.addr)]).toEqual([1, 3999, BLKST.FREE]);
  });
});

describe('what contradicts the bitmap makes the file system withdraw, and nothing is allocated there any more', () => {
  it.each([
    ['freeing a free block', (rgrp: Rgrp, node: LoneNode) => freeBlocks(rgrp, rgrp.rindex.data0 + 9, 1, node)],
    ['freeing a dinode as data', (rgrp: Rgrp, node: LoneNode) => freeBlocks(rgrp, rgrp.rindex.data0, 1, node)],
    ['unlinking what is no dinode', (rgrp: Rgrp, node: LoneNode) => unlinkDinode(rgrp, rgrp.rindex.data0 + 1, node)],
    ['freeing the header', (rgrp: Rgrp, node: LoneNode) => freeBlocks(rgrp, rgrp.addr, 1, node)],
    ['freeing past the end', (rgrp: Rgrp, node: LoneNode) => freeBlocks(rgrp, rgrp.rindex.data0 + 1, 4000, node)],
  ] as const)('%s', (_, act) => {
    const { node, rgrp } = setUp();
    node.create(rgrp.rindex.data0, true);
    expect(() => act(rgrp, node)).toThrow(/resource group 100/);
    expect(node.reserve(new Reservation(0, rgrp.rindex.data0, false), { target: 1 })).toBe('ENOSPC');
  });
});

describe('what is logged', () => {
  it('an extent changes the header and the bitmap blocks it touches', () => {
    const { node, rgrp } = setUp();
    const { data0 } = rgrp.rindex;
    const rs = new Reservation(0, data0, false);
    node.allocate(rs, 100);
    expect(node.changes).toEqual([
      [100, 0],
      [100, 0],
    ]);
    node.changes.length = 0;
    // The header block describes 1536 blocks, the next one 1952.
    rs.goal = data0 + 1500;
    node.allocate(rs, 100);
    expect(node.changes).toEqual([
      [100, 0],
      [100, 1],
      [100, 0],
    ]);
  });

  it('blocks of another type are not taken as a bitmap', () => {
    const { rgrp, blocks } = setUp();
    const other = new Rgrp(geometryOf(512), rgrp.rindex);
    expect(other.attach(blocks.slice(0, 1))).toBe(false);
    expect(other.attach([blocks[1]!, ...blocks.slice(1)])).toBe(false);
    expect(other.attach([blocks[0]!, blocks[0]!, ...blocks.slice(2)])).toBe(false);
    expect([other.isAttached, other.attach(blocks), other.isAttached]).toEqual([false, true, true]);
    other.detach();
    expect(() => other.out(new LoneNode([other]))).toThrow(RangeError);
  });
});

describe('against a model with one byte for each block', () => {
  const command = fc.oneof(
    {
      weight: 5,
      arbitrary: fc.record({
        kind: fc.constant('grow' as const),
        file: fc.nat(3),
        count: fc.integer({ min: 1, max: 300 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('free' as const),
        file: fc.nat(3),
        count: fc.integer({ min: 1, max: 300 }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('flush' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('close' as const), file: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('goal' as const), file: fc.nat(3), to: fc.nat(5000) }) },
  );

  it('no block is given out twice, none before its flush, and all counts are right', () => {
    fc.assert(
      fc.property(fc.array(command, { maxLength: 80 }), (commands) => {
        const groups = [emptyRgrp(512, 100, 2000), emptyRgrp(512, 2200, 1600), emptyRgrp(512, 4000, 40)];
        const node = new LoneNode(groups.map(({ rgrp }) => rgrp));
        const owner = new Map<number, number>();
        const notDurable = new Set<number>();
        const files = [0, 1, 2, 3].map((i) => new Reservation(200 + i, 200 + i, i === 3));
        const held: number[][] = [[], [], [], []];
        for (const step of commands) {
          if (step.kind === 'flush') {
            node.flush();
            notDurable.clear();
          } else if (step.kind === 'close') files[step.file]!.drop();
          else if (step.kind === 'goal') files[step.file]!.goal = step.to;
          else if (step.kind === 'grow') {
            const flushes = node.flushes;
            const extents = node.allocate(files[step.file]!, step.count);
            if (node.flushes > flushes) notDurable.clear();
            for (const { block, count } of extents === 'ENOSPC' ? [] : extents) {
              for (let i = block; i < block + count; i++) {
                if (owner.has(i) || notDurable.has(i)) throw new Error(`block ${i} was given out too early`);
                owner.set(i, step.file);
                held[step.file]!.push(i);
              }
            }
          } else {
            for (const block of held[step.file]!.splice(0, step.count)) {
              node.free(block, 1);
              owner.delete(block);
              notDurable.add(block);
            }
          }
        }
        for (const { rgrp } of groups) {
          const { data0, data } = rgrp.rindex;
          let free = 0;
          for (let block = data0; block < data0 + data; block++) {
            const state = owner.has(block) ? BLKST.USED : BLKST.FREE;
            if (rgrp.stateOf(block) !== state) throw new Error(`block ${block} is in state ${rgrp.stateOf(block)}`);
            if (!owner.has(block)) free += 1;
          }
          expect([rgrp.free, rgrp.reserved]).toEqual([free, 0]);
          expect(rgrp.requested).toBe(rgrp.reservations.reduce((sum, rs) => sum + rs.requested, 0));
        }
      }),
      { numRuns: 60 },
    );
  });

  it('the length of a free run, across bitmap blocks', () => {
    fc.assert(
      fc.property(
        fc.array(fc.nat(3999), { maxLength: 12 }),
        fc.nat(3999),
        fc.integer({ min: 1, max: 4000 }),
        (used, from, limit) => {
          const { rgrp } = setUp();
          for (const offset of used) rgrp.bits[rgrp.indexOf(offset)]!.take(offset, offset + 1, BLKST.USED);
          fc.pre(!used.includes(from));
          let length = 0;
          while (length < limit && from + length < 4000 && !used.includes(from + length)) length += 1;
          expect(freeExtlen(rgrp, from, limit)).toBe(length);
        },
      ),
      { numRuns: 200 },
    );
  });

  it('the next block that nobody else has reserved', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.nat(30), { maxLength: 8 }),
        fc.nat(400),
        fc.integer({ min: 1, max: 20 }),
        fc.nat(7),
        (slots, block, length, own) => {
          const { rgrp } = emptyRgrp(512, 0, 400);
          const all = slots.map((slot) => {
            const rs = new Reservation(0, 0, false);
            rs.rgrp = rgrp;
            rs.insert(slot * 12, 1 + (slot % 12));
            return rs;
          });
          const others = all.filter((_, i) => i !== own);
          const overlaps = (at: number): boolean =>
            others.some((rs) => at < rs.start + rs.requested && at + length > rs.start);
          const next = nextUnreservedBlock(rgrp, block, length, all[own] ?? new Reservation(0, 0, false));
          expect(overlaps(next)).toBe(false);
          for (let at = block; at < next; at++) expect(overlaps(at)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('resource groups by block', () => {
  it.each([
    [99, undefined],
    [100, 100],
    [102, 100],
    [165, undefined],
    [300, 300],
    [364, 300],
    [9999, undefined],
  ])('block %i is in group %s', (block, addr) => {
    const index = new RgrpIndex([100, 300, 500].map((at) => emptyRgrp(512, at, 64).rgrp));
    expect(index.find(block)?.addr).toBe(addr);
  });

  it('node j of J prefers every Jth', () => {
    const index = new RgrpIndex([100, 300, 500, 700, 900].map((at) => emptyRgrp(512, at, 64).rgrp));
    index.prefer(1, 3);
    expect(index.all.map(({ flags }) => (flags & RDF.PREFERRED) !== 0)).toEqual([false, true, false, false, true]);
  });
});

describe('the lock value block of a resource group', () => {
  it('is read back as written; without the magic number it holds nothing', () => {
    const lvb = { flags: 0x10, free: 7, dinodes: 9, igeneration: 2 ** 40, unlinked: 3 };
    const bytes = new Uint8Array(32);
    expect(decodeRgrpLvb(bytes)).toBeUndefined();
    encodeRgrpLvb({ ...lvb, flags: 0x9000_0010 }, bytes);
    expect(decodeRgrpLvb(bytes)).toEqual(lvb);
  });
});

it('allocating what was not reserved is a broken rule of ours', () => {
  const { node, rgrp } = setUp();
  const rs = new Reservation(0, rgrp.rindex.data0, false);
  expect(() => allocBlocks(rs, 1, node)).toThrow('1 blocks wanted, 0 reserved');
});
