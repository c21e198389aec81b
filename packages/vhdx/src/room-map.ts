/** Granularity of a search for room below the end: places that may border on a gap lie at most that far before it. */
const MAX_ROOM_MIB = 256;

/** Which MiB of the file are taken. The first one is: it holds the headers. */
export class RoomMap {
  /** One byte for each MiB below the end: 1 is taken. */
  #taken = new Uint8Array(64);
  #end = 1;
  #free = 0;
  /** No gap of a block's size begins below. */
  #searchFrom = 1;

  constructor() {
    this.#taken[0] = 1;
  }

  /** First MiB after everything that is taken. */
  get end(): number {
    return this.#end;
  }

  /** MiB below the end that are not taken. */
  get free(): number {
    return this.#free;
  }

  /** Takes that room; false when some of it is taken already, and then nothing changes. */
  claim(mib: number, count: number): boolean {
    for (let i = mib; i < Math.min(mib + count, this.#end); i++) if (this.#taken[i] === 1) return false;
    this.#growTo(mib + count);
    this.#taken.fill(1, mib, mib + count);
    this.#free -= count;
    return true;
  }

  release(mib: number, count: number): void {
    this.#taken.fill(0, mib, mib + count);
    this.#free += count;
    this.#searchFrom = Math.max(1, Math.min(this.#searchFrom, mib - MAX_ROOM_MIB));
    while (this.#taken[this.#end - 1] === 0) {
      this.#end -= 1;
      this.#free -= 1;
    }
  }

  /** Takes the first gap of that size, or what follows the end. */
  take(count: number): number {
    let mib = this.#free < count ? -1 : this.#gap(count);
    if (mib < 0) mib = this.#end;
    this.claim(mib, count);
    return mib;
  }

  #gap(count: number): number {
    let run = 0;
    for (let i = this.#searchFrom; i < this.#end; i++) {
      run = this.#taken[i] === 0 ? run + 1 : 0;
      if (run === count) {
        this.#searchFrom = i + 1;
        return i + 1 - count;
      }
    }
    this.#searchFrom = this.#end;
    return -1;
  }

  /** What lies between the old end and the new one is free. */
  #growTo(end: number): void {
    if (end <= this.#end) return;
    if (end > this.#taken.length) {
      const grown = new Uint8Array(Math.max(end, this.#taken.length * 2));
      grown.set(this.#taken.subarray(0, this.#end));
      this.#taken = grown;
    }
    this.#free += end - this.#end;
    this.#end = end;
  }
}
