import type { Nanos } from '@quorate/kernel';
import { ACK, encodeTcp, FIN, PSH, RST, SYN, tcpHeaderBytes } from '@quorate/network';

/** One of the two who talk: who asked for the connection, or who was asked. */
export type ConnectionEnd = 'client' | 'server';

interface TcpEnd {
  readonly address: number;
  readonly port: number;
  /** Its next sequence number. */
  seq: number;
}

type SegmentSink = (at: Nanos, source: number, destination: number, segment: Uint8Array) => void;

/** Of segments on a link with an MTU of 1500 bytes. */
const MSS = 1460;
const WINDOW = 0xffff;
/** Between the initial sequence numbers of two streams, so that one does not run into the next. */
const INITIAL_STEP = 0x0200_0000;
const NOTHING = new Uint8Array(0);

/**
 * A stream of bytes in both directions as the segments of a TCP connection that nothing disturbs: a handshake, bytes that are
 * acknowledged at once, and an end in which the other side follows, or a reset.
 *
 * Source: RFC 9293, sections 3.5 and 3.6.
 */
export class CapturedConnection {
  readonly #client: TcpEnd;
  readonly #server: TcpEnd;
  readonly #sink: SegmentSink;
  #isOver = false;

  /** `number` is that of the connection in its capture. `sink` gets each segment during the call only. */
  constructor(at: Nanos, client: Omit<TcpEnd, 'seq'>, server: Omit<TcpEnd, 'seq'>, number: number, sink: SegmentSink) {
    this.#client = { ...client, seq: (2 * number * INITIAL_STEP) >>> 0 };
    this.#server = { ...server, seq: ((2 * number + 1) * INITIAL_STEP) >>> 0 };
    this.#sink = sink;
    this.#segment(at, 'client', SYN);
    this.#segment(at, 'server', SYN | ACK);
    this.#segment(at, 'client', ACK);
  }

  /** One of the ends sends bytes, and the other acknowledges them. @throws {RangeError} after the end. */
  sent(at: Nanos, by: ConnectionEnd, bytes: Uint8Array): void {
    if (this.#isOver) throw new RangeError(`found ${bytes.length} bytes of the ${by}, expected none after the end`);
    for (let start = 0; start < bytes.length; start += MSS) {
      const part = bytes.subarray(start, start + MSS);
      this.#segment(at, by, start + MSS < bytes.length ? ACK : ACK | PSH, part);
    }
    if (bytes.length > 0) this.#segment(at, otherOf(by), ACK);
  }

  /** One of the ends closes the connection, and the other follows; nothing happens after the end. */
  close(at: Nanos, by: ConnectionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#segment(at, by, FIN | ACK);
    this.#segment(at, otherOf(by), FIN | ACK);
    this.#segment(at, by, ACK);
  }

  /** One of the ends resets the connection; nothing happens after the end. */
  abort(at: Nanos, by: ConnectionEnd): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#segment(at, by, RST | ACK);
  }

  #segment(at: Nanos, by: ConnectionEnd, flags: number, data: Uint8Array = NOTHING): void {
    const from = by === 'client' ? this.#client : this.#server;
    const to = by === 'client' ? this.#server : this.#client;
    const mss = (flags & SYN) === 0 ? 0 : MSS;
    const fields = {
      sourcePort: from.port,
      destinationPort: to.port,
      seq: from.seq,
      ack: (flags & ACK) === 0 ? 0 : to.seq,
      flags,
      window: WINDOW,
      mss,
    };
    const segment = new Uint8Array(tcpHeaderBytes(mss) + data.length);
    segment.set(data, tcpHeaderBytes(mss));
    encodeTcp(segment, 0, fields, data.length, from.address, to.address);
    // SYN and FIN take a number each.
    from.seq = (from.seq + data.length + ((flags & (SYN | FIN)) === 0 ? 0 : 1)) >>> 0;
    this.#sink(at, from.address, to.address, segment);
  }
}

function otherOf(end: ConnectionEnd): ConnectionEnd {
  return end === 'client' ? 'server' : 'client';
}
