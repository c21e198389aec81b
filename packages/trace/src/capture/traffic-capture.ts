import type { Nanos } from '@quorate/kernel';
import {
  ETHERNET_BYTES,
  ETHERTYPE_IPV4,
  encodeEthernet,
  encodeIpv4,
  encodeUdp,
  IPV4_BYTES,
  multicastMac,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  parseIpv4,
  UDP_BYTES,
} from '@quorate/network';
import { CapturedConnection } from './captured-connection.js';
import { Direction } from './pcapng-layout.js';
import { PcapngWriter } from './pcapng-writer.js';

/** Where a datagram or a stream comes from or goes to. */
export interface Endpoint {
  /** IPv4, `10.0.0.1`. */
  readonly address: string;
  readonly port: number;
}

const MTU = 1500;
const TTL = 64;
const PAYLOAD_AT = ETHERNET_BYTES + IPV4_BYTES;
/** Fragments but the last carry whole units of eight bytes. */
const FRAGMENT_BYTES = (MTU - IPV4_BYTES) & ~7;
const LARGEST_DATAGRAM = 0xffff - IPV4_BYTES - UDP_BYTES;
const FIRST_GROUP = 0xe000_0000;
/** Locally administered; the address follows. */
const MAC_PREFIX = 0x0200_0000_0000;

/**
 * Datagrams and streams that had no frames of their own, because they went through real sockets or between machines that were
 * joined by hand, as a pcapng file: in Ethernet, IPv4, UDP and TCP, each frame once, as on a wire that all of them share.
 *
 * What is in the packets is what was said. What is around it is made up: MAC addresses, fragments and segments for an MTU of
 * 1500 bytes, and all of TCP but its bytes, see `CapturedConnection`.
 */
export class TrafficCapture {
  readonly #writer: PcapngWriter;
  readonly #wire: number;
  #identification = 0;
  #connections = 0;

  /** `sink` gets the file piece by piece, each valid during that call only. */
  constructor(sink: (bytes: Uint8Array) => void) {
    this.#writer = new PcapngWriter(sink);
    this.#wire = this.#writer.addInterface('wire');
  }

  /** @throws {RangeError} when an address is none, or `bytes` are more than a datagram holds. */
  datagram(at: Nanos, from: Endpoint, to: Endpoint, bytes: Uint8Array): void {
    if (bytes.length > LARGEST_DATAGRAM) {
      throw new RangeError(`found a datagram of ${bytes.length} bytes, expected at most ${LARGEST_DATAGRAM}`);
    }
    const source = addressOf(from.address);
    const destination = addressOf(to.address);
    const header = { sourcePort: from.port, destinationPort: to.port, dataBytes: bytes.length };
    const packet = new Uint8Array(UDP_BYTES + bytes.length);
    packet.set(bytes, UDP_BYTES);
    encodeUdp(packet, 0, header, source, destination);
    this.#send(at, PROTOCOL_UDP, source, destination, packet);
  }

  /** A connection is made. @throws {RangeError} when an address is none. */
  connect(at: Nanos, client: Endpoint, server: Endpoint): CapturedConnection {
    this.#connections += 1;
    const ends = [client, server].map(({ address, port }) => ({ address: addressOf(address), port }));
    return new CapturedConnection(at, ends[0]!, ends[1]!, this.#connections, (when, source, destination, segment) =>
      this.#send(when, PROTOCOL_TCP, source, destination, segment),
    );
  }

  /** Puts a packet into as many frames as it takes. */
  #send(at: Nanos, protocol: number, source: number, destination: number, payload: Uint8Array): void {
    this.#identification = (this.#identification + 1) & 0xffff;
    const isWhole = payload.length <= MTU - IPV4_BYTES;
    const step = isWhole ? payload.length : FRAGMENT_BYTES;
    const fields = {
      identification: this.#identification,
      dontFragment: isWhole,
      ttl: TTL,
      protocol,
      source,
      destination,
    };
    for (let offset = 0; offset < payload.length; offset += step) {
      const part = payload.subarray(offset, offset + step);
      const moreFragments = offset + step < payload.length;
      const frame = new Uint8Array(PAYLOAD_AT + part.length);
      encodeEthernet(frame, macOf(destination), macOf(source), ETHERTYPE_IPV4);
      encodeIpv4(frame, ETHERNET_BYTES, { ...fields, moreFragments, fragmentOffset: offset }, part.length);
      frame.set(part, PAYLOAD_AT);
      this.#writer.add({ interface: this.#wire, at, bytes: frame, direction: Direction.unknown });
    }
  }
}

function addressOf(text: string): number {
  const address = parseIpv4(text);
  if (address === undefined) throw new RangeError(`found "${text}", expected an IPv4 address`);
  return address;
}

function macOf(address: number): number {
  return address >= FIRST_GROUP ? multicastMac(address) : MAC_PREFIX + address;
}
