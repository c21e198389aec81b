import type { Nanos } from '@quorate/kernel';
import {
  type MachineFact,
  type MachineFault,
  machineConfig,
  NodeClock,
  type SessionState,
  VirtualMachine,
  type VirtualMachineInput,
  type VirtualMachineOutput,
} from '@quorate/lab';
import type { Role } from '../boot.js';
import { type Paced, Pacer } from '../time/pacer.js';
import type { BatchRecord } from '../wire/batch.js';
import { RawPort } from '../wire/raw-port.js';
import { CommandQueue } from './command-queue.js';
import type { Reporter } from './reporter.js';
import type { WorkerContext } from './worker-context.js';

/** What the hub asks of a machine. */
export type MachineCommand =
  | Exclude<VirtualMachineInput, { kind: 'frame' | 'io-done' | 'clock-step' | 'program-fault' | 'wake' }>
  | MachineFault;

/** The Comlink side of a machine's worker. */
export interface MachineControl {
  /** Carries it out at `at`, or at once if that has passed; commands keep their order. */
  command(at: Nanos, command: MachineCommand): void;
  /** The machine's state, as plain data. */
  inspect(): unknown;
}

const WAKE = { kind: 'wake' } as const;

/** A worker that runs one machine, with ports to the switch and to the disks. */
export class MachineWorker implements Paced {
  readonly pacer: Pacer;
  readonly control: MachineControl;
  readonly #name: string;
  readonly #vm: VirtualMachine;
  readonly #clock = new NodeClock();
  readonly #reporter: Reporter;
  readonly #toSwitch: RawPort;
  readonly #toDisks: RawPort;
  readonly #commands = new CommandQueue<MachineCommand>();
  #at: Nanos = 0;
  /** The same instant on the machine's own clock. */
  #own: Nanos = 0;
  /** Number of the session at the disks that runs or ran last: a response of an earlier one is void. */
  #session = 0;

  constructor(role: Role & { kind: 'machine' }, context: WorkerContext) {
    const { topology, seed, pacing, reporter, guard } = context;
    const spec = topology.machines.find(({ id }) => id === role.id);
    if (spec === undefined) throw new RangeError(`no machine ${role.id} in the topology`);
    this.#name = spec.name;
    this.#reporter = reporter;
    this.#vm = new VirtualMachine(machineConfig(topology, spec, seed, (fact) => this.#onFact(fact)));
    this.pacer = new Pacer(this, pacing);
    const inTurn = (work: () => void): void => guard(() => this.pacer.during(work));
    this.#toSwitch = new RawPort(role.toSwitch);
    this.#toSwitch.listen((record) => this.#fromSwitch(record), inTurn);
    this.#toDisks = new RawPort(role.toDisks);
    this.#toDisks.listen((record) => this.#fromDisks(record), inTurn);
    this.control = {
      command: (at, command) => inTurn(() => this.#commands.add(Math.max(at, this.pacer.reading()), command)),
      inspect: () => this.#vm.inspect(),
    };
  }

  deadline(): Nanos {
    return Math.min(this.#clock.global(this.#vm.deadline()), this.#commands.deadline());
  }

  wake(now: Nanos): void {
    for (let due = this.#commands.take(now); due; due = this.#commands.take(now)) this.#obey(now, due);
    if (this.#vm.deadline() <= this.#clock.local(now)) this.#step(now, WAKE);
  }

  flush(): void {
    this.#toSwitch.flush();
    this.#toDisks.flush();
  }

  acknowledge(slice: number): void {
    this.#reporter.report(slice);
  }

  #obey(now: Nanos, command: MachineCommand): void {
    if (command.kind === 'clock-drift') this.#clock.setDrift(now, command.ppm);
    else if (command.kind === 'program') this.#step(now, { kind: 'program-fault', fault: command.fault });
    else this.#step(now, command);
  }

  #fromSwitch(record: BatchRecord): void {
    this.#step(this.pacer.after(record.at), { kind: 'frame', nic: 0, bytes: record.data });
  }

  #fromDisks({ at, number, tag, state, head, data }: BatchRecord): void {
    if (number !== this.#session) return;
    this.#step(this.pacer.after(at), { kind: 'io-done', tag, status: state, sense: head, data });
  }

  #step(now: Nanos, input: VirtualMachineInput): void {
    this.#reporter.count(1);
    this.#at = now;
    this.#own = this.#clock.local(now);
    this.#reporter.recorder?.input(this.#own, input);
    this.#reporter.steppedWith = input.kind;
    this.#vm.step(this.#own, input, this.#onOutput);
    this.#reporter.steppedWith = undefined;
  }

  readonly #onOutput = (output: VirtualMachineOutput): void => {
    const at = this.#at;
    this.#reporter.recorder?.output(this.#own, output);
    switch (output.kind) {
      case 'frame':
        this.#toSwitch.out.frame(at, output.bytes);
        break;
      case 'io':
        this.#toDisks.out.command(at, output.lun, output.tag, output.cdb, output.data);
        break;
      case 'power':
        break;
      case 'link':
        this.#toSwitch.out.nic(at, output.isUp);
        break;
      case 'session':
        this.#onSession(at, output.state);
        break;
      case 'replied': {
        const { id, result } = output;
        this.#reporter.tell({ kind: 'replied', at, id, ...(result && { result }) });
        break;
      }
      case 'log': {
        const { priority, tag, text, wallSec } = output;
        this.#reporter.log({ at, machine: this.#name, priority, tag, text, wallSec });
        break;
      }
      case 'switch-power':
        this.#reporter.tell({ ...output, at, machine: this.#name });
        break;
    }
  };

  #onSession(at: Nanos, state: SessionState): void {
    if (state === 'begun') {
      this.#session += 1;
      this.#toDisks.out.login(at, this.#session);
    } else this.#toDisks.out.nexusLost(at, state === 'broken');
  }

  #onFact(fact: MachineFact): void {
    this.#reporter.fact(Object.assign(fact, { at: this.#at }));
  }
}
