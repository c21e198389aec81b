import { SLOT_DATA_OFFSET, type SlotDefect } from './block.js';
import { decodeStatus, STATUS_BYTES, type StatusBlock } from './status-block.js';

const RECORD_BYTES = SLOT_DATA_OFFSET + STATUS_BYTES;

/** Reads one slot again and again. What has not changed since the last time is not decoded again: most slots never do. */
export class SlotReader {
  readonly #bytes = new Uint8Array(RECORD_BYTES);
  #status: StatusBlock | undefined;

  /** As `decodeStatus`; equal bytes give the same object. */
  read(sector: Uint8Array): StatusBlock | SlotDefect {
    if (this.#status !== undefined && this.#isUnchanged(sector)) return this.#status;
    const status = decodeStatus(sector);
    if (typeof status === 'string') return status;
    this.#bytes.set(sector.subarray(0, RECORD_BYTES));
    // The checksum of a longer record would cover more than is compared.
    this.#status = isOfStatusLength(sector) ? status : undefined;
    return status;
  }

  #isUnchanged(sector: Uint8Array): boolean {
    const bytes = this.#bytes;
    if (sector.length < RECORD_BYTES) return false;
    for (let i = 0; i < RECORD_BYTES; i++) if (bytes[i] !== sector[i]) return false;
    return true;
  }
}

/** The length field of the shared header says 80. */
function isOfStatusLength(sector: Uint8Array): boolean {
  return sector[12] === STATUS_BYTES && sector[13] === 0 && sector[14] === 0 && sector[15] === 0;
}
