import { imageHash, type StoredDisks } from '@quorate/lab';
import { PAGE_BYTES, pagesOf, type StorePage } from '@quorate/scsi';
import { transfer } from 'comlink';

/** A disk as it was before the run. */
interface DiskFacts {
  readonly lun: number;
  readonly blocks: number;
  readonly blockLength: number;
  /** `imageHash` of the image that it began as. */
  readonly imageHash: string;
}

/** Some of a disk's pages. */
interface DiskPages {
  /** In bytes from the start of the disk. */
  readonly offsets: readonly number[];
  /** The pages one after another, each of 4096 bytes; the last of a disk may be shorter. */
  readonly bytes: ArrayBuffer;
  readonly isLast: boolean;
}

/** The part of a worker's Comlink side that hands over the disks which it has. */
export interface StoresControl {
  disks(): readonly DiskFacts[];
  /** The content of a disk that is not zero, in pieces: from its start, then what follows the piece before. */
  pages(lun: number, isFirst: boolean): DiskPages;
  /** Makes what was written durable: the last call of a run. */
  close(): void;
}

const PIECE_PAGES = 256;

/** Hands over the disks of a worker, a piece at a time. `close` is what opened them gave. */
export function storesControl({ stores, images }: Omit<StoredDisks, 'logicalUnits'>, close: () => void): StoresControl {
  let pages: Iterator<StorePage> = [].values();
  return {
    disks: () =>
      [...stores].map(([lun, { blocks, blockLength }]) => {
        return { lun, blocks, blockLength, imageHash: imageHash(images.get(lun)!) };
      }),
    pages(lun, isFirst) {
      if (isFirst) pages = pagesOf(stores.get(lun)!)[Symbol.iterator]();
      return nextPiece(pages);
    },
    close,
  };
}

function nextPiece(pages: Iterator<StorePage>): DiskPages {
  const offsets: number[] = [];
  const bytes = new Uint8Array(PIECE_PAGES * PAGE_BYTES);
  let length = 0;
  while (offsets.length < PIECE_PAGES) {
    const { value, done } = pages.next();
    if (done === true) break;
    offsets.push(value.offset);
    bytes.set(value.bytes, length);
    length += value.bytes.length;
  }
  const { buffer } = length === bytes.length ? bytes : bytes.slice(0, length);
  return transfer({ offsets, bytes: buffer, isLast: offsets.length < PIECE_PAGES }, [buffer]);
}
