import { type DiskImage, naming } from './disk-image.js';
import { sizeOf } from './sizes.js';

/** Another size for a disk, as an administrator asks for it. */
export interface ResizeRequest {
  /** `200G`, or `+100G` for so much more. */
  readonly size: string;
  /** May throw away what lies beyond a smaller size. */
  readonly isDiscarding: boolean;
}

/** Changes the size of the disk in an image. @throws {UsageError} when it cannot be. */
export function resizeImage(image: DiskImage, { size: text, isDiscarding }: ResizeRequest): void {
  const old = image.store.blocks * image.store.blockLength;
  const size = text.startsWith('+') ? old + sizeOf('size', text.slice(1)) : sizeOf('size', text);
  naming(image.path, () => image.resize(size, isDiscarding));
}
