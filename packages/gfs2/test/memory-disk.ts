import { readFileSync, writeFileSync } from 'node:fs';

/** What reached a disk: a write, or a flush that makes the writes before it durable. */
export type DiskEvent = { readonly block: number; readonly data: Uint8Array } | 'flush';

/** A sparse disk in memory, and if asked for the history of what was written to it. */
export class MemoryDisk {
  readonly blockSize: number;
  readonly blocks: number;
  readonly #content: Map<number, Uint8Array>;
  history: DiskEvent[] | undefined = undefined;

  constructor(blockSize: number, blocks: number, content: Map<number, Uint8Array> = new Map()) {
    this.blockSize = blockSize;
    this.blocks = blocks;
    this.#content = content;
  }

  /** Takes an image apart; blocks of zeros are left out. */
  static fromFile(path: string | URL, blockSize: number): MemoryDisk {
    const bytes = readFileSync(path);
    const disk = new MemoryDisk(blockSize, bytes.length / blockSize);
    for (let block = 0; block < disk.blocks; block++) {
      const data = bytes.subarray(block * blockSize, (block + 1) * blockSize);
      if (data.some((byte) => byte !== 0)) disk.#content.set(block, new Uint8Array(data));
    }
    return disk;
  }

  /** A copy that shares what neither of the two changes. */
  fork(): MemoryDisk {
    return new MemoryDisk(this.blockSize, this.blocks, new Map(this.#content));
  }

  read(block: number, count: number): Uint8Array {
    const bytes = new Uint8Array(count * this.blockSize);
    for (let i = 0; i < count; i++) {
      const data = this.#content.get(block + i);
      if (data !== undefined) bytes.set(data, i * this.blockSize);
    }
    return bytes;
  }

  write(block: number, data: Uint8Array): void {
    if (data.length % this.blockSize !== 0) throw new Error(`a write of ${data.length} bytes`);
    if (block < 0 || block + data.length / this.blockSize > this.blocks)
      throw new Error(`block ${block} is off the disk`);
    for (let i = 0; i * this.blockSize < data.length; i++) {
      const copy = data.slice(i * this.blockSize, (i + 1) * this.blockSize);
      this.#content.set(block + i, copy);
      this.history?.push({ block: block + i, data: copy });
    }
  }

  flush(): void {
    this.history?.push('flush');
  }

  toFile(path: string): void {
    const bytes = Buffer.alloc(this.blocks * this.blockSize);
    for (const [block, data] of this.#content) bytes.set(data, block * this.blockSize);
    writeFileSync(path, bytes);
  }

  /** Blocks that differ between two disks. */
  differences(other: MemoryDisk): number[] {
    const blocks = new Set([...this.#content.keys(), ...other.#content.keys()]);
    return [...blocks]
      .filter((block) => !Buffer.from(this.read(block, 1)).equals(other.read(block, 1)))
      .sort((a, b) => a - b);
  }
}
