import { guarded, type Machine, type Nanos, Prng, type World } from '@quorate/kernel';
import {
  type IpConfig,
  type IpFact,
  type IpInput,
  type IpOutput,
  IpStack,
  type LinkParameters,
  type LinkPreset,
  Network,
  type NetworkFact,
  type NetworkInput,
  type NetworkOutput,
} from '../src/index.js';

export interface HostConfig {
  readonly name: string;
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly gateway?: string;
  readonly options?: Partial<IpConfig>;
}

export interface SegmentConfig {
  readonly hosts: readonly HostConfig[];
  readonly world: World;
  readonly link?: LinkPreset | Partial<LinkParameters>;
  readonly observe?: (fact: NetworkFact | IpFact, host: string) => void;
  /** Every output of a host but its frames; bytes are copied. */
  readonly onOutput?: (host: string, output: IpOutput, now: Nanos) => void;
  /** Every frame that a host sends. */
  readonly onFrame?: (host: string, bytes: Uint8Array, now: Nanos) => void;
}

interface Host {
  readonly name: string;
  readonly nic: number;
  readonly stack: IpStack;
  readonly machine: Machine<IpInput, IpOutput>;
}

/** A driver for tests: hosts on one segment and a clock, everything in the order of time. */
export class Segment {
  now: Nanos = 0;
  readonly network: Network;
  readonly dropped: string[] = [];
  readonly #machine: Machine<NetworkInput, NetworkOutput>;
  readonly #hosts: readonly Host[];
  readonly #config: SegmentConfig;
  readonly #toHosts: { readonly nic: number; readonly bytes: Uint8Array }[] = [];

  constructor(config: SegmentConfig) {
    this.#config = config;
    this.network = new Network({
      nics: config.hosts.map(({ mac }, index) => ({ nic: index + 1, mac })),
      world: config.world,
      ...(config.link === undefined ? {} : { link: config.link }),
      ...(config.observe === undefined ? {} : { observe: (fact) => config.observe?.(fact, 'network') }),
    });
    this.#machine = guarded(this.network);
    this.#hosts = config.hosts.map((host, index) => this.#makeHost(host, index));
  }

  stack(name: string): IpStack {
    return this.#host(name).stack;
  }

  /** Hands an input to a host at the present instant. */
  input(name: string, input: IpInput): void {
    this.#stepHost(this.#host(name), input);
  }

  networkInput(input: NetworkInput): void {
    this.#stepNetwork(input);
    this.#deliver();
  }

  /** Lets `span` pass. */
  run(span: Nanos): void {
    const until = this.now + span;
    for (;;) {
      const next = Math.min(this.#machine.deadline(), ...this.#hosts.map((host) => host.machine.deadline()));
      if (next > until) break;
      this.now = Math.max(next, this.now);
      if (this.#machine.deadline() <= this.now) this.networkInput({ kind: 'wake' });
      for (const host of this.#hosts) {
        if (host.machine.deadline() <= this.now) this.#stepHost(host, { kind: 'wake' });
      }
    }
    this.now = until;
  }

  #makeHost(config: HostConfig, index: number): Host {
    const { name, mac, addresses, gateway } = config;
    const stack = new IpStack({
      interfaces: [{ name: 'eth0', mac, addresses }],
      ...(gateway === undefined ? {} : { gateway }),
      prng: Prng.derive({ hi: 0, lo: 1 }, `host/${name}`),
      observe: (fact) => this.#config.observe?.(fact, name),
      ...config.options,
    });
    return { name, nic: index + 1, stack, machine: guarded(stack) };
  }

  #host(name: string): Host {
    const host = this.#hosts.find((each) => each.name === name);
    if (host === undefined) throw new Error(`no host ${name}`);
    return host;
  }

  #stepHost(host: Host, input: IpInput): void {
    const frames: Uint8Array[] = [];
    host.machine.step(this.now, input, (output) => {
      if (output.kind !== 'frame') return this.#config.onOutput?.(host.name, copied(output), this.now);
      this.#config.onFrame?.(host.name, output.bytes, this.now);
      frames.push(output.bytes.slice());
    });
    for (const bytes of frames) this.#stepNetwork({ kind: 'send', nic: host.nic, bytes });
    this.#deliver();
  }

  #stepNetwork(input: NetworkInput): void {
    this.#machine.step(this.now, input, (output) => {
      if (output.kind === 'deliver') this.#toHosts.push({ nic: output.nic, bytes: output.bytes.slice() });
      else this.dropped.push(`${output.from}>${output.to} ${output.reason}`);
    });
  }

  #deliver(): void {
    for (let next = this.#toHosts.shift(); next !== undefined; next = this.#toHosts.shift()) {
      this.#stepHost(this.#hosts[next.nic - 1]!, { kind: 'frame', interface: 0, bytes: next.bytes });
    }
  }
}

function copied(output: IpOutput): IpOutput {
  return 'bytes' in output ? { ...output, bytes: output.bytes.slice() } : output;
}
