import { type Fact, type Nanos, SeededWorld } from '@quorate/kernel';
import { type Host, type HostInput, networkConfig, newHost } from '@quorate/lab';
import { Network, type NetworkInput, type NetworkOutput } from '@quorate/network';
import type { Role } from '../boot.js';
import { type Paced, Pacer } from '../time/pacer.js';
import { type BatchRecord, RecordKind } from '../wire/batch.js';
import { RawPort } from '../wire/raw-port.js';
import { CommandQueue } from './command-queue.js';
import type { Reporter } from './reporter.js';
import type { WorkerContext } from './worker-context.js';

/** What the hub asks of the network, numbers being those of NICs, and of the hosts. */
export type SwitchCommand =
  | Extract<NetworkInput, { kind: 'partition' | 'heal' }>
  | Extract<HostInput, { kind: 'fetch' }>;

/** The Comlink side of the switch. */
export interface SwitchControl {
  /** Carries it out at `at`, or at once if that has passed; commands keep their order. */
  command(at: Nanos, command: SwitchCommand): void;
}

interface HostOnSwitch {
  readonly nic: number;
  readonly host: Host;
}

const WAKE = { kind: 'wake' } as const;

/** A worker that runs the network, and the hosts on it that are no cluster nodes. */
export class SwitchWorker implements Paced {
  readonly pacer: Pacer;
  readonly control: SwitchControl;
  readonly #network: Network;
  readonly #hosts: HostOnSwitch[];
  readonly #reporter: Reporter;
  readonly #ports = new Map<number, RawPort>();
  /** Frames between network and hosts: neither is stepped while it is on the stack. */
  readonly #frames: { readonly to: HostOnSwitch | undefined; readonly nic: number; readonly bytes: Uint8Array }[] = [];
  readonly #commands = new CommandQueue<SwitchCommand>();
  #at: Nanos = 0;

  constructor(role: Role & { kind: 'switch' }, context: WorkerContext) {
    const { topology, seed, pacing, reporter, guard } = context;
    this.#reporter = reporter;
    this.#network = new Network({
      ...networkConfig(topology, new SeededWorld(seed)),
      observe: (fact) => this.#onFact(fact),
    });
    this.#hosts = topology.hosts.map((spec) => ({
      nic: spec.nic,
      host: newHost(topology, spec, seed, (fact) => this.#onFact(fact)),
    }));
    this.pacer = new Pacer(this, pacing);
    const inTurn = (work: () => void): void => guard(() => this.pacer.during(work));
    for (const { id, port } of role.machines) {
      const raw = new RawPort(port);
      raw.listen((record) => this.#fromMachine(id, record), inTurn);
      this.#ports.set(id, raw);
      this.#toNetwork(0, { kind: 'nic', nic: id, isUp: false });
    }
    for (const each of this.#hosts) this.#toHost(0, each, { kind: 'carrier', isUp: true });
    this.#drain(0);
    this.control = {
      command: (at, command) => inTurn(() => this.#commands.add(Math.max(at, this.pacer.reading()), command)),
    };
  }

  deadline(): Nanos {
    let deadline = Math.min(this.#network.deadline(), this.#commands.deadline());
    for (const { host } of this.#hosts) deadline = Math.min(deadline, host.deadline());
    return deadline;
  }

  wake(now: Nanos): void {
    for (let due = this.#commands.take(now); due; due = this.#commands.take(now)) this.#obey(now, due);
    if (this.#network.deadline() <= now) this.#toNetwork(now, WAKE);
    for (const each of this.#hosts) if (each.host.deadline() <= now) this.#toHost(now, each, WAKE);
    this.#drain(now);
  }

  flush(): void {
    for (const port of this.#ports.values()) port.flush();
  }

  acknowledge(slice: number): void {
    this.#reporter.report(slice, undefined);
  }

  #obey(now: Nanos, command: SwitchCommand): void {
    if (command.kind !== 'fetch') return this.#toNetwork(now, command);
    for (const each of this.#hosts) this.#toHost(now, each, command);
  }

  #fromMachine(nic: number, record: BatchRecord): void {
    const now = this.pacer.after(record.at);
    if (record.kind === RecordKind.frame) this.#toNetwork(now, { kind: 'send', nic, bytes: record.data });
    else this.#toNetwork(now, { kind: 'nic', nic, isUp: record.state === 1 });
    this.#drain(now);
  }

  #toNetwork(now: Nanos, input: NetworkInput): void {
    this.#reporter.count();
    this.#at = now;
    this.#network.step(now, input, this.#onNetwork);
  }

  #toHost(now: Nanos, to: HostOnSwitch, input: HostInput): void {
    this.#reporter.count();
    this.#at = now;
    to.host.step(now, input, (output) => {
      if (output.kind === 'fetched') this.#reporter.tell({ ...output, at: now });
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
    const { nic, bytes } = output;
    const port = this.#ports.get(nic);
    if (port !== undefined) port.out.frame(this.#at, bytes);
    else this.#frames.push({ to: this.#hosts.find((host) => host.nic === nic), nic, bytes: bytes.slice() });
  };

  #onFact(fact: Fact): void {
    this.#reporter.fact(Object.assign(fact, { node: 0, life: 0, seq: 0, at: this.#at }));
  }
}
