import { assert, type Errno, MILLISECOND, type Nanos, SECOND } from '@quorate/kernel';
import { ByteQueue } from './byte-queue.js';
import { PROTOCOL_TCP } from './ipv4.js';
import { OutOfOrder } from './out-of-order.js';
import { RetransmissionTimeout, TIMEOUT_LIMITS, type TimeoutLimits } from './retransmission-timeout.js';
import { seqAdd, seqAfter, seqBefore, seqDistance } from './sequence.js';
import { ACK, encodeTcp, FIN, PSH, RST, SYN, segmentLength, type TcpSegment, tcpHeaderBytes } from './tcp-segment.js';
import type { Turn } from './turn.js';

export type TcpOutput =
  /** A peer has connected to a port we listen on; `id` is from `FIRST_ACCEPTED_ID` on. */
  | {
      readonly kind: 'tcp-accepted';
      readonly id: number;
      readonly port: number;
      readonly from: string;
      readonly fromPort: number;
    }
  | { readonly kind: 'tcp-connected'; readonly id: number }
  /** The next bytes of the peer's stream. */
  | { readonly kind: 'tcp-received'; readonly id: number; readonly bytes: Uint8Array }
  /** The peer's stream has ended. What we have to say can still be sent; then `tcp-close`. */
  | { readonly kind: 'tcp-closed'; readonly id: number }
  /**
   * The connection is gone and its id with it: `ECONNREFUSED`, `ECONNRESET`, `ETIMEDOUT`, `EHOSTUNREACH`,
   * `ENETUNREACH`.
   */
  | { readonly kind: 'tcp-failed'; readonly id: number; readonly errno: Errno };

export interface TcpSettings {
  /** Data of one segment: the MTU of 1500 less both headers. */
  readonly mss: number;
  /** What the peer may have under way; at most 65 535, there is no window scaling. */
  readonly window: number;
  readonly rto: TimeoutLimits;
  /** How often a SYN is repeated before the attempt ends (`net.ipv4.tcp_syn_retries`): 5 make 63 s. */
  readonly synRetries: number;
  /** How often a segment is repeated before the connection ends (`net.ipv4.tcp_retries2`): 15 make about 9 minutes. */
  readonly retries: number;
  /** How long an acknowledgment may wait for data to go with. */
  readonly delayedAck: Nanos;
  /** `TIME-WAIT`: twice the life of a segment. Linux has 60 s. */
  readonly timeWait: Nanos;
  /** How long the peer may take to close after we did (`net.ipv4.tcp_fin_timeout`). */
  readonly finWait: Nanos;
}

export const TCP_SETTINGS: TcpSettings = {
  mss: 1460,
  window: 65_535,
  rto: TIMEOUT_LIMITS,
  synRetries: 5,
  retries: 15,
  delayedAck: 40 * MILLISECOND,
  timeWait: SECOND,
  finWait: 60 * SECOND,
};

/** Both ends of a connection. */
export interface TcpEnds {
  readonly local: number;
  readonly localPort: number;
  readonly remote: number;
  readonly remotePort: number;
}

/** What a connection needs of the stack. */
export interface TcpHost {
  readonly turn: Turn<TcpOutput>;
  readonly settings: TcpSettings;
  /** Where the next segment is written. */
  readonly payload: Uint8Array;
  send(source: number, destination: number, protocol: number, length: number): Errno | undefined;
  sourceFor(destination: number): number | 'ENETUNREACH';
  addressText(address: number): string;
}

export type TcpState =
  | 'syn-sent'
  | 'syn-received'
  | 'established'
  | 'fin-wait-1'
  | 'fin-wait-2'
  | 'close-wait'
  | 'closing'
  | 'last-ack'
  | 'time-wait'
  | 'closed';

/** The MSS of a peer that sends no option. Source: RFC 9293, section 3.7.1. */
const DEFAULT_MSS = 536;
const FAST_RETRANSMIT = 3;

/**
 * One TCP connection: the state machine of RFC 9293, section 3.10, with its names.
 *
 * The timeout is RFC 6298's; the third duplicate acknowledgment repeats a segment at once, and until all that was under
 * way then is acknowledged each partial acknowledgment repeats the next (RFC 5681, 6582). Bytes are handed up in order
 * at once, so the window never closes; bytes that come early are kept. There is no congestion window, no window
 * scaling, no selective acknowledgment, no timestamps, no urgent data and no keep-alive.
 */
