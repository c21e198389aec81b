import type { Fact, Nanos } from '@quorate/kernel';
import {
  type DiskFault,
  diskInputsOf,
  disksOfHosts,
  type LinkFault,
  networkInputOf,
  type Topology,
} from '@quorate/lab';
import type { OpenedStores, Role } from '../boot.js';
import { type Paced, Pacer } from '../time/pacer.js';
import { type BatchRecord, RecordKind } from '../wire/batch.js';
import { RawPort } from '../wire/raw-port.js';
import { CommandQueue } from './command-queue.js';
import type { Reporter } from './reporter.js';
import { Segment, type SegmentInput, type SegmentOutput } from './segment.js';
import { type StoresControl, storesControl } from './stored-pages.js';
import type { WorkerContext } from './worker-context.js';

/** What the hub asks of the network, numbers being those of NICs, and of the hosts. */
export type SwitchCommand = Extract<SegmentInput, { kind: 'partition' | 'heal' | 'fetch' }> | LinkFault | DiskFault;

/** The Comlink side of the switch. */
export interface SwitchControl extends StoresControl {
  /** Carries it out at `at`, or at once if that has passed; commands keep their order. */
  command(at: Nanos, command: SwitchCommand): void;
}

const WAKE = { kind: 'wake' } as const;
const NO_DISKS: OpenedStores = { stores: new Map(), close: () => {} };

/** A worker that runs the network, and the hosts on it that are no cluster nodes. */
export class SwitchWorker implements Paced {
  readonly pacer: Pacer;
  readonly control: SwitchControl;
  readonly #topology: Topology;
  readonly #segment: Segment;
  readonly #reporter: Reporter;
  readonly #ports = new Map<number, RawPort>();
  readonly #commands = new CommandQueue<SwitchCommand>();
  #at: Nanos = 0;

  constructor(role: Role & { kind: 'switch' }, context: WorkerContext) {
    const { topology, seed, pacing, reporter, guard } = context;
    this.#topology = topology;
    this.#reporter = reporter;
    const disks = disksOfHosts(topology);
    const opened = disks.length === 0 ? NO_DISKS : context.openStores(disks);
    this.#segment = new Segment({ topology, seed, stores: opened.stores, observe: (fact) => this.#onFact(fact) });
    this.pacer = new Pacer(this, pacing);
    const inTurn = (work: () => void): void => guard(() => this.pacer.during(work));
    for (const { id, port } of role.machines) {
      const raw = new RawPort(port);
      raw.listen((record) => this.#fromMachine(id, record), inTurn);
      this.#ports.set(id, raw);
    }
    this.#step(0, { kind: 'start' });
    this.control = {
      command: (at, command) => inTurn(() => this.#commands.add(Math.max(at, this.pacer.reading()), command)),
      ...storesControl(this.#segment.disks, () => opened.close()),
    };
  }

  deadline(): Nanos {
    return Math.min(this.#segment.deadline(), this.#commands.deadline());
  }

  wake(now: Nanos): void {
    for (let due = this.#commands.take(now); due; due = this.#commands.take(now)) this.#obey(now, due);
    if (this.#segment.deadline() <= now) this.#step(now, WAKE);
  }

  flush(): void {
    for (const port of this.#ports.values()) port.flush();
  }

  acknowledge(slice: number): void {
    this.#reporter.report(slice);
  }

  #obey(now: Nanos, command: SwitchCommand): void {
    this.#step(now, this.#inputOf(now, command));
  }

  #inputOf(now: Nanos, command: SwitchCommand): SegmentInput {
    switch (command.kind) {
      case 'links':
      case 'clog':
        return networkInputOf(command, this.#topology, now);
      case 'disks':
        return diskInputsOf(command, this.#topology, now).host;
      default:
        return command;
    }
  }

  #fromMachine(nic: number, record: BatchRecord): void {
    const now = this.pacer.after(record.at);
    if (record.kind === RecordKind.frame) this.#step(now, { kind: 'send', nic, bytes: record.data });
    else this.#step(now, { kind: 'nic', nic, isUp: record.state === 1 });
  }

  #step(now: Nanos, input: SegmentInput): void {
    const { steps } = this.#segment;
    this.#at = now;
    this.#reporter.recorder?.input(now, input);
    this.#segment.step(now, input, this.#onOutput);
    this.#reporter.count(this.#segment.steps - steps);
  }

  readonly #onOutput = (output: SegmentOutput): void => {
    const at = this.#at;
    this.#reporter.recorder?.output(at, output);
    if (output.kind === 'fetched') this.#reporter.tell({ ...output, at });
    else this.#ports.get(output.nic)?.out.frame(at, output.bytes);
  };

  #onFact(fact: Fact): void {
    this.#reporter.fact(Object.assign(fact, { node: 0, life: 0, seq: 0, at: this.#at }));
  }
}
