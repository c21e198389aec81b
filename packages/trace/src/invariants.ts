import {
  type Check,
  type Checker,
  crc32c,
  defineInvariant,
  type Invariant,
  type Nanos,
  type Stamped,
} from '@quorate/kernel';
import {
  decodeEthernet,
  decodeIcmp,
  decodeIpv4,
  decodeTcp,
  decodeUdp,
  ETHERNET_BYTES,
  ETHERTYPE_IPV4,
  formatIpv4,
  type Ipv4Header,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
  type TcpSegment,
} from '@quorate/network';
import { Direction } from './capture/pcapng-layout.js';
import { type ReadPacket, readPcapng } from './capture/pcapng-reader.js';
import { TcpStreams } from './capture/tcp-streams.js';

/** A packet of a capture, in the order of its file. */
export interface PacketFact extends ReadPacket {
  readonly kind: 'capture.packet';
  readonly now: Nanos;
  /** From 1. */
  readonly number: number;
}

/** Shows the packets of a pcapng file to a checker of `invariants`, and ends its watch. */
export function checkCapture(file: Uint8Array, checker: Checker): void {
  let number = 0;
  let last = 0;
  for (const packet of readPcapng(file)) {
    number += 1;
    last = packet.at;
    const fact: PacketFact & Stamped = {
      kind: 'capture.packet',
      number,
      node: 0,
      life: 0,
      seq: number,
      now: packet.at,
      ...packet,
    };
    checker.observe(fact);
  }
  checker.end(last);
}

const KINDS = ['capture.packet'] as const;

const order: Invariant = defineInvariant<PacketFact>({
  id: 'trace.C1',
  name: 'time-runs-forward',
  statement: 'on an interface no packet is earlier than the one before it',
  kinds: KINDS,
  start(): Check<PacketFact> {
    const last = new Map<string, number>();
    return {
      observe({ interface: port, at, number }, verdict) {
        const before = last.get(port) ?? 0;
        if (at < before) verdict.violate(`packet ${number} on ${port} at ${at} ns, after one at ${before} ns`, []);
        last.set(port, Math.max(at, before));
      },
    };
  },
});

const origin: Invariant = defineInvariant<PacketFact>({
  id: 'trace.C2',
  name: 'nothing-arrives-unsent',
  statement:
    'where all cards are captured from the beginning, an IPv4 packet that arrives undamaged was sent before, byte by byte the same',
  kinds: KINDS,
  start(): Check<PacketFact> {
    // By checksum: two frames that share one would hide a mistake, not invent one.
    const sent = new Set<number>();
    return {
      observe({ direction, bytes, interface: port, number }, verdict) {
        const name = crc32c(bytes);
        if (direction === Direction.outbound) sent.add(name);
        else if (direction === Direction.inbound && !sent.has(name) && isUndamaged(bytes)) {
          verdict.violate(`packet ${number} arrived at ${port}, and nobody has sent it`, []);
        }
      },
    };
  },
});

const stream: Invariant = defineInvariant<PacketFact>({
  id: 'trace.C3',
  name: 'one-stream',
  statement:
    'of a TCP connection that a card saw begin it sees one stream each way: a byte has the same value whenever its sequence ' +
    'number comes, nothing follows a FIN, and nothing is acknowledged that was not sent',
  kinds: KINDS,
  start(): Check<PacketFact> {
    const cards = new Map<string, TcpStreams>();
    return {
      observe({ bytes, interface: port, number, comment }, verdict) {
        // Where a frame was dropped it is there a second time.
        const packet = comment === undefined ? tcpPacketOf(bytes) : undefined;
        if (packet === undefined) return;
        let card = cards.get(port);
        if (card === undefined) {
          card = new TcpStreams();
          cards.set(port, card);
        }
        const { from, to, segment, data } = packet;
        const wrong = card.segment(from, to, segment, data);
        if (wrong !== undefined) verdict.violate(`packet ${number} on ${port}, ${from} to ${to}: ${wrong}`, []);
      },
    };
  },
});

interface TcpPacket {
  readonly from: string;
  readonly to: string;
  readonly segment: TcpSegment;
  readonly data: Uint8Array;
}

/** Undefined for what is no TCP, is a fragment or was damaged. */
function tcpPacketOf(frame: Uint8Array): TcpPacket | undefined {
  const header = wholeIpv4(frame);
  if (header?.protocol !== PROTOCOL_TCP) return undefined;
  const { source, destination } = header;
  const at = ETHERNET_BYTES + header.headerBytes;
  const segment = decodeTcp(frame, at, header.payloadBytes, source, destination);
  if (typeof segment === 'string') return undefined;
  return {
    from: `${formatIpv4(source)}:${segment.sourcePort}`,
    to: `${formatIpv4(destination)}:${segment.destinationPort}`,
    segment,
    data: frame.subarray(segment.dataAt, segment.dataAt + segment.dataBytes),
  };
}

/** Of an IPv4 packet in one piece; undefined for anything else. */
function wholeIpv4(frame: Uint8Array): Ipv4Header | undefined {
  const ethernet = decodeEthernet(frame);
  if (ethernet === 'runt' || ethernet.type !== ETHERTYPE_IPV4) return undefined;
  const header = decodeIpv4(frame, ETHERNET_BYTES);
  return typeof header === 'string' || header.moreFragments || header.fragmentOffset > 0 ? undefined : header;
}

/** Whether every checksum of an IPv4 packet is right; false where there is none to tell by. */
function isUndamaged(frame: Uint8Array): boolean {
  const header = wholeIpv4(frame);
  if (header === undefined) return false;
  const { headerBytes, payloadBytes, protocol, source, destination } = header;
  const at = ETHERNET_BYTES + headerBytes;
  switch (protocol) {
    case PROTOCOL_TCP:
      return typeof decodeTcp(frame, at, payloadBytes, source, destination) !== 'string';
    case PROTOCOL_UDP:
      return typeof decodeUdp(frame, at, payloadBytes, source, destination) !== 'string';
    case PROTOCOL_ICMP:
      return typeof decodeIcmp(frame, at, payloadBytes) !== 'string';
    default:
      return false;
  }
}

/** What a capture must never contain. */
export const invariants: readonly Invariant[] = [order, origin, stream];
