import { ConfigError, EventQueue, type Machine, type Nanos, type Observe, type World } from '@quorate/kernel';
import { BROADCAST_MAC, parseMac } from './address.js';
import { damaged } from './damage.js';
import { destinationOf, ETHERNET_BYTES, isGroupMac } from './ethernet.js';
import { FramePool, type PooledFrame } from './frame-pool.js';
import { type DropReason, Link, NO_NIC } from './link.js';
import {
  checkLinkParameters,
  type FramePattern,
  type LinkParameters,
  type LinkPreset,
  linkPreset,
} from './link-parameters.js';

export type NetworkInput =
  /** A network card puts a frame on the wire. */
  | { readonly kind: 'send'; readonly nic: number; readonly bytes: Uint8Array }
  /** A cable is plugged or pulled; the driver tells the host by `carrier`. Frames already sent arrive. */
  | { readonly kind: 'nic'; readonly nic: number; readonly isUp: boolean }
  /** Changes links: a preset replaces all of their parameters, an object those it names. Without `from`, `to`: any. */
  | {
      readonly kind: 'link';
      readonly from?: number;
      readonly to?: number;
      readonly parameters: LinkPreset | Partial<LinkParameters>;
    }
  /** Nothing passes from these to those any more. One-way: for both ways, send it twice with the lists exchanged. */
  | { readonly kind: 'partition'; readonly from: readonly number[]; readonly to: readonly number[] }
  /** Opens what `partition` closed; with lists only the links from these to those. */
  | { readonly kind: 'heal'; readonly from?: readonly number[]; readonly to?: readonly number[] }
  /** Links hold what they are given until that instant, then deliver it in order. Cannot be taken back. */
  | { readonly kind: 'clog'; readonly from?: number; readonly to?: number; readonly until: Nanos }
  | { readonly kind: 'wake' };

export type NetworkOutput =
  /** A frame reaches a network card. The bytes are the network's: valid during this call. */
  | {
      readonly kind: 'deliver';
      readonly nic: number;
      readonly from: number;
      /** Of this copy of the frame, the same as in the facts. */
      readonly id: number;
      readonly bytes: Uint8Array;
    }
  /** A frame came to nothing. `to` is -1 when it was for a group, or dropped before a receiver was looked for. */
  | {
      readonly kind: 'dropped';
      readonly from: number;
      readonly to: number;
      readonly id: number;
      readonly reason: DropReason;
      readonly bytes: Uint8Array;
    };

/** What happens to frames and to the wires. Every copy of a frame has an id of its own, from 1, rising. */
export type NetworkFact =
  /** A copy is under way to one receiver; `to` -1: refused before that. `isReordered`: later frames may overtake it. */
  | {
      readonly kind: 'network.sent';
      readonly now: Nanos;
      readonly id: number;
      readonly from: number;
      readonly to: number;
      readonly sizeBytes: number;
      readonly isReordered: boolean;
    }
  | {
      readonly kind: 'network.delivered';
      readonly now: Nanos;
      readonly id: number;
      readonly from: number;
      readonly to: number;
    }
  | {
      readonly kind: 'network.dropped';
      readonly now: Nanos;
      readonly id: number;
      readonly from: number;
      readonly to: number;
      readonly reason: DropReason;
    }
  /** A link was closed or opened by a partition. `cutsInFlight`: what is under way dies too. */
  | {
      readonly kind: 'network.partition';
      readonly now: Nanos;
      readonly from: number;
      readonly to: number;
      readonly isClosed: boolean;
      readonly cutsInFlight: boolean;
    }
  | { readonly kind: 'network.nic'; readonly now: Nanos; readonly nic: number; readonly isUp: boolean };

export interface NicConfig {
  /** A whole number from 0; names the card in inputs, outputs and the names of random streams. */
  readonly nic: number;
  /** `00:15:5d:4c:4a:01`. */
  readonly mac: string;
  /** False: no host behind it is in a group, and the switch, which listens to who joins, sends it none; true when absent. */
  readonly takesMulticast?: boolean;
}

export interface NetworkConfig {
  readonly nics: readonly NicConfig[];
  readonly world: World;
  /** What all links are like at first; `lan` when absent. */
  readonly link?: LinkPreset | Partial<LinkParameters>;
  /** Whether a partition also destroys frames under way; true when absent. */
  readonly cutInFlight?: boolean;
  readonly observe?: Observe<NetworkFact>;
}

