export {
  formatInterfaceAddress,
  formatIpv4,
  formatMac,
  type InterfaceAddress,
  multicastMac,
  parseInterfaceAddress,
  parseIpv4,
  parseMac,
} from './address.js';
export { ARP_TIMINGS, type ArpState, type ArpTimings } from './arp-cache.js';
export { ARP_BYTES, ARP_REPLY, ARP_REQUEST, type ArpPacket, decodeArp, encodeArp } from './arp-packet.js';
export type { ProbeOutput } from './duplicate-probes.js';
export type { EchoOutput } from './echoes.js';
export {
  decodeEthernet,
  ETHERNET_BYTES,
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  type EthernetHeader,
  encodeEthernet,
} from './ethernet.js';
export { decodeIcmp, encodeIcmp, ICMP_BYTES, type IcmpHeader, type IcmpReject } from './icmp.js';
export type { InterfaceConfig } from './interfaces.js';
export { invariants } from './invariants.js';
export {
  type IpConfig,
  type IpCount,
  type IpFact,
  type IpInput,
  type IpOutput,
  type IpReject,
  IpStack,
  type Neighbour,
} from './ip-stack.js';
export {
  decodeIpv4,
  encodeIpv4,
  IPV4_BYTES,
  type Ipv4Fields,
  type Ipv4Header,
  type Ipv4Reject,
  PROTOCOL_ICMP,
  PROTOCOL_TCP,
  PROTOCOL_UDP,
} from './ipv4.js';
export { type DropReason, NO_NIC } from './link.js';
export {
  type Damage,
  type FramePattern,
  type LinkParameters,
  type LinkPreset,
  linkPreset,
} from './link-parameters.js';
export {
  type LinkCounters,
  Network,
  type NetworkConfig,
  type NetworkFact,
  type NetworkInput,
  type NetworkOutput,
  type NicConfig,
} from './network.js';
export { TIMEOUT_LIMITS, type TimeoutLimits } from './retransmission-timeout.js';
export { bestRoute, type NetworkRoute, routesOf } from './routes.js';
export { FIRST_ACCEPTED_ID, type TcpInput } from './tcp.js';
export { TCP_SETTINGS, type TcpOutput, type TcpSettings } from './tcp-connection.js';
export {
  ACK,
  decodeTcp,
  encodeTcp,
  FIN,
  PSH,
  RST,
  SYN,
  type TcpFields,
  type TcpReject,
  type TcpSegment,
  tcpHeaderBytes,
} from './tcp-segment.js';
export { decodeUdp, encodeUdp, UDP_BYTES, type UdpHeader, type UdpReject } from './udp.js';
