import { type Fact, type Machine, type Nanos, type Seed, SeededWorld } from '@quorate/kernel';
import {
  type Fetched,
  type Host,
  type HostInput,
  networkConfig,
  newHost,
  type StoredDisks,
  type Topology,
} from '@quorate/lab';
import { Network, type NetworkInput, type NetworkOutput } from '@quorate/network';
import type { BlockStore } from '@quorate/scsi';

export type SegmentInput =
  /** Hosts are plugged in, machines are not yet: once, before everything else. */
  | { readonly kind: 'start' }
  /** A machine sends a frame, or its card goes up or down; or the links change. Numbers are those of NICs. */
  | Exclude<NetworkInput, { kind: 'wake' }>
  /** A page is asked for at the host with a browser. */
  | Extract<HostInput, { kind: 'fetch' }>
  /** A node is served badly by the disks of storage hosts. */
  | Extract<HostInput, { kind: 'impair' }>
  | { readonly kind: 'wake' };

export type SegmentOutput =
  /** A frame reaches the card of a machine. */
  | { readonly kind: 'deliver'; readonly nic: number; readonly bytes: Uint8Array }
  | { readonly kind: 'fetched'; readonly id: number; readonly result: Fetched };

/** Hears of frames where cards send and receive them. Bytes are lent. */
export interface FrameTap {
  /** A card puts a frame on the wire; facts about its copies follow. */
  sends(frame: Uint8Array): void;
  /** A copy reaches a card. */
  arrives(at: Nanos, nic: number, id: number, bytes: Uint8Array): void;
}

export interface SegmentConfig {
  readonly topology: Topology;
  readonly seed: Seed;
  /** Where disks of storage hosts are written, by LUN; others in memory. */
  readonly stores?: ReadonlyMap<number, BlockStore>;
  readonly observe?: (fact: Fact) => void;
  readonly frames?: FrameTap;
}

interface HostOnSegment {
  readonly nic: number;
  readonly host: Host;
}

interface Frame {
  /** A host that it is for; undefined for one that a host sends. */
  readonly to: HostOnSegment | undefined;
  readonly nic: number;
  readonly bytes: Uint8Array;
}

const WAKE = { kind: 'wake' } as const;

/** The network, and the hosts on it that are no cluster nodes, as one machine. */
export class Segment implements Machine<SegmentInput, SegmentOutput> {
  /** The disks of storage hosts. */
  readonly disks: Omit<StoredDisks, 'logicalUnits'>;
  readonly #network: Network;
  readonly #hosts: readonly HostOnSegment[];
  readonly #machines: ReadonlySet<number>;
  readonly #tap: FrameTap | undefined;
  /** Between network and hosts: neither is stepped while it is on the stack. */
  readonly #frames: Frame[] = [];
  #steps = 0;
  #now: Nanos = 0;
  #emit: (output: SegmentOutput) => void = () => {};

  constructor({ topology, seed, stores: given, observe, frames }: SegmentConfig) {
    this.#tap = frames;
    const world = new SeededWorld(seed);
    const surroundings = { seed, world, ...(given && { given }), observe };
    this.#network = new Network({ ...networkConfig(topology, world), ...(observe && { observe }) });
    const hosts = topology.hosts.map((spec) => ({ nic: spec.nic, ...newHost(topology, spec, surroundings) }));
    this.#hosts = hosts;
    this.disks = {
      stores: new Map(hosts.flatMap(({ disks }) => [...disks.stores])),
      images: new Map(hosts.flatMap(({ disks }) => [...disks.images])),
    };
    this.#machines = new Set(topology.machines.map(({ id }) => id));
  }

  /** Steps of network and hosts so far. */
  get steps(): number {
    return this.#steps;
  }

  step(now: Nanos, input: SegmentInput, emit: (output: SegmentOutput) => void): void {
    this.#emit = emit;
    this.#now = now;
    switch (input.kind) {
      case 'start':
        for (const nic of this.#machines) this.#toNetwork(now, { kind: 'nic', nic, isUp: false });
        for (const each of this.#hosts) this.#toHost(now, each, { kind: 'carrier', isUp: true });
        break;
      case 'fetch':
      case 'impair':
        for (const each of this.#hosts) this.#toHost(now, each, input);
        break;
      case 'wake':
        if (this.#network.deadline() <= now) this.#toNetwork(now, WAKE);
        for (const each of this.#hosts) if (each.host.deadline() <= now) this.#toHost(now, each, WAKE);
        break;
      default:
        this.#toNetwork(now, input);
    }
    this.#drain(now);
  }

  deadline(): Nanos {
    let deadline = this.#network.deadline();
    for (const { host } of this.#hosts) deadline = Math.min(deadline, host.deadline());
    return deadline;
  }

  #toNetwork(now: Nanos, input: NetworkInput): void {
    this.#steps += 1;
    if (input.kind === 'send') this.#tap?.sends(input.bytes);
    this.#network.step(now, input, this.#onNetwork);
  }

  #toHost(now: Nanos, to: HostOnSegment, input: HostInput): void {
    this.#steps += 1;
    to.host.step(now, input, (output) => {
      if (output.kind === 'fetched') this.#emit(output);
      else this.#frames.push({ to: undefined, nic: to.nic, bytes: output.bytes.slice() });
    });
  }

  #drain(now: Nanos): void {
    for (let frame = this.#frames.shift(); frame !== undefined; frame = this.#frames.shift()) {
      const { to, nic, bytes } = frame;
      if (to === undefined) this.#toNetwork(now, { kind: 'send', nic, bytes });
      else this.#toHost(now, to, { kind: 'frame', bytes });
    }
  }

  readonly #onNetwork = (output: NetworkOutput): void => {
    if (output.kind !== 'deliver') return;
    const { nic, id, bytes } = output;
    this.#tap?.arrives(this.#now, nic, id, bytes);
    if (this.#machines.has(nic)) this.#emit({ kind: 'deliver', nic, bytes });
    else this.#frames.push({ to: this.#hosts.find((host) => host.nic === nic), nic, bytes: bytes.slice() });
  };
}