interface Port {
  readonly index: number;
  readonly nic: number;
  readonly mac: number;
  readonly takesMulticast: boolean;
  isUp: boolean;
  /** To every other port, by its index; the one at the own index goes to everybody and has an egress queue only. */
  readonly links: Link[];
}

/**
 * One Ethernet segment: a switch that knows where each address is plugged in, and a link with its own faults for each
 * pair of ports.
 *
 * A frame goes through these stages. Unicast: all on the link to its receiver. Multicast and broadcast: 1-3 on the
 * sender's way to everybody, then 4-11 on each link to a receiver by itself; the sender gets no copy.
 *
 *  1 `down`           the sender's cable is pulled
 *  2 `mtu`            the payload is longer than the link carries
 *  3 `queue`          egress: the frame leaves when those before it have left, at `bandwidth`; the queue was full
 *  4 `partition`      the link is closed
 *  5 `loss`
 *  6                  duplication: up to four copies
 *  7                  corruption, by copy
 *  8                  latency, by copy; FIFO unless the copy is reordered
 *  9                  a clogged link starts the latency when the clog ends
 * 10 `cut`            at delivery: the link is closed now (only with `cutInFlight`)
 * 11 `receiver-down`  at delivery: the receiver's cable is pulled
 *
 * Source: Quorate's simulation specification, section 6.3. A frame shorter than an Ethernet header is dropped as
 * `runt` before stage 1, one to an address that no port has as `no-receiver` after stage 3.
 */
export class Network implements Machine<NetworkInput, NetworkOutput> {
  readonly #ports: Port[] = [];
  readonly #byNic = new Map<number, Port>();
  readonly #byMac = new Map<number, Port>();
  readonly #cutInFlight: boolean;
  readonly #observe: Observe<NetworkFact> | undefined;
  readonly #pool = new FramePool();
  readonly #queue = new EventQueue(256);
  // Copies under way, by slot of the queue.
  readonly #links: Link[] = [];
  readonly #frames: PooledFrame[] = [];
  readonly #ids: number[] = [];
  readonly #freeSlots: number[] = [];
  #lastId = 0;

  /** @throws {ConfigError} for a number or address that two cards have, a malformed address, or impossible links. */
  constructor(config: NetworkConfig) {
    this.#cutInFlight = config.cutInFlight ?? true;
    this.#observe = config.observe;
    for (const [index, nic] of config.nics.entries()) this.#plug(nic, `nics[${index}]`);
    for (const port of this.#ports) {
      for (const other of this.#ports) {
        port.links.push(new Link(port.nic, other === port ? NO_NIC : other.nic, config.world));
      }
    }
    if (config.link !== undefined) this.#onLink(undefined, undefined, config.link);
  }

  step(now: Nanos, input: NetworkInput, emit: (output: NetworkOutput) => void): void {
    switch (input.kind) {
      case 'send':
        return this.#onSend(now, this.#port(input.nic), input.bytes, emit);
      case 'nic':
        return this.#onNic(now, this.#port(input.nic), input.isUp);
      case 'link':
        return this.#onLink(input.from, input.to, input.parameters);
      case 'partition':
        return this.#setCut(now, input.from, input.to, true);
      case 'heal':
        return this.#setCut(now, input.from, input.to, false);
      case 'clog':
        for (const link of this.#matching(input.from, input.to)) {
          link.clogUntil = Math.max(link.clogUntil, input.until);
        }
        return;
      case 'wake':
        return this.#onWake(now, emit);
    }
  }

  deadline(): Nanos {
    return this.#queue.time;
  }

  inspect(): object {
    return {
      underWay: this.#queue.size,
      buffers: this.#pool.size,
      nics: this.#ports.map(({ nic, isUp }) => ({ nic, isUp })),
      links: this.#ports.flatMap((port) => port.links.map(inspectLink)),
    };
  }

  /** Copies of frames on their way. */
  get underWay(): number {
    return this.#queue.size;
  }

  /** What a link has carried and dropped; `to` -1 is the way to everybody, which only refuses. */
  counters(from: number, to: number): LinkCounters {
    const link = this.#port(from).links.find((each) => each.to === to);
    if (link === undefined) throw new RangeError(`no link from ${from} to ${to}`);
    return { ...link.counters, dropped: new Map(link.dropped) };
  }

