import { bytesEqual } from '@quorate/kernel';
import type { ByteFile } from '@quorate/scsi';
import type { Note } from './facts.js';
import { hasRightChecksum } from './format/checksum.js';
import { decodeHeader, encodeHeader, HEADER_BYTES, HEADER_OFFSETS, type Header } from './format/header.js';
import { hasSignature } from './format/signature.js';
import { corrupt } from './vhdx-error.js';

/** Which of the two copies. */
export type Copy = 0 | 1;

/** The two headers, of which one is current. */
export class HeaderPair {
  readonly #file: ByteFile;
  readonly #note: Note | undefined;
  #current: Header;
  #copy: Copy;

  /**
   * Reads both copies.
   *
   * @throws {VhdxError} when neither is whole, when both claim to be current, or when one that is whole makes no sense.
   */
  constructor(file: ByteFile, note?: Note) {
    const [first, second] = [readCopy(file, 0), readCopy(file, 1)];
    const copies = [first, second].map((bytes, i) =>
      isWhole(bytes) ? decodeHeader(bytes, `header ${i + 1}`, HEADER_OFFSETS[i]!) : undefined,
    );
    this.#file = file;
    this.#note = note;
    this.#copy = currentCopy(copies[0], copies[1], bytesEqual(first, second));
    this.#current = copies[this.#copy]!;
  }

  get current(): Header {
    return this.#current;
  }

  /**
   * Writes the copy that is not current, flushes, and then the other one: a crash leaves a whole header, old or new, and
   * afterwards both copies say the same.
   *
   * Source: MS-VHDX 2.2.2.1.
   */
  update(change: Partial<Omit<Header, 'sequence'>>): void {
    for (let i = 0; i < 2; i++) {
      const copy: Copy = this.#copy === 0 ? 1 : 0;
      const header = { ...this.#current, ...change, sequence: this.#current.sequence + 1n };
      this.#file.write(HEADER_OFFSETS[copy], encodeHeader(header));
      this.#note?.({
        kind: 'vhdx.header-written',
        copy: copy + 1,
        sequence: `${header.sequence}`,
        logGuid: header.logGuid,
      });
      this.#file.flush();
      this.#copy = copy;
      this.#current = header;
    }
  }
}

function readCopy(file: ByteFile, copy: Copy): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(HEADER_BYTES);
  file.read(HEADER_OFFSETS[copy], bytes);
  return bytes;
}

/** One copy by itself. @throws {VhdxError} when it is not whole or makes no sense. */
export function readHeaderCopy(file: ByteFile, copy: Copy): Header {
  return decodeHeader(readCopy(file, copy), `header ${copy + 1}`, HEADER_OFFSETS[copy]);
}

/** Whether a copy was written to its end. One that is not counts as absent: the write of it was torn. */
function isWhole(bytes: Uint8Array): boolean {
  return hasSignature(bytes, 0, 'head') && hasRightChecksum(bytes);
}

function currentCopy(first: Header | undefined, second: Header | undefined, areEqual: boolean): Copy {
  if (first === undefined && second === undefined) {
    throw corrupt('headers', HEADER_OFFSETS[0], 'neither copy whole', 'one with signature and checksum');
  }
  if (first === undefined) return 1;
  if (second === undefined) return 0;
  // Some writers leave two equal copies: then it does not matter which.
  if (first.sequence === second.sequence && !areEqual) {
    throw corrupt('headers', HEADER_OFFSETS[1], `sequence number ${second.sequence} twice`, 'two numbers');
  }
  return first.sequence >= second.sequence ? 0 : 1;
}
