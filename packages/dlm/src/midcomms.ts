import { type Nanos, viewOf } from '@quorate/kernel';
import { Command, HEADER_BYTES, MAX_PACKET_BYTES, Packet, packetLength, setHeader, Version } from './packet-header.js';
import { RcomType } from './rcom.js';

/**
 * Envelope of a numbered packet (command OPTS, 3.2 only), 24 bytes, then options, then a whole packet. Little-endian.
 *
 * offset size field
 *      0   16 header          its word is the sequence number
 *     16    1 next command    of the packet inside: MSG, RCOM or FIN
 *     17    1 –               zero
 *     18    2 option length   0
 *     20    4 –               zero
 *
 * An ACK is a bare header whose word is the next sequence number expected. A FIN inside is a bare header.
 *
 * Source: Linux fs/dlm/midcomms.c, `dlm_opts`.
 */
const ENVELOPE_BYTES = 24;

/** How far the end of a connection between two nodes has come; numbers as the debug text has them. */
const PeerState = {
  CLOSED: 1,
  ESTABLISHED: 2,
  FIN_WAIT1: 3,
  FIN_WAIT2: 4,
  CLOSE_WAIT: 5,
  LAST_ACK: 6,
  CLOSING: 7,
} as const;

interface Peer {
  readonly nodeid: number;
  state: number;
  /** Learnt from its first recovery message; undefined before. */
  version: Version | undefined;
  seqSend: number;
  seqNext: number;
  /** Numbered packets that the peer has not acknowledged, oldest first, envelopes included. */
  readonly unacknowledged: Uint8Array[];
  /** Sequence number of the first of them. */
  seqUnacknowledged: number;
  /** Lockspaces of this node that have it as member. */
  users: number;
  isConnected: boolean;
  /** Counts the times that `connected` came. */
  connections: number;
  /** What is unacknowledged has not been sent again on this connection yet. */
  isResendDue: boolean;
  /** Packets without number that were given out while there was no connection. */
  readonly unsent: Uint8Array[];
  /** Numbered packets delivered since the last ACK. */
  delivered: number;
  /** We end: when it is enforced that we are done; Infinity otherwise. */
  forcedAt: Nanos;
  /** Which life of the peer we talk to: one more each time that its state is thrown away. */
  incarnation: number;
  /** A lockspace has had it as a member in that life. */
  hasBeenMember: boolean;
  /** It has left the cluster since it was a member last. */
  isGone: boolean;
}

export type PacketDefect =
  | 'short'
  | 'wrong-sender'
  | 'wrong-version'
  | 'unknown-command'
  | 'bad-envelope'
  | 'not-numbered'
  /** Numbered for somebody who was here before: the peer has been no member since this node began. */
  | 'not-established'
  | 'sequence-gap';

export interface MidcommsPort {
  transmit(to: number, bytes: Uint8Array): void;
  /** A packet of command MSG or RCOM, whose header was checked. */
  deliver(from: number, packet: Packet): void;
  reject(from: number, reason: PacketDefect): void;
}

export interface MidcommsConfig {
  readonly nodeid: number;
  readonly version: Version;
  /** Numbered packets delivered before an ACK goes out at the end of a batch. */
  readonly ackAfter: number;
  /** How long we wait for peers when we end. */
  readonly finTimeout: Nanos;
}

export interface MidcommsView {
  readonly peers: readonly {
    readonly nodeid: number;
    /** `PeerState`. */
    readonly state: number;
    /** 0 while unknown. */
    readonly version: number;
    readonly seqSend: number;
    readonly seqNext: number;
    readonly unacknowledged: number;
    /** Lockspaces in which it is a member. */
    readonly users: number;
    readonly isConnected: boolean;
  }[];
  /** Numbered packets that came twice. */
  readonly duplicates: number;
}

/** Whether `a` comes before `b` in the circle of 32-bit numbers. */
function isBefore(a: number, b: number): boolean {
  return ((a - b) | 0) < 0;
}

/**
 * The layer under locking that loses nothing: it numbers packets, keeps them until they are acknowledged, and sends
 * them again on a new connection. To a peer of protocol 3.1 packets go out bare, and what a broken connection swallowed
 * is lost.
 *
 * Source: Linux fs/dlm/midcomms.c (6.1).
 */
export class Midcomms {
  readonly #config: MidcommsConfig;
  readonly #port: MidcommsPort;
  readonly #peers = new Map<number, Peer>();
  readonly #scratch = new Uint8Array(MAX_PACKET_BYTES);
  readonly #view = new DataView(this.#scratch.buffer);
  /** The one that is being received. */
  readonly #packet = new Packet();
  #duplicates = 0;
  /** Peers with `forcedAt`. */
  #ending = 0;

