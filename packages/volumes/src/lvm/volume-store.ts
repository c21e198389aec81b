import type { BlockStore } from '@quorate/scsi';
import { SECTOR_BYTES } from '../sector-device.js';
import { VolumeError } from '../volume-error.js';
import { type MappedSegment, mapVolume } from './mapping.js';
import type { VolumeGroup } from './volume-group.js';

/** An active linear volume as a store over the stores of its physical volumes. */
class VolumeStore implements BlockStore {
  readonly blocks: number;
  readonly blockLength: number = SECTOR_BYTES;
  readonly #segments: readonly MappedSegment[];
  readonly #stores: ReadonlyMap<string, BlockStore>;

  constructor(segments: readonly MappedSegment[], stores: ReadonlyMap<string, BlockStore>) {
    this.#segments = segments;
    this.#stores = stores;
    this.blocks = segments.reduce((sum, { sectors }) => sum + sectors, 0);
  }

  read(lba: number, blocks: number, into: Uint8Array): void {
    this.#visit(lba, blocks, (store, start, count, at) => {
      store.read(start, count, into.subarray(at * SECTOR_BYTES, (at + count) * SECTOR_BYTES));
    });
  }

  write(lba: number, bytes: Uint8Array): void {
    this.#visit(lba, bytes.length / SECTOR_BYTES, (store, start, count, at) => {
      store.write(start, bytes.subarray(at * SECTOR_BYTES, (at + count) * SECTOR_BYTES));
    });
  }

  flush(): void {
    for (const store of this.#stores.values()) store.flush();
  }

  /** Calls back for each piece of the range: its store, first block and length there, and its place in the range. */
  #visit(
    lba: number,
    blocks: number,
    visit: (store: BlockStore, start: number, count: number, at: number) => void,
  ): void {
    if (
      !(Number.isInteger(lba) && Number.isInteger(blocks) && lba >= 0 && blocks >= 0 && lba + blocks <= this.blocks)
    ) {
      throw new RangeError(`blocks ${lba} + ${blocks} of ${this.blocks}`);
    }
    let at = 0;
    for (let i = this.#indexOf(lba); at < blocks; i++) {
      const { start, sectors, physicalVolumeId, physicalStart } = this.#segments[i]!;
      const skipped = lba + at - start;
      const count = Math.min(sectors - skipped, blocks - at);
      visit(this.#stores.get(physicalVolumeId)!, physicalStart + skipped, count, at);
      at += count;
    }
  }

  /** The segment that has a block: O(log n). */
  #indexOf(lba: number): number {
    let low = 0;
    for (let high = this.#segments.length - 1; low < high; ) {
      const middle = (low + high + 1) >> 1;
      if (this.#segments[middle]!.start <= lba) low = middle;
      else high = middle - 1;
    }
    return low;
  }
}

/**
 * A logical volume as a store. `storeOf` gives the store of a physical volume by its identifier.
 *
 * @throws {VolumeError} as `mapVolume`; `inconsistent` when there is no store for a physical volume, or it is smaller than
 * the group says. @throws {RangeError} for a store whose blocks are not 512 bytes.
 */
export function logicalVolumeStore(
  group: VolumeGroup,
  name: string,
  storeOf: (physicalVolumeId: string) => BlockStore | undefined,
): BlockStore {
  const segments = mapVolume(group, name);
  const stores = new Map<string, BlockStore>();
  for (const { physicalVolumeId, physicalStart, sectors } of segments) {
    const store = stores.get(physicalVolumeId) ?? storeOf(physicalVolumeId);
    const device = group.physicalVolumes.find(({ id }) => id === physicalVolumeId)!.device;
    if (store === undefined)
      throw new VolumeError('inconsistent', `${group.name}/${name} needs ${device}: no such store`);
    if (store.blockLength !== SECTOR_BYTES) throw new RangeError(`blockLength ${store.blockLength}: expected 512`);
    if (physicalStart + sectors > store.blocks) {
      const why = `${group.name}/${name} needs ${physicalStart + sectors} blocks of ${device}, which has ${store.blocks}`;
      throw new VolumeError('inconsistent', why);
    }
    stores.set(physicalVolumeId, store);
  }
  return new VolumeStore(segments, stores);
}
