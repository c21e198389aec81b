import type { Errno, Nanos, Prng } from '@quorate/kernel';
import { PROTOCOL_TCP } from './ipv4.js';
import { seqAdd, seqAfter } from './sequence.js';
import { TcpConnection, type TcpEnds, type TcpHost } from './tcp-connection.js';
import {
  ACK,
  decodeTcp,
  encodeTcp,
  RST,
  SYN,
  segmentLength,
  TCP_BYTES,
  type TcpReject,
  type TcpSegment,
} from './tcp-segment.js';

export type TcpInput =
  /** Accepts connections to a port on every address; `backlog` of them may be half open. */
  | { readonly kind: 'tcp-listen'; readonly port: number; readonly backlog?: number }
  /** Accepts no more. Connections that were accepted live on. */
  | { readonly kind: 'tcp-unlisten'; readonly port: number }
  /** Opens a connection; `id` is the caller's, below `FIRST_ACCEPTED_ID` and not in use. */
  | { readonly kind: 'tcp-connect'; readonly id: number; readonly to: string; readonly port: number }
  /** Queues bytes behind what is queued. Without effect when the connection is gone. */
  | { readonly kind: 'tcp-send'; readonly id: number; readonly bytes: Uint8Array }
  /** Ends our stream behind what is queued; the peer's stream goes on until `tcp-closed`. */
  | { readonly kind: 'tcp-close'; readonly id: number }
  /** Resets the connection. Nothing more is heard of it. */
  | { readonly kind: 'tcp-abort'; readonly id: number };

/** Ids of accepted connections begin here, ids of connections that the caller opens stay below. */
export const FIRST_ACCEPTED_ID = 0x4000_0000;

const DEFAULT_BACKLOG = 128;
/** Linux, `net.ipv4.ip_local_port_range`. */
const FIRST_EPHEMERAL_PORT = 32_768;
const LAST_EPHEMERAL_PORT = 60_999;

/** All TCP connections of a host and the ports that it listens on. */
export class Tcp {
  readonly #host: TcpHost;
  readonly #prng: Prng;
  /** Listening ports with their backlogs. */
  readonly #listeners = new Map<number, number>();
  readonly #byId = new Map<number, TcpConnection>();
  /** By the local end, then by the remote one. */
  readonly #byEnds = new Map<number, Map<number, TcpConnection>>();
  #lastAcceptedId = FIRST_ACCEPTED_ID - 1;
  #lastPort: number;
  #deadline: Nanos = Infinity;
  #hasChanged = false;

  constructor(host: TcpHost, prng: Prng) {
    this.#host = host;
    this.#prng = prng;
    this.#lastPort = FIRST_EPHEMERAL_PORT + prng.below(LAST_EPHEMERAL_PORT - FIRST_EPHEMERAL_PORT);
  }

