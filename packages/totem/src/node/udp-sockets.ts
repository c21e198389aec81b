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
 * Transport udpu: one datagram for each node. A node hears at port `mcastport`, and has a socket for each other one, as in
 * corosync, so that what goes to one node keeps its order. Those are connected: the kernel looks up a node's way once.
 *
 * Source: corosync exec/totemudpu.c.
 */
async function openUnicast(conf: CorosyncConf, nodeId: NodeId, onDatagram: OnDatagram): Promise<UdpSockets> {
  const mine = conf.nodes.find(({ id }) => id === nodeId)!.address;
  const listed = new Set(conf.nodes.map(({ address }) => normal(address)));
  const ear = newSocket(mine);
  ear.on('message', (bytes: Buffer, from: RemoteInfo) => {
    if (!conf.isUnlistedBlocked || listed.has(from.address)) onDatagram(bytes);
  });
  const peers = new Map<NodeId, Peer>();
  const close = (): void => {
    ear.close();
    for (const { socket } of peers.values()) socket.close();
  };
  try {
    await bound(ear, conf.port, mine);
    for (const { id, address } of conf.nodes) {
      if (id !== nodeId) peers.set(id, await Peer.open(mine, conf.port, address));
    }
  } catch (error) {
    close();
    throw error;
  }
  const others = [...peers.values()];
  const outgoing = new Outgoing(others.map(({ socket }) => socket));
  return {
    unicast: (to, bytes) => peers.get(to)?.send(outgoing.copyOf(bytes)),
    multicast: (bytes) => {
      const copy = outgoing.copyOf(bytes);
      for (const peer of others) peer.send(copy);
    },
    close,
  };
}

/** Where datagrams for one node go. */
class Peer {
  readonly socket: Socket;
  readonly #port: number;
  readonly #address: string;
  /** Not where no way led to the node when this was opened: one may come up, and is looked for each time. */
  #isConnected = false;

  private constructor(socket: Socket, port: number, address: string) {
    this.socket = socket;
    this.#port = port;
    this.#address = address;
    socket.on('connect', () => {
      this.#isConnected = true;
    });
  }

  /** From a port of no meaning of this node's address. */
  static async open(mine: string, port: number, address: string): Promise<Peer> {
    const socket = newSocket(mine);
    await bound(socket, 0, mine);
    const peer = new Peer(socket, port, address);
    socket.connect(port, address);
    return peer;
  }

  send(bytes: Uint8Array): void {
    if (this.#isConnected) this.socket.send(bytes);
    else this.socket.send(bytes, this.#port, this.#address);
  }
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
  const outgoing = new Outgoing([sender]);
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
 * Copies of what sockets send, in memory that is used again: nearly always the kernel has taken a datagram when `send`
 * returns. What it has not taken keeps its copy.
 */
class Outgoing {
  readonly #sockets: readonly Socket[];
  /** By their length. */
  readonly #copies = new Map<number, Uint8Array>();

  constructor(sockets: readonly Socket[]) {
    this.#sockets = sockets;
  }

  /** To be sent at once. */
  copyOf(bytes: Uint8Array): Uint8Array {
    if (this.#copies.size > MOST_COPIES || this.#isQueueing()) this.#copies.clear();
    let copy = this.#copies.get(bytes.length);
    if (copy === undefined) {
      copy = new Uint8Array(bytes.length);
      this.#copies.set(bytes.length, copy);
    }
    copy.set(bytes);
    return copy;
  }

  #isQueueing(): boolean {
    for (const socket of this.#sockets) if (socket.getSendQueueCount() > 0) return true;
    return false;
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
