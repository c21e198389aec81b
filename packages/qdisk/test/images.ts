// Reader of test/data/images.txt: images of a quorum disk, zeros left out.
import { readFileSync } from 'node:fs';
import { fromHex } from '@quorate/kernel';

const IMAGE_BYTES = 73_728;

/** Every recorded image by its name. */
export function recordedImages(): ReadonlyMap<string, Uint8Array> {
  const images = new Map<string, Uint8Array>();
  let image = new Uint8Array(0);
  for (const line of readFileSync(new URL('data/images.txt', import.meta.url), 'utf8')
    .trimEnd()
    .split('\n')) {
    if (line.startsWith('#')) continue;
    if (line.startsWith('== ')) {
      image = new Uint8Array(IMAGE_BYTES);
      images.set(line.slice(3), image);
    } else {
      const [offset, bytes] = line.split(' ');
      image.set(fromHex(bytes!), Number.parseInt(offset!, 16));
    }
  }
  return images;
}
