import { MILLISECOND, type Nanos } from '@quorate/kernel';
import {
  type DiskFault,
  diskInputsOf,
  type Fault,
  type LabOrder,
  networkInputOf,
  nicOf,
  type Topology,
} from '@quorate/lab';
import type { Remote } from 'comlink';
import type { HubClock } from '../time/hub-clock.js';
import { lookaheadOf } from '../time/lookahead.js';
import type { DiskControl } from '../worker/disk-worker.js';
import type { MachineCommand, MachineControl } from '../worker/machine-worker.js';
import type { SwitchCommand, SwitchControl } from '../worker/switch-worker.js';
import type { AnyWorker, AttachedWorker } from './attached-worker.js';

/** Which worker is told what when a script does something, and from which instant on it is so. */
export class Dispatch {
  readonly machines: Map<string, AttachedWorker<MachineControl>> = new Map();
  switch: AttachedWorker<SwitchControl> | undefined;
  disks: AttachedWorker<DiskControl> | undefined;
  readonly #topology: Topology;
  readonly #clock: HubClock;
  readonly #onConfirmed: () => void;
  /** No command takes effect before this: one that was named an instant keeps its place before those after it. */
  #notBefore: Nanos = 0;
  /** Workers that have not confirmed a command with such an instant, once for each. */
  readonly #unconfirmed: AnyWorker[] = [];

  constructor(topology: Topology, clock: HubClock, onConfirmed: () => void) {
    this.#topology = topology;
    this.#clock = clock;
    this.#onConfirmed = onConfirmed;
  }

  /** A worker that has not confirmed a command that names an instant: no clock may pass that instant before. */
  get unconfirmed(): AnyWorker | undefined {
    return this.#unconfirmed[0];
  }

  obey(order: LabOrder, now: Nanos): void {
    switch (order.kind) {
      case 'power-off':
        return this.#cutPower(order.machine);
      case 'power-on':
      case 'pause':
      case 'resume':
        return this.toMachine(order.machine, { kind: order.kind });
      case 'link':
        return this.toMachine(order.machine, { kind: 'carrier', nic: 0, isUp: order.isUp });
      case 'disk-path':
        return this.toMachine(order.machine, { kind: 'disk-path', isUp: order.isUp });
      case 'exec':
        return this.toMachine(order.machine, { kind: 'exec', id: order.id, command: order.command });
      case 'partition':
        return this.#partition(order);
      case 'heal':
        return this.#heal(order);
      case 'fault':
        return this.#breakPart(order.fault, now);
      case 'fetch':
        return this.#toHosts(order);
    }
  }

  /** Worked out here too: a name that is wrong is the script's mistake, and nothing is told to a worker then. */
  #breakPart(fault: Fault, now: Nanos): void {
    switch (fault.kind) {
      case 'links':
      case 'clog':
        networkInputOf(fault, this.#topology, now);
        return this.#toWires(fault);
      case 'disks':
        diskInputsOf(fault, this.#topology, now);
        if (this.#topology.hosts.some(({ kind }) => kind === 'storage')) this.#toWires(fault);
        return this.#toDisks(fault);
      default:
        return this.toMachine(fault.machine, fault);
    }
  }

  #cutPower(name: string): void {
    this.#atOneInstant(this.machine(name), (control, at) => control.command(at, { kind: 'power-off' }));
  }

  /**
   * Names an instant that no worker can have passed, and grants nothing more until the worker knows of it: so machines that
   * lose their power together lose it at the same instant, although each of them is told by itself, and what the script does
   * to a machine after it has broken the network or the disks comes after that.
   */
  #atOneInstant<Control>(
    worker: AttachedWorker<Control>,
    command: (control: Remote<Control>, at: Nanos) => Promise<void>,
  ): void {
    const { grantedSlice, sliceNanos, highestSpeed } = this.#clock;
    const at = grantedSlice * sliceNanos + lookaheadOf(highestSpeed) + MILLISECOND;
    this.#notBefore = at;
    this.#unconfirmed.push(worker);
    void worker
      .call((control) => command(control, at))
      .then(() => {
        this.#unconfirmed.splice(this.#unconfirmed.indexOf(worker), 1);
        this.#onConfirmed();
      });
  }

  #heal({ from, to }: LabOrder & { kind: 'heal' }): void {
    this.#toWires({ kind: 'heal', ...(from && { from: this.#nicsOf(from) }), ...(to && { to: this.#nicsOf(to) }) });
  }

  #partition({ from, to, isBothWays }: LabOrder & { kind: 'partition' }): void {
    const [here, there] = [this.#nicsOf(from), this.#nicsOf(to)];
    this.#toWires({ kind: 'partition', from: here, to: there });
    if (isBothWays) this.#toWires({ kind: 'partition', from: there, to: here });
  }

  #nicsOf(names: readonly string[]): number[] {
    return names.map((name) => nicOf(this.#topology, name));
  }

  toMachine(name: string, command: MachineCommand): void {
    const at = this.#notBefore;
    void this.machine(name).call((control) => control.command(at, command));
  }

  #toHosts(request: LabOrder & { kind: 'fetch' }): void {
    const at = this.#notBefore;
    void this.switch?.call((control) => control.command(at, request));
  }

  #toWires(command: Exclude<SwitchCommand, { kind: 'fetch' }>): void {
    this.#atOneInstant(this.switch!, (control, at) => control.command(at, command));
  }

  #toDisks(fault: DiskFault): void {
    this.#atOneInstant(this.disks!, (control, at) => control.command(at, fault));
  }

  machine(name: string): AttachedWorker<MachineControl> {
    const machine = this.machines.get(name);
    if (machine === undefined) throw new RangeError(`no machine named ${name}`);
    return machine;
  }
}