  #plug(config: NicConfig, path: string): void {
    const mac = parseMac(config.mac);
    if (mac === undefined || isGroupMac(mac)) {
      throw new ConfigError(`${path}.mac`, config.mac, 'six hex bytes, not a group address');
    }
    if (this.#byMac.has(mac)) throw new ConfigError(`${path}.mac`, config.mac, 'an address that no other card has');
    if (!Number.isSafeInteger(config.nic) || config.nic < 0 || this.#byNic.has(config.nic)) {
      throw new ConfigError(`${path}.nic`, String(config.nic), 'a whole number from 0 that no other card has');
    }
    const { nic, takesMulticast = true } = config;
    const port: Port = { index: this.#ports.length, nic, mac, takesMulticast, isUp: true, links: [] };
    this.#ports.push(port);
    this.#byNic.set(config.nic, port);
    this.#byMac.set(mac, port);
  }

  #port(nic: number): Port {
    const port = this.#byNic.get(nic);
    if (port === undefined) throw new RangeError(`no network card ${nic}`);
    return port;
  }

  #onSend(now: Nanos, sender: Port, bytes: Uint8Array, emit: (output: NetworkOutput) => void): void {
    const toEverybody = sender.links[sender.index]!;
    if (bytes.length < ETHERNET_BYTES) return this.#refuse(now, toEverybody, bytes, 'runt', emit);
    const mac = destinationOf(bytes);
    const receiver = isGroupMac(mac) ? undefined : this.#byMac.get(mac);
    const link = receiver === undefined || receiver === sender ? toEverybody : sender.links[receiver.index]!;
    if (!sender.isUp) return this.#refuse(now, link, bytes, 'down', emit);
    if (bytes.length - ETHERNET_BYTES > link.parameters.mtuBytes) return this.#refuse(now, link, bytes, 'mtu', emit);
    const departure = link.depart(now, bytes.length);
    if (departure < 0) return this.#refuse(now, link, bytes, 'queue', emit);
    if (link === toEverybody && !isGroupMac(mac)) return this.#refuse(now, link, bytes, 'no-receiver', emit);
    const frame = this.#pool.take(bytes);
    if (link !== toEverybody) this.#carry(now, link, frame, departure, emit);
    else this.#flood(now, sender, frame, mac === BROADCAST_MAC, departure, emit);
    this.#pool.letGo(frame);
  }

  /** To every other port; multicast only where somebody may have joined. */
  #flood(
    now: Nanos,
    sender: Port,
    frame: PooledFrame,
    isBroadcast: boolean,
    departure: Nanos,
    emit: (output: NetworkOutput) => void,
  ): void {
    for (const port of this.#ports) {
      if (port === sender || !(isBroadcast || port.takesMulticast)) continue;
      this.#carry(now, sender.links[port.index]!, frame, departure, emit);
    }
  }

  #refuse(now: Nanos, link: Link, bytes: Uint8Array, reason: DropReason, emit: (output: NetworkOutput) => void): void {
    const id = this.#begin(now, link, bytes.length, false);
    this.#drop(now, link, id, bytes, reason, emit);
  }

  /** Stages 4 to 9: what becomes of a frame that has left the sender, on the link to one receiver. */
  #carry(now: Nanos, link: Link, frame: PooledFrame, departure: Nanos, emit: (output: NetworkOutput) => void): void {
    link.decide(departure);
    const id = this.#begin(now, link, frame.view.length, link.isReordered);
    if (link.isCut) return this.#drop(now, link, id, frame.view, 'partition', emit);
    if (link.isLost && hasPatterns(frame.view, link.parameters.lossOnly)) {
      return this.#drop(now, link, id, frame.view, 'loss', emit);
    }
    this.#schedule(link, frame, id, departure);
    while (link.decideCopy()) {
      const copy = this.#begin(now, link, frame.view.length, link.isReordered);
      this.#schedule(link, frame, copy, departure);
    }
    if (link.parameters.damage === 'splice') link.previous = frame.view.slice();
  }

  #begin(now: Nanos, link: Link, sizeBytes: number, isReordered: boolean): number {
    const id = ++this.#lastId;
    link.counters.sent += 1;
    this.#observe?.({ kind: 'network.sent', now, id, from: link.from, to: link.to, sizeBytes, isReordered });
    return id;
  }

  #schedule(link: Link, frame: PooledFrame, id: number, departure: Nanos): void {
    let carried = frame;
    if (link.isCorrupt) {
      carried = this.#pool.take(damaged(frame.view, link.parameters.damage, link.damageStep, link.previous));
    } else frame.holders += 1;
    const slot = this.#freeSlots.pop() ?? this.#links.length;
    this.#links[slot] = link;
    this.#frames[slot] = carried;
    this.#ids[slot] = id;
    // Ids rise with every copy, so they are the order of insertion.
    this.#queue.push(link.arrival(departure), id, slot);
  }

  /** Stages 10 and 11 for every copy that is due, in the order of (time, insertion). */
  #onWake(now: Nanos, emit: (output: NetworkOutput) => void): void {
    while (this.#queue.time <= now) {
      const slot = this.#queue.pop();
      const link = this.#links[slot]!;
      const frame = this.#frames[slot]!;
      const id = this.#ids[slot]!;
      this.#freeSlots.push(slot);
      if (this.#cutInFlight && link.isCut) this.#drop(now, link, id, frame.view, 'cut', emit);
      else if (!this.#port(link.to).isUp) this.#drop(now, link, id, frame.view, 'receiver-down', emit);
      else this.#deliver(now, link, id, frame.view, emit);
      this.#pool.letGo(frame);
    }
  }

  #deliver(now: Nanos, link: Link, id: number, bytes: Uint8Array, emit: (output: NetworkOutput) => void): void {
    link.counters.delivered += 1;
    link.counters.bytes += bytes.length;
    this.#observe?.({ kind: 'network.delivered', now, id, from: link.from, to: link.to });
    emit({ kind: 'deliver', nic: link.to, from: link.from, id, bytes });
  }

  #drop(
    now: Nanos,
    link: Link,
    id: number,
    bytes: Uint8Array,
    reason: DropReason,
    emit: (output: NetworkOutput) => void,
  ): void {
    link.count(reason);
    this.#observe?.({ kind: 'network.dropped', now, id, from: link.from, to: link.to, reason });
    emit({ kind: 'dropped', from: link.from, to: link.to, id, reason, bytes });
  }

  #onNic(now: Nanos, port: Port, isUp: boolean): void {
    port.isUp = isUp;
    this.#observe?.({ kind: 'network.nic', now, nic: port.nic, isUp });
  }

  #onLink(from: number | undefined, to: number | undefined, parameters: LinkPreset | Partial<LinkParameters>): void {
    for (const link of this.#matching(from, to)) {
      link.parameters = checkLinkParameters(
        typeof parameters === 'string' ? linkPreset(parameters) : { ...link.parameters, ...parameters },
      );
    }
  }

  /** With neither end given all links; with `to` absent also the sender's way to everybody. */
  #matching(from: number | undefined, to: number | undefined): readonly Link[] {
    if (to !== undefined) this.#port(to);
    const ports = from === undefined ? this.#ports : [this.#port(from)];
    return ports.flatMap((port) => port.links.filter((link) => to === undefined || link.to === to));
  }

  #setCut(now: Nanos, from: readonly number[] | undefined, to: readonly number[] | undefined, isClosed: boolean): void {
    const senders = from === undefined ? this.#ports : from.map((nic) => this.#port(nic));
    const receivers = to === undefined ? this.#ports : to.map((nic) => this.#port(nic));
    for (const sender of senders) {
      for (const receiver of receivers) {
        const link = sender.links[receiver.index]!;
        if (receiver === sender || link.isCut === isClosed) continue;
        link.isCut = isClosed;
        const cutsInFlight = this.#cutInFlight;
        this.#observe?.({ kind: 'network.partition', now, from: link.from, to: link.to, isClosed, cutsInFlight });
      }
    }
  }
}

/** What a link has carried. */
export interface LinkCounters {
  /** Copies that were given to it, dropped ones included. */
  readonly sent: number;
  readonly delivered: number;
  /** Of the delivered. */
  readonly bytes: number;
  readonly dropped: ReadonlyMap<DropReason, number>;
}

function hasPatterns(frame: Uint8Array, patterns: readonly FramePattern[]): boolean {
  for (const { at, byte } of patterns) if (frame[at] !== byte) return false;
  return true;
}

function inspectLink(link: Link): object {
  return {
    from: link.from,
    to: link.to,
    isCut: link.isCut,
    clogUntil: link.clogUntil,
    ...link.counters,
    dropped: Object.fromEntries(link.dropped),
  };
}
