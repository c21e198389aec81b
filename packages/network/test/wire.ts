import { guarded, type Machine, type Nanos, type World } from '@quorate/kernel';
import {
  encodeEthernet,
  type LinkParameters,
  type LinkPreset,
  Network,
  type NetworkFact,
  type NetworkInput,
  type NetworkOutput,
  parseMac,
} from '../src/index.js';

export const EVERYBODY = 'ff:ff:ff:ff:ff:ff';

export function macOf(nic: number): string {
  return `02:00:00:00:00:${nic.toString(16).padStart(2, '0')}`;
}

/** A frame of `size` bytes whose 32-bit label stands behind the header. */
export function frame(from: number, to: string, size: number, label = 0): Uint8Array {
  const bytes = new Uint8Array(size);
  encodeEthernet(bytes, parseMac(to) ?? 0, parseMac(macOf(from)) ?? 0, 0x88b5);
  if (size >= 18) setLabel(bytes, label);
  return bytes;
}

function setLabel(bytes: Uint8Array, label: number): void {
  for (let i = 0; i < 4; i++) bytes[14 + i] = label >>> (24 - 8 * i);
}

export function labelOf(bytes: Uint8Array): number {
  return bytes.length < 18 ? -1 : ((bytes[14]! << 24) | (bytes[15]! << 16) | (bytes[16]! << 8) | bytes[17]!) >>> 0;
}

export interface Arrival {
  readonly at: Nanos;
  readonly nic: number;
  readonly from: number;
  readonly label: number;
  readonly bytes: Uint8Array;
}

export interface WireOptions {
  readonly nics?: number;
  /** A card behind which nobody joins a group. */
  readonly withoutGroups?: number;
  readonly link?: LinkPreset | Partial<LinkParameters>;
  readonly cutInFlight?: boolean;
  readonly observe?: (fact: NetworkFact) => void;
  /** Whether arrivals hold a copy of the frame; else it is empty. */
  readonly keepsBytes?: boolean;
}

const NOTHING = new Uint8Array(0);

/** A network alone with a clock, for tests of links. Cards are numbered from 1. */
export class Wire {
  now: Nanos = 0;
  readonly network: Network;
  readonly arrivals: Arrival[] = [];
  readonly dropped: { readonly from: number; readonly to: number; readonly reason: string; readonly at: Nanos }[] = [];
  readonly #machine: Machine<NetworkInput, NetworkOutput>;
  readonly #frames = new Map<string, Uint8Array>();
  readonly #keepsBytes: boolean;

  constructor(world: World, options: WireOptions = {}) {
    const { nics = 3, withoutGroups, keepsBytes = false, ...rest } = options;
    this.#keepsBytes = keepsBytes;
    this.network = new Network({
      nics: Array.from({ length: nics }, (_, index) => {
        const nic = index + 1;
        return { nic, mac: macOf(nic), takesMulticast: nic !== withoutGroups };
      }),
      world,
      ...rest,
    });
    this.#machine = guarded(this.network);
  }

  step(input: NetworkInput): void {
    this.#machine.step(this.now, input, (output) => {
      if (output.kind === 'dropped') {
        const { from, to, reason } = output;
        this.dropped.push({ from, to, reason, at: this.now });
        return;
      }
      const { nic, from, bytes } = output;
      this.arrivals.push({
        at: this.now,
        nic,
        from,
        label: labelOf(bytes),
        bytes: this.#keepsBytes ? bytes.slice() : NOTHING,
      });
    });
  }

  send(from: number, to: number | string, size = 100, label = 0): void {
    const key = `${from} ${to} ${size}`;
    const bytes = this.#frames.get(key) ?? frame(from, typeof to === 'number' ? macOf(to) : to, size);
    this.#frames.set(key, bytes);
    if (size >= 18) setLabel(bytes, label);
    this.step({ kind: 'send', nic: from, bytes });
  }

  /** Lets time pass until `at`. */
  until(at: Nanos): void {
    while (this.#machine.deadline() <= at) {
      this.now = Math.max(this.now, this.#machine.deadline());
      this.step({ kind: 'wake' });
    }
    this.now = at;
  }

  /** Lets everything arrive that is under way. */
  drain(): void {
    while (this.#machine.deadline() < Infinity) this.until(this.#machine.deadline());
  }

  reasons(): readonly string[] {
    return this.dropped.map(({ from, to, reason }) => `${from}>${to} ${reason}`);
  }
}
