import type { Prng } from '@quorate/kernel';
import { Volume } from '../src/volume.js';
import type { SparseImage } from './sparse-image.js';

/** Blocks that begin with the magic number, those of journals left out. */
export function metadataBlocks(image: SparseImage): number[] {
  const volume = Volume.open(image)!;
  const blocks: number[] = [];
  for (const at of image.differences(image.blank())) {
    const block = volume.readBlock(at / 4096)!;
    const isMetadata = block[0] === 0x01 && block[1] === 0x16 && block[2] === 0x19 && block[3] === 0x70;
    if (isMetadata && block[7]! !== 8 && block[7]! !== 9) blocks.push(at / 4096);
  }
  return blocks;
}

/** Bytes, bits and words of a few blocks, most of them where fields are. */
export function mutate(image: SparseImage, metadata: readonly number[], prng: Prng): void {
  for (let i = 0; i <= prng.below(4); i++) {
    image.patch(4096, metadata[prng.below(metadata.length)]!, (bytes, view) => {
      const at = prng.below(prng.below(2) === 0 ? 240 : 4096);
      const how = prng.below(4);
      if (how === 0) bytes[at] = prng.below(256);
      else if (how === 1) bytes[at]! ^= 1 << prng.below(8);
      else if (how === 2) view.setUint32(at & 0xffc, prng.below(2) === 0 ? 0xffff_ffff : prng.below(6000));
      else bytes.fill(0, at, at + prng.below(64));
    });
  }
}
