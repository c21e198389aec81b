import { bytesEqual } from '@quorate/kernel';
import { SparseStore } from '@quorate/scsi';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import {
  createVolume,
  extendVolume,
  logicalVolumeStore,
  mapperName,
  mapperTable,
  mapVolume,
  splitMapperName,
  type VolumeGroup,
} from '../src/index.js';
import { TestMachine } from './machine.js';

/** Volume `a` in three segments around others, on two disks. */
function fragmented(): { machine: TestMachine; group: VolumeGroup } {
  const machine = new TestMachine([32, 32]).pvCreate();
  machine.vgCreate('my-vg1', { extentSize: 128 });
  for (const name of ['a', 'b', 'c']) machine.change((group) => createVolume(group, machine.newVolume(name, 200)));
  machine.change((group) => extendVolume(group, 'a', 380));
  return { machine, group: machine.group().group };
}

function storeIn({ machine, group }: ReturnType<typeof fragmented>) {
  const paths = new Map(group.physicalVolumes.map(({ id }, i) => [id, machine.stores[i]!]));
  return logicalVolumeStore(group, 'a', (id) => paths.get(id));
}

describe('the mapping', () => {
  const { group } = fragmented();

  it('has a line for each segment, as dmsetup table prints it', () => {
    const [pv0] = group.physicalVolumes;
    const deviceOf = (id: string) => (id === pv0!.id ? '8:0' : '8:16');
    expect(mapperTable(mapVolume(group, 'a'), deviceOf)).toBe(
      '0 25600 linear 8:0 2048\n25600 37888 linear 8:16 27648\n63488 10752 linear 8:0 53248\n',
    );
  });

  it('refuses volumes that are not there, not linear, or on a missing disk', () => {
    expect(() => mapVolume(group, 'x')).toThrow('Failed to find logical volume "my-vg1/x"');
    const physicalVolumes = group.physicalVolumes.map((each) => ({ ...each, flags: ['MISSING'] }));
    expect(() => mapVolume({ ...group, physicalVolumes }, 'a')).toThrow('my-vg1/a lies on /dev/sda, which is missing');
    const logicalVolumes = group.logicalVolumes.map((each) => ({
      ...each,
      segments: each.segments.map((segment) => ({ ...segment, type: 'thin', stripes: [] })),
    }));
    expect(() => mapVolume({ ...group, logicalVolumes }, 'a')).toThrow('my-vg1/a has a thin segment, expected linear');
  });
});

describe('the store of a logical volume', () => {
  it('agrees with an array on random writes over all segments', () => {
    const lab = fragmented();
    const store = storeIn(lab);
    expect(store.blocks).toBe(580 * 128);
    const plain = new Uint8Array(store.blocks * 512);
    const write = fc.record({
      lba: fc.nat(store.blocks - 1),
      blocks: fc.integer({ min: 1, max: 30_000 }),
      fill: fc.nat(255),
    });
    fc.assert(
      fc.property(fc.array(write, { minLength: 1, maxLength: 6 }), (writes) => {
        for (const { lba, blocks, fill } of writes) {
          const bytes = new Uint8Array(Math.min(blocks, store.blocks - lba) * 512).fill(fill);
          store.write(lba, bytes);
          plain.set(bytes, lba * 512);
        }
        const into = new Uint8Array(plain.length);
        store.read(0, store.blocks, into);
        expect(bytesEqual(into, plain)).toBe(true);
      }),
      { numRuns: isThorough ? 20 : 5 },
    );
    store.flush();
    // What was written to the volume has touched neither metadata nor other volumes.
    expect(lab.machine.group().group).toEqual(lab.group);
    const other = new Uint8Array(200 * 128 * 512);
    const stores = new Map(lab.group.physicalVolumes.map(({ id }, i) => [id, lab.machine.stores[i]!]));
    logicalVolumeStore(lab.group, 'b', (id) => stores.get(id)).read(0, 200 * 128, other);
    expect(other.every((byte) => byte === 0)).toBe(true);
  });

  it('refuses ranges outside, and stores that do not fit', () => {
    const lab = fragmented();
    const store = storeIn(lab);
    const read = (lba: number, blocks: number) => () => store.read(lba, blocks, new Uint8Array(512));
    expect(read(store.blocks, 1)).toThrow(`blocks ${store.blocks} + 1 of ${store.blocks}`);
    expect(read(-1, 1)).toThrow(RangeError);
    expect(read(0.5, 1)).toThrow(RangeError);
    const over = (each: SparseStore | undefined) => () => logicalVolumeStore(lab.group, 'a', () => each);
    expect(over(undefined)).toThrow('my-vg1/a needs /dev/sda: no such store');
    expect(over(new SparseStore({ blocks: 4096 }))).toThrow('blocks of /dev/sda, which has 4096');
    expect(over(new SparseStore({ blocks: 4096, blockLength: 4096 }))).toThrow('blockLength 4096: expected 512');
  });
});

describe('names under /dev/mapper', () => {
  it.each([
    ['my-vg1', 'my-store1', 'my--vg1-my--store1'],
    ['vg', 'lv', 'vg-lv'],
    ['a-', 'b', 'a---b'],
    ['a--b', 'c', 'a----b-c'],
  ])('%s/%s is %s', (group, volume, name) => {
    expect(mapperName(group, volume)).toBe(name);
    expect(splitMapperName(name)).toEqual({ group, volume });
  });

  it.each(['', 'vg', 'vg--lv', 'control'])('%j is none', (name) => {
    expect(splitMapperName(name)).toBeUndefined();
  });
});
