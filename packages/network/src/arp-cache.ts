import { type Nanos, SECOND } from '@quorate/kernel';
import { BROADCAST_MAC } from './address.js';

/** What the cache needs of the interface that it serves. */
export interface ArpPorts {
  /** Sends an ARP request for `address`, to one MAC address or to everybody. `source` of the packet that waits, or 0. */
  request(address: number, to: number, source: number): void;
  /** Sends a packet that waited for its receiver's MAC address. */
  release(mac: number, packet: Uint8Array): void;
  /** Gives up a packet: nobody answered. */
  unreachable(packet: Uint8Array): void;
  /** An address has a MAC address now that it did not have before. */
  learned(address: number, mac: number): void;
  /** An address has none any more. */
  forgotten(address: number): void;
}

export interface ArpTimings {
  /** How long an answer is believed without a doubt; Linux draws it from 15 to 45 s. */
  readonly reachable: Nanos;
  /** How long an entry older than that may still be used before it is asked for again. */
  readonly delay: Nanos;
  /** Between two requests. */
  readonly retransmit: Nanos;
  /** Requests without an answer until an address counts as unreachable. */
  readonly requests: number;
}

/** Linux, `net.ipv4.neigh.default`: base_reachable_time 30, delay_first_probe_time 5, retrans_time 1, probes 3. */
export const ARP_TIMINGS: ArpTimings = {
  reachable: 30 * SECOND,
  delay: 5 * SECOND,
  retransmit: SECOND,
  requests: 3,
};

/** `incomplete`: asked for. `stale`: old, used until asked for again. `delay`: in use while old. `probe`: asked again. */
export type ArpState = 'incomplete' | 'reachable' | 'stale' | 'delay' | 'probe';

interface Entry {
  mac: number;
  state: ArpState;
  /** When the state ends; nobody is woken for the end of `reachable`. */
  until: Nanos;
  requests: number;
  /** Source of the packet that made us ask. */
  readonly source: number;
  readonly held: Uint8Array[];
}

/** Packets that wait for one address; the oldest is dropped for a further one. */
const MOST_HELD = 64;

/**
 * Which MAC address has an IPv4 address, as one interface believes.
 *
 * An address is asked for three times, a second apart, then whatever waits for it is unreachable. An answer is believed
 * for 30 s; after that the entry is stale: still used, but 5 s after its first use the old MAC address is asked, three
 * times, and the entry dies without an answer. Every ARP packet that says something about a known address overrides at
 * once, asked for or not: so a gratuitous ARP moves an address, and without one a wrong entry lives on.
 *
 * Source: RFC 826, "Packet Reception"; Linux net/core/neighbour.c and net/ipv4/arp.c, `arp_process`. Simplified: the
 * 30 s are not drawn, protocols above do not confirm entries, and no entry is collected while it is stale.
 */
export class ArpCache {
  readonly #ports: ArpPorts;
  readonly #timings: ArpTimings;
  readonly #entries = new Map<number, Entry>();
  #deadline: Nanos = Infinity;

  constructor(timings: ArpTimings, ports: ArpPorts) {
    this.#timings = timings;
    this.#ports = ports;
  }

  /**
   * The MAC address to send to, or -1 while it is asked for: then `hold` the packet. `source` is the packet's: the
   * question names it, so that the answer finds us, and whoever hears it learns where that address is.
   */
  resolve(now: Nanos, address: number, source: number): number {
    const entry = this.#entries.get(address);
    if (entry === undefined) {
      this.#request(now, address, this.#insert(address, source));
      return -1;
    }
    if (entry.state === 'reachable' && now >= entry.until) entry.state = 'stale';
    if (entry.state === 'stale') this.#set(entry, 'delay', now + this.#timings.delay);
    return entry.mac;
  }

  /** Keeps a packet until `address`, just asked for, is known. The cache owns the bytes from now on. */
  hold(address: number, packet: Uint8Array): void {
    const held = this.#entries.get(address)?.held ?? [];
    if (held.length === MOST_HELD) held.shift();
    held.push(packet);
  }

  /**
   * Takes what an ARP packet says about its sender.
   *
   * `isAnswer`: it is a reply sent to us alone, which settles the matter; anything else makes a stale entry.
   * `mayCreate`: it asks for an address of ours, so its sender will be wanted; other packets only change what is known.
   */
  learn(now: Nanos, address: number, mac: number, isAnswer: boolean, mayCreate: boolean): void {
    const known = this.#entries.get(address);
    if (known === undefined && !mayCreate) return;
    const entry = known ?? this.#insert(address, 0);
    const isNew = entry.mac !== mac;
    entry.mac = mac;
    if (isAnswer) this.#set(entry, 'reachable', now + this.#timings.reachable);
    else if (isNew) this.#set(entry, 'stale', Infinity);
    if (isNew) this.#ports.learned(address, mac);
    for (const packet of entry.held.splice(0)) this.#ports.release(mac, packet);
  }

  /** Asks again, or gives up, wherever that is due. */
  wake(now: Nanos): void {
    for (const [address, entry] of this.#entries) {
      if (!isTimed(entry) || entry.until > now) continue;
      if (entry.state === 'delay') {
        entry.state = 'probe';
        entry.requests = 0;
      }
      if (entry.requests < this.#timings.requests) this.#request(now, address, entry);
      else this.#fail(address, entry);
    }
    this.#recount();
  }

  /** Forgets everything: the interface went down. What waits is unreachable. */
  clear(): void {
    for (const [address, entry] of this.#entries) this.#fail(address, entry);
    this.#deadline = Infinity;
  }

  deadline(): Nanos {
    return this.#deadline;
  }

  inspect(): readonly { readonly address: number; readonly mac: number; readonly state: ArpState }[] {
    return [...this.#entries].map(([address, { mac, state }]) => ({ address, mac, state }));
  }

  #insert(address: number, source: number): Entry {
    const entry: Entry = { mac: -1, state: 'incomplete', until: Infinity, requests: 0, source, held: [] };
    this.#entries.set(address, entry);
    return entry;
  }

  #request(now: Nanos, address: number, entry: Entry): void {
    entry.requests += 1;
    this.#set(entry, entry.state, now + this.#timings.retransmit);
    if (entry.state === 'incomplete') this.#ports.request(address, BROADCAST_MAC, entry.source);
    else this.#ports.request(address, entry.mac, 0);
  }

  #fail(address: number, entry: Entry): void {
    this.#entries.delete(address);
    if (entry.mac >= 0) this.#ports.forgotten(address);
    for (const packet of entry.held.splice(0)) this.#ports.unreachable(packet);
  }

  #set(entry: Entry, state: ArpState, until: Nanos): void {
    entry.state = state;
    entry.until = until;
    this.#recount();
  }

  #recount(): void {
    this.#deadline = Infinity;
    for (const entry of this.#entries.values()) {
      if (isTimed(entry)) this.#deadline = Math.min(this.#deadline, entry.until);
    }
  }
}

function isTimed(entry: Entry): boolean {
  return entry.state !== 'reachable' && entry.state !== 'stale';
}
