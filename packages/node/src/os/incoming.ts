import {
  ByteReader,
  ByteWriter,
  concatBytes,
  type Errno,
  isErrno,
  type Os,
  type Socket,
  type Task,
} from '@quorate/kernel';

/** More in one text or file is not taken for a message. */
const LONGEST = 64 * 1024 * 1024;

/** Bytes as `Incoming` takes them with their number, which comes first: 4 bytes, big-endian. */
export function withLength(bytes: Uint8Array): Uint8Array {
  return concatBytes(new ByteWriter(false, 4).u32(bytes.length).bytes(), bytes);
}

/** The bytes of a stream, by numbers of them. ECONNRESET where it ends before they have come. */
export class Incoming {
  readonly #os: Os;
  readonly #socket: Socket;
  #pending: Uint8Array = new Uint8Array(0);

  constructor(os: Os, socket: Socket) {
    this.#os = os;
    this.#socket = socket;
  }

  *take(count: number): Task<Uint8Array | Errno> {
    const chunks = [this.#pending];
    let length = this.#pending.length;
    while (length < count) {
      const bytes = yield* this.#os.receive(this.#socket);
      if (isErrno(bytes)) return bytes;
      if (bytes.length === 0) return 'ECONNRESET';
      chunks.push(bytes);
      length += bytes.length;
    }
    const all = chunks.length === 1 ? chunks[0]! : concatBytes(...chunks);
    this.#pending = all.subarray(count);
    return all.slice(0, count);
  }

  /** EPROTO for a number that nobody sends. */
  *takeWithLength(): Task<Uint8Array | Errno> {
    const head = yield* this.take(4);
    if (isErrno(head)) return head;
    const length = new ByteReader(head, false).u32();
    return length > LONGEST ? 'EPROTO' : yield* this.take(length);
  }
}
