/** Bytes of a stream that wait to be acknowledged: appended at the end, read anywhere, dropped at the front. */
export class ByteQueue {
  #bytes = new Uint8Array(0);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** Copies the bytes in. */
  append(bytes: Uint8Array): void {
    if (this.#end + bytes.length > this.#bytes.length) this.#makeRoom(bytes.length);
    this.#bytes.set(bytes, this.#end);
    this.#end += bytes.length;
  }

  /** Copies `count` bytes, from `offset` behind the front, to `at`. The range must be inside the queue. */
  copyTo(into: Uint8Array, at: number, offset: number, count: number): void {
    const from = this.#start + offset;
    into.set(this.#bytes.subarray(from, from + count), at);
  }

  drop(count: number): void {
    this.#start += count;
    if (this.#start === this.#end) this.#start = this.#end = 0;
  }

  #makeRoom(count: number): void {
    const length = this.length;
    // Moving to the front is enough while at most half of the buffer would be used.
    const isRoomy = (length + count) * 2 <= this.#bytes.length;
    const bytes = isRoomy ? this.#bytes : new Uint8Array(Math.max(1024, (length + count) * 2));
    bytes.set(this.#bytes.subarray(this.#start, this.#end));
    this.#bytes = bytes;
    this.#start = 0;
    this.#end = length;
  }
}