  constructor(config: MidcommsConfig, port: MidcommsPort) {
    this.#config = config;
    this.#port = port;
  }

  /** Gives a packet its number and sends it; it arrives once, after all that were sent before. */
  send(to: number, packet: Uint8Array, command: number): void {
    const peer = this.#peer(to);
    if (this.#versionOf(peer) === Version.v3_1) return this.#sendBare(peer, packet);
    const kept = this.#wrap(peer, packet, command);
    peer.unacknowledged.push(kept);
    if (!peer.isResendDue) this.#port.transmit(to, kept);
  }

  /** Sends a packet without number: the peer may miss it or see it twice. */
  sendBare(to: number, packet: Uint8Array): void {
    this.#sendBare(this.#peer(to), packet);
  }

  /** Takes one or more whole packets from a peer. */
  receive(from: number, bytes: Uint8Array): void {
    const peer = this.#peer(from);
    this.#packet.turnTo(bytes);
    for (let at = 0; at < bytes.length; ) {
      const length = bytes.length - at < HEADER_BYTES ? 0 : packetLength(bytes, at);
      const end = at + length;
      if (length === 0 || end > bytes.length || !this.#packet.decode(at, end)) {
        return this.#port.reject(from, 'short');
      }
      this.#onPacket(peer, this.#packet);
      at = end;
    }
    if (peer.delivered >= this.#config.ackAfter) this.#acknowledge(peer);
  }

  /**
   * `isDoubtful`: a lockspace that has the node as member stands still, so the node may have been restarted; what it has
   * not acknowledged waits for `resend` then.
   */
  connected(node: number, isDoubtful: boolean): void {
    const peer = this.#peer(node);
    peer.isConnected = true;
    peer.connections += 1;
    peer.isResendDue = true;
    for (const packet of peer.unsent.splice(0)) this.#port.transmit(node, packet);
    if (!isDoubtful) this.resend(node);
  }

  /** The node is still the one that we know: what waits since `connected` goes out. */
  resend(node: number): void {
    const peer = this.#peer(node);
    if (!peer.isResendDue) return;
    peer.isResendDue = false;
    for (const packet of peer.unacknowledged) this.#port.transmit(node, packet);
  }

  disconnected(node: number): void {
    this.#peer(node).isConnected = false;
  }

  /** Times that `connected` came for that node. */
  connections(node: number): number {
    return this.#peer(node).connections;
  }

  /** Version of a peer that has spoken to us; otherwise our own. */
  version(node: number): Version {
    return this.#versionOf(this.#peer(node));
  }

  /**
   * A lockspace has that node as a member from now on. Gives the life of the node that this is about, for `removeMember`.
   */
  addMember(node: number): number {
    const peer = this.#peer(node);
    // Whoever comes back while we still wait for its last words has forgotten them: it was restarted. So has one that left and was
    // gone from the cluster before it had said goodbye.
    const wasGone = peer.isGone && peer.users === 0;
    if (peer.state !== PeerState.CLOSED && (peer.state !== PeerState.ESTABLISHED || wasGone)) this.#reset(peer);
    peer.state = PeerState.ESTABLISHED;
    peer.isGone = false;
    peer.hasBeenMember = true;
    peer.users += 1;
    return peer.incarnation;
  }

  /**
   * A lockspace no longer has that node. If it failed, the state of that life is thrown away, once however many
   * lockspaces tell of it. Gives whether this was the time.
   */
  removeMember(node: number, incarnation: number, hasFailed: boolean): boolean {
    const peer = this.#peer(node);
    if (peer.users > 0) peer.users -= 1;
    if (hasFailed) {
      if (peer.incarnation !== incarnation) return false;
      this.#reset(peer);
      return true;
    }
    if (peer.users === 0 && peer.state === PeerState.CLOSE_WAIT) this.#sendFin(peer, PeerState.LAST_ACK);
    return false;
  }

  /** We have no lockspace any more: says so to every peer. Until `isClosed` nothing new should begin. */
  shutdown(now: Nanos): void {
    for (const peer of this.#peers.values()) {
      peer.users = 0;
      if (peer.state === PeerState.ESTABLISHED) this.#sendFin(peer, PeerState.FIN_WAIT1);
      else if (peer.state === PeerState.CLOSE_WAIT) this.#sendFin(peer, PeerState.LAST_ACK);
      else continue;
      if (this.#versionOf(peer) === Version.v3_1 || peer.isGone) this.#reset(peer);
      else this.#endAt(peer, now + this.#config.finTimeout);
    }
  }

  /** The node is no longer in the cluster: it will not say goodbye. Source: `dlm_midcomms_close`. */
  gone(node: number): void {
    const peer = this.#peer(node);
    if (peer.forcedAt !== Infinity) this.#reset(peer);
    else peer.isGone = true;
  }

  get isClosed(): boolean {
    return this.#ending === 0;
  }

  wake(now: Nanos): void {
    for (const peer of this.#peers.values()) if (peer.forcedAt <= now) this.#reset(peer);
  }

  deadline(): Nanos {
    if (this.isClosed) return Infinity;
    let least = Infinity;
    for (const peer of this.#peers.values()) least = Math.min(least, peer.forcedAt);
    return least;
  }

  inspect(): MidcommsView {
    const peers = [...this.#peers.values()].map((peer) => ({
      nodeid: peer.nodeid,
      state: peer.state,
      version: peer.version ?? 0,
      seqSend: peer.seqSend,
      seqNext: peer.seqNext,
      unacknowledged: peer.unacknowledged.length,
      users: peer.users,
      isConnected: peer.isConnected,
    }));
    return { peers, duplicates: this.#duplicates };
  }

  #peer(nodeid: number): Peer {
    let peer = this.#peers.get(nodeid);
    if (peer === undefined) {
      peer = {
        nodeid,
        state: PeerState.CLOSED,
        version: undefined,
        seqSend: 0,
        seqNext: 0,
        unacknowledged: [],
        seqUnacknowledged: 0,
        users: 0,
        isConnected: false,
        connections: 0,
        isResendDue: false,
        unsent: [],
        delivered: 0,
        forcedAt: Infinity,
        incarnation: -1,
        hasBeenMember: false,
        isGone: false,
      };
      // Engines take what is written for the first time in a recovery for a constant before, and make their code anew then.
      this.#reset(peer);
      this.#peers.set(nodeid, peer);
    }
    return peer;
  }

  #versionOf(peer: Peer): Version {
    return peer.version ?? this.#config.version;
  }

  #reset(peer: Peer): void {
    peer.state = PeerState.CLOSED;
    peer.version = undefined;
    peer.seqSend = peer.seqNext = peer.seqUnacknowledged = peer.delivered = 0;
    peer.unacknowledged.length = 0;
    peer.unsent.length = 0;
    this.#endAt(peer, Infinity);
    peer.incarnation += 1;
    peer.hasBeenMember = peer.isResendDue = false;
  }

  /** When it is enforced that we are done with it; Infinity: we are. */
  #endAt(peer: Peer, at: Nanos): void {
    if (peer.forcedAt !== Infinity) this.#ending -= 1;
    if (at !== Infinity) this.#ending += 1;
    peer.forcedAt = at;
  }

