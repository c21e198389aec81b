import { type Fact, type Nanos, SeededWorld } from '@quorate/kernel';
import { type DiskFault, imageHash, initiatorPort, type Topology, targetConfig, targetInputOf } from '@quorate/lab';
import {
  type BlockStore,
  PAGE_BYTES,
  pagesOf,
  ScsiTarget,
  type StorePage,
  type TargetInput,
  type TargetOutput,
} from '@quorate/scsi';
import { transfer } from 'comlink';
import type { Role } from '../boot.js';
import { type Paced, Pacer } from '../time/pacer.js';
import { type BatchRecord, RecordKind } from '../wire/batch.js';
import { RawPort } from '../wire/raw-port.js';
import { CommandQueue } from './command-queue.js';
import type { Reporter } from './reporter.js';
import type { WorkerContext } from './worker-context.js';

/** A disk as it was before the run. */
interface DiskFacts {
  readonly lun: number;
  readonly blocks: number;
  readonly blockLength: number;
  /** `imageHash` of the image that it began as. */
  readonly imageHash: string;
}

/** Some of a disk's pages. */
export interface DiskPages {
  /** In bytes from the start of the disk. */
  readonly offsets: readonly number[];
  /** The pages one after another, each of 4096 bytes; the last of a disk may be shorter. */
  readonly bytes: ArrayBuffer;
  readonly isLast: boolean;
}

/** The Comlink side of the disks. */
export interface DiskControl {
  /** Begins at `at`, or at once if that has passed; faults keep their order. */
  command(at: Nanos, fault: DiskFault): void;
  disks(): readonly DiskFacts[];
  /** The content of a disk that is not zero, in pieces: from its start, then what follows the piece before. */
  pages(lun: number, isFirst: boolean): DiskPages;
  /** Makes what was written durable: the last call of a run. */
  close(): void;
}

interface Initiator {
  readonly port: RawPort;
  readonly name: string;
  session: number;
}

const WAKE = { kind: 'wake' } as const;
const PIECE_PAGES = 256;

/** A worker that runs the target with all disks. */
export class DiskWorker implements Paced {
  readonly pacer: Pacer;
  readonly control: DiskControl;
  readonly #topology: Topology;
  readonly #target: ScsiTarget;
  readonly #stores: ReadonlyMap<number, BlockStore>;
  readonly #reporter: Reporter;
  readonly #initiators = new Map<number, Initiator>();
  readonly #commands = new CommandQueue<DiskFault>();
  #pages: Iterator<StorePage> = [].values();
  #at: Nanos = 0;

  constructor(role: Role & { kind: 'disks' }, context: WorkerContext) {
    const { topology, seed, pacing, reporter, guard } = context;
    this.#topology = topology;
    this.#reporter = reporter;
    const opened = context.openStores(topology.disks());
    const { config, stores, images } = targetConfig(topology, new SeededWorld(seed), opened.stores);
    this.#stores = stores;
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
      disks: () =>
        [...stores].map(([lun, { blocks, blockLength }]) => {
          return { lun, blocks, blockLength, imageHash: imageHash(images.get(lun)!) };
        }),
      pages: (lun, isFirst) => this.#nextPages(lun, isFirst),
      close: () => opened.close(),
    };
  }

  deadline(): Nanos {
    return Math.min(this.#target.deadline(), this.#commands.deadline());
  }

  wake(now: Nanos): void {
    for (let due = this.#commands.take(now); due; due = this.#commands.take(now)) {
      this.#step(now, targetInputOf(due, this.#topology, now));
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

  #nextPages(lun: number, isFirst: boolean): DiskPages {
    if (isFirst) this.#pages = pagesOf(this.#stores.get(lun)!)[Symbol.iterator]();
    const offsets: number[] = [];
    const bytes = new Uint8Array(PIECE_PAGES * PAGE_BYTES);
    let length = 0;
    while (offsets.length < PIECE_PAGES) {
      const { value, done } = this.#pages.next();
      if (done === true) break;
      offsets.push(value.offset);
      bytes.set(value.bytes, length);
      length += value.bytes.length;
    }
    const { buffer } = length === bytes.length ? bytes : bytes.slice(0, length);
    return transfer({ offsets, bytes: buffer, isLast: offsets.length < PIECE_PAGES }, [buffer]);
  }
}
