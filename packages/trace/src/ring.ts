/** One event as the ring keeps it. What `peer`, `id`, `a` and `b` mean is the kind's. */
export interface RingRecord {
  readonly time: number;
  readonly seq: number;
  readonly kind: number;
  readonly node: number;
  readonly peer: number;
  readonly id: number;
  readonly a: number;
  readonly b: number;
}

/** Of a record, beside its time. */
const WORDS = 6;

/** The last events of a run, 32 bytes each, oldest overwritten first. */
export class TraceRing {
  readonly #capacity: number;
  /** In ns. */
  readonly #times: Float64Array;
  /** Low 32 bits of the event's number; kind and node; peer; id; a; b. */
  readonly #words: Uint32Array;
  #count = 0;

  /** `capacity` in records. */
  constructor(capacity = 65_536) {
    this.#capacity = capacity;
    this.#times = new Float64Array(capacity);
    this.#words = new Uint32Array(capacity * WORDS);
  }

  /** Records that were ever added. */
  get count(): number {
    return this.#count;
  }

  add(time: number, seq: number, kind: number, node: number, peer: number, id: number, a: number, b: number): void {
    const place = this.#count % this.#capacity;
    this.#count += 1;
    this.#times[place] = time;
    const words = this.#words;
    const at = place * WORDS;
    words[at] = seq;
    words[at + 1] = ((kind & 0xff) << 16) | (node & 0xffff);
    words[at + 2] = peer;
    words[at + 3] = id;
    words[at + 4] = a;
    words[at + 5] = b;
  }

  /** What is still held, oldest first. */
  *records(): Generator<RingRecord, void, undefined> {
    const words = this.#words;
    for (let n = Math.max(0, this.#count - this.#capacity); n < this.#count; n++) {
      const place = n % this.#capacity;
      const at = place * WORDS;
      const kindAndNode = words[at + 1]!;
      yield {
        time: this.#times[place]!,
        seq: words[at]!,
        kind: kindAndNode >>> 16,
        node: kindAndNode & 0xffff,
        peer: words[at + 2]!,
        id: words[at + 3]!,
        a: words[at + 4]!,
        b: words[at + 5]!,
      };
    }
  }
}
