import { closeSync, openSync, readSync } from 'node:fs';
import { extname } from 'node:path';
import { ConfigError } from '@quorate/kernel';
import { type BlockStore, FileStore, type FileStoreOptions, pagesOf, StoreError } from '@quorate/scsi';
import { ImageInUseError, ImageLock, NodeFile, refuseIfLocked } from '@quorate/scsi/node';
import { VhdxError, type VhdxImage } from '@quorate/vhdx';
import { openVhdxFile } from '@quorate/vhdx/node';
import { UsageError } from '../usage-error.js';

/** How a disk lies in a file: `raw` has nothing but its bytes. */
export const FORMATS = ['raw', 'vhdx'] as const;

export type DiskFormat = (typeof FORMATS)[number];

export interface OpenOptions {
  readonly isReadOnly: boolean;
  /** Of a raw image; a VHDX has its own. Default 512. */
  readonly blockLength?: number;
  /** Of a raw image: it knows which blocks have room, and gives it back. */
  readonly isThin?: boolean;
}

/** A disk image that is open. */
export interface DiskImage {
  readonly path: string;
  readonly store: BlockStore;
  /** Undefined for a raw image. */
  readonly vhdx: VhdxImage | undefined;
  /** Size of the file in bytes. */
  readonly fileSize: () => number;
  /** Changes the size of the disk, in bytes. `isDiscarding`: may throw away what lies beyond a smaller one. */
  resize(size: number, isDiscarding: boolean): void;
  /** Flushes, closes, and lets others write it. */
  close(): void;
}

const SIGNATURE = 'vhdxfile';

/** What a file is, by its first bytes. */
export function formatOf(path: string): DiskFormat {
  return naming(path, () => {
    const descriptor = openSync(path, 'r');
    const start = Buffer.alloc(SIGNATURE.length);
    try {
      readSync(descriptor, start, 0, start.length, 0);
    } finally {
      closeSync(descriptor);
    }
    return start.toString('latin1') === SIGNATURE ? 'vhdx' : 'raw';
  });
}

/** The format that the name of a new file asks for. */
export function formatForName(path: string): DiskFormat {
  return extname(path).toLowerCase() === '.vhdx' ? 'vhdx' : 'raw';
}

/** @throws {UsageError} when the file cannot be read or is in use, or is an image that is not as it should be. */
export function openDiskImage(path: string, options: OpenOptions): DiskImage {
  return naming(path, () => (formatOf(path) === 'vhdx' ? openVhdx(path, options) : openRaw(path, options)));
}

function openVhdx(path: string, { isReadOnly, blockLength }: OpenOptions): DiskImage {
  const { image, close } = openVhdxFile(path, { isReadOnly });
  if (blockLength !== undefined && blockLength !== image.blockLength) {
    close();
    throw new ConfigError('block', `${blockLength}`, `${image.blockLength}, as the image has it`);
  }
  const resize = (size: number, isDiscarding: boolean): void => image.resize(size, { isDiscarding });
  return { path, store: image, vhdx: image, fileSize: () => image.info.fileSize, resize, close };
}

function openRaw(path: string, { isReadOnly, blockLength = 512, isThin = false }: OpenOptions): DiskImage {
  if (isReadOnly) refuseIfLocked(path);
  const lock = isReadOnly ? undefined : new ImageLock(path);
  let file: NodeFile | undefined;
  try {
    file = new NodeFile(path, { isReadOnly });
    return rawImage(path, file, { blockLength, isThin }, () => lock?.release());
  } catch (error) {
    file?.close();
    lock?.release();
    throw error;
  }
}

function rawImage(path: string, file: NodeFile, options: FileStoreOptions, release: () => void): DiskImage {
  const store = new FileStore(file, options);
  return {
    path,
    store,
    vhdx: undefined,
    fileSize: () => file.size,
    resize: (to, isDiscarding) => {
      if (to < file.size && !isDiscarding)
        throw new ConfigError('size', `${to}`, `at least the ${file.size} bytes that it has, or --discard`);
      if (to % store.blockLength !== 0)
        throw new ConfigError('size', `${to}`, `a multiple of ${store.blockLength} bytes`);
      store.resize(to / store.blockLength);
    },
    close: () => {
      if (!file.isReadOnly) file.flush();
      file.close();
      release();
    },
  };
}

/** Copies what is not zero: the target is all zeros. */
export function copy(from: BlockStore, to: BlockStore): void {
  for (const { offset, bytes } of pagesOf(from)) to.write(offset / to.blockLength, bytes);
}

/** What is wrong with a file, the host or the image says: told as one line that names it. */
export function naming<Result>(path: string, work: () => Result): Result {
  try {
    return work();
  } catch (error) {
    if (error instanceof ImageInUseError) throw new UsageError(error.message);
    if (error instanceof VhdxError || error instanceof StoreError || error instanceof ConfigError) {
      throw new UsageError(`${path}: ${error.message}`);
    }
    const { code } = error as NodeJS.ErrnoException;
    if (typeof code === 'string' && /^E[A-Z]+$/.test(code)) throw new UsageError(`${path}: ${code}`);
    throw error;
  }
}
