/** Sizes below this are rounded up to it. */
const LEAST_BYTES = 4096;

/** Free buffers that are kept, in bytes. */
const KEPT_BYTES = 16 * 1024 * 1024;

/** Buffers for Data-Out of all sessions together, never more than the limit. They come back in sizes of powers of two. */
export class DataBuffers {
  readonly #limit: number;
  readonly #free = new Map<number, Uint8Array[]>();
  #taken = 0;
  #kept = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes in use. */
  get taken(): number {
    return this.#taken;
  }

  /**
   * A buffer of at least that size, not zeroed; undefined when there is no room for it.
   *
   * What comes unsolicited has half of the limit. So there is room for the largest command whatever the others hold, and
   * commands that wait for more than they have cannot wait for each other.
   */
  take(bytes: number, what: 'solicited' | 'unsolicited'): Uint8Array | undefined {
    const size = sizeFor(bytes);
    if (this.#taken + size > (what === 'solicited' ? this.#limit : this.#limit / 2)) return undefined;
    this.#taken += size;
    const free = this.#free.get(size)?.pop();
    if (free === undefined) return new Uint8Array(size);
    this.#kept -= size;
    return free;
  }

  giveBack(buffer: Uint8Array): void {
    const size = buffer.length;
    this.#taken -= size;
    if (this.#kept + size > KEPT_BYTES) return;
    this.#kept += size;
    const free = this.#free.get(size);
    if (free === undefined) this.#free.set(size, [buffer]);
    else free.push(buffer);
  }
}

function sizeFor(bytes: number): number {
  let size = LEAST_BYTES;
  while (size < bytes) size *= 2;
  return size;
}
