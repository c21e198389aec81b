import type { IpInput } from '@quorate/network';

/** TCP port of the DLM. */
const DLM_PORT = 21064;

/** What the transport needs of the node, and tells it. */
export interface DlmTransportPorts {
  toStack(input: IpInput): void;
  newConnection(): number;
  /** A whole packet from a node; lent. */
  received(node: number, bytes: Uint8Array): void;
  connected(node: number): void;
  disconnected(node: number): void;
}

interface Incoming {
  readonly node: number;
  buffer: Uint8Array;
  length: number;
}

interface Outgoing {
  connection: number;
  isConnected: boolean;
}

/** Offset of the length in the header that begins every packet, little-endian. */
const LENGTH_OFFSET = 12;
const HEADER_BYTES = 16;
const MAX_PACKET_BYTES = 4096;

/**
 * Carries the DLM's packets between nodes over TCP: each side opens its own connection and sends on that one only.
 *
 * Lost connections are opened again when there is something to send; what was on its way is the DLM's reliable layer's
 * to repeat, once `connected` says that it may.
 */
export class DlmTransport {
  readonly #ports: DlmTransportPorts;
  readonly #nodeOf: ReadonlyMap<string, number>;
  readonly #addressOf: ReadonlyMap<number, string>;
  readonly #outgoing = new Map<number, Outgoing>();
  readonly #incoming = new Map<number, Incoming>();
  #isListening = false;

  /** `addresses`: ring address of each node by its id. */
  constructor(addresses: ReadonlyMap<number, string>, ports: DlmTransportPorts) {
    this.#addressOf = addresses;
    this.#nodeOf = new Map([...addresses].map(([node, address]) => [address, node]));
    this.#ports = ports;
  }

  start(): void {
    if (this.#isListening) return;
    this.#isListening = true;
    this.#ports.toStack({ kind: 'tcp-listen', port: DLM_PORT });
  }

  stop(): void {
    if (!this.#isListening) return;
    this.#isListening = false;
    this.#ports.toStack({ kind: 'tcp-unlisten', port: DLM_PORT });
    for (const { connection } of this.#outgoing.values()) this.#ports.toStack({ kind: 'tcp-abort', id: connection });
    for (const connection of this.#incoming.keys()) this.#ports.toStack({ kind: 'tcp-abort', id: connection });
    this.#outgoing.clear();
    this.#incoming.clear();
  }

  /** Sends a packet, or starts to connect: then it is for the reliable layer to send it again. */
  send(node: number, bytes: Uint8Array): void {
    const outgoing = this.#outgoing.get(node);
    if (outgoing === undefined) this.#connect(node);
    else if (outgoing.isConnected) this.#ports.toStack({ kind: 'tcp-send', id: outgoing.connection, bytes });
  }

  /** Closes what leads to a node and comes from it: it is dead, or left. */
  disconnect(node: number): void {
    const outgoing = this.#outgoing.get(node);
    this.#outgoing.delete(node);
    if (outgoing !== undefined) this.#ports.toStack({ kind: 'tcp-abort', id: outgoing.connection });
    for (const [connection, incoming] of this.#incoming) {
      if (incoming.node !== node) continue;
      this.#incoming.delete(connection);
      this.#ports.toStack({ kind: 'tcp-abort', id: connection });
    }
  }

  /** A connection to our port; one from no node of the cluster is closed. */
  onAccepted(connection: number, from: string): void {
    const node = this.#nodeOf.get(from);
    if (node === undefined) return this.#ports.toStack({ kind: 'tcp-abort', id: connection });
    this.#incoming.set(connection, { node, buffer: new Uint8Array(2 * MAX_PACKET_BYTES), length: 0 });
  }

  onConnected(connection: number): void {
    const found = this.#find(connection);
    if (found === undefined) return;
    found.outgoing.isConnected = true;
    this.#ports.connected(found.node);
  }

  onReceived(connection: number, bytes: Uint8Array): void {
    const incoming = this.#incoming.get(connection);
    if (incoming === undefined) return;
    append(incoming, bytes);
    let at = 0;
    while (incoming.length - at >= HEADER_BYTES) {
      const length = incoming.buffer[at + LENGTH_OFFSET]! | (incoming.buffer[at + LENGTH_OFFSET + 1]! << 8);
      if (length < HEADER_BYTES || length > MAX_PACKET_BYTES) {
        // The stream has lost its frame; the peer connects anew and repeats what was not acknowledged.
        this.#incoming.delete(connection);
        return this.#ports.toStack({ kind: 'tcp-abort', id: connection });
      }
      if (incoming.length - at < length) break;
      this.#ports.received(incoming.node, incoming.buffer.subarray(at, at + length));
      at += length;
    }
    incoming.buffer.copyWithin(0, at, incoming.length);
    incoming.length -= at;
  }

  /** The stream ended, in order or by an error. */
  onEnded(connection: number): void {
    this.#incoming.delete(connection);
    const found = this.#find(connection);
    if (found === undefined) return;
    this.#outgoing.delete(found.node);
    this.#ports.disconnected(found.node);
  }

  #connect(node: number): void {
    const to = this.#addressOf.get(node);
    if (to === undefined) return;
    const connection = this.#ports.newConnection();
    this.#outgoing.set(node, { connection, isConnected: false });
    this.#ports.toStack({ kind: 'tcp-connect', id: connection, to, port: DLM_PORT });
  }

  #find(connection: number): { readonly node: number; readonly outgoing: Outgoing } | undefined {
    for (const [node, outgoing] of this.#outgoing) if (outgoing.connection === connection) return { node, outgoing };
    return undefined;
  }
}

function append(incoming: Incoming, bytes: Uint8Array): void {
  const needed = incoming.length + bytes.length;
  if (needed > incoming.buffer.length) {
    const grown = new Uint8Array(needed * 2);
    grown.set(incoming.buffer.subarray(0, incoming.length));
    incoming.buffer = grown;
  }
  incoming.buffer.set(bytes, incoming.length);
  incoming.length = needed;
}
