import { Checker, guarded, type Machine, type Nanos, type Stamped, TAME_WORLD } from '@quorate/kernel';
import { IMMEDIATE_SERVICE, SparseStore } from '@quorate/scsi';
import {
  type IscsiFact,
  IscsiInitiator,
  type IscsiInitiatorConfig,
  type IscsiInitiatorInput,
  type IscsiInitiatorOutput,
  IscsiTarget,
  type IscsiTargetConfig,
  type IscsiTargetInput,
  type IscsiTargetOutput,
  invariants,
  type PduFact,
} from '../src/index.js';

export const TARGET = 'iqn.2024-01.lab:disks';
export const INITIATOR = 'iqn.2024-01.lab:my-vm1';
export const BLOCKS = 65_536;

type Response = IscsiInitiatorOutput & { kind: 'response' };

/** A target under the watch of its invariants, and whatever is connected to it, on one deterministic clock. */
export class Rig {
  readonly store: SparseStore = new SparseStore({ blocks: BLOCKS });
  readonly target: Machine<IscsiTargetInput, IscsiTargetOutput>;
  readonly machine: IscsiTarget;
  readonly facts: IscsiFact[] = [];
  readonly checker: Checker = new Checker(invariants);
  readonly closed = new Map<number, string>();
  now: Nanos = 0;
  readonly #receivers = new Map<number, (bytes: Uint8Array) => void>();
  readonly #queue: { readonly connection: number; readonly bytes: Uint8Array }[] = [];
  #lastConnection = 0;
  #seq = 0;

  constructor(config: Partial<IscsiTargetConfig> = {}) {
    const unit = { lun: 0, serial: 'RIG-1', store: this.store, service: IMMEDIATE_SERVICE };
    this.machine = new IscsiTarget({
      targets: [{ name: TARGET, logicalUnits: [unit] }],
      world: TAME_WORLD,
      observe: (fact) => {
        this.facts.push(fact);
        this.#check(fact);
      },
      observePdus: (fact) => this.#check(fact),
      ...config,
    });
    this.target = guarded(this.machine);
  }

  /** Facts of one kind. */
  factsOf<K extends IscsiFact['kind']>(kind: K): readonly (IscsiFact & { kind: K })[] {
    return this.facts.filter((fact): fact is IscsiFact & { kind: K } => fact.kind === kind);
  }

  connect(receive: (bytes: Uint8Array) => void): number {
    this.#lastConnection += 1;
    const connection = this.#lastConnection;
    this.#receivers.set(connection, receive);
    this.step({ kind: 'connected', connection, remote: `10.0.0.${connection}:40000`, local: '10.0.0.250:3260' });
    return connection;
  }

  step(input: IscsiTargetInput): void {
    this.target.step(this.now, input, (output) => {
      if (output.kind === 'send') {
        this.#queue.push({ connection: output.connection, bytes: output.bytes.slice() });
      } else if (output.kind === 'close') this.closed.set(output.connection, output.reason);
    });
  }

  /** Delivers what the target sent, until nothing is under way. */
  run(): void {
    for (let next = this.#queue.shift(); next !== undefined; next = this.#queue.shift()) {
      const { connection, bytes } = next;
      this.#receivers.get(connection)?.(bytes);
      this.step({ kind: 'sent', connection, bytes: bytes.length });
    }
  }

  /** Lets the clock run for so long, waking the target where it asks for it. */
  wait(span: Nanos): void {
    const end = this.now + span;
    while (this.target.deadline() <= end) {
      this.now = Math.max(this.now, this.target.deadline());
      this.step({ kind: 'wake' });
      this.run();
    }
    this.now = end;
  }

  get violations(): readonly string[] {
    return this.checker.violations.map(({ invariant, message }) => `${invariant}: ${message}`);
  }

  #check(fact: IscsiFact | PduFact): void {
    this.#seq += 1;
    this.checker.observe({ ...fact, node: 0, life: 1, seq: this.#seq, at: fact.now } as Stamped);
  }
}

/** Our initiator at a rig. */
export class Client {
  readonly initiator: IscsiInitiator;
  readonly connection: number;
  readonly outputs: IscsiInitiatorOutput[] = [];
  readonly #rig: Rig;
  #lastId = 0;
  readonly #toTarget: Uint8Array[] = [];
  /** Bytes of a chunk towards the target; Infinity for what the initiator hands out at once. */
  readonly #chunk: number;

  constructor(
    rig: Rig,
    { isDiscovery = false, ...config }: Partial<IscsiInitiatorConfig> & { readonly isDiscovery?: boolean } = {},
    chunk = Infinity,
  ) {
    this.#rig = rig;
    this.#chunk = chunk;
    this.initiator = new IscsiInitiator({
      initiator: INITIATOR,
      ...(isDiscovery ? undefined : { target: TARGET }),
      isid: '800000000001',
      world: TAME_WORLD,
      ...config,
    });
    this.connection = rig.connect((bytes) => this.step({ kind: 'received', bytes }));
    this.step({ kind: 'connected' });
    this.run();
  }

  step(input: IscsiInitiatorInput): void {
    this.initiator.step(this.#rig.now, input, (output) => {
      if (output.kind === 'send') this.#toTarget.push(output.bytes.slice());
      else if (output.kind === 'response') {
        this.outputs.push({ ...output, sense: output.sense.slice(), data: output.data.slice() });
      } else if (output.kind === 'unit-event') this.outputs.push({ ...output, sense: output.sense.slice() });
      else this.outputs.push(output);
    });
  }

  /** Delivers both ways until nothing is under way. */
  run(): void {
    for (;;) {
      this.#rig.run();
      const bytes = this.#toTarget.shift();
      if (bytes === undefined) return;
      for (let at = 0; at < bytes.length; at += this.#chunk) {
        const part = bytes.subarray(at, Math.min(bytes.length, at + this.#chunk));
        this.#rig.step({ kind: 'received', connection: this.connection, bytes: part });
        this.#rig.run();
      }
    }
  }

  of<K extends IscsiInitiatorOutput['kind']>(kind: K): readonly (IscsiInitiatorOutput & { kind: K })[] {
    return this.outputs.filter((output): output is IscsiInitiatorOutput & { kind: K } => output.kind === kind);
  }

  /** Starts a command and gives its number. */
  begin(cdb: Uint8Array, options: { dataInLength?: number; dataOut?: Uint8Array; lun?: number } = {}): number {
    this.#lastId += 1;
    this.step({ kind: 'command', id: this.#lastId, lun: 0, cdb, ...options });
    return this.#lastId;
  }

  responseOf(id: number): Response | undefined {
    return this.of('response').find((response) => response.id === id);
  }

  /** Runs a command to its end. */
  execute(cdb: Uint8Array, options: { dataInLength?: number; dataOut?: Uint8Array; lun?: number } = {}): Response {
    const id = this.begin(cdb, options);
    this.run();
    return this.responseOf(id)!;
  }

  /** Takes the unit attention of the login. */
  settle(): this {
    this.execute(new Uint8Array(6));
    return this;
  }
}
