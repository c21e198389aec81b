import { Volume } from '@quorate/gfs2';

export const BLOCK = 4096;

/** A disk in memory that keeps metadata and a range of its blocks, and forgets the content of files: it would be most of the work. */
export class ForgetfulDisk {
  readonly sizeBytes: number;
  readonly #blocks = new Map<number, Uint8Array>();
  /** Blocks that are kept whatever they say: journals. */
  #kept: readonly { readonly first: number; readonly end: number }[] = [];
  /** Bytes written to those. */
  keptBytes = 0;

  constructor(mib: number) {
    this.sizeBytes = mib * 2 ** 20;
  }

  /** Keeps the journals of the file system that has been made here. */
  keepJournals(journals: number): void {
    const volume = this.volume();
    this.#kept = Array.from({ length: journals }, (_, jid) => {
      const journal = volume.systemFile(`jindex/journal${jid}`);
      if (typeof journal === 'string') throw new Error(journal);
      const extents = [...volume.extents(journal)];
      return { first: extents[0]!.block, end: extents.at(-1)!.block + extents.at(-1)!.count };
    });
  }

  read(block: number, count: number): Uint8Array {
    const data = new Uint8Array(count * BLOCK);
    for (let i = 0; i < count; i++) data.set(this.#blocks.get(block + i) ?? [], i * BLOCK);
    return data;
  }

  write(block: number, bytes: Uint8Array): void {
    const isKept = this.#kept.some(({ first, end }) => block >= first && block < end);
    if (isKept) this.keptBytes += bytes.length;
    for (let at = 0; at < bytes.length; at += BLOCK) {
      const number = block + at / BLOCK;
      if (isKept) this.#keep(number, bytes.subarray(at, at + BLOCK));
      else if (hasMagic(bytes, at)) this.#blocks.set(number, withoutZeros(bytes, at));
      else this.#blocks.delete(number);
    }
  }

  /** Journals are written again and again in the same memory. */
  #keep(number: number, bytes: Uint8Array): void {
    const held = this.#blocks.get(number);
    if (held?.length !== BLOCK) this.#blocks.set(number, bytes.slice());
    else held.set(bytes);
  }

  /** What is on the disk by now. */
  volume(): Volume {
    const read = (at: number, into: Uint8Array): void => {
      for (let done = 0; done < into.length; ) {
        const within = (at + done) % BLOCK;
        const part = into.subarray(done, done + Math.min(BLOCK - within, into.length - done));
        const block = this.#blocks.get(Math.floor((at + done) / BLOCK));
        part.fill(0);
        part.set(block?.subarray(within, within + part.length) ?? []);
        done += part.length;
      }
    };
    return Volume.open({ sizeBytes: this.sizeBytes, read })!;
  }
}

/** A block up to its last word that is not zero: of the dinode of an empty file that leaves little. */
function withoutZeros(bytes: Uint8Array, at: number): Uint8Array {
  const words = new Int32Array(bytes.buffer, bytes.byteOffset + at, BLOCK / 4);
  let length = words.length;
  while (length > 0 && words[length - 1] === 0) length -= 1;
  return bytes.slice(at, at + 4 * length);
}

function hasMagic(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === 0x01 && bytes[at + 1] === 0x16 && bytes[at + 2] === 0x19 && bytes[at + 3] === 0x70;
}
