import { type Nanos, SECOND } from '@quorate/kernel';
import { encodeIpv4, IPV4_BYTES, type Ipv4Header } from './ipv4.js';

/** How long the fragments of a datagram are waited for: Linux, `net.ipv4.ipfrag_time`. */
const TIMEOUT: Nanos = 30 * SECOND;
/** Datagrams under reassembly; the oldest is given up for a further one. */
const MOST_DATAGRAMS = 64;
const LARGEST_PAYLOAD = 0xffff - IPV4_BYTES;
const UNIT = 8;

interface Assembly {
  /** A whole packet in the making: room for the header, then the payload. */
  bytes: Uint8Array;
  /** One byte for each 8 bytes of payload: 1 when they are there. */
  readonly units: Uint8Array;
  /** Of the payload; -1 until the last fragment has come. */
  length: number;
  readonly until: Nanos;
  /** The first fragment as far as an ICMP error quotes it; undefined until it has come. */
  quote: Uint8Array | undefined;
}

/**
 * Puts the fragments of datagrams together again.
 *
 * Fragments may come in any order and more than once; where two overlap the one that came first counts. What is not
 * whole after 30 s is dropped. Source: RFC 791, section 3.2, "An Example Reassembly Procedure".
 */
export class Reassembly {
  readonly #assemblies = new Map<string, Assembly>();

  /**
   * Takes a fragment whose header stands at `at`. When it was the last that was missing, the whole packet is given,
   * header first: a new array, the caller's own.
   */
  add(now: Nanos, header: Ipv4Header, bytes: Uint8Array, at: number): Uint8Array | undefined {
    const start = header.fragmentOffset;
    const end = start + header.payloadBytes;
    // All but the last fragment are whole units, or a gap would stay inside one.
    if (end > LARGEST_PAYLOAD || (header.moreFragments && header.payloadBytes % UNIT !== 0)) return undefined;
    const key = `${header.source}/${header.destination}/${header.protocol}/${header.identification}`;
    const assembly = this.#assemblies.get(key) ?? this.#begin(now, key);
    if (!header.moreFragments) assembly.length = end;
    if (start === 0) assembly.quote ??= bytes.slice(at, at + header.headerBytes + Math.min(8, header.payloadBytes));
    const payloadAt = at + header.headerBytes;
    place(assembly, start, bytes.subarray(payloadAt, payloadAt + header.payloadBytes));
    if (!isWhole(assembly)) return undefined;
    this.#assemblies.delete(key);
    return finish(assembly, header);
  }

  /** Drops what was waited for long enough; gives the quotes of those whose first fragment had come. */
  expire(now: Nanos): readonly Uint8Array[] {
    const quotes: Uint8Array[] = [];
    for (const [key, assembly] of this.#assemblies) {
      // In the order of insertion the first one that may stay ends the search.
      if (assembly.until > now) break;
      this.#assemblies.delete(key);
      if (assembly.quote !== undefined) quotes.push(assembly.quote);
    }
    return quotes;
  }

  deadline(): Nanos {
    for (const assembly of this.#assemblies.values()) return assembly.until;
    return Infinity;
  }

  /** Datagrams of which something is missing. */
  get size(): number {
    return this.#assemblies.size;
  }

  #begin(now: Nanos, key: string): Assembly {
    if (this.#assemblies.size === MOST_DATAGRAMS) {
      for (const oldest of this.#assemblies.keys()) {
        this.#assemblies.delete(oldest);
        break;
      }
    }
    const units = new Uint8Array(Math.ceil(LARGEST_PAYLOAD / UNIT));
    const bytes = new Uint8Array(IPV4_BYTES + 4096);
    const assembly: Assembly = { bytes, units, length: -1, until: now + TIMEOUT, quote: undefined };
    this.#assemblies.set(key, assembly);
    return assembly;
  }
}

function place(assembly: Assembly, start: number, data: Uint8Array): void {
  const needed = IPV4_BYTES + start + data.length;
  if (needed > assembly.bytes.length) {
    const grown = new Uint8Array(Math.max(needed, assembly.bytes.length * 2));
    grown.set(assembly.bytes);
    assembly.bytes = grown;
  }
  for (let offset = 0; offset < data.length; offset += UNIT) {
    const unit = (start + offset) / UNIT;
    if (assembly.units[unit] === 1) continue;
    assembly.units[unit] = 1;
    assembly.bytes.set(data.subarray(offset, offset + UNIT), IPV4_BYTES + start + offset);
  }
}

function isWhole(assembly: Assembly): boolean {
  if (assembly.length < 0) return false;
  const units = Math.ceil(assembly.length / UNIT);
  for (let unit = 0; unit < units; unit++) if (assembly.units[unit] === 0) return false;
  return true;
}

function finish(assembly: Assembly, header: Ipv4Header): Uint8Array {
  const whole = { ...header, dontFragment: false, moreFragments: false, fragmentOffset: 0 };
  encodeIpv4(assembly.bytes, 0, whole, assembly.length);
  return assembly.bytes.subarray(0, IPV4_BYTES + assembly.length);
}
