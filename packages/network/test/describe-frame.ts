import {
  decodeArp,
  decodeEthernet,
  decodeIcmp,
  decodeIpv4,
  decodeTcp,
  decodeUdp,
  ETHERNET_BYTES,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  formatIpv4,
  formatMac,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from '../src/index.js';

const FLAGS = ['F', 'S', 'R', 'P', '.'];
const ICMP_NAMES = new Map([
  [0, 'echo reply'],
  [3, 'unreachable'],
  [8, 'echo request'],
  [11, 'time exceeded'],
]);

/** Sequence numbers relative to the first one seen of each end, so that a transcript does not hold random numbers. */
export class FrameNames {
  readonly #first = new Map<string, number>();

  /** A frame on one line, much as tcpdump shows it. */
  describe(frame: Uint8Array): string {
    const ethernet = decodeEthernet(frame);
    if (typeof ethernet === 'string') return ethernet;
    const to = formatMac(ethernet.destination);
    if (ethernet.type === ETHERTYPE_ARP) return `${to} ${arp(frame)}`;
    if (ethernet.type !== ETHERTYPE_IPV4) return `${to} type ${ethernet.type.toString(16)}`;
    return `${to} ${this.#ip(frame, ETHERNET_BYTES)}`;
  }

  #ip(frame: Uint8Array, at: number): string {
    const ip = decodeIpv4(frame, at);
    if (typeof ip === 'string') return ip;
    const start = at + ip.headerBytes;
    const from = formatIpv4(ip.source);
    const to = formatIpv4(ip.destination);
    if (ip.moreFragments || ip.fragmentOffset > 0) {
      return `${from} > ${to} fragment ${ip.payloadBytes}@${ip.fragmentOffset}${ip.moreFragments ? '+' : ''}`;
    }
    if (ip.protocol === PROTOCOL_ICMP) {
      const icmp = decodeIcmp(frame, start, ip.payloadBytes);
      if (typeof icmp === 'string') return icmp;
      const echo = icmp.type === 0 || icmp.type === 8 ? ` seq ${icmp.sequence} ttl ${ip.ttl}` : ` code ${icmp.code}`;
      return `${from} > ${to} icmp ${ICMP_NAMES.get(icmp.type) ?? icmp.type}${echo}`;
    }
    if (ip.protocol === PROTOCOL_UDP) {
      const udp = decodeUdp(frame, start, ip.payloadBytes, ip.source, ip.destination);
      if (typeof udp === 'string') return udp;
      return `${from}:${udp.sourcePort} > ${to}:${udp.destinationPort} udp ${udp.dataBytes} ttl ${ip.ttl}`;
    }
    if (ip.protocol !== PROTOCOL_TCP) return `${from} > ${to} protocol ${ip.protocol}`;
    return this.#tcp(frame, start, ip.payloadBytes, ip.source, ip.destination);
  }

  #tcp(frame: Uint8Array, start: number, length: number, source: number, destination: number): string {
    const tcp = decodeTcp(frame, start, length, source, destination);
    if (typeof tcp === 'string') return tcp;
    const from = `${formatIpv4(source)}:${this.#port(tcp.sourcePort)}`;
    const to = `${formatIpv4(destination)}:${this.#port(tcp.destinationPort)}`;
    const flags = FLAGS.filter((_, bit) => (tcp.flags & (1 << bit)) !== 0).join('');
    const seq = this.#relative(`${source}:${tcp.sourcePort}`, tcp.seq, flags.includes('S'));
    const ack = flags.includes('.') ? ` ack ${this.#relative(`${destination}:${tcp.destinationPort}`, tcp.ack)}` : '';
    const mss = tcp.mss > 0 ? ` mss ${tcp.mss}` : '';
    return `${from} > ${to} [${flags}] seq ${seq}${ack} win ${tcp.window}${mss} length ${tcp.dataBytes}`;
  }

  #port(port: number): string {
    return port >= 32_768 ? 'port' : String(port);
  }

  #relative(end: string, seq: number, isFirst = false): number {
    if (isFirst) this.#first.set(end, seq);
    return (seq - (this.#first.get(end) ?? 0)) >>> 0;
  }
}

function arp(frame: Uint8Array): string {
  const packet = decodeArp(frame, ETHERNET_BYTES);
  if (typeof packet === 'string') return packet;
  const sender = formatIpv4(packet.senderAddress);
  const target = formatIpv4(packet.targetAddress);
  if (packet.operation === 2) return `arp ${sender} is at ${formatMac(packet.senderMac)}, to ${target}`;
  return sender === target ? `arp announces ${sender}` : `arp who has ${target} tell ${sender}`;
}
