import type { ClientDevice } from '@quorate/gfs2/client';
import type { IscsiDisk } from '@quorate/iscsi/node';
import type { BlockStore } from '@quorate/scsi';

/** Bytes that leave with one command. */
const PIECE_BYTES = 1 << 20;

/** A unit that was fetched and is changed here, and what of it has to be sent back. */
export class ChangedUnit implements BlockStore {
  readonly blocks: number;
  readonly blockLength: number;
  readonly #store: BlockStore;
  readonly #changed = new Set<number>();

  constructor(store: BlockStore) {
    this.#store = store;
    this.blocks = store.blocks;
    this.blockLength = store.blockLength;
  }

  read(lba: number, blocks: number, into: Uint8Array): void {
    this.#store.read(lba, blocks, into);
  }

  write(lba: number, bytes: Uint8Array): void {
    this.#store.write(lba, bytes);
    for (let block = lba; block < lba + bytes.length / this.blockLength; block++) this.#changed.add(block);
  }

  flush(): void {}

  /** Everything that was written, from the front; durable when this returns. */
  async writeTo(disk: IscsiDisk): Promise<void> {
    const changed = [...this.#changed].sort((a, b) => a - b);
    const most = PIECE_BYTES / this.blockLength;
    for (let i = 0; i < changed.length; ) {
      const lba = changed[i]!;
      let count = 1;
      while (count < most && changed[i + count] === lba + count) count += 1;
      const bytes = new Uint8Array(count * this.blockLength);
      this.#store.read(lba, count, bytes);
      await disk.write(lba, bytes);
      i += count;
    }
    if (changed.length > 0) await disk.flush();
  }
}

/** A unit as a client of the file system wants it: every read and write is a command. */
export async function remoteDevice(disk: IscsiDisk): Promise<ClientDevice> {
  const { blocks, blockLength } = await disk.readCapacity();
  const around = async (byteOffset: number, length: number): Promise<{ first: number; bytes: Uint8Array }> => {
    const first = Math.floor(byteOffset / blockLength);
    return { first, bytes: await disk.read(first, Math.ceil((byteOffset + length) / blockLength) - first) };
  };
  return {
    sizeBytes: blocks * blockLength,
    read: async (byteOffset, length) => {
      const { bytes } = await around(byteOffset, length);
      return bytes.subarray(byteOffset % blockLength).subarray(0, length);
    },
    write: async (byteOffset, bytes) => {
      if (byteOffset % blockLength === 0 && bytes.length % blockLength === 0) {
        return disk.write(byteOffset / blockLength, bytes);
      }
      const whole = await around(byteOffset, bytes.length);
      whole.bytes.set(bytes, byteOffset % blockLength);
      await disk.write(whole.first, whole.bytes);
    },
    flush: () => disk.flush(),
  };
}
