import type { ReadableDevice, WritableDevice } from '@quorate/gfs2';
import type { ClientDevice } from '@quorate/gfs2/client';
import { type BlockStore, SparseStore } from '@quorate/scsi';
import { openDiskImage } from '../disk/disk-image.js';
import { told, withDisk } from '../iscsi/remote-disk.js';
import { ChangedUnit, remoteDevice } from './remote-volume.js';

/** A disk with a file system, and who has it open. */
export interface VolumeImage {
  readonly store: BlockStore;
  close(): Promise<void>;
}

/** How much is fetched from another machine at once. */
const PIECE_BYTES = 1 << 20;

/** What `quorate gfs2` is given: a raw or VHDX image, or `iscsi://` of a unit. What is written to it stays in memory. */
export async function openForReading(path: string): Promise<VolumeImage> {
  if (isUrl(path)) return { store: await fetched(path), close: async () => {} };
  const image = openDiskImage(path, { isReadOnly: true });
  return { store: new SparseStore({ base: image.store }), close: async () => image.close() };
}

/** Changes the same as a whole: what is written to a unit goes there when the work has ended well. */
export async function withStore<Result>(path: string, work: (store: BlockStore) => Result): Promise<Result> {
  if (isUrl(path)) {
    const unit = new ChangedUnit(await fetched(path));
    const result = work(unit);
    await told(path, () => withDisk(path, (disk) => unit.writeTo(disk)));
    return result;
  }
  return withImage(path, async (store) => work(store));
}

/** What a mounted file system changes block by block, in the order that its journal needs. */
export async function withDevice<Result>(
  path: string,
  work: (device: ClientDevice) => Promise<Result>,
): Promise<Result> {
  if (isUrl(path)) return told(path, () => withDisk(path, async (disk) => work(await remoteDevice(disk))));
  return withImage(path, (store) => work(new StoreDevice(store).forClient()));
}

async function withImage<Result>(path: string, work: (store: BlockStore) => Promise<Result>): Promise<Result> {
  const image = openDiskImage(path, { isReadOnly: false });
  try {
    return await work(image.store);
  } finally {
    image.close();
  }
}

function isUrl(path: string): boolean {
  return path.startsWith('iscsi://');
}

/** All of a unit that is not zero. */
function fetched(url: string): Promise<BlockStore> {
  return told(url, () =>
    withDisk(url, async (disk) => {
      const { blocks, blockLength } = await disk.readCapacity();
      const store = new SparseStore({ blocks, blockLength });
      const most = PIECE_BYTES / blockLength;
      for (let lba = 0; lba < blocks; lba += most) {
        const bytes = await disk.read(lba, Math.min(most, blocks - lba));
        if (bytes.some((byte) => byte !== 0)) store.write(lba, bytes);
      }
      return store;
    }),
  );
}

/** A store as the file system's readers, formatters and clients want it. */
export class StoreDevice implements ReadableDevice, WritableDevice {
  readonly sizeBytes: number;
  readonly #store: BlockStore;

  constructor(store: BlockStore) {
    this.#store = store;
    this.sizeBytes = store.blocks * store.blockLength;
  }

  /** Any bytes: whole blocks are read around them. */
  read(byteOffset: number, into: Uint8Array): void {
    const { blockLength } = this.#store;
    const first = Math.floor(byteOffset / blockLength);
    const blocks = Math.ceil((byteOffset + into.length) / blockLength) - first;
    const isWhole = byteOffset % blockLength === 0 && into.length % blockLength === 0;
    const bytes = isWhole ? into : new Uint8Array(blocks * blockLength);
    this.#store.read(first, blocks, bytes);
    if (!isWhole) into.set(bytes.subarray(byteOffset - first * blockLength).subarray(0, into.length));
  }

  write(byteOffset: number, bytes: Uint8Array): void {
    this.#store.write(byteOffset / this.#store.blockLength, bytes);
  }

  forClient(): ClientDevice {
    const { blockLength } = this.#store;
    const unmap = this.#store.unmap?.bind(this.#store);
    return {
      sizeBytes: this.sizeBytes,
      read: async (byteOffset, length) => {
        const bytes = new Uint8Array(length);
        this.read(byteOffset, bytes);
        return bytes;
      },
      write: async (byteOffset, bytes) => this.write(byteOffset, bytes),
      flush: async () => this.#store.flush(),
      ...(unmap !== undefined && {
        discard: async (byteOffset: number, length: number) => unmap(byteOffset / blockLength, length / blockLength),
      }),
    };
  }
}
