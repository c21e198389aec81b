import {
  ConfigError,
  type Errno,
  type InterfaceInfo,
  type Machine,
  type Nanos,
  type Observe,
  type Prng,
} from '@quorate/kernel';
import {
  BROADCAST_MAC,
  formatInterfaceAddress,
  formatIpv4,
  formatMac,
  isLoopback,
  isMulticast,
  parseIpv4,
} from './address.js';
import { AddressTexts } from './address-texts.js';
import { ARP_TIMINGS, ArpCache, type ArpState, type ArpTimings } from './arp-cache.js';
import { ARP_REPLY, ARP_REQUEST, type ArpPacket, decodeArp } from './arp-packet.js';
import { DuplicateProbes, type ProbeOutput } from './duplicate-probes.js';
import { Echoes, type EchoOutput } from './echoes.js';
import { destinationOf, ETHERNET_BYTES, ETHERTYPE_ARP, ETHERTYPE_IPV4, isGroupMac, typeOf } from './ethernet.js';
import {
  decodeIcmp,
  EXCEEDED_REASSEMBLY,
  encodeIcmp,
  ICMP_BYTES,
  ICMP_ECHO,
  ICMP_ECHO_REPLY,
  ICMP_TIME_EXCEEDED,
  ICMP_UNREACHABLE,
  type IcmpReject,
  quotedBytes,
  UNREACHABLE_NET,
  UNREACHABLE_PORT,
  UNREACHABLE_PROTOCOL,
} from './icmp.js';
import { type InterfaceConfig, Interfaces, type NetInterface } from './interfaces.js';
import { DEFAULT_TTL, IpSender } from './ip-sender.js';
import { decodeIpv4, type Ipv4Header, type Ipv4Reject, PROTOCOL_ICMP, PROTOCOL_TCP, PROTOCOL_UDP } from './ipv4.js';
import { readQuoted } from './quoted-packet.js';
import { Reassembly } from './reassembly.js';
import { Tcp, type TcpInput } from './tcp.js';
import { TCP_SETTINGS, type TcpOutput, type TcpSettings } from './tcp-connection.js';
import type { TcpReject } from './tcp-segment.js';
import type { Turn } from './turn.js';
import { decodeUdp, encodeUdp, UDP_BYTES, UDP_LARGEST, type UdpReject } from './udp.js';
import { UdpPorts } from './udp-ports.js';

export type IpInput =
  /** A frame reached the card of an interface, by its number. */
  | { readonly kind: 'frame'; readonly interface: number; readonly bytes: Uint8Array }
  /** The cable of an interface was plugged or pulled. Assumed plugged until told otherwise. */
  | { readonly kind: 'carrier'; readonly interface: number; readonly isUp: boolean }
  /** `ifconfig eth0 up|down`. Refused: `ENODEV`. */
  | { readonly kind: 'set-interface'; readonly name: string; readonly isUp: boolean }
  /** Refused: `ENODEV`, `EINVAL`, `EEXIST`. Nobody is told: see `announce`. */
  | { readonly kind: 'add-address'; readonly name: string; readonly address: string }
  /** Refused: `ENODEV`, `EINVAL`, `ENOENT`. What comes for the address is no longer ours, connections included. */
  | { readonly kind: 'delete-address'; readonly name: string; readonly address: string }
  /** Gratuitous ARP: tells everybody on the link that the address is here. Refused: `ENODEV`, `EINVAL`, `ENETDOWN`. */
  | { readonly kind: 'announce'; readonly name: string; readonly address: string }
  /** Refused: `EADDRINUSE`. */
  | { readonly kind: 'udp-bind'; readonly port: number; readonly groups?: readonly string[] }
  | { readonly kind: 'udp-unbind'; readonly port: number }
  /** From a port, bound or not, to a host, a group (not to ourselves) or a broadcast address; up to 65 507 bytes. */
  | {
      readonly kind: 'udp-send';
      readonly port: number;
      readonly to: string;
      readonly toPort: number;
      readonly bytes: Uint8Array;
    }
  | TcpInput
  /** One ICMP echo request. */
  | {
      readonly kind: 'echo';
      readonly id: number;
      readonly to: string;
      readonly ttl: number;
      readonly seq: number;
      readonly timeout: Nanos;
    }
  /** Asks whether somebody else has the address, as `arping -D`. Refused: `ENODEV`, `EINVAL`, `ENETDOWN`. */
  | {
      readonly kind: 'probe';
      readonly id: number;
      readonly name: string;
      readonly address: string;
      readonly timeout: Nanos;
    }
  | { readonly kind: 'wake' };

