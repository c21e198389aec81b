import { ACK, FIN, RST, SYN, type TcpSegment } from '@quorate/network';

/** One direction of a connection. Offsets are counted from the byte after the SYN. */
class TcpStream {
  readonly initial: number;
  /** One past the last byte that was sent; a FIN does not count. */
  end = 0;
  #fin = Infinity;
  #bytes = new Uint8Array(0);
  /** 1 where the byte is known: whoever receives does not see what was lost on the way. */
  #known = new Uint8Array(0);

  constructor(initial: number) {
    this.initial = initial;
  }

  /** Negative for what lies before the first byte. */
  offsetOf(seq: number): number {
    return (seq - this.initial - 1) | 0;
  }

  /** What is wrong with bytes at a sequence number; undefined: nothing. */
  add(seq: number, data: Uint8Array, hasFin: boolean): string | undefined {
    const start = this.offsetOf(seq);
    // A probe of an end that only wants to hear whether the other is there repeats an old number.
    if (start < 0 || (data.length === 0 && !hasFin)) return undefined;
    const end = start + data.length;
    if (end > this.#fin) return `bytes up to ${end} after a FIN at ${this.#fin}`;
    if (hasFin && end < this.end) return `a FIN at ${end} after bytes up to ${this.end}`;
    this.#grow(end);
    for (let i = 0; i < data.length; i++) {
      const at = start + i;
      if (this.#known[at] === 1 && this.#bytes[at] !== data[i]) {
        return `byte ${at} is ${data[i]}, and was ${this.#bytes[at]} before`;
      }
      this.#known[at] = 1;
      this.#bytes[at] = data[i]!;
    }
    if (hasFin) this.#fin = end;
    this.end = Math.max(this.end, end);
    return undefined;
  }

  /** What may be acknowledged: a FIN takes a number. */
  get sent(): number {
    return this.#fin === Infinity ? this.end : this.#fin + 1;
  }

  #grow(size: number): void {
    if (size <= this.#bytes.length) return;
    const bytes = new Uint8Array(Math.max(size, 2 * this.#bytes.length));
    bytes.set(this.#bytes);
    const known = new Uint8Array(bytes.length);
    known.set(this.#known);
    this.#bytes = bytes;
    this.#known = known;
  }
}

/** TCP connections as one card sees them: notices what no sound connection does. */
export class TcpStreams {
  readonly #streams = new Map<string, TcpStream>();
  /** Connections of which only the first SYN was seen: what else comes belongs to an older one between the same ports. */
  readonly #opening = new Set<string>();

  /** `from` and `to` name the two ends. Gives what is wrong with the segment; undefined: nothing. */
  segment(from: string, to: string, { seq, ack, flags }: TcpSegment, data: Uint8Array): string | undefined {
    const way = `${from}>${to}`;
    const back = `${to}>${from}`;
    if ((flags & RST) !== 0) return undefined;
    if ((flags & SYN) !== 0) {
      if (this.#streams.get(way)?.initial !== seq) this.#streams.set(way, new TcpStream(seq));
      if ((flags & ACK) === 0) {
        this.#opening.add(way);
        return undefined;
      }
      this.#opening.delete(back);
    }
    if (this.#opening.has(way) || this.#opening.has(back)) return undefined;
    const stream = this.#streams.get(way);
    const other = this.#streams.get(back);
    // It began before the capture, or at another card that had the address then.
    if (stream === undefined || other === undefined) return undefined;
    const acknowledged = other.offsetOf(ack);
    if (acknowledged > other.sent) return `acknowledges ${acknowledged}, where ${other.sent} were sent`;
    return (flags & SYN) === 0 ? stream.add(seq, data, (flags & FIN) !== 0) : undefined;
  }
}