export class TcpConnection {
  readonly id: number;
  readonly ends: TcpEnds;
  readonly #host: TcpHost;
  readonly #isAccepted: boolean;
  #state: TcpState;
  /** The maximum segment size that both ends accept. */
  #mss: number;

  // Send sequence variables.
  readonly #iss: number;
  #sndUna: number;
  #sndNxt: number;
  #sndWnd = 0;
  #sndWl1 = 0;
  #sndWl2 = 0;
  /** From `#queueSeq` on: sent and not acknowledged, then not sent. */
  readonly #queue = new ByteQueue();
  #queueSeq: number;
  #isCloseAsked = false;
  #isFinSent = false;

  // Receive sequence variables.
  #irs = 0;
  #rcvNxt = 0;
  readonly #early = new OutOfOrder();
  #finSeq = -1;

  readonly #rto: RetransmissionTimeout;
  #retransmitAt: Nanos = Infinity;
  #retries = 0;
  /** What ends the connection when it gives up: an ICMP error heard meanwhile. */
  #softErrno: Errno = 'ETIMEDOUT';
  #timedSeq = -1;
  #timedAt: Nanos = 0;
  #duplicateAcks = 0;
  /** Recovery lasts until this is acknowledged; -1 outside. */
  #recover = -1;
  #ackAt: Nanos = Infinity;
  #segmentsToAck = 0;
  #endAt: Nanos = Infinity;

  constructor(host: TcpHost, id: number, ends: TcpEnds, iss: number, syn: TcpSegment | undefined) {
    this.#host = host;
    this.id = id;
    this.ends = ends;
    this.#iss = iss;
    this.#sndUna = this.#sndNxt = iss;
    this.#queueSeq = seqAdd(iss, 1);
    this.#rto = new RetransmissionTimeout(host.settings.rto);
    this.#mss = host.settings.mss;
    this.#isAccepted = syn !== undefined;
    this.#state = syn === undefined ? 'syn-sent' : 'syn-received';
    if (syn !== undefined) this.#takeSyn(syn);
  }

  get state(): TcpState {
    return this.#state;
  }

  /** `RCV.NXT`. */
  get rcvNxt(): number {
    return this.#rcvNxt;
  }

