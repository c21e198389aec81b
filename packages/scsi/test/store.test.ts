import { bytesEqual } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BlockStore, FileStore, MemoryFile, PAGE_BYTES, SparseStore } from '../src/index.js';

const HUNDRED_GB = (100 * 1024 ** 3) / 512;

/** The slowest right answer: one array. */
class PlainStore implements BlockStore {
  readonly bytes: Uint8Array;
  readonly blocks: number;
  readonly blockLength: number;

  constructor(blocks: number, blockLength: number) {
    this.blocks = blocks;
    this.blockLength = blockLength;
    this.bytes = new Uint8Array(blocks * blockLength);
  }

  read(lba: number, blocks: number, into: Uint8Array): void {
    into.set(this.bytes.subarray(lba * this.blockLength, (lba + blocks) * this.blockLength));
  }

  write(lba: number, bytes: Uint8Array): void {
    this.bytes.set(bytes, lba * this.blockLength);
  }

  flush(): void {}
}

function content(store: BlockStore): Uint8Array {
  const bytes = new Uint8Array(store.blocks * store.blockLength);
  store.read(0, store.blocks, bytes);
  return bytes;
}

function image(store: SparseStore): Uint8Array {
  const bytes = new Uint8Array(store.blocks * store.blockLength);
  let last = -1;
  for (const page of store.pages()) {
    expect(page.offset).toBeGreaterThan(last);
    last = page.offset;
    bytes.set(page.bytes, page.offset);
  }
  return bytes;
}

function block(fill: number, blocks = 1, blockLength = 512): Uint8Array {
  return new Uint8Array(blocks * blockLength).fill(fill);
}