  /** `EADDRINUSE` when the port is listened on already. */
  listen(port: number, backlog: number = DEFAULT_BACKLOG): Errno | undefined {
    if (this.#listeners.has(port)) return 'EADDRINUSE';
    this.#listeners.set(port, backlog);
    return undefined;
  }

  /** Half-open connections to the port are reset. */
  unlisten(port: number): void {
    this.#listeners.delete(port);
    for (const connection of this.#byId.values()) {
      if (connection.ends.localPort !== port || connection.state !== 'syn-received') continue;
      connection.abort();
      this.#settle(connection);
    }
  }

  /** @throws {RangeError} when `id` is in use or from `FIRST_ACCEPTED_ID` on. */
  connect(id: number, remote: number, remotePort: number): void {
    if (!(id >= 0 && id < FIRST_ACCEPTED_ID) || this.#byId.has(id)) {
      throw new RangeError(`connection id ${id}: expected an unused one below ${FIRST_ACCEPTED_ID}`);
    }
    const local = this.#host.sourceFor(remote);
    if (local === 'ENETUNREACH') return this.#host.turn.emit({ kind: 'tcp-failed', id, errno: local });
    const localPort = this.#freePort(local, remote, remotePort);
    const ends = { local, localPort, remote, remotePort };
    this.#start(new TcpConnection(this.#host, id, ends, this.#prng.next(), undefined));
  }

  send(id: number, bytes: Uint8Array): void {
    const connection = this.#byId.get(id);
    connection?.send(bytes);
    this.#settle(connection);
  }

  close(id: number): void {
    const connection = this.#byId.get(id);
    connection?.close();
    this.#settle(connection);
  }

  abort(id: number): void {
    const connection = this.#byId.get(id);
    connection?.abort();
    this.#settle(connection);
  }

  /** Takes the segment in `length` bytes at `at`, or says why it is refused. */
  receive(source: number, destination: number, bytes: Uint8Array, at: number, length: number): TcpReject | undefined {
    const segment = decodeTcp(bytes, at, length, source, destination);
    if (typeof segment === 'string') return segment;
    const ends = {
      local: destination,
      localPort: segment.destinationPort,
      remote: source,
      remotePort: segment.sourcePort,
    };
    const connection = this.#find(ends);
    if (connection === undefined || this.#givesWay(connection, segment)) this.#onUnknown(ends, segment);
    else {
      connection.receive(segment, bytes);
      this.#settle(connection);
    }
    return undefined;
  }

  /** An ICMP error, or no answer to ARP, about a segment of ours. */
  onError(ends: TcpEnds, seq: number, errno: Errno): void {
    const connection = this.#find(ends);
    connection?.onError(errno, seq);
    this.#settle(connection);
  }

  wake(): void {
    for (const connection of this.#byId.values()) {
      if (connection.deadline() > this.#host.turn.now) continue;
      connection.wake();
      this.#settle(connection);
    }
  }

  deadline(): Nanos {
    if (this.#hasChanged) {
      this.#deadline = Infinity;
      for (const connection of this.#byId.values()) this.#deadline = Math.min(this.#deadline, connection.deadline());
      this.#hasChanged = false;
    }
    return this.#deadline;
  }

  inspect(): object {
    return {
      listening: [...this.#listeners.keys()],
      connections: [...this.#byId.values()].map((connection) => connection.inspect()),
    };
  }

  #find(ends: TcpEnds): TcpConnection | undefined {
    return this.#byEnds.get(endKey(ends.local, ends.localPort))?.get(endKey(ends.remote, ends.remotePort));
  }

  /** RFC 9293, section 3.10.7.4: a new connection may take the place of one in TIME-WAIT. */
  #givesWay(connection: TcpConnection, segment: TcpSegment): boolean {
    const isNew = (segment.flags & (SYN | ACK | RST)) === SYN && seqAfter(segment.seq, connection.rcvNxt);
    if (connection.state !== 'time-wait' || !isNew || !this.#listeners.has(segment.destinationPort)) return false;
    connection.forget();
    this.#settle(connection);
    return true;
  }

  /** A segment of no connection: it opens one, or is answered by a reset (RFC 9293, section 3.10.7.1 and .2). */
  #onUnknown(ends: TcpEnds, segment: TcpSegment): void {
    if ((segment.flags & RST) !== 0) return;
    const backlog = this.#listeners.get(ends.localPort);
    if (backlog === undefined || (segment.flags & (SYN | ACK)) !== SYN) return this.#reset(ends, segment);
    if (this.#halfOpen(ends.localPort) >= backlog) return;
    this.#lastAcceptedId += 1;
    this.#start(new TcpConnection(this.#host, this.#lastAcceptedId, ends, this.#prng.next(), segment));
  }

  #halfOpen(port: number): number {
    let count = 0;
    for (const { ends, state } of this.#byId.values()) {
      if (ends.localPort === port && state === 'syn-received') count += 1;
    }
    return count;
  }

  #reset(ends: TcpEnds, segment: TcpSegment): void {
    const hasAck = (segment.flags & ACK) !== 0;
    const fields = {
      sourcePort: ends.localPort,
      destinationPort: ends.remotePort,
      seq: hasAck ? segment.ack : 0,
      ack: hasAck ? 0 : seqAdd(segment.seq, segmentLength(segment)),
      flags: hasAck ? RST : RST | ACK,
      window: 0,
      mss: 0,
    };
    encodeTcp(this.#host.payload, 0, fields, 0, ends.local, ends.remote);
    this.#host.send(ends.local, ends.remote, PROTOCOL_TCP, TCP_BYTES);
  }

  #start(connection: TcpConnection): void {
    const { local, localPort, remote, remotePort } = connection.ends;
    const key = endKey(local, localPort);
    const peers = this.#byEnds.get(key) ?? new Map<number, TcpConnection>();
    this.#byEnds.set(key, peers);
    peers.set(endKey(remote, remotePort), connection);
    this.#byId.set(connection.id, connection);
    connection.open();
    this.#settle(connection);
  }

  /** After anything happened to a connection: forgets it if it is gone. */
  #settle(connection: TcpConnection | undefined): void {
    this.#hasChanged = true;
    if (connection?.state !== 'closed') return;
    const { local, localPort, remote, remotePort } = connection.ends;
    const peers = this.#byEnds.get(endKey(local, localPort));
    peers?.delete(endKey(remote, remotePort));
    if (peers?.size === 0) this.#byEnds.delete(endKey(local, localPort));
    this.#byId.delete(connection.id);
  }

  #freePort(local: number, remote: number, remotePort: number): number {
    for (let tried = FIRST_EPHEMERAL_PORT; tried <= LAST_EPHEMERAL_PORT; tried++) {
      this.#lastPort = this.#lastPort === LAST_EPHEMERAL_PORT ? FIRST_EPHEMERAL_PORT : this.#lastPort + 1;
      const isUsed = this.#byEnds.get(endKey(local, this.#lastPort))?.has(endKey(remote, remotePort)) ?? false;
      if (!isUsed && !this.#listeners.has(this.#lastPort)) return this.#lastPort;
    }
    throw new RangeError('no ephemeral port is free for this peer');
  }
}

/** One end as a number: exact, 48 bits. */
function endKey(address: number, port: number): number {
  return address * 0x1_0000 + port;
}
