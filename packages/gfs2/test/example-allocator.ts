import { BlockAllocator, newBitmapGroup } from '@quorate/gfs2/allocator';

/** Two that grow in turns, each in a run of its own. */
export function growTogether(): string[] {
  const allocator = new BlockAllocator([newBitmapGroup(4096, 0, 65_536)]);
  const growers = { a: allocator.grower(0), b: allocator.grower(0) };
  const runs: Record<string, string[]> = { a: [], b: [] };
  for (let turn = 0; turn < 2; turn++) {
    for (const [name, grower] of Object.entries(growers)) {
      const allocated = allocator.allocate(grower, 4);
      if (allocated === 'ENOSPC') throw new Error('full');
      for (const { block, count } of allocated) runs[name]!.push(`${count} from ${block}`);
    }
  }
  return Object.entries(runs).map(([name, texts]) => `${name}: ${texts.join(', ')}`);
}
