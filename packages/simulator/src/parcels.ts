/** Something that is handed over after the step in which it was emitted: a frame, or the end of a disk command. */
export interface Parcel {
  kind: 'frame' | 'response';
  /** NIC or nexus that it is for. */
  to: number;
  /** Id of the frame, or tag of the command. */
  id: number;
  status: number;
  buffer: Uint8Array;
  length: number;
  sense: Uint8Array;
}

const NO_SENSE = new Uint8Array(0);

/** A queue of parcels whose buffers are used again: nothing is allocated once it has grown. */
export class Parcels {
  readonly #free: Parcel[] = [];
  #queue: Parcel[] = [];
  #head = 0;

  get length(): number {
    return this.#queue.length - this.#head;
  }

  frame(to: number, id: number, bytes: Uint8Array): void {
    const parcel = this.#take(bytes);
    parcel.kind = 'frame';
    parcel.to = to;
    parcel.id = id;
    this.#queue.push(parcel);
  }

  response(to: number, tag: number, status: number, sense: Uint8Array, data: Uint8Array): void {
    const parcel = this.#take(data);
    parcel.kind = 'response';
    parcel.to = to;
    parcel.id = tag;
    parcel.status = status;
    parcel.sense = sense.length === 0 ? NO_SENSE : sense.slice();
    this.#queue.push(parcel);
  }

  /** The oldest parcel; it is the caller's until `done`. */
  shift(): Parcel | undefined {
    if (this.#head === this.#queue.length) {
      if (this.#head > 0) {
        this.#queue = [];
        this.#head = 0;
      }
      return undefined;
    }
    const parcel = this.#queue[this.#head]!;
    this.#head += 1;
    return parcel;
  }

  done(parcel: Parcel): void {
    if (this.#free.length < 256) this.#free.push(parcel);
  }

  #take(bytes: Uint8Array): Parcel {
    const parcel = this.#free.pop() ?? newParcel();
    if (parcel.buffer.length < bytes.length) parcel.buffer = new Uint8Array(Math.max(1536, bytes.length));
    parcel.buffer.set(bytes);
    parcel.length = bytes.length;
    return parcel;
  }
}

function newParcel(): Parcel {
  return { kind: 'frame', to: 0, id: 0, status: 0, buffer: new Uint8Array(1536), length: 0, sense: NO_SENSE };
}