export type IpOutput =
  | { readonly kind: 'frame'; readonly interface: number; readonly bytes: Uint8Array }
  | {
      readonly kind: 'udp-received';
      readonly port: number;
      readonly from: string;
      readonly fromPort: number;
      /** Where it was sent: our address, a group or a broadcast address. */
      readonly to: string;
      readonly bytes: Uint8Array;
    }
  /** A datagram was not sent: `ENETUNREACH`. That nobody answers ARP is not reported, as on an unconnected socket. */
  | {
      readonly kind: 'udp-failed';
      readonly port: number;
      readonly to: string;
      readonly toPort: number;
      readonly errno: Errno;
    }
  | TcpOutput
  | EchoOutput
  | ProbeOutput
  /** An input was refused and changed nothing; emitted in the same step. */
  | { readonly kind: 'refused'; readonly of: IpInput['kind']; readonly errno: Errno }
  /** A malformed frame was dropped. */
  | { readonly kind: 'reject'; readonly interface: number; readonly reason: IpReject };

export type IpReject = 'runt' | 'bad-arp' | Ipv4Reject | IcmpReject | UdpReject | TcpReject;

/** What happens to the addresses of a host and to its belief about others'. */
export type IpFact =
  /** The ARP cache of an interface has a MAC address for an address that it did not have before. */
  | {
      readonly kind: 'network.arp-learned';
      readonly now: Nanos;
      readonly interface: string;
      readonly address: string;
      readonly mac: string;
    }
  /** It has none any more: nobody answered, or the interface went down. */
  | {
      readonly kind: 'network.arp-forgotten';
      readonly now: Nanos;
      readonly interface: string;
      readonly address: string;
    }
  /** `address` with prefix length. Addresses of the configuration are told by the first step. */
  | {
      readonly kind: 'network.address-added';
      readonly now: Nanos;
      readonly interface: string;
      readonly address: string;
      readonly mac: string;
    }
  | {
      readonly kind: 'network.address-removed';
      readonly now: Nanos;
      readonly interface: string;
      readonly address: string;
      readonly mac: string;
    }
  /** Administrative state and carrier: the host answers on the interface while both are there. */
  | {
      readonly kind: 'network.interface';
      readonly now: Nanos;
      readonly interface: string;
      readonly isUp: boolean;
      readonly hasCarrier: boolean;
    };

export interface IpConfig {
  readonly interfaces: readonly InterfaceConfig[];
  /** The router for everything that no interface reaches: `10.156.76.1`. */
  readonly gateway?: string;
  /** Decides initial sequence numbers, ephemeral ports and identifications. */
  readonly prng: Prng;
  /** Largest IP packet on every interface; 1500 when absent. */
  readonly mtuBytes?: number;
  readonly arp?: Partial<ArpTimings>;
  readonly tcp?: Partial<TcpSettings>;
  readonly observe?: Observe<IpFact>;
}

/** Frames and packets that came to nothing, without being malformed. */
export type IpCount =
  /** Sent or received while the interface was down or had no carrier. */
  | 'interface-down'
  /** Not to our MAC address. */
  | 'not-our-mac'
  /** Neither IPv4 nor ARP. */
  | 'unknown-type'
  /** Not to an address of ours: a host forwards nothing. */
  | 'not-our-address'
  /** From outside, with a source address of ours, or to 127.0.0.0/8. */
  | 'martian'
  /** UDP to a port that nobody has bound, or to a group that the port has not joined. */
  | 'no-port'
  /** Dropped because nobody answered ARP. */
  | 'unreachable';

