import { newBitmapSearch } from '@quorate/allocator-twin';

/** A bitmap of 65,536 blocks, of which all but 40 are used. */
export function example(): string[] {
  const search = newBitmapSearch(16_384);
  search.words.fill(0x5555_5555);
  for (let block = 1000; block < 1040; block++) search.words[block >> 4]! &= ~(3 << (2 * (block & 15)));
  const counts: [number, number, number, number] = [0, 0, 0, 0];
  search.countStates(0, 65_536, counts);
  return [
    `${search.findFree(0, 65_536)} is free`,
    `32 are from ${search.findRun(1001, 65_536, 32)} on`,
    `${counts.join(', ')} in the four states`,
  ];
}
