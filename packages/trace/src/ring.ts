/** One event as the ring keeps it. What `peer`, `id`, `a` and `b` mean is the kind's. */
export interface RingRecord {
  readonly time: number;
  readonly seq: number;
  readonly kind: number;
  readonly flags: number;
  readonly node: number;
  readonly peer: number;
  readonly id: number;
  readonly a: number;
  readonly b: number;
}

const RECORD_BYTES = 32;

/**
 * The last events of a run, 32 bytes each, oldest overwritten first.
 *
 * offset size field
 *      0    8 time   ns, double
 *      8    4 seq    low 32 bits of the event's number
 *     12    1 kind
 *     13    1 flags  none yet, zero
 *     14    2 node
 *     16    4 peer
 *     20    4 id
 *     24    4 a
 *     28    4 b
 *
 * Little-endian, whatever the machine.
 */
export class TraceRing {
  readonly #view: DataView;
  readonly #capacity: number;
  #count = 0;

  /** `capacity` in records. */
  constructor(capacity = 65_536) {
    this.#capacity = capacity;
    this.#view = new DataView(new ArrayBuffer(capacity * RECORD_BYTES));
  }

  /** Records that were ever added. */
  get count(): number {
    return this.#count;
  }

  add(time: number, seq: number, kind: number, node: number, peer: number, id: number, a: number, b: number): void {
    const at = (this.#count % this.#capacity) * RECORD_BYTES;
    this.#count += 1;
    const view = this.#view;
    view.setFloat64(at, time, true);
    view.setUint32(at + 8, seq, true);
    view.setUint16(at + 12, kind & 0xff, true);
    view.setUint16(at + 14, node, true);
    view.setUint32(at + 16, peer, true);
    view.setUint32(at + 20, id, true);
    view.setUint32(at + 24, a, true);
    view.setUint32(at + 28, b, true);
  }

  /** What is still held, oldest first. */
  *records(): Generator<RingRecord, void, undefined> {
    const view = this.#view;
    for (let n = Math.max(0, this.#count - this.#capacity); n < this.#count; n++) {
      const at = (n % this.#capacity) * RECORD_BYTES;
      yield {
        time: view.getFloat64(at, true),
        seq: view.getUint32(at + 8, true),
        kind: view.getUint8(at + 12),
        flags: view.getUint8(at + 13),
        node: view.getUint16(at + 14, true),
        peer: view.getUint32(at + 16, true),
        id: view.getUint32(at + 20, true),
        a: view.getUint32(at + 24, true),
        b: view.getUint32(at + 28, true),
      };
    }
  }
}
