import { createSocket, type RemoteInfo, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { isIPv6 } from 'node:net';
import type { CorosyncConf } from '../corosync/corosync-conf.js';
import type { NodeId } from '../ring-id.js';

/** What corosync asks of the kernel, `MCAST_SOCKET_BUFFER_SIZE`. */
const BUFFER_BYTES = 320 * 1024;

/** Takes a datagram that may be a member's. */
export type OnDatagram = (bytes: Uint8Array) => void;

/** A ring's way over UDP. Bytes are copied where they are not gone when a call returns. */
export interface UdpSockets {
  unicast(to: NodeId, bytes: Uint8Array): void;
  /** To all nodes but this one. */
  multicast(bytes: Uint8Array): void;
  close(): void;
}

/**
 * The sockets of a node, bound to its address; rejects with the system's error where that cannot be.
 *
 * Datagrams that cannot be sent are lost, as they may be on any network; no error of a peer's port is reported here.
 */
export function openUdpSockets(conf: CorosyncConf, nodeId: NodeId, onDatagram: OnDatagram): Promise<UdpSockets> {
  return conf.transport === 'udpu' ? openUnicast(conf, nodeId, onDatagram) : openMulticast(conf, nodeId, onDatagram);
}

/**
 * Transport udpu: one datagram for each node. All go out of port `mcastport`, so that those to one node keep their order;
 * corosync sends tokens from there and the rest from ports of no meaning.
 *
 * Source: corosync exec/totemudpu.c.
 */
async function openUnicast(conf: CorosyncConf, nodeId: NodeId, onDatagram: OnDatagram): Promise<UdpSockets> {
  const { port } = conf;
  const addresses = new Map(conf.nodes.map(({ id, address }) => [id, address]));
  const others = conf.nodes.filter(({ id }) => id !== nodeId).map(({ address }) => address);
  const mine = addresses.get(nodeId)!;
  const listed = new Set(conf.nodes.map(({ address }) => normal(address)));
  const socket = newSocket(mine);
  socket.on('message', (bytes: Buffer, from: RemoteInfo) => {
    if (!conf.isUnlistedBlocked || listed.has(from.address)) onDatagram(bytes);
  });
  await bound(socket, port, mine);
  const outgoing = new Outgoing(socket);
  return {
    unicast: (to, bytes) => {
      const address = addresses.get(to);
      if (address !== undefined) socket.send(outgoing.copyOf(bytes), port, address);
    },
    multicast: (bytes) => {
      const copy = outgoing.copyOf(bytes);
      for (const address of others) socket.send(copy, port, address);
    },
    close: () => socket.close(),
  };
}

/**
 * Transport udp: one datagram for all, to the cluster's group.
 *
 * Tokens come to port `mcastport` of this node's address, the rest to that port of the group; both leave from the port
 * below. A node's copies for itself stay inside its ring, so that the kernel is not to bring them back.
 *
 * Source: corosync exec/totemudp.c, `totemudp_build_sockets_ip`.
 */
async function openMulticast(conf: CorosyncConf, nodeId: NodeId, onDatagram: OnDatagram): Promise<UdpSockets> {
  const { port, multicastAddress, ttl } = conf;
  const addresses = new Map(conf.nodes.map(({ id, address }) => [id, address]));
  const mine = addresses.get(nodeId)!;
  const [sender, tokens, group] = [newSocket(mine), newSocket(mine), newSocket(mine)] as const;
  try {
    for (const socket of [tokens, group]) socket.on('message', onDatagram);
    await bound(tokens, port, mine);
    await bound(group, port, multicastAddress);
    group.addMembership(multicastAddress, mine);
    await bound(sender, port - 1, mine);
    sender.setMulticastLoopback(false);
    sender.setMulticastTTL(ttl);
    sender.setMulticastInterface(mine);
  } catch (error) {
    for (const socket of [sender, tokens, group]) socket.close();
    throw error;
  }
  const outgoing = new Outgoing(sender);
  return {
    unicast: (to, bytes) => {
      const address = addresses.get(to);
      if (address !== undefined) sender.send(outgoing.copyOf(bytes), port, address);
    },
    multicast: (bytes) => sender.send(outgoing.copyOf(bytes), port, multicastAddress),
    close: () => {
      for (const socket of [sender, tokens, group]) socket.close();
    },
  };
}

/** Lengths that are kept: those of tokens and of full packets, and some others. */
const MOST_COPIES = 64;

/**
 * Copies of what a socket sends, in memory that is used again: nearly always the kernel has taken a datagram when `send`
 * returns. What it has not taken keeps its copy.
 */
class Outgoing {
  readonly #socket: Socket;
  /** By their length. */
  readonly #copies = new Map<number, Uint8Array>();

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  /** To be sent at once. */
  copyOf(bytes: Uint8Array): Uint8Array {
    if (this.#copies.size > MOST_COPIES || this.#socket.getSendQueueCount() > 0) this.#copies.clear();
    let copy = this.#copies.get(bytes.length);
    if (copy === undefined) {
      copy = new Uint8Array(bytes.length);
      this.#copies.set(bytes.length, copy);
    }
    copy.set(bytes);
    return copy;
  }
}

/** Addresses are never looked up: they are in the configuration, and a datagram leaves within the call that sends it. */
function newSocket(address: string): Socket {
  const family = isIPv6(address) ? 6 : 4;
  return createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    reuseAddr: true,
    recvBufferSize: BUFFER_BYTES,
    sendBufferSize: BUFFER_BYTES,
    lookup: (host, _options, done) => done(null, host, family),
  });
}

async function bound(socket: Socket, port: number, address: string): Promise<void> {
  const isListening = once(socket, 'listening');
  socket.bind({ port, address });
  await isListening;
  // An interface that is gone, a port that nobody has: lost, like a datagram on the way.
  socket.on('error', () => {});
}

/** An IPv6 address in the one spelling that the kernel uses, too. */
function normal(address: string): string {
  return isIPv6(address) ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address;
}
