import type { Errno, Nanos } from '@quorate/kernel';
import { encodeIcmp, ICMP_BYTES, ICMP_ECHO } from './icmp.js';
import type { IpSender } from './ip-sender.js';
import { PROTOCOL_ICMP } from './ipv4.js';
import type { Turn } from './turn.js';

export type EchoOutput =
  | { readonly kind: 'echo-replied'; readonly id: number; readonly roundTrip: Nanos }
  /**
   * `ENETUNREACH` no route, `EHOSTUNREACH` nobody has the address or the time to live ran out, `ETIMEDOUT`, or what a
   * destination unreachable message said.
   */
  | { readonly kind: 'echo-failed'; readonly id: number; readonly errno: Errno };

/** One echo request. `timeout` from now. */
export interface EchoRequest {
  readonly id: number;
  readonly ttl: number;
  readonly seq: number;
  readonly timeout: Nanos;
}

interface Waiting {
  readonly id: number;
  readonly destination: number;
  readonly seq: number;
  readonly sentAt: Nanos;
  readonly until: Nanos;
}

/** Data of an echo, as `ping` sends it. */
const DATA_BYTES = 56;

/** The side of ICMP echo that asks: every request gets one answer, an error or its timeout. */
export class Echoes {
  readonly #turn: Turn<EchoOutput>;
  readonly #sender: IpSender;
  readonly #waiting = new Map<number, Waiting>();
  #lastIdentifier = 0;

  constructor(turn: Turn<EchoOutput>, sender: IpSender) {
    this.#turn = turn;
    this.#sender = sender;
  }

  send(request: EchoRequest, destination: number): void {
    const { id, seq } = request;
    const source = this.#sender.sourceFor(destination);
    if (source === 'ENETUNREACH') return this.#turn.emit({ kind: 'echo-failed', id, errno: source });
    const identifier = this.#newIdentifier();
    const sentAt = this.#turn.now;
    this.#waiting.set(identifier, { id, destination, seq, sentAt, until: sentAt + request.timeout });
    const { payload } = this.#sender;
    for (let i = 0; i < DATA_BYTES; i++) payload[ICMP_BYTES + i] = i;
    encodeIcmp(payload, 0, { type: ICMP_ECHO, code: 0, identifier, sequence: seq & 0xffff }, DATA_BYTES);
    const errno = this.#sender.send(source, destination, PROTOCOL_ICMP, ICMP_BYTES + DATA_BYTES, request.ttl);
    if (errno !== undefined) this.onError(identifier, destination, errno);
  }

  onReply(identifier: number, sequence: number, from: number): void {
    const waiting = this.#waiting.get(identifier);
    if (waiting === undefined || waiting.destination !== from || (waiting.seq & 0xffff) !== sequence) return;
    this.#waiting.delete(identifier);
    this.#turn.emit({ kind: 'echo-replied', id: waiting.id, roundTrip: this.#turn.now - waiting.sentAt });
  }

  onError(identifier: number, destination: number, errno: Errno): void {
    const waiting = this.#waiting.get(identifier);
    if (waiting === undefined || waiting.destination !== destination) return;
    this.#waiting.delete(identifier);
    this.#turn.emit({ kind: 'echo-failed', id: waiting.id, errno });
  }

  wake(): void {
    for (const [identifier, { id, until }] of this.#waiting) {
      if (until > this.#turn.now) continue;
      this.#waiting.delete(identifier);
      this.#turn.emit({ kind: 'echo-failed', id, errno: 'ETIMEDOUT' });
    }
  }

  deadline(): Nanos {
    let least = Infinity;
    for (const { until } of this.#waiting.values()) least = Math.min(least, until);
    return least;
  }

  /** Requests without an answer so far. */
  get size(): number {
    return this.#waiting.size;
  }

  #newIdentifier(): number {
    if (this.#waiting.size > 0xffff) throw new RangeError('more than 65 536 echoes at a time');
    do this.#lastIdentifier = (this.#lastIdentifier + 1) & 0xffff;
    while (this.#waiting.has(this.#lastIdentifier));
    return this.#lastIdentifier;
  }
}