  #sendBare(peer: Peer, packet: Uint8Array): void {
    if (!peer.isConnected) peer.unsent.push(packet.slice());
    this.#port.transmit(peer.nodeid, packet);
  }

  #wrap(peer: Peer, packet: Uint8Array, command: number): Uint8Array {
    const { nodeid, version } = this.#config;
    const kept = new Uint8Array(ENVELOPE_BYTES + packet.length);
    setHeader(viewOf(kept), version, peer.seqSend, nodeid, kept.length, Command.OPTS);
    kept[16] = command;
    kept.set(packet, ENVELOPE_BYTES);
    peer.seqSend = (peer.seqSend + 1) >>> 0;
    return kept;
  }

  #onPacket(peer: Peer, packet: Packet): void {
    if (packet.nodeid !== peer.nodeid) return this.#port.reject(peer.nodeid, 'wrong-sender');
    const version = packet.version;
    if (version !== Version.v3_1 && version !== Version.v3_2) return this.#port.reject(peer.nodeid, 'wrong-version');
    if (packet.command === Command.RCOM) this.#detectVersion(peer, version, packet);
    if (peer.version !== undefined && version !== peer.version) {
      return this.#port.reject(peer.nodeid, 'wrong-version');
    }
    if (version === Version.v3_1) return this.#onBare31(peer, packet);
    switch (packet.command) {
      case Command.RCOM:
        if (!isBareRcom(packet)) return this.#port.reject(peer.nodeid, 'not-numbered');
        return this.#port.deliver(peer.nodeid, packet);
      case Command.OPTS:
        return this.#onEnvelope(peer, packet);
      case Command.ACK:
        return this.#onAck(peer, packet.word);
      case Command.MSG:
        return this.#port.reject(peer.nodeid, 'not-numbered');
    }
    this.#port.reject(peer.nodeid, 'unknown-command');
  }

  /** A peer's first STATUS or NAMES tells its version; a reply to one of ours does too. */
  #detectVersion(peer: Peer, version: Version, packet: Packet): void {
    if (peer.version !== undefined || !(version === Version.v3_1 || isBareRcom(packet))) return;
    peer.version = version;
    if (peer.state === PeerState.CLOSED) peer.state = PeerState.ESTABLISHED;
  }

  #onBare31(peer: Peer, packet: Packet): void {
    if (packet.command === Command.MSG || packet.command === Command.RCOM) {
      return this.#port.deliver(peer.nodeid, packet);
    }
    this.#port.reject(peer.nodeid, 'unknown-command');
  }

  /** The packet becomes the one inside. */
  #onEnvelope(peer: Peer, packet: Packet): void {
    const { bytes, at, end, word: seq } = packet;
    if (end - at < ENVELOPE_BYTES) return this.#port.reject(peer.nodeid, 'bad-envelope');
    const command = bytes[at + 16];
    const optionLength = bytes[at + 18]! | (bytes[at + 19]! << 8);
    const isWhole = packet.decode(at + ENVELOPE_BYTES + optionLength, end);
    if (!isWhole || packet.command !== command || packet.nodeid !== peer.nodeid) {
      return this.#port.reject(peer.nodeid, 'bad-envelope');
    }
    // Counting it would put us ahead of the peer, which numbers from 0 when it hears that we were restarted.
    if (!peer.hasBeenMember) return this.#port.reject(peer.nodeid, 'not-established');
    if (isBefore(seq, peer.seqNext)) {
      this.#duplicates += 1;
      return this.#acknowledge(peer);
    }
    if (seq !== peer.seqNext) return this.#port.reject(peer.nodeid, 'sequence-gap');
    peer.seqNext = (peer.seqNext + 1) >>> 0;
    if (packet.command === Command.FIN) return this.#onFin(peer);
    if (packet.command !== Command.MSG && packet.command !== Command.RCOM) {
      return this.#port.reject(peer.nodeid, 'unknown-command');
    }
    peer.delivered += 1;
    this.#port.deliver(peer.nodeid, packet);
  }

  #onAck(peer: Peer, seq: number): void {
    let count = 0;
    while (count < peer.unacknowledged.length && isBefore(peer.seqUnacknowledged, seq)) {
      peer.seqUnacknowledged = (peer.seqUnacknowledged + 1) >>> 0;
      count += 1;
    }
    if (count > 0) peer.unacknowledged.splice(0, count);
    if (peer.unacknowledged.length > 0) return;
    // Nothing follows a FIN, so all acknowledged means that it is.
    switch (peer.state) {
      case PeerState.FIN_WAIT1:
        peer.state = PeerState.FIN_WAIT2;
        break;
      case PeerState.CLOSING:
      case PeerState.LAST_ACK:
        this.#reset(peer);
        break;
    }
  }

  #onFin(peer: Peer): void {
    this.#acknowledge(peer);
    switch (peer.state) {
      case PeerState.ESTABLISHED:
        peer.state = PeerState.CLOSE_WAIT;
        // The passive side answers when no lockspace has the peer any more.
        if (peer.users === 0) this.#sendFin(peer, PeerState.LAST_ACK);
        break;
      case PeerState.FIN_WAIT1:
        peer.state = PeerState.CLOSING;
        break;
      case PeerState.FIN_WAIT2:
        this.#reset(peer);
        break;
    }
  }

  #sendFin(peer: Peer, state: number): void {
    peer.state = state;
    if (this.#versionOf(peer) === Version.v3_1) return;
    const { nodeid, version } = this.#config;
    setHeader(this.#view, version, 0, nodeid, HEADER_BYTES, Command.FIN);
    this.send(peer.nodeid, this.#scratch.subarray(0, HEADER_BYTES), Command.FIN);
  }

  #acknowledge(peer: Peer): void {
    peer.delivered = 0;
    setHeader(this.#view, this.#config.version, peer.seqNext, this.#config.nodeid, HEADER_BYTES, Command.ACK);
    this.#port.transmit(peer.nodeid, this.#scratch.subarray(0, HEADER_BYTES));
  }
}

/** STATUS, NAMES and their replies go without envelope: they are the first packets and tell the version. */
function isBareRcom({ view, at, end }: Packet): boolean {
  const type = end - at < 20 ? 0 : view.getUint32(at + 16, true);
  return (
    type === RcomType.STATUS ||
    type === RcomType.NAMES ||
    type === RcomType.STATUS_REPLY ||
    type === RcomType.NAMES_REPLY
  );
}
