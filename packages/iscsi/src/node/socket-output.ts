import type { Socket } from 'node:net';

/** Room of one frame: a Data-In of 64 KiB with its header, or hundreds of small PDUs. */
const FRAME_BYTES = 128 * 1024;

const KEPT_FRAMES = 64;

/** Buffers for what is on its way to a socket, used again and again. */
export class FramePool {
  readonly #free: Uint8Array[] = [];

  take(): Uint8Array {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(FRAME_BYTES);
  }

  giveBack(frames: readonly Uint8Array[]): void {
    for (const frame of frames) if (this.#free.length < KEPT_FRAMES) this.#free.push(frame);
  }
}

/** Gathers the bytes of one step for one socket and writes them at once. */
export class SocketOutput {
  readonly socket: Socket;
  readonly #pool: FramePool;
  readonly #onSent: (bytes: number) => void;
  #frames: Uint8Array[] = [];
  /** Bytes in the last frame. */
  #used = FRAME_BYTES;

  /** `onSent` hears of every byte once, when the socket has no more use for it. */
  constructor(socket: Socket, pool: FramePool, onSent: (bytes: number) => void) {
    this.socket = socket;
    this.#pool = pool;
    this.#onSent = onSent;
  }

  /** Copies the bytes: they are lent. */
  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) {
      if (this.#used === FRAME_BYTES) {
        this.#frames.push(this.#pool.take());
        this.#used = 0;
      }
      const length = Math.min(bytes.length - at, FRAME_BYTES - this.#used);
      const whole = length === bytes.length ? bytes : bytes.subarray(at, at + length);
      this.#frames.at(-1)!.set(whole, this.#used);
      this.#used += length;
      at += length;
    }
  }

  flush(): void {
    const frames = this.#frames;
    if (frames.length === 0) return;
    const lastUsed = this.#used;
    const bytes = (frames.length - 1) * FRAME_BYTES + lastUsed;
    this.#frames = [];
    this.#used = FRAME_BYTES;
    const done = (): void => {
      this.#pool.giveBack(frames);
      this.#onSent(bytes);
    };
    if (frames.length === 1) {
      this.socket.write(frames[0]!.subarray(0, lastUsed), done);
      return;
    }
    this.socket.cork();
    for (let i = 0; i < frames.length - 1; i++) this.socket.write(frames[i]!);
    this.socket.write(frames.at(-1)!.subarray(0, lastUsed), done);
    this.socket.uncork();
  }
}
