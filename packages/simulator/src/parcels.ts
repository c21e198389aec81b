/** Something that is handed over after the step in which it was emitted: a frame, or the end of a disk command. */
export interface Parcel {
  readonly kind: 'frame' | 'response';
  /** NIC or nexus that it is for. */
  to: number;
  /** Id of the frame, or tag of the command. */
  id: number;
  status: number;
  bytes: Uint8Array;
  /** Over the whole buffer, of which `bytes` is the beginning. */
  view: DataView;
  sense: Uint8Array;
}

const NO_SENSE = new Uint8Array(0);

const LEAST_BYTES = 1536;
/** Free parcels that are kept of each kind. */
const MOST_FREE = 256;

/**
 * A queue of parcels whose buffers are used again: nothing is allocated once it has grown.
 *
 * Frames and sectors have buffers of their own, so that a buffer's next content is often as long as its last one was,
 * and its array of bytes serves again.
 */
export class Parcels {
  readonly #freeFrames: Parcel[] = [];
  readonly #freeResponses: Parcel[] = [];
  /** Emptied by moving its ends back: an array that is cut to nothing grows anew with the next parcel. */
  readonly #queue: Parcel[] = [];
  #head = 0;
  #tail = 0;

  get length(): number {
    return this.#tail - this.#head;
  }

  frame(to: number, id: number, bytes: Uint8Array): void {
    const parcel = fill(this.#freeFrames.pop() ?? newParcel('frame'), bytes);
    parcel.to = to;
    parcel.id = id;
    this.#queue[this.#tail++] = parcel;
  }

  response(to: number, tag: number, status: number, sense: Uint8Array, data: Uint8Array): void {
    const parcel = fill(this.#freeResponses.pop() ?? newParcel('response'), data);
    parcel.to = to;
    parcel.id = tag;
    parcel.status = status;
    parcel.sense = sense.length === 0 ? NO_SENSE : sense.slice();
    this.#queue[this.#tail++] = parcel;
  }

  /** The oldest parcel; it is the caller's until `done`. */
  shift(): Parcel | undefined {
    if (this.#head === this.#tail) {
      this.#head = this.#tail = 0;
      return undefined;
    }
    const parcel = this.#queue[this.#head]!;
    this.#head += 1;
    return parcel;
  }

  done(parcel: Parcel): void {
    const free = parcel.kind === 'frame' ? this.#freeFrames : this.#freeResponses;
    if (free.length < MOST_FREE) free.push(parcel);
  }
}

function newParcel(kind: Parcel['kind']): Parcel {
  const view = new DataView(new ArrayBuffer(LEAST_BYTES));
  return { kind, to: 0, id: 0, status: 0, bytes: new Uint8Array(view.buffer, 0, 0), view, sense: NO_SENSE };
}

/** Copies the bytes in. */
function fill(parcel: Parcel, bytes: Uint8Array): Parcel {
  const { length } = bytes;
  if (parcel.view.byteLength < length) parcel.view = new DataView(new ArrayBuffer(length));
  if (parcel.bytes.length !== length || parcel.bytes.buffer !== parcel.view.buffer) {
    parcel.bytes = new Uint8Array(parcel.view.buffer, 0, length);
  }
  parcel.bytes.set(bytes);
  return parcel;
}
