import type { Errno, Prng } from '@quorate/kernel';
import { BROADCAST_MAC, isMulticast, multicastMac } from './address.js';
import { ARP_REQUEST, type ArpPacket, encodeArp } from './arp-packet.js';
import { ETHERNET_BYTES, ETHERTYPE_ARP, ETHERTYPE_IPV4, encodeEthernet } from './ethernet.js';
import type { Interfaces, NetInterface } from './interfaces.js';
import { encodeIpv4, IPV4_BYTES, type Ipv4Fields } from './ipv4.js';

/** Where the packets of a host end up. */
export interface IpSenderPorts {
  /** Puts a frame on the wire of an interface; the bytes are lent. */
  frame(via: NetInterface, bytes: Uint8Array): void;
  /** MAC address of a neighbour for a packet from `source`, or -1 while it is asked for. */
  resolve(via: NetInterface, address: number, source: number): number;
  /** Keeps a packet, header first, until its neighbour is known; the bytes are handed over. */
  hold(via: NetInterface, address: number, packet: Uint8Array): void;
}

export const DEFAULT_TTL = 64;

const PAYLOAD_AT = ETHERNET_BYTES + IPV4_BYTES;
const LARGEST_PACKET = 0xffff;
const ARP_FRAME_BYTES = ETHERNET_BYTES + 28;

/**
 * The way out of a host: protocols write a payload into `payload` and send it; this adds the headers, cuts it into
 * fragments where it must, and gives what is for the host itself back without touching an interface.
 */
export class IpSender {
  /** Where a protocol puts what it sends next; what stood there before is gone after `send`. */
  readonly payload: Uint8Array;
  readonly #interfaces: Interfaces;
  readonly #ports: IpSenderPorts;
  readonly #mtuBytes: number;
  readonly #frame = new Uint8Array(ETHERNET_BYTES + LARGEST_PACKET);
  readonly #fragment: Uint8Array;
  readonly #arp = new Uint8Array(ARP_FRAME_BYTES);
  readonly #local: Uint8Array[] = [];
  #view: Uint8Array = this.#frame;
  #identification: number;

  constructor(interfaces: Interfaces, mtuBytes: number, prng: Prng, ports: IpSenderPorts) {
    this.#interfaces = interfaces;
    this.#ports = ports;
    this.#mtuBytes = mtuBytes;
    this.#fragment = new Uint8Array(ETHERNET_BYTES + mtuBytes);
    this.#identification = prng.below(0x1_0000);
    this.payload = this.#frame.subarray(PAYLOAD_AT);
  }

  /** The source address that a packet to `destination` gets; loopback and own addresses are their own source. */
  sourceFor(destination: number): number | 'ENETUNREACH' {
    if (this.#interfaces.isLocal(destination)) return destination;
    const route = this.#interfaces.route(destination);
    return route === 'ENETUNREACH' ? route : route.source;
  }

  /**
   * Sends the first `length` bytes of `payload`. Refused with `ENETUNREACH` when no route leads there, or when
   * `source` is no address of this host any more.
   */
  send(
    source: number,
    destination: number,
    protocol: number,
    length: number,
    ttl: number = DEFAULT_TTL,
  ): Errno | undefined {
    this.#identification = (this.#identification + 1) & 0xffff;
    const isWhole = length + IPV4_BYTES <= this.#mtuBytes;
    const fields: Ipv4Fields = {
      identification: this.#identification,
      dontFragment: isWhole,
      moreFragments: false,
      fragmentOffset: 0,
      ttl,
      protocol,
      source,
      destination,
    };
    if (!this.#interfaces.isLocal(source)) return 'ENETUNREACH';
    if (this.#interfaces.isLocal(destination)) {
      encodeIpv4(this.#frame, ETHERNET_BYTES, fields, length);
      this.#local.push(this.#frame.slice(ETHERNET_BYTES, PAYLOAD_AT + length));
      return undefined;
    }
    const route = this.#interfaces.route(destination);
    if (route === 'ENETUNREACH') return route;
    if (isWhole) {
      encodeIpv4(this.#frame, ETHERNET_BYTES, fields, length);
      this.#transmit(route.via, route.nextHop, source, this.#frame, PAYLOAD_AT + length);
    } else this.#sendFragments(route.via, route.nextHop, fields, length);
    return undefined;
  }

  /** Sends a packet that waited for its neighbour. */
  sendHeld(via: NetInterface, mac: number, packet: Uint8Array): void {
    this.#frame.set(packet, ETHERNET_BYTES);
    this.#put(via, mac, this.#frame, ETHERNET_BYTES + packet.length);
  }

  sendArp(via: NetInterface, to: number, packet: ArpPacket): void {
    encodeEthernet(this.#arp, to, via.mac, ETHERTYPE_ARP);
    encodeArp(this.#arp, ETHERNET_BYTES, packet);
    this.#ports.frame(via, this.#arp);
  }

  /** Asks who has an address. With `senderAddress` 0 it is a probe, which nobody remembers. */
  askFor(via: NetInterface, address: number, senderAddress: number, to: number = BROADCAST_MAC): void {
    const targetMac = to === BROADCAST_MAC ? 0 : to;
    const sender = { senderMac: via.mac, senderAddress };
    this.sendArp(via, to, { operation: ARP_REQUEST, ...sender, targetMac, targetAddress: address });
  }

  /** The next packet that the host sent to itself, header first; undefined when there is none. */
  takeLocal(): Uint8Array | undefined {
    return this.#local.shift();
  }

  #sendFragments(via: NetInterface, nextHop: number, fields: Ipv4Fields, length: number): void {
    // All but the last carry whole units of 8 bytes.
    const most = (this.#mtuBytes - IPV4_BYTES) & ~7;
    for (let offset = 0; offset < length; offset += most) {
      const size = Math.min(most, length - offset);
      const moreFragments = offset + size < length;
      this.#fragment.set(this.payload.subarray(offset, offset + size), PAYLOAD_AT);
      encodeIpv4(this.#fragment, ETHERNET_BYTES, { ...fields, moreFragments, fragmentOffset: offset }, size);
      this.#transmit(via, nextHop, fields.source, this.#fragment, PAYLOAD_AT + size);
    }
  }

  #transmit(via: NetInterface, nextHop: number, source: number, frame: Uint8Array, length: number): void {
    const mac = this.#macOf(via, nextHop, source);
    if (mac < 0) this.#ports.hold(via, nextHop, frame.slice(ETHERNET_BYTES, length));
    else this.#put(via, mac, frame, length);
  }

  #macOf(via: NetInterface, nextHop: number, source: number): number {
    if (isMulticast(nextHop)) return multicastMac(nextHop);
    if (this.#interfaces.isBroadcast(nextHop)) return BROADCAST_MAC;
    return this.#ports.resolve(via, nextHop, source);
  }

  #put(via: NetInterface, mac: number, frame: Uint8Array, length: number): void {
    encodeEthernet(frame, mac, via.mac, ETHERTYPE_IPV4);
    if (frame !== this.#frame) return this.#ports.frame(via, frame.subarray(0, length));
    // Many frames in a row have the same length: the view is made again only when it changes.
    if (this.#view.length !== length) this.#view = frame.subarray(0, length);
    this.#ports.frame(via, this.#view);
  }
}