/** The kernel's network stack of one host: interfaces, ARP, IPv4, ICMP, UDP and TCP, speaking real frames. */
export class IpStack implements Machine<IpInput, IpOutput> {
  readonly #turn: Turn<IpOutput> = { now: 0, emit: () => {} };
  readonly #interfaces: Interfaces;
  readonly #arp: readonly ArpCache[];
  readonly #sender: IpSender;
  readonly #reassembly = new Reassembly();
  readonly #echoes: Echoes;
  readonly #probes: DuplicateProbes;
  readonly #udp = new UdpPorts();
  readonly #tcp: Tcp;
  readonly #texts = new AddressTexts();
  readonly #counts = new Map<IpCount | IpReject, number>();
  readonly #observe: Observe<IpFact> | undefined;
  #hasStarted = false;
  /** Undefined after a step: drivers ask after every event, whichever host it was for. */
  #deadline: Nanos | undefined;

  /** @throws {ConfigError} for what `Interfaces` refuses, an MTU below 576 or above 65 535, or a window above 65 535. */
  constructor(config: IpConfig) {
    const mtuBytes = config.mtuBytes ?? 1500;
    if (!(mtuBytes >= 576 && mtuBytes <= 65_535)) {
      throw new ConfigError('mtuBytes', String(mtuBytes), '576 to 65535 bytes');
    }
    const settings: TcpSettings = { ...TCP_SETTINGS, mss: mtuBytes - 40, ...config.tcp };
    if (!(settings.window >= 1 && settings.window <= 65_535)) {
      throw new ConfigError('tcp.window', String(settings.window), '1 to 65535 bytes');
    }
    this.#observe = config.observe;
    this.#interfaces = new Interfaces(config.interfaces, config.gateway);
    this.#arp = this.#interfaces.all.map((via) => this.#makeCache(via, { ...ARP_TIMINGS, ...config.arp }));
    this.#sender = new IpSender(this.#interfaces, mtuBytes, config.prng, {
      frame: (via, bytes) => this.#putFrame(via, bytes),
      resolve: (via, address, source) => this.#arp[via.index]!.resolve(this.#turn.now, address, source),
      hold: (via, address, packet) => this.#arp[via.index]!.hold(address, packet),
    });
    this.#echoes = new Echoes(this.#turn, this.#sender);
    this.#probes = new DuplicateProbes(this.#turn, this.#sender);
    const sender = this.#sender;
    this.#tcp = new Tcp(
      {
        turn: this.#turn,
        settings,
        payload: sender.payload,
        send: (source, destination, protocol, length) => sender.send(source, destination, protocol, length),
        sourceFor: (destination) => sender.sourceFor(destination),
        addressText: (address) => this.#texts.text(address),
      },
      config.prng,
    );
  }

  step(now: Nanos, input: IpInput, emit: (output: IpOutput) => void): void {
    this.#turn.now = now;
    this.#turn.emit = emit;
    this.#deadline = undefined;
    if (!this.#hasStarted) this.#start();
    this.#take(input);
    for (let packet = this.#sender.takeLocal(); packet !== undefined; packet = this.#sender.takeLocal()) {
      this.#onPacket(packet, 0, undefined);
    }
  }

  deadline(): Nanos {
    this.#deadline ??= this.#leastDeadline();
    return this.#deadline;
  }

  /** The interfaces as `ifconfig` shows them. */
  interfaces(): readonly InterfaceInfo[] {
    return this.#interfaces.list();
  }

  /** The ARP caches as `arp -n` shows them; `mac` is empty while an address is asked for. */
  neighbours(): readonly Neighbour[] {
    return this.#interfaces.all.flatMap(({ index, name }) =>
      this.#arp[index]!.inspect().map(({ address, mac, state }) => ({
        interface: name,
        address: formatIpv4(address),
        mac: mac < 0 ? '' : formatMac(mac),
        state,
      })),
    );
  }

  inspect(): object {
    return {
      interfaces: this.interfaces(),
      neighbours: this.neighbours(),
      udp: this.#udp.inspect().map(({ port, groups }) => ({ port, groups: groups.map(formatIpv4) })),
      tcp: this.#tcp.inspect(),
      echoes: this.#echoes.size,
      reassemblies: this.#reassembly.size,
      counts: Object.fromEntries(this.#counts),
    };
  }

  #leastDeadline(): Nanos {
    let least = Math.min(
      this.#reassembly.deadline(),
      this.#echoes.deadline(),
      this.#probes.deadline(),
      this.#tcp.deadline(),
    );
    for (const cache of this.#arp) least = Math.min(least, cache.deadline());
    return least;
  }

  #take(input: IpInput): void {
    switch (input.kind) {
      case 'frame':
        return this.#onFrame(this.#interfaces.at(input.interface), input.bytes);
      case 'carrier':
        return this.#onCarrier(this.#interfaces.at(input.interface), input.isUp);
      case 'set-interface':
        return this.#refuse(input.kind, this.#setInterface(input.name, input.isUp));
      case 'add-address':
        return this.#refuse(input.kind, this.#addAddress(input.name, input.address));
      case 'delete-address':
        return this.#refuse(input.kind, this.#deleteAddress(input.name, input.address));
      case 'announce':
        return this.#refuse(input.kind, this.#announce(input.name, input.address));
      case 'udp-bind': {
        const groups = (input.groups ?? []).map((group) => this.#texts.address(group));
        return this.#refuse(input.kind, this.#udp.bind(checkPort(input.port), groups) ? undefined : 'EADDRINUSE');
      }
      case 'udp-unbind':
        return this.#udp.unbind(input.port);
      case 'udp-send':
        return this.#onUdpSend(input.port, input.to, input.toPort, input.bytes);
      case 'tcp-listen':
        return this.#refuse(input.kind, this.#tcp.listen(checkPort(input.port), input.backlog));
      case 'tcp-unlisten':
        return this.#tcp.unlisten(input.port);
      case 'tcp-connect':
        return this.#tcp.connect(input.id, this.#texts.address(input.to), checkPort(input.port));
      case 'tcp-send':
        return this.#tcp.send(input.id, input.bytes);
      case 'tcp-close':
        return this.#tcp.close(input.id);
      case 'tcp-abort':
        return this.#tcp.abort(input.id);
      case 'echo':
        return this.#echoes.send(input, this.#texts.address(input.to));
      case 'probe':
        return this.#refuse(input.kind, this.#probe(input.id, input.name, input.address, input.timeout));
      case 'wake':
        return this.#onWake();
    }
  }

  #start(): void {
    this.#hasStarted = true;
    for (const via of this.#interfaces.all) {
      for (const address of via.addresses) {
        this.#tellAddress('network.address-added', via, formatInterfaceAddress(address));
      }
    }
  }

  #makeCache(via: NetInterface, timings: ArpTimings): ArpCache {
    return new ArpCache(timings, {
      request: (address, to, source) => this.#askFor(via, address, to, source),
      release: (mac, packet) => this.#sender.sendHeld(via, mac, packet),
      unreachable: (packet) => {
        this.#count('unreachable');
        this.#onUndeliverable(packet, 0, 'EHOSTUNREACH');
      },
      learned: (address, mac) =>
        this.#observe?.({
          kind: 'network.arp-learned',
          now: this.#turn.now,
          interface: via.name,
          address: formatIpv4(address),
          mac: formatMac(mac),
        }),
      forgotten: (address) =>
        this.#observe?.({
          kind: 'network.arp-forgotten',
          now: this.#turn.now,
          interface: via.name,
          address: formatIpv4(address),
        }),
    });
  }

  /** Linux, `arp_announce` 0: a question names the source of the packet that waits, if that is still ours. */
  #askFor(via: NetInterface, address: number, to: number, source: number): void {
    if (source !== 0 && this.#interfaces.isLocal(source)) return this.#sender.askFor(via, address, source, to);
    const route = this.#interfaces.route(address);
    const primary = route === 'ENETUNREACH' ? (via.addresses[0]?.address ?? 0) : route.source;
    this.#sender.askFor(via, address, primary, to);
  }

  #putFrame(via: NetInterface, bytes: Uint8Array): void {
    if (via.isUp && via.hasCarrier) this.#turn.emit({ kind: 'frame', interface: via.index, bytes });
    else this.#count('interface-down');
  }

  #onFrame(via: NetInterface, bytes: Uint8Array): void {
    if (!via.isUp || !via.hasCarrier) return this.#count('interface-down');
    if (bytes.length < ETHERNET_BYTES) return this.#reject(via, 'runt');
    const destination = destinationOf(bytes);
    if (destination !== via.mac && !isGroupMac(destination)) return this.#count('not-our-mac');
    const type = typeOf(bytes);
    if (type === ETHERTYPE_IPV4) this.#onPacket(bytes, ETHERNET_BYTES, via);
    else if (type !== ETHERTYPE_ARP) this.#count('unknown-type');
    else {
      const packet = decodeArp(bytes, ETHERNET_BYTES);
      if (packet === 'bad-arp') this.#reject(via, packet);
      else this.#onArp(via, packet, destination === via.mac);
    }
  }

  /** RFC 826, "Packet Reception": first what is said about the sender, then the question. */
  #onArp(via: NetInterface, packet: ArpPacket, isToUs: boolean): void {
    const { operation, senderAddress, senderMac, targetAddress } = packet;
    this.#probes.onArp(via, senderAddress, senderMac);
    const isForUs = this.#interfaces.isLocal(targetAddress) && !isLoopback(targetAddress);
    // Somebody else claims one of our addresses: nothing to learn, nobody to answer.
    if (this.#interfaces.isLocal(senderAddress)) return;
    const isQuestion = operation === ARP_REQUEST && isForUs;
    if (senderAddress !== 0) {
      const isAnswer = operation === ARP_REPLY && isToUs;
      this.#arp[via.index]!.learn(this.#turn.now, senderAddress, senderMac, isAnswer, isQuestion);
    }
    if (!isQuestion) return;
    this.#sender.sendArp(via, senderMac, {
      operation: ARP_REPLY,
      senderMac: via.mac,
      senderAddress: targetAddress,
      targetMac: senderMac,
      targetAddress: senderAddress,
    });
  }

  /** A packet whose header stands at `at`, from an interface or (undefined) from ourselves. */
  #onPacket(bytes: Uint8Array, at: number, via: NetInterface | undefined): void {
    const header = decodeIpv4(bytes, at);
    if (typeof header === 'string') return this.#reject(via, header);
    const { source, destination } = header;
    const isForHost = this.#interfaces.isLocal(destination);
    if (!isForHost && !isMulticast(destination) && !this.#interfaces.isBroadcast(destination)) {
      return this.#count('not-our-address');
    }
    const isFromUs = this.#interfaces.isLocal(source) || isLoopback(destination);
    if (via !== undefined && isFromUs) return this.#count('martian');
    if (!header.moreFragments && header.fragmentOffset === 0) return this.#onDatagram(header, bytes, at, via);
    const whole = this.#reassembly.add(this.#turn.now, header, bytes, at);
    if (whole === undefined) return;
    const wholeHeader = decodeIpv4(whole, 0);
    if (typeof wholeHeader !== 'string') this.#onDatagram(wholeHeader, whole, 0, via);
  }

  /** A whole datagram for this host, a group or everybody. */
  #onDatagram(header: Ipv4Header, bytes: Uint8Array, at: number, via: NetInterface | undefined): void {
    const start = at + header.headerBytes;
    const { source, destination, payloadBytes } = header;
    const isForHost = this.#interfaces.isLocal(destination);
    let reason: IpReject | undefined;
    if (header.protocol === PROTOCOL_UDP) reason = this.#onUdp(header, bytes, at);
    else if (header.protocol === PROTOCOL_ICMP) reason = this.#onIcmp(header, bytes, start);
    else if (!isForHost) return;
    else if (header.protocol === PROTOCOL_TCP)
      reason = this.#tcp.receive(source, destination, bytes, start, payloadBytes);
    else this.#sendError(ICMP_UNREACHABLE, UNREACHABLE_PROTOCOL, bytes, at);
    if (reason !== undefined) this.#reject(via, reason);
  }

  #onUdp(header: Ipv4Header, bytes: Uint8Array, at: number): UdpReject | undefined {
    const start = at + header.headerBytes;
    const { source, destination } = header;
    const udp = decodeUdp(bytes, start, header.payloadBytes, source, destination);
    if (typeof udp === 'string') return udp;
    const { destinationPort: port, sourcePort: fromPort } = udp;
    if (!this.#udp.takes(port, destination)) {
      this.#count('no-port');
      if (this.#interfaces.isLocal(destination)) this.#sendError(ICMP_UNREACHABLE, UNREACHABLE_PORT, bytes, at);
      return undefined;
    }
    const data = bytes.subarray(start + UDP_BYTES, start + UDP_BYTES + udp.dataBytes);
    const from = this.#texts.text(source);
    this.#turn.emit({ kind: 'udp-received', port, from, fromPort, to: this.#texts.text(destination), bytes: data });
    return undefined;
  }

  #onIcmp(header: Ipv4Header, bytes: Uint8Array, start: number): IcmpReject | undefined {
    const { source, destination, payloadBytes } = header;
    const icmp = decodeIcmp(bytes, start, payloadBytes);
    if (typeof icmp === 'string') return icmp;
    if (!this.#interfaces.isLocal(destination)) return undefined;
    if (icmp.type === ICMP_ECHO) {
      const { payload } = this.#sender;
      payload.set(bytes.subarray(start + ICMP_BYTES, start + payloadBytes), ICMP_BYTES);
      encodeIcmp(payload, 0, { ...icmp, type: ICMP_ECHO_REPLY, code: 0 }, payloadBytes - ICMP_BYTES);
      this.#sender.send(destination, source, PROTOCOL_ICMP, payloadBytes);
    } else if (icmp.type === ICMP_ECHO_REPLY) this.#echoes.onReply(icmp.identifier, icmp.sequence, source);
    else if (icmp.type === ICMP_UNREACHABLE || icmp.type === ICMP_TIME_EXCEEDED) {
      const quote = bytes.subarray(start + ICMP_BYTES, start + payloadBytes);
      this.#onUndeliverable(quote, 0, errnoOf(icmp.type, icmp.code));
    }
    return undefined;
  }

  /** A packet of ours, or the start of it, came to nothing: whoever sent it hears why. */
  #onUndeliverable(packet: Uint8Array, at: number, errno: Errno): void {
    const quoted = readQuoted(packet, at);
    if (quoted === undefined || !this.#interfaces.isLocal(quoted.source)) return;
    if (quoted.protocol === PROTOCOL_ICMP && quoted.type === ICMP_ECHO) {
      this.#echoes.onError(quoted.identifier, quoted.destination, errno);
    } else if (quoted.protocol === PROTOCOL_TCP) {
      const { source: local, sourcePort: localPort, destination: remote, destinationPort: remotePort } = quoted;
      this.#tcp.onError({ local, localPort, remote, remotePort }, quoted.seq, errno);
    }
  }

  /** Answers a packet of somebody else's, whose header stands at `at`, with an ICMP error. */
  #sendError(type: number, code: number, bytes: Uint8Array, at: number): void {
    const quoted = readQuoted(bytes, at);
    if (quoted === undefined) return;
    const length = quotedBytes(bytes, at);
    const { payload } = this.#sender;
    payload.set(bytes.subarray(at, at + length), ICMP_BYTES);
    encodeIcmp(payload, 0, { type, code, identifier: 0, sequence: 0 }, length);
    this.#sender.send(quoted.destination, quoted.source, PROTOCOL_ICMP, ICMP_BYTES + length);
  }

  #onCarrier(via: NetInterface, isUp: boolean): void {
    via.hasCarrier = isUp;
    this.#tellInterface(via);
  }

  #setInterface(name: string, isUp: boolean): Errno | undefined {
    const via = this.#interfaces.named(name);
    if (via === undefined) return 'ENODEV';
    this.#interfaces.setUp(via, isUp);
    if (!isUp) this.#arp[via.index]!.clear();
    this.#tellInterface(via);
    return undefined;
  }

  #addAddress(name: string, text: string): Errno | undefined {
    const via = this.#interfaces.named(name);
    if (via === undefined) return 'ENODEV';
    const added = this.#interfaces.add(via, text);
    if (typeof added === 'string') return added;
    this.#tellAddress('network.address-added', via, formatInterfaceAddress(added));
    return undefined;
  }

  #deleteAddress(name: string, text: string): Errno | undefined {
    const via = this.#interfaces.named(name);
    if (via === undefined) return 'ENODEV';
    const deleted = this.#interfaces.delete(via, text);
    if (typeof deleted === 'string') return deleted;
    this.#tellAddress('network.address-removed', via, formatInterfaceAddress(deleted));
    return undefined;
  }

  /** A request for the own address, as `arping -U` sends it. */
  #announce(name: string, text: string): Errno | undefined {
    const way = this.#arping(name, text);
    if (typeof way === 'string') return way;
    const { via, address } = way;
    this.#sender.sendArp(via, BROADCAST_MAC, {
      operation: ARP_REQUEST,
      senderMac: via.mac,
      senderAddress: address,
      targetMac: BROADCAST_MAC,
      targetAddress: address,
    });
    return undefined;
  }

  #probe(id: number, name: string, text: string, timeout: Nanos): Errno | undefined {
    const way = this.#arping(name, text);
    if (typeof way === 'string') return way;
    this.#probes.start(id, way.via, way.address, timeout);
    return undefined;
  }

  /** What `arping` needs: an interface that is up, and an address with or without its prefix length. */
  #arping(name: string, text: string): { readonly via: NetInterface; readonly address: number } | Errno {
    const via = this.#interfaces.named(name);
    if (via === undefined) return 'ENODEV';
    const address = parseIpv4(text.replace(/\/[0-9]+$/, ''));
    if (address === undefined) return 'EINVAL';
    return via.isUp ? { via, address } : 'ENETDOWN';
  }

  #onUdpSend(port: number, to: string, toPort: number, bytes: Uint8Array): void {
    if (bytes.length > UDP_LARGEST) throw new RangeError(`a datagram of ${bytes.length} bytes: at most ${UDP_LARGEST}`);
    const destination = this.#texts.address(to);
    const source = this.#sender.sourceFor(destination);
    if (source === 'ENETUNREACH') return this.#turn.emit({ kind: 'udp-failed', port, to, toPort, errno: source });
    const { payload } = this.#sender;
    payload.set(bytes, UDP_BYTES);
    const header = { sourcePort: port, destinationPort: toPort, dataBytes: bytes.length };
    encodeUdp(payload, 0, header, source, destination);
    const errno = this.#sender.send(
      source,
      destination,
      PROTOCOL_UDP,
      UDP_BYTES + bytes.length,
      multicastTtl(destination),
    );
    if (errno !== undefined) this.#turn.emit({ kind: 'udp-failed', port, to, toPort, errno });
  }

  #onWake(): void {
    const { now } = this.#turn;
    for (const cache of this.#arp) if (cache.deadline() <= now) cache.wake(now);
    for (const quote of this.#reassembly.expire(now)) {
      this.#sendError(ICMP_TIME_EXCEEDED, EXCEEDED_REASSEMBLY, quote, 0);
    }
    this.#echoes.wake();
    this.#probes.wake();
    this.#tcp.wake();
  }

  #refuse(of: IpInput['kind'], errno: Errno | undefined): void {
    if (errno !== undefined) this.#turn.emit({ kind: 'refused', of, errno });
  }

  #reject(via: NetInterface | undefined, reason: IpReject): void {
    this.#count(reason);
    this.#turn.emit({ kind: 'reject', interface: via?.index ?? -1, reason });
  }

  #count(what: IpCount | IpReject): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1);
  }

  #tellAddress(kind: 'network.address-added' | 'network.address-removed', via: NetInterface, address: string): void {
    this.#observe?.({ kind, now: this.#turn.now, interface: via.name, address, mac: formatMac(via.mac) });
  }

  #tellInterface({ name, isUp, hasCarrier }: NetInterface): void {
    this.#observe?.({ kind: 'network.interface', now: this.#turn.now, interface: name, isUp, hasCarrier });
  }
}

/** One line of `arp -n`. */
export interface Neighbour {
  readonly interface: string;
  readonly address: string;
  readonly mac: string;
  readonly state: ArpState;
}

function checkPort(port: number): number {
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new RangeError(`port ${port}: expected 1 to 65535`);
  return port;
}

/** Datagrams to a group stay on the segment unless asked otherwise: Linux, `IP_MULTICAST_TTL` is 1. */
function multicastTtl(destination: number): number {
  return isMulticast(destination) ? 1 : DEFAULT_TTL;
}

function errnoOf(type: number, code: number): Errno {
  if (type === ICMP_TIME_EXCEEDED) return 'EHOSTUNREACH';
  if (code === UNREACHABLE_PORT || code === UNREACHABLE_PROTOCOL) return 'ECONNREFUSED';
  return code === UNREACHABLE_NET ? 'ENETUNREACH' : 'EHOSTUNREACH';
}