describe('SparseStore', () => {
  it('what was never written reads as zeros, at any size', () => {
    const store = new SparseStore({ blocks: HUNDRED_GB });
    const into = block(0xee, 20);
    store.read(HUNDRED_GB - 20, 20, into);
    expect(into).toEqual(block(0, 20));
    expect(store.allocatedPages).toBe(0);
  });

  it('the last block of 100 GB is written and read', () => {
    const store = new SparseStore({ blocks: HUNDRED_GB });
    store.write(HUNDRED_GB - 1, block(7));
    const into = block(0, 2);
    store.read(HUNDRED_GB - 2, 2, into);
    expect(into).toEqual(Uint8Array.of(...block(0), ...block(7)));
    expect([...store.pages()].map((page) => page.offset)).toEqual([HUNDRED_GB * 512 - PAGE_BYTES]);
  });

  it.each([512, 4096])('agrees with an array on random writes over a base, %i bytes a block', (blockLength) => {
    const blocks = 61;
    const write = fc.record({ lba: fc.nat(blocks - 1), blocks: fc.integer({ min: 1, max: 24 }), fill: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(write, { maxLength: 12 }), fc.array(write, { maxLength: 12 }), (below, above) => {
        const plain = new PlainStore(blocks, blockLength);
        const base = new SparseStore({ blocks, blockLength });
        const onPlainBase = new PlainStore(blocks, blockLength);
        const apply = (store: BlockStore, writes: typeof below): void => {
          for (const { lba, blocks: count, fill } of writes) {
            store.write(lba, block(fill, Math.min(count, blocks - lba), blockLength));
          }
        };
        for (const store of [plain, base, onPlainBase]) apply(store, below);
        const before = content(base);
        const copies = [new SparseStore({ base }), new SparseStore({ base: onPlainBase })];
        for (const store of [plain, ...copies]) apply(store, above);
        for (const copy of copies) {
          // Not toEqual: it compares typed arrays element by element, a thousand times slower.
          expect(bytesEqual(content(copy), plain.bytes)).toBe(true);
          expect(bytesEqual(image(copy), plain.bytes)).toBe(true);
        }
        expect(bytesEqual(content(base), before)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it('two stores over one base do not see each other', () => {
    const base = new SparseStore({ blocks: 64 });
    base.write(3, block(1));
    const [one, two] = [new SparseStore({ base }), new SparseStore({ base })];
    one.write(4, block(2));
    two.write(3, block(3));
    expect([content(one)[3 * 512], content(one)[4 * 512]]).toEqual([1, 2]);
    expect([content(two)[3 * 512], content(two)[4 * 512]]).toEqual([3, 0]);
  });

  it('equal contents give equal pages, even where zeros were written', () => {
    const base = new SparseStore({ blocks: 64 });
    base.write(8, block(9, 8));
    const copy = new SparseStore({ base });
    copy.write(8, block(0, 8));
    copy.write(40, block(0));
    expect([...copy.pages()]).toEqual([]);
  });

  it('a page at the end of the store has only the bytes of the store', () => {
    const store = new SparseStore({ blocks: 9 });
    store.write(8, block(1));
    expect([...store.pages()]).toEqual([{ offset: 4096, bytes: block(1) }]);
  });

  it('a range outside, a short buffer and half a block are the caller’s bugs', () => {
    const store = new SparseStore({ blocks: 8 });
    expect(() => store.read(7, 2, block(0, 2))).toThrow(RangeError);
    expect(() => store.read(-1, 1, block(0))).toThrow(RangeError);
    expect(() => store.read(0, 2, block(0))).toThrow(RangeError);
    expect(() => store.write(8, block(0))).toThrow(RangeError);
    expect(() => store.write(0, new Uint8Array(100))).toThrow(RangeError);
  });

  it('refuses a size, a block length or a base that does not fit', () => {
    expect(() => new SparseStore({})).toThrow(RangeError);
    expect(() => new SparseStore({ blocks: 8, blockLength: 520 })).toThrow(RangeError);
    expect(() => new SparseStore({ blocks: 8, base: new SparseStore({ blocks: 9 }) })).toThrow(RangeError);
  });
});

/** Writes and unmaps, told to a store and to an array; and what the store then says of its blocks. */
const CHANGE = fc.record({
  isWrite: fc.boolean(),
  lba: fc.nat(60),
  blocks: fc.integer({ min: 1, max: 40 }),
  fill: fc.integer({ min: 1, max: 255 }),
});
const BLOCKS = 61;

function change(
  store: BlockStore,
  changes: readonly { isWrite: boolean; lba: number; blocks: number; fill: number }[],
) {
  const plain = new PlainStore(BLOCKS, store.blockLength);
  for (const { isWrite, lba, blocks, fill } of changes) {
    const count = Math.min(blocks, BLOCKS - lba);
    const bytes = block(isWrite ? fill : 0, count, store.blockLength);
    plain.write(lba, bytes);
    if (isWrite) store.write(lba, bytes);
    else store.unmap!(lba, count);
  }
  return plain;
}

describe.each([
  ['SparseStore', (blockLength: number) => new SparseStore({ blocks: BLOCKS, blockLength })],
  [
    'SparseStore over a base',
    (blockLength: number) => new SparseStore({ base: new SparseStore({ blocks: BLOCKS, blockLength }) }),
  ],
  [
    'FileStore, thin',
    (blockLength: number) => new FileStore(new MemoryFile(), { blocks: BLOCKS, blockLength, isThin: true }),
  ],
] as const)('%s', (_name, make) => {
  it.each([512, 4096])('unmapped blocks read as zeros and have no room, %i bytes a block', (blockLength) => {
    fc.assert(
      fc.property(fc.array(CHANGE, { maxLength: 20 }), (changes) => {
        const store = make(blockLength);
        const plain = change(store, changes);
        expect(bytesEqual(content(store), plain.bytes)).toBe(true);
        let mapped = 0;
        for (let lba = 0; lba < BLOCKS; ) {
          const { blocks, isMapped } = store.extentAt!(lba);
          if (isMapped) mapped += blocks;
          expect(blocks).toBeGreaterThan(0);
          const bytes = plain.bytes.subarray(lba * blockLength, (lba + blocks) * blockLength);
          if (!isMapped) expect(bytes.every((byte) => byte === 0)).toBe(true);
          lba += blocks;
          expect(lba).toBeLessThanOrEqual(BLOCKS);
        }
        expect(store.mappedBlocks).toBe(mapped);
        const last = changes.at(-1);
        if (last !== undefined) expect(store.extentAt!(last.lba).isMapped).toBe(last.isWrite);
      }),
      { numRuns: 60 },
    );
  });
});

describe('unmapping a SparseStore', () => {
  it('gives pages back, and hides those of a base', () => {
    const base = new SparseStore({ blocks: 64 });
    base.write(0, block(1, 64));
    const store = new SparseStore({ base });
    store.write(8, block(2, 16));
    expect(store.allocatedPages).toBe(2);
    store.unmap(8, 8);
    store.unmap(24, 8);
    expect(store.allocatedPages).toBe(1);
    expect([0, 8, 16, 24].map((lba) => store.extentAt(lba))).toEqual([
      { blocks: 8, isMapped: true },
      { blocks: 8, isMapped: false },
      { blocks: 8, isMapped: true },
      { blocks: 8, isMapped: false },
    ]);
    store.write(9, block(7));
    const into = block(0, 3);
    store.read(8, 3, into);
    expect(bytesEqual(into, Uint8Array.of(...block(0), ...block(7), ...block(0)))).toBe(true);
    expect(content(base)[8 * 512]).toBe(1);
  });

  it('unmapping all of 100 GB costs nothing', () => {
    const store = new SparseStore({ blocks: HUNDRED_GB });
    store.write(77, block(1));
    store.unmap(0, HUNDRED_GB);
    expect([store.allocatedPages, store.extentAt(77).isMapped]).toEqual([0, false]);
  });
});

describe('FileStore', () => {
  it('block n lies at byte n × length of the file', () => {
    const file = new MemoryFile();
    const store = new FileStore(file, { blocks: 8 });
    expect(file.size).toBe(4096);
    store.write(3, block(9));
    const into = block(0, 1);
    file.read(3 * 512, into);
    expect(bytesEqual(into, block(9))).toBe(true);
    expect([store.unmap, store.extentAt]).toEqual([undefined, undefined]);
  });

  it('thin: grows with what is written, shrinks when its end is unmapped', () => {
    const file = new MemoryFile();
    const store = new FileStore(file, { blocks: 64, isThin: true });
    expect(file.size).toBe(0);
    store.write(7, block(1));
    expect(file.size).toBe(4096);
    store.unmap!(4, 60);
    expect(file.size).toBe(2048);
    expect(new FileStore(file, { blocks: 64, isThin: true }).extentAt!(0)).toEqual({ blocks: 4, isMapped: true });
  });

  it('thin: a raw image keeps its length, and with it the size of its disk, whatever is unmapped', () => {
    const file = new MemoryFile();
    file.resize(64 * 512);
    const store = new FileStore(file, { isThin: true });
    store.write(2, block(1, 6));
    store.write(40, block(1));
    store.unmap!(4, 60);
    // As after a kill: nobody has closed it.
    const again = new FileStore(file, { isThin: true });
    expect(again.blocks).toBe(64);
    const into = block(9, 64);
    again.read(0, 64, into);
    expect([2, 3, 4, 40].map((lba) => into[lba * 512])).toEqual([1, 1, 0, 0]);
  });

  it('thin: what has no room is not written again when it is unmapped again', () => {
    const file = new MemoryFile();
    file.resize(64 * 512);
    const store = new FileStore(file, { isThin: true });
    store.unmap!(8, 8);
    let written = 0;
    const write = file.write.bind(file);
    file.write = (offset, bytes) => {
      written += bytes.length;
      write(offset, bytes);
    };
    store.unmap!(4, 16);
    expect(written).toBe(8 * 512);
  });

  it.each([false, true])('thin %s: gets another size, and what is new reads as zero', (isThin) => {
    const file = new MemoryFile();
    file.write(0, block(7, 8));
    const store = new FileStore(file, { isThin });
    store.resize(4);
    store.resize(100_000);
    expect([store.blocks, file.size]).toEqual([100_000, 100_000 * 512]);
    expect(content(store).subarray(0, 6 * 512)).toEqual(Uint8Array.from([...block(7, 4), ...block(0, 2)]));
    store.write(99_999, block(9));
    if (isThin) {
      const runs: (readonly [number, boolean])[] = [];
      for (let lba = 0; lba < store.blocks; ) {
        const { blocks, isMapped } = store.extentAt!(lba);
        runs.push([blocks, isMapped]);
        lba += blocks;
      }
      expect(runs).toEqual([
        [4, true],
        [99_995, false],
        [1, true],
      ]);
      expect(store.mappedBlocks).toBe(5);
      store.unmap!(99_999, 1);
      expect(file.size).toBe(100_000 * 512);
    }
    expect(() => store.resize(0)).toThrow(RangeError);
  });

  it('refuses a size or block length that does not fit', () => {
    const file = new MemoryFile();
    file.resize(4097);
    expect(() => new FileStore(file)).toThrow('whole blocks of 512 bytes');
    expect(() => new FileStore(file, { blocks: 8 })).toThrow('at least the 9 of the file');
    expect(() => new FileStore(file, { blocks: 9, blockLength: 520 })).toThrow('512 or 4096');
    expect(() => new FileStore(file, { blocks: 9 }).read(9, 1, block(0))).toThrow(RangeError);
  });
});

it('a write over a base asks it of single blocks only: its extents are long', () => {
  const asked: (number | undefined)[] = [];
  const base = new SparseStore({ blocks: 1_000_000 });
  const spied: BlockStore = {
    blocks: base.blocks,
    blockLength: base.blockLength,
    read: (lba, blocks, into) => base.read(lba, blocks, into),
    write: () => {},
    flush: () => {},
    extentAt: (lba, most) => {
      asked.push(most);
      return base.extentAt(lba, most);
    },
  };
  new SparseStore({ base: spied }).write(8, new Uint8Array(512));
  expect(new Set(asked)).toEqual(new Set([1]));
});