  /** Sends the first segment: SYN, or SYN and ACK. */
  open(): void {
    this.#sndNxt = seqAdd(this.#iss, 1);
    this.#time(this.#iss);
    const errno = this.#sendSyn();
    this.#retransmitAt = this.#host.turn.now + this.#rto.value;
    if (errno !== undefined && this.#state === 'syn-sent') this.#fail(errno);
  }

  /** Queues bytes; without effect once the stream was closed. */
  send(bytes: Uint8Array): void {
    if (this.#isCloseAsked || this.#state === 'closed') return;
    this.#queue.append(bytes);
    this.#output();
  }

  /** Ends our stream behind what is queued. */
  close(): void {
    this.#isCloseAsked = true;
    if (this.#state === 'syn-sent') this.#end();
    else this.#output();
  }

  /** Tells the peer that the connection is gone, and forgets it. */
  abort(): void {
    if (this.#state !== 'syn-sent' && this.#state !== 'time-wait')
      this.#sendSegment(this.#acceptableSeq(), RST | ACK, 0);
    this.#end();
  }

  /** Forgets the connection without a word. */
  forget(): void {
    this.#end();
  }

  /** Takes a segment of this connection, in the order of RFC 9293, section 3.10.7. */
  receive(segment: TcpSegment, bytes: Uint8Array): void {
    if (this.#state === 'syn-sent') return this.#inSynSent(segment);
    if (!this.#isAcceptable(segment)) return this.#onUnacceptable(segment);
    if ((segment.flags & RST) !== 0) return this.#onReset(segment);
    // RFC 5961, section 4: a peer that lost the connection answers this with a reset.
    if ((segment.flags & SYN) !== 0) return this.#sendAck();
    if ((segment.flags & ACK) === 0 || !this.#onAck(segment)) return;
    this.#onText(segment, bytes);
    this.#onFin(segment);
    this.#output();
  }

  /** An ICMP error about a segment of ours: `seq` is its sequence number. */
  onError(errno: Errno, seq: number): void {
    if (seqBefore(seq, this.#sndUna) || !seqBefore(seq, this.#sndNxt)) return;
    if (this.#state === 'syn-sent') this.#fail(errno);
    else this.#softErrno = errno === 'ECONNREFUSED' ? this.#softErrno : errno;
  }

  wake(): void {
    const { now } = this.#host.turn;
    if (now >= this.#endAt) return this.#state === 'time-wait' ? this.#end() : this.#fail('ETIMEDOUT');
    if (now >= this.#ackAt) this.#sendAck();
    if (now >= this.#retransmitAt) this.#onTimeout();
  }

  deadline(): Nanos {
    return Math.min(this.#retransmitAt, this.#ackAt, this.#endAt);
  }

  inspect(): object {
    return {
      id: this.id,
      state: this.#state,
      local: `${this.#host.addressText(this.ends.local)}:${this.ends.localPort}`,
      remote: `${this.#host.addressText(this.ends.remote)}:${this.ends.remotePort}`,
      sndUna: this.#sndUna,
      sndNxt: this.#sndNxt,
      sndWnd: this.#sndWnd,
      rcvNxt: this.#rcvNxt,
      queuedBytes: this.#queue.length,
      early: this.#early.size,
      rto: this.#rto.value,
      retries: this.#retries,
    };
  }

  #inSynSent(segment: TcpSegment): void {
    const { flags, ack } = segment;
    const hasAck = (flags & ACK) !== 0;
    if (hasAck && ack !== this.#sndNxt) {
      if ((flags & RST) === 0) this.#sendSegment(ack, RST, 0);
      return;
    }
    if ((flags & RST) !== 0) return hasAck ? this.#fail('ECONNREFUSED') : undefined;
    if ((flags & SYN) === 0) return;
    this.#takeSyn(segment);
    if (!hasAck) {
      // Both sides have opened at once.
      this.#state = 'syn-received';
      this.#sendSyn();
      return;
    }
    this.#acknowledge(ack);
    this.#establish(segment);
    this.#sendAck();
    this.#output();
  }

  #takeSyn(syn: TcpSegment): void {
    this.#irs = syn.seq;
    this.#rcvNxt = seqAdd(syn.seq, 1);
    this.#mss = Math.min(this.#host.settings.mss, syn.mss === 0 ? DEFAULT_MSS : syn.mss);
    this.#sndWnd = syn.window;
  }

  #establish(segment: TcpSegment): void {
    this.#state = 'established';
    this.#setWindow(segment);
    const { id, ends } = this;
    const { turn } = this.#host;
    if (!this.#isAccepted) turn.emit({ kind: 'tcp-connected', id });
    else {
      const from = this.#host.addressText(ends.remote);
      turn.emit({ kind: 'tcp-accepted', id, port: ends.localPort, from, fromPort: ends.remotePort });
    }
  }

  /** First: the sequence number. Some of the segment is inside the window. */
  #isAcceptable(segment: TcpSegment): boolean {
    const length = segmentLength(segment);
    const first = seqDistance(segment.seq, this.#rcvNxt);
    const last = first + Math.max(length - 1, 0);
    const { window } = this.#host.settings;
    return (first >= 0 && first < window) || (last >= 0 && last < window);
  }

  #onUnacceptable(segment: TcpSegment): void {
    if ((segment.flags & RST) !== 0) return;
    if (this.#state === 'time-wait') this.#endAt = this.#host.turn.now + this.#host.settings.timeWait;
    const isRepeatedSyn = segment.seq === this.#irs && (segment.flags & (SYN | ACK)) === SYN;
    if (this.#state === 'syn-received' && isRepeatedSyn) this.#sendSyn();
    else this.#sendAck();
  }

  /** Second: the reset. RFC 5961, section 3: one that is not exactly the next is answered, not believed. */
  #onReset(segment: TcpSegment): void {
    if (segment.seq !== this.#rcvNxt) return this.#sendAck();
    // Both streams have ended: nobody misses anything.
    const isOver = this.#state === 'closing' || this.#state === 'last-ack' || this.#state === 'time-wait';
    if (isOver) this.#end();
    else this.#fail(this.#state === 'syn-received' && !this.#isAccepted ? 'ECONNREFUSED' : 'ECONNRESET');
  }

  /** Fifth: the acknowledgment. False when the segment is not to be looked at further. */
  #onAck(segment: TcpSegment): boolean {
    const { ack } = segment;
    if (this.#state === 'syn-received') {
      if (ack !== this.#sndNxt) {
        this.#sendSegment(ack, RST, 0);
        return false;
      }
      this.#acknowledge(ack);
      this.#establish(segment);
      return true;
    }
    if (seqAfter(ack, this.#sndNxt)) {
      this.#sendAck();
      return false;
    }
    if (seqAfter(ack, this.#sndUna)) this.#acknowledge(ack);
    else if (this.#isDuplicateAck(segment)) this.#onDuplicateAck();
    if (segment.window === 0) this.#retries = 0;
    if (!seqBefore(ack, this.#sndUna)) this.#updateWindow(segment);
    if (this.#isFinSent && this.#sndUna === this.#sndNxt) this.#onFinAcknowledged();
    return this.#state !== 'closed';
  }

  #acknowledge(ack: number): void {
    if (this.#timedSeq >= 0 && seqAfter(ack, this.#timedSeq)) {
      this.#rto.measured(this.#host.turn.now - this.#timedAt);
      this.#timedSeq = -1;
    } else this.#rto.restore();
    const dataBytes = Math.min(Math.max(seqDistance(ack, this.#queueSeq), 0), this.#queue.length);
    this.#queue.drop(dataBytes);
    this.#queueSeq = seqAdd(this.#queueSeq, dataBytes);
    this.#sndUna = ack;
    this.#retries = 0;
    this.#duplicateAcks = 0;
    this.#softErrno = 'ETIMEDOUT';
    this.#retransmitAt = ack === this.#sndNxt ? Infinity : this.#host.turn.now + this.#rto.value;
    if (this.#recover >= 0) {
      if (seqBefore(ack, this.#recover)) this.#retransmit();
      else this.#recover = -1;
    }
  }

  #isDuplicateAck(segment: TcpSegment): boolean {
    const isEmpty = segmentLength(segment) === 0 && segment.window === this.#sndWnd && this.#sndWnd > 0;
    return isEmpty && segment.ack === this.#sndUna && this.#sndUna !== this.#sndNxt;
  }

  #onDuplicateAck(): void {
    this.#duplicateAcks += 1;
    if (this.#duplicateAcks !== FAST_RETRANSMIT || this.#recover >= 0) return;
    this.#recover = this.#sndNxt;
    this.#retransmit();
  }

  #updateWindow(segment: TcpSegment): void {
    const isNewer = seqBefore(this.#sndWl1, segment.seq);
    if (!isNewer && (this.#sndWl1 !== segment.seq || seqAfter(this.#sndWl2, segment.ack))) return;
    const wasClosed = this.#sndWnd === 0;
    this.#setWindow(segment);
    if (!wasClosed || this.#sndWnd === 0 || this.#sndUna === this.#sndNxt) return;
    // The byte that probed the closed window goes again at once, not when the long timeout ends.
    this.#rto.restore();
    this.#retransmit();
    this.#retransmitAt = this.#host.turn.now + this.#rto.value;
  }

  #setWindow(segment: TcpSegment): void {
    this.#sndWnd = segment.window;
    this.#sndWl1 = segment.seq;
    this.#sndWl2 = segment.ack;
  }

  #onFinAcknowledged(): void {
    if (this.#state === 'fin-wait-1') {
      this.#state = 'fin-wait-2';
      this.#endAt = this.#host.turn.now + this.#host.settings.finWait;
    } else if (this.#state === 'closing') this.#waitForTheLast();
    else if (this.#state === 'last-ack') this.#end();
  }

  /** Seventh: the data. */
  #onText(segment: TcpSegment, bytes: Uint8Array): void {
    if (segment.dataBytes === 0 || !this.#isReceiving()) return;
    const ahead = seqDistance(segment.seq, this.#rcvNxt);
    const data = bytes.subarray(segment.dataAt, segment.dataAt + segment.dataBytes);
    if (ahead > 0) {
      const room = this.#host.settings.window - ahead;
      this.#early.add(segment.seq, room < data.length ? data.subarray(0, room) : data);
      return this.#sendAck();
    }
    if (-ahead >= data.length) return this.#sendAck();
    const hadGap = this.#early.size > 0;
    this.#handUp(data.subarray(-ahead));
    for (let next = this.#early.take(this.#rcvNxt); next !== undefined; next = this.#early.take(this.#rcvNxt)) {
      this.#handUp(next);
    }
    this.#segmentsToAck += 1;
    if (hadGap || this.#segmentsToAck >= 2) this.#sendAck();
    else this.#ackAt = Math.min(this.#ackAt, this.#host.turn.now + this.#host.settings.delayedAck);
  }

  #isReceiving(): boolean {
    return this.#state === 'established' || this.#state === 'fin-wait-1' || this.#state === 'fin-wait-2';
  }

  #handUp(bytes: Uint8Array): void {
    this.#rcvNxt = seqAdd(this.#rcvNxt, bytes.length);
    this.#host.turn.emit({ kind: 'tcp-received', id: this.id, bytes });
  }

  /** Eighth: the FIN, which counts once everything before it has come. */
  #onFin(segment: TcpSegment): void {
    if (!this.#isReceiving()) return;
    if ((segment.flags & FIN) !== 0) this.#finSeq = seqAdd(segment.seq, segment.dataBytes);
    if (this.#finSeq < 0) return;
    if (this.#finSeq !== this.#rcvNxt) return this.#sendAck();
    this.#rcvNxt = seqAdd(this.#rcvNxt, 1);
    if (this.#state === 'established') this.#state = 'close-wait';
    else if (this.#state === 'fin-wait-1') this.#state = 'closing';
    else this.#waitForTheLast();
    this.#sendAck();
    this.#host.turn.emit({ kind: 'tcp-closed', id: this.id });
  }

  #waitForTheLast(): void {
    this.#state = 'time-wait';
    this.#retransmitAt = Infinity;
    this.#endAt = this.#host.turn.now + this.#host.settings.timeWait;
  }

  /** Sends what the window allows, and the FIN behind it once the stream was closed. */
  #output(): void {
    if (this.#state !== 'established' && this.#state !== 'close-wait') return;
    for (;;) {
      const unsent = seqDistance(seqAdd(this.#queueSeq, this.#queue.length), this.#sndNxt);
      const usable = seqDistance(seqAdd(this.#sndUna, this.#sndWnd), this.#sndNxt);
      const length = Math.min(this.#mss, unsent, usable);
      // A small piece of what there is waits for a larger window (RFC 9293, section 3.8.6.2.1).
      const isSilly = length < unsent && length < this.#mss && this.#sndUna !== this.#sndNxt;
      if (length <= 0 || isSilly) break;
      this.#sendNew(length === unsent ? ACK | PSH : ACK, length, length);
    }
    this.#sendFin();
    const isStuck = this.#retransmitAt === Infinity && this.#queue.length > 0;
    if (isStuck) this.#retransmitAt = this.#host.turn.now + this.#rto.value;
  }

  /** Sends a segment for the first time; `length` is what it takes of the sequence space. */
  #sendNew(flags: number, dataBytes: number, length: number): void {
    const seq = this.#sndNxt;
    this.#time(seq);
    if (this.#retransmitAt === Infinity) this.#retransmitAt = this.#host.turn.now + this.#rto.value;
    this.#sndNxt = seqAdd(seq, length);
    this.#sendSegment(seq, flags, dataBytes);
  }

  #sendFin(): void {
    const isAllSent = this.#sndNxt === seqAdd(this.#queueSeq, this.#queue.length);
    if (!this.#isCloseAsked || this.#isFinSent || !isAllSent) return;
    this.#isFinSent = true;
    this.#state = this.#state === 'close-wait' ? 'last-ack' : 'fin-wait-1';
    this.#sendNew(FIN | ACK, 0, 1);
  }

  #time(seq: number): void {
    if (this.#timedSeq >= 0) return;
    this.#timedSeq = seq;
    this.#timedAt = this.#host.turn.now;
  }

  /** RFC 6298, section 5.4 on: nothing was acknowledged in time. */
  #onTimeout(): void {
    const { now } = this.#host.turn;
    const isOpening = this.#state === 'syn-sent' || this.#state === 'syn-received';
    this.#retries += 1;
    if (this.#retries > (isOpening ? this.#host.settings.synRetries : this.#host.settings.retries)) {
      return this.#fail(this.#softErrno);
    }
    this.#rto.backOff();
    this.#retransmitAt = now + this.#rto.value;
    this.#timedSeq = -1;
    if (this.#sndUna === this.#sndNxt) return this.#probeWindow();
    this.#recover = this.#sndNxt;
    this.#retransmit();
  }

  /** RFC 9293, section 3.8.6.1: the window is closed, so one byte goes beyond it to learn when it opens. */
  #probeWindow(): void {
    assert(this.#queue.length > 0, 'a retransmission timer ran with nothing to send');
    const seq = this.#sndNxt;
    this.#sndNxt = seqAdd(seq, 1);
    this.#sendSegment(seq, ACK | PSH, 1);
  }

  /** Sends the first unacknowledged segment again. */
  #retransmit(): void {
    this.#timedSeq = -1;
    if (this.#state === 'syn-sent' || this.#state === 'syn-received') {
      this.#sendSyn();
      return;
    }
    const underWay = seqDistance(this.#sndNxt, this.#sndUna);
    const length = Math.min(this.#mss, this.#queue.length, underWay);
    const isLast = length === this.#queue.length;
    this.#sendSegment(this.#sndUna, isLast && this.#isFinSent ? ACK | PSH | FIN : ACK | PSH, length);
  }

  #sendSyn(): Errno | undefined {
    const flags = this.#state === 'syn-sent' ? SYN : SYN | ACK;
    return this.#sendSegment(this.#iss, flags, 0, this.#host.settings.mss);
  }

  #sendAck(): void {
    this.#sendSegment(this.#acceptableSeq(), ACK, 0);
  }

  /**
   * The sequence number of a segment without data: `SND.NXT`, but when the peer has shrunk its window behind that, the
   * window's end. A peer that drops what is outside its window would else never hear our acknowledgments (Linux drops
   * so, shrinks so when its buffer is full, and sends so: `tcp_acceptable_seq`).
   */
  #acceptableSeq(): number {
    const windowEnd = seqAdd(this.#sndUna, this.#sndWnd);
    return seqBefore(windowEnd, this.#sndNxt) ? windowEnd : this.#sndNxt;
  }

  /** Sends `dataBytes` of the queue that begin at `seq`; what it acknowledges need not be acknowledged again. */
  #sendSegment(seq: number, flags: number, dataBytes: number, mss = 0): Errno | undefined {
    const { payload, settings } = this.#host;
    const { local, localPort, remote, remotePort } = this.ends;
    const headerBytes = tcpHeaderBytes(mss);
    if (dataBytes > 0) this.#queue.copyTo(payload, headerBytes, seqDistance(seq, this.#queueSeq), dataBytes);
    const ack = (flags & ACK) !== 0 ? this.#rcvNxt : 0;
    const fields = {
      sourcePort: localPort,
      destinationPort: remotePort,
      seq,
      ack,
      flags,
      window: settings.window,
      mss,
    };
    encodeTcp(payload, 0, fields, dataBytes, local, remote);
    if ((flags & ACK) !== 0) {
      this.#ackAt = Infinity;
      this.#segmentsToAck = 0;
    }
    return this.#host.send(local, remote, PROTOCOL_TCP, headerBytes + dataBytes);
  }

  #fail(errno: Errno): void {
    // Nobody has heard of a connection that was accepted only half.
    const isKnown = !(this.#isAccepted && this.#state === 'syn-received');
    this.#end();
    if (isKnown) this.#host.turn.emit({ kind: 'tcp-failed', id: this.id, errno });
  }

  #end(): void {
    this.#state = 'closed';
    this.#retransmitAt = this.#ackAt = this.#endAt = Infinity;
  }
}
