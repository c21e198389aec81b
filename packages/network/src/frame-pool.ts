import { assert } from '@quorate/kernel';

const CAPACITY = 2048;

/** A buffer of the pool, shared by the copies of one frame. */
export interface PooledFrame {
  /** The frame's bytes: valid until its last holder has let it go. */
  view: Uint8Array;
  buffer: Uint8Array<ArrayBuffer>;
  holders: number;
}

/**
 * Buffers for frames under way, used again and again.
 *
 * A frame is copied in once and shared by all receivers; a frame above 2048 bytes makes its buffer grow for good. A
 * view is made again only when the length differs from what the buffer held before.
 */
export class FramePool {
  readonly #free: PooledFrame[] = [];
  #count = 0;

  /** Buffers that exist, in use or free. */
  get size(): number {
    return this.#count;
  }

  get inUse(): number {
    return this.#count - this.#free.length;
  }

  /** Copies the bytes in; the caller is the first holder. */
  take(bytes: Uint8Array): PooledFrame {
    const frame = this.#free.pop() ?? this.#make();
    if (frame.view.length !== bytes.length) {
      if (frame.buffer.length < bytes.length) frame.buffer = new Uint8Array(bytes.length);
      frame.view = frame.buffer.subarray(0, bytes.length);
    }
    frame.view.set(bytes);
    frame.holders = 1;
    return frame;
  }

  letGo(frame: PooledFrame): void {
    assert(frame.holders > 0, 'a frame was let go more often than it was held');
    frame.holders -= 1;
    if (frame.holders === 0) this.#free.push(frame);
  }

  #make(): PooledFrame {
    this.#count += 1;
    const buffer = new Uint8Array(CAPACITY);
    return { buffer, view: buffer.subarray(0, 0), holders: 0 };
  }
}
