const ETHERNET_BYTES = 14;
const IPV4 = 0x0800;
const ARP = 0x0806;
const ICMP = 1;
const TCP = 6;
const UDP = 17;
const UDP_BYTES = 8;
const TOTEM_PORT = 5405;
const TOTEM_MAGIC = 0xc070;

/** Types of totemsrp messages, by their number. Source: corosync exec/totemsrp.c, `enum message_type`. */
const TOTEM_TYPES = ['orf_token', 'mcast', 'memb_merge_detect', 'memb_join', 'memb_commit_token', 'token_hold_cancel'];

const TCP_PORTS: ReadonlyMap<number, string> = new Map([
  [80, 'http'],
  [3260, 'iscsi'],
  [21064, 'dlm'],
]);

/**
 * What an Ethernet frame carries, in a word: `arp`, `icmp`, `orf_token` and the other messages of totem, `dlm`, `http`, `iscsi`,
 * else `tcp`, `udp`, `ip` or `ethernet`.
 *
 * Ports are those of the stack: totem's 5405, the DLM's 21064, iSCSI's 3260.
 */
export function frameProtocol(frame: Uint8Array): string {
  const type = word(frame, 12);
  if (type === ARP) return 'arp';
  if (type !== IPV4) return 'ethernet';
  const transport = ETHERNET_BYTES + 4 * (byte(frame, ETHERNET_BYTES) & 15);
  const isLaterFragment = (word(frame, ETHERNET_BYTES + 6) & 0x1fff) !== 0;
  switch (byte(frame, ETHERNET_BYTES + 9)) {
    case ICMP:
      return 'icmp';
    case TCP:
      return TCP_PORTS.get(word(frame, transport)) ?? TCP_PORTS.get(word(frame, transport + 2)) ?? 'tcp';
    case UDP:
      return isLaterFragment ? 'udp' : udpProtocol(frame, transport);
    default:
      return 'ip';
  }
}

function udpProtocol(frame: Uint8Array, at: number): string {
  const message = at + UDP_BYTES;
  const magic = word(frame, message);
  // Each sender has its own byte order; the type is a byte.
  const isTotem = magic === TOTEM_MAGIC || magic === (((TOTEM_MAGIC & 0xff) << 8) | (TOTEM_MAGIC >> 8));
  if (word(frame, at + 2) !== TOTEM_PORT || !isTotem) return 'udp';
  return TOTEM_TYPES[byte(frame, message + 3)] ?? 'udp';
}

/** 0 past the end. */
function byte(frame: Uint8Array, at: number): number {
  return frame[at] ?? 0;
}

function word(frame: Uint8Array, at: number): number {
  return (byte(frame, at) << 8) | byte(frame, at + 1);
}
