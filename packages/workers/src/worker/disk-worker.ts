import { type Fact, type Nanos, SeededWorld } from '@quorate/kernel';
import { type DiskFault, diskInputsOf, initiatorPort, type Topology, targetConfig } from '@quorate/lab';
import { ScsiTarget, type TargetInput, type TargetOutput } from '@quorate/scsi';
import type { Role } from '../boot.js';
import { type Paced, Pacer } from '../time/pacer.js';
import { type BatchRecord, RecordKind } from '../wire/batch.js';
import { RawPort } from '../wire/raw-port.js';
import { CommandQueue } from './command-queue.js';
import type { Reporter } from './reporter.js';
import { type StoresControl, storesControl } from './stored-pages.js';
import type { WorkerContext } from './worker-context.js';

/** The Comlink side of the disks. */
export interface DiskControl extends StoresControl {
  /** Begins at `at`, or at once if that has passed; faults keep their order. */
  command(at: Nanos, fault: DiskFault): void;
}

interface Initiator {
  readonly port: RawPort;
  readonly name: string;
  session: number;
}

const WAKE = { kind: 'wake' } as const;

/** A worker that runs the target with all disks. */
export class DiskWorker implements Paced {
  readonly pacer: Pacer;
  readonly control: DiskControl;
  readonly #topology: Topology;
  readonly #target: ScsiTarget;
  readonly #reporter: Reporter;
  readonly #initiators = new Map<number, Initiator>();
  readonly #commands = new CommandQueue<DiskFault>();
  #at: Nanos = 0;

  constructor(role: Role & { kind: 'disks' }, context: WorkerContext) {
    const { topology, seed, pacing, reporter, guard } = context;
    this.#topology = topology;
    this.#reporter = reporter;
    const opened = context.openStores(topology.disks());
    const { config, ...stored } = targetConfig(topology, new SeededWorld(seed), opened.stores);
    this.#target = new ScsiTarget({ ...config, observe: (fact) => this.#onFact(fact) });
    this.pacer = new Pacer(this, pacing);
    const inTurn = (work: () => void): void => guard(() => this.pacer.during(work));
    for (const { id, port } of role.machines) {
      const raw = new RawPort(port);
      raw.listen((record) => this.#fromMachine(id, record), inTurn);
      const name = topology.machines.find((machine) => machine.id === id)!.name;
      this.#initiators.set(id, { port: raw, name, session: 0 });
    }
    this.control = {
      command: (at, fault) => inTurn(() => this.#commands.add(Math.max(at, this.pacer.reading()), fault)),
      ...storesControl(stored, () => opened.close()),
    };
  }

  deadline(): Nanos {
    return Math.min(this.#target.deadline(), this.#commands.deadline());
  }

  wake(now: Nanos): void {
    for (let due = this.#commands.take(now); due; due = this.#commands.take(now)) {
      this.#step(now, diskInputsOf(due, this.#topology, now).target);
    }
    if (this.#target.deadline() <= now) this.#step(now, WAKE);
  }

  flush(): void {
    for (const { port } of this.#initiators.values()) port.flush();
  }

  acknowledge(slice: number): void {
    this.#reporter.report(slice);
  }

  #fromMachine(nexus: number, record: BatchRecord): void {
    const now = this.pacer.after(record.at);
    const initiator = this.#initiators.get(nexus)!;
    switch (record.kind) {
      case RecordKind.login:
        initiator.session = record.number;
        return this.#step(now, { kind: 'login', nexus, port: initiatorPort({ id: nexus, name: initiator.name }) });
      case RecordKind.nexusLost:
        return this.#step(now, { kind: 'nexus-lost', nexus, isNoticed: record.state === 1 });
      case RecordKind.command: {
        const { number: lun, tag, head: cdb, data } = record;
        return this.#step(now, { kind: 'command', nexus, lun, tag, cdb, data });
      }
      default:
        throw new RangeError(`a record of kind ${record.kind} at the disks`);
    }
  }

  #step(now: Nanos, input: TargetInput): void {
    this.#reporter.count(1);
    this.#at = now;
    this.#reporter.recorder?.input(now, input);
    this.#target.step(now, input, this.#onTarget);
  }

  readonly #onTarget = (output: TargetOutput): void => {
    this.#reporter.recorder?.output(this.#at, output);
    if (output.kind !== 'response') return;
    const { nexus, tag, status, sense, data } = output;
    const { port, session } = this.#initiators.get(nexus)!;
    port.out.response(this.#at, session, tag, status, sense, data);
  };

  #onFact(fact: Fact): void {
    this.#reporter.fact(Object.assign(fact, { node: 0, life: 0, seq: 0, at: this.#at }));
  }
}
