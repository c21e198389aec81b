import { guarded, type Machine, type Nanos, type Observe, type Stamped, TAME_WORLD, type World } from '@quorate/kernel';
import {
  type InitiatorPort,
  type LogicalUnitConfig,
  type OutCommand,
  persistentReserveIn,
  persistentReserveOut,
  ReserveIn,
  type ReserveOut,
  type ReserveOutOptions,
  type ScsiFact,
  ScsiTarget,
  SparseStore,
  Status,
  senseOf,
  senseText,
  type TargetInput,
  type TargetOutput,
  type TaskAttribute,
  testUnitReady,
} from '../src/index.js';

/** A response, copied: bytes of outputs are lent. */
export interface Ended {
  readonly nexus: number;
  readonly lun: number;
  readonly tag: number;
  readonly status: number;
  readonly sense: Uint8Array;
  readonly data: Uint8Array;
  readonly at: Nanos;
}

export interface RigOptions {
  readonly units?: readonly Partial<LogicalUnitConfig>[];
  readonly world?: World;
  readonly observe?: Observe<ScsiFact>;
  readonly onEnded?: (ended: Ended) => void;
}

const NO_DATA = new Uint8Array(0);

/** Initiators a, b, c, …: port names of 34 characters, as in the live trace of the specification. */
export function portOf(nexus: number): InitiatorPort {
  const letter = String.fromCharCode(96 + nexus);
  return { name: `iqn.2024-01.lab:${letter}`, isid: `40000000000${nexus}` };
}

/** A target with initiators on one clock; commands run one by one unless they are sent and awaited apart. */
export class Rig {
  readonly stores: SparseStore[];
  readonly target: ScsiTarget;
  readonly machine: Machine<TargetInput, TargetOutput>;
  readonly ended: Ended[] = [];
  readonly other: TargetOutput[] = [];
  readonly facts: ScsiFact[] = [];
  now: Nanos = 0;
  readonly #onEnded: ((ended: Ended) => void) | undefined;
  #lastTag = 0;

  constructor(options: RigOptions = {}) {
    const units = options.units ?? [{}];
    const stores: SparseStore[] = [];
    const logicalUnits = units.map((unit, i) => {
      const store = (unit.store as SparseStore | undefined) ?? new SparseStore({ blocks: 2048 });
      stores.push(store);
      return { lun: i, serial: `TEST${i}`, ...unit, store };
    });
    this.stores = stores;
    this.#onEnded = options.onEnded;
    this.target = new ScsiTarget({
      name: 'iqn.2024-01.lab:disks',
      logicalUnits,
      world: options.world ?? TAME_WORLD,
      observe: (fact) => {
        this.facts.push(fact);
        options.observe?.(fact);
      },
    });
    this.machine = guarded(this.target);
  }

  get store(): SparseStore {
    return this.stores[0]!;
  }

  step(input: TargetInput): void {
    this.machine.step(this.now, input, (output) => {
      if (output.kind === 'response') {
        const { nexus, lun, tag, status, sense, data } = output;
        const ended = { nexus, lun, tag, status, sense: sense.slice(), data: data.slice(), at: this.now };
        this.ended.push(ended);
        this.#onEnded?.(ended);
      } else {
        this.other.push(output);
      }
    });
  }

  /** Logs initiators in and takes the unit attention of the login away, on every unit. */
  login(...nexuses: readonly number[]): this {
    for (const nexus of nexuses) {
      this.step({ kind: 'login', nexus, port: portOf(nexus) });
      this.stores.forEach((_, lun) => {
        this.run(nexus, testUnitReady(), NO_DATA, lun);
      });
    }
    return this;
  }

  /** Sends a command and returns its tag. */
  send(nexus: number, cdb: Uint8Array, data: Uint8Array = NO_DATA, lun = 0, attribute?: TaskAttribute): number {
    this.#lastTag += 1;
    const tag = this.#lastTag;
    const command = { kind: 'command', nexus, lun, tag, cdb, data } as const;
    this.step(attribute === undefined ? command : { ...command, attribute });
    return tag;
  }

  /** Lets time pass until that instant, or until nothing is left to do. */
  advance(until: Nanos = Infinity): void {
    for (let next = this.machine.deadline(); next <= until && next !== Infinity; next = this.machine.deadline()) {
      this.now = Math.max(this.now, next);
      this.step({ kind: 'wake' });
    }
    if (until !== Infinity) this.now = Math.max(this.now, until);
  }

  /** Runs one command to its end. */
  run(nexus: number, cdb: Uint8Array, data: Uint8Array = NO_DATA, lun = 0): Ended {
    const tag = this.send(nexus, cdb, data, lun);
    this.advance();
    return this.responseTo(nexus, tag)!;
  }

  responseTo(nexus: number, tag: number): Ended | undefined {
    return this.ended.find((ended) => ended.nexus === nexus && ended.tag === tag);
  }

  /** Runs a command and gives its outcome as text: `00`, `18`, `6/2A/05`. */
  outcome(nexus: number, cdb: Uint8Array, data: Uint8Array = NO_DATA, lun = 0): string {
    return outcomeText(this.run(nexus, cdb, data, lun));
  }

  outcomeOf(nexus: number, command: OutCommand): string {
    return this.outcome(nexus, command.cdb, command.data);
  }

  reserveOut(
    nexus: number,
    action: ReserveOut,
    type: number,
    key: bigint,
    serviceActionKey = 0n,
    options: ReserveOutOptions = {},
  ): string {
    return this.outcomeOf(nexus, persistentReserveOut(action, type, key, serviceActionKey, options));
  }

  readKeys(nexus: number): Uint8Array {
    return this.run(nexus, persistentReserveIn(ReserveIn.readKeys)).data;
  }
}

export function outcomeText(ended: Ended): string {
  if (ended.status === Status.checkCondition) return senseText(senseOf(ended.sense)!);
  return ended.status.toString(16).padStart(2, '0');
}

/** A fact as a driver stamps it. */
export function stamp(fact: ScsiFact, seq = 0): Stamped<ScsiFact> {
  return { ...fact, node: 0, life: 1, seq, at: fact.now };
}
