import { Prng } from '@quorate/kernel';
import { type ByteFile, MemoryFile } from '@quorate/scsi';
import { type CreateOptions, createVhdx, openVhdx, type RandomBytes, type VhdxImage } from '../src/index.js';

export const MIB: number = 1024 * 1024;

/** Random bytes that are the same in every run. */
export function seeded(name: string): RandomBytes {
  const prng = Prng.derive({ hi: 0, lo: 9 }, name);
  return (into) => {
    for (let i = 0; i < into.length; i++) into[i] = prng.below(256);
  };
}

export const random: RandomBytes = seeded('guids');

/** A new image with blocks of 1 MiB, in memory unless a file is given. */
export function newImage(options: Partial<CreateOptions> = {}, file: ByteFile = new MemoryFile()): ByteFile {
  createVhdx(file, { size: 16 * MIB, blockSize: MIB, random, ...options });
  return file;
}

export function open(file: ByteFile): VhdxImage {
  return openVhdx(file, { random });
}

export function openReadOnly(file: ByteFile): VhdxImage {
  return openVhdx(file, { isReadOnly: true });
}

/** All bytes of the virtual disk. */
export function content(image: VhdxImage): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(image.blocks * image.blockLength);
  image.read(0, image.blocks, bytes);
  return bytes;
}

/** All bytes of a file. */
export function bytesOf(file: ByteFile): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(file.size);
  file.read(0, bytes);
  return bytes;
}

export function sectors(fill: number, count = 1): Uint8Array<ArrayBuffer> {
  return new Uint8Array(count * 512).fill(fill);
}

/** Distinct bytes for each seed, for contents that must be told apart. */
export function pattern(seed: number, length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + seed * 17 + (i >> 9)) & 0xff;
  return bytes;
}
