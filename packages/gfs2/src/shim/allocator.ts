import type { Buffer } from '../buffer/buffer.js';
import type { BitmapSpan } from '../ondisk/bitmap-layout.js';
/** Naive bitmap with clones, until the allocator library is there. */
export class ShimBits {
  readonly clones = new Map<number, Uint8Array>();
  readonly spans: readonly BitmapSpan[];
  readonly buffers: readonly Buffer[];
  constructor(spans: readonly BitmapSpan[], buffers: readonly Buffer[]) {
    this.spans = spans;
    this.buffers = buffers;
  }
  #where(offset: number): [number, number, number] {
    const byte = offset >> 2;
    for (let i = 0; i < this.spans.length; i++) {
      const s = this.spans[i]!;
      if (byte < s.start + s.bytes) return [i, s.offset + byte - s.start, (offset & 3) * 2];
    }
    throw new RangeError('offset');
  }
  get(offset: number): number {
    const [i, at, sh] = this.#where(offset);
    return (this.buffers[i]!.data[at]! >> sh) & 3;
  }
  getClone(offset: number): number {
    const [i, at, sh] = this.#where(offset);
    return ((this.clones.get(i) ?? this.buffers[i]!.data)[at]! >> sh) & 3;
  }
  set(offset: number, state: number): Buffer {
    const [i, at, sh] = this.#where(offset);
    const b = this.buffers[i]!;
    if (state === 0 && !this.clones.has(i)) this.clones.set(i, b.data.slice());
    b.data[at] = (b.data[at]! & ~(3 << sh)) | (state << sh);
    const c = this.clones.get(i);
    if (c && state !== 0) c[at] = (c[at]! & ~(3 << sh)) | (state << sh);
    return b;
  }
  bufferOf(offset: number): Buffer {
    return this.buffers[this.#where(offset)[0]]!;
  }
  find(from: number, blocks: number): number {
    for (let i = 0; i < blocks; i++) {
      const o = (from + i) % blocks;
      if (this.getClone(o) === 0) return o;
    }
    return -1;
  }
}
