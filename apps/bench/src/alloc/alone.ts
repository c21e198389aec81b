import { BlockAllocator, newBitmapGroup, type Reservation } from '@quorate/gfs2/allocator';
import { Prng } from '@quorate/kernel';
import type { Figure } from '../figures.js';

const GROUP_BLOCKS = 65_528;

/** An allocator of so many groups, and the numbers of their blocks. */
function allocatorOf(groups: number) {
  let addr = 0;
  const made = Array.from({ length: groups }, () => {
    const group = newBitmapGroup(4096, addr, GROUP_BLOCKS);
    addr = group.rindex.data0 + group.rindex.data;
    return group;
  });
  return { allocator: new BlockAllocator(made), blocks: addr };
}

/** What the allocator does by itself: bitmaps, headers with their checksums, reservations; no journal, no locks. */
export function aloneFigures(runs = 5): Figure[] {
  const best = (measure: () => number): number => Math.max(...Array.from({ length: runs }, measure));
  const full = best(() => churn(0.85));
  const empty = best(() => churn(0));
  return [
    {
      name: 'sequential, 256 blocks a call',
      value: best(() => sequential(256)) / 1e6,
      unit: 'M blocks/s',
      bar: { atLeast: 1 },
    },
    { name: 'sequential, 1 block a call', value: best(() => sequential(1)) / 1e3, unit: 'k calls/s' },
    { name: 'create, 4 blocks, remove, empty', value: empty / 1e3, unit: 'k files/s' },
    { name: '85 % full beside that', value: full / empty, unit: 'of it', bar: { atLeast: 1 / 3 } },
  ];
}

/** Blocks a second of four files that grow in turns until a quarter million blocks are taken. */
export function sequential(perCall: number, total = 250_000): number {
  const { allocator } = allocatorOf(8);
  const growers = Array.from({ length: 4 }, (_, i) => allocator.grower(i * GROUP_BLOCKS));
  const start = process.hrtime.bigint();
  for (let taken = 0, i = 0; taken < total; taken += perCall, i++) {
    if (allocator.allocate(growers[i % 4]!, perCall) === 'ENOSPC') throw new Error('full');
  }
  return total / seconds(start);
}

/** A small file. */
interface Made {
  readonly inode: number;
  readonly runs: readonly { readonly block: number; readonly count: number }[];
}

/** Small files made and removed a second, where `fill` of all blocks is taken by others with gaps between them. */
export function churn(fill: number, turns = 20_000): number {
  const { allocator, blocks } = allocatorOf(4);
  const prng = Prng.derive({ hi: 0, lo: 7 }, 'churn');
  fillWithGaps(allocator, blocks, fill, prng);
  const kept: Made[] = [];
  const start = process.hrtime.bigint();
  for (let i = 0; i < turns; i++) {
    kept.push(make(allocator, allocator.grower(prng.below(blocks)), 4)!);
    if (kept.length > 50) remove(allocator, kept.splice(prng.below(50), 1)[0]!);
    if (i % 100 === 99) allocator.commit();
  }
  return turns / seconds(start);
}

function fillWithGaps(allocator: BlockAllocator, blocks: number, fill: number, prng: Prng): void {
  if (fill === 0) return;
  const files: Made[] = [];
  for (;;) {
    const file = make(allocator, allocator.grower(prng.below(blocks)), 1 + prng.below(12));
    if (file === undefined) break;
    files.push(file);
  }
  while (allocator.free < (1 - fill) * blocks) remove(allocator, files.splice(prng.below(files.length), 1)[0]!);
  allocator.commit();
}

function make(allocator: BlockAllocator, grower: Reservation, blocks: number): Made | undefined {
  const inode = allocator.create(grower);
  if (inode === 'ENOSPC') return undefined;
  const runs = allocator.allocate(grower, blocks);
  allocator.close(grower);
  return { inode, runs: runs === 'ENOSPC' ? [] : runs };
}

function remove(allocator: BlockAllocator, { inode, runs }: Made): void {
  for (const { block, count } of runs) allocator.release(block, count);
  allocator.remove(inode);
}

export function seconds(start: bigint): number {
  return Number(process.hrtime.bigint() - start) / 1e9;
}
