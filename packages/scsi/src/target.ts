import { ConfigError, type Machine, type Nanos, type Observe, type World } from '@quorate/kernel';
import { Reply, type TargetContext } from './commands/command.js';
import type { ScsiFact } from './facts.js';
import { checkImpairment, type Impairment, UNIMPAIRED } from './impairment.js';
import { LogicalUnit } from './logical-unit.js';
import { answerForMissingUnit } from './missing-unit.js';
import { type Nexus, newNexus } from './nexus.js';
import type { AptplRecord } from './reservation/aptpl-record.js';
import { restoreRecord } from './reservation/aptpl-state.js';
import {
  BUS_DEVICE_RESET_FUNCTION,
  encodeSense,
  I_T_NEXUS_LOSS,
  MAX_SENSE_BYTES,
  POWER_ON_OR_RESET,
  type Sense,
} from './sense.js';
import type { TaskAttribute } from './task.js';
import { checkPort, type InitiatorPort, portName } from './transport-id.js';
import type { LogicalUnitConfig } from './unit-config.js';
import type { UnitEvent } from './unit-event.js';
import type { UnitResponse } from './unit-response.js';

/** Functions of task management. Source: SAM-5, "Task management functions". */
export type TaskManagementFunction =
  | 'abort-task'
  | 'abort-task-set'
  | 'clear-task-set'
  /** There is no ACA, so there is nothing to do. */
  | 'clear-aca'
  | 'lun-reset'
  /** As a reset of every logical unit; `lun` does not matter. */
  | 'target-warm-reset'
  /** The same; the driver closes the sessions afterwards. */
  | 'target-cold-reset';

export type TargetInput =
  /**
   * A session begins. `nexus` is the embedder's number for this initiator port: one number, one port, for the life of
   * the target, not negative; a port that comes back gets its registrations back.
   */
  | { readonly kind: 'login'; readonly nexus: number; readonly port: InitiatorPort }
  /** A session ends in order: its tasks are dropped. */
  | { readonly kind: 'logout'; readonly nexus: number }
  /**
   * A session broke off: the initiator crashed, or the transport gave up. Commands that come out of the fabric later are
   * still carried out, and answered to nobody.
   *
   * `isNoticed`: both ends know of it. What the nexus had in the target is over when this returns, done or not (SAM-5 6.3.4):
   * an initiator that lives tells whoever waits for a command that it has failed, and nothing of it may happen after that.
   */
  | { readonly kind: 'nexus-lost'; readonly nexus: number; readonly isNoticed?: boolean }
  | {
      readonly kind: 'command';
      readonly nexus: number;
      readonly lun: number;
      /** Unique among the commands that the nexus has in flight. */
      readonly tag: number;
      readonly cdb: Uint8Array;
      /** Data-Out, as much as the initiator sent. */
      readonly data: Uint8Array;
      /** Default `simple`. */
      readonly attribute?: TaskAttribute;
    }
  | {
      readonly kind: 'task-management';
      readonly nexus: number;
      readonly lun: number;
      readonly function: TaskManagementFunction;
      /** Of the task that ABORT TASK means. */
      readonly tag?: number;
      /** Comes back with the response. */
      readonly id: number;
    }
  /**
   * A port that left may be forgotten: should it come back, it is new. Nothing happens while it is logged in, has a
   * registration, or has commands in the target; otherwise `forgotten` says that number and port are free again.
   */
  | { readonly kind: 'forget'; readonly nexus: number }
  /** From now on the disks serve that initiator so badly; what is not given is as it should be. Known before its login. */
  | { readonly kind: 'impair'; readonly nexus: number; readonly impairment: Partial<Impairment> }
  /** The store of that logical unit got another size since the last input: every nexus is told. */
  | { readonly kind: 'capacity-changed'; readonly lun: number }
  /** The target loses power and has it back at once: sessions, tasks and, without APTPL, reservations are gone. */
  | { readonly kind: 'power-cycle' }
  | { readonly kind: 'wake' };

export type TaskManagementResponse = 'function-complete' | 'task-does-not-exist' | 'incorrect-lun';

export type TargetOutput =
  | UnitResponse
  | UnitEvent
  | {
      readonly kind: 'task-management-ended';
      readonly nexus: number;
      readonly id: number;
      readonly response: TaskManagementResponse;
    }
  /** The target knows nothing of that nexus any more. */
  | { readonly kind: 'forgotten'; readonly nexus: number }
  /** Something arrived from a nexus that is not logged in: it is dropped. */
  | { readonly kind: 'reject'; readonly reason: 'not-logged-in'; readonly nexus: number };

export interface TargetConfig {
  /** iSCSI name of the target. */
  readonly name: string;
  /** Relative identifier of the one target port, default 1. */
  readonly relativePort?: number;
  readonly logicalUnits: readonly LogicalUnitConfig[];
  /** Decides latencies and what crashes leave behind, by streams named `disk/<lun>/<nexus>`. */
  readonly world: World;
  readonly observe?: Observe<ScsiFact>;
}

type Emit = (output: TargetOutput) => void;

/** Longest CDB that is looked at. */
const MAX_CDB_BYTES = 16;

/**
 * A SCSI target with one port and any number of disks, shared by many initiators.
 *
 * Source: SAM-5 (nexuses, tasks, task management), SPC-4 and SBC-3 (commands). The medium of a unit is the store that the
 * embedder gave it; it changes at the end of a command's service only, and is there for the embedder to read at any time.
 */
export class ScsiTarget implements Machine<TargetInput, TargetOutput> {
  readonly #units: readonly LogicalUnit[];
  readonly #unitsByLun: ReadonlyMap<number, LogicalUnit>;
  readonly #nexuses = new Map<number, Nexus>();
  /** Numbers of nexuses by the SCSI name of their initiator port. */
  readonly #nexusByPort = new Map<string, number>();
  readonly #world: World;
  readonly #context: TargetContext;
  readonly #reply = new Reply();
  /** For what is answered without a logical unit. */
  readonly #cdb = new Uint8Array(MAX_CDB_BYTES);
  readonly #sense = new Uint8Array(MAX_SENSE_BYTES);
  /** Of initiators that are not served as they should be. */
  readonly #impairments = new Map<number, Impairment>();
  /** Ports of restored registrations that have not logged in, by the negative numbers that stand for them until then. */
  readonly #expected = new Map<number, InitiatorPort>();
  /** What units have to tell, for the end of the step. */
  readonly #events: UnitEvent[] = [];
  #rejects = 0;

  /** @throws {ConfigError} when a logical unit is configured wrongly or its number is taken. */
  constructor(config: TargetConfig) {
    this.#world = config.world;
    const relativePort = config.relativePort ?? 1;
    this.#context = {
      name: config.name,
      relativePort,
      portGroup: relativePort,
      luns: config.logicalUnits.map((unit) => unit.lun).sort((a, b) => a - b),
      nexusOf: (port) => this.#nexusByPort.get(portName(port)),
      portOf: (nexus) => this.#nexuses.get(nexus)?.port ?? this.#expected.get(nexus)!,
      report: (event) => this.#events.push(event),
      unitOf: (naa) => this.#units.find((unit) => unit.settings.identity.naa === naa),
    };
    this.#units = config.logicalUnits.map(
      (unit, i) => new LogicalUnit(unit, i, this.#context, this.#reply, config.observe),
    );
    this.#unitsByLun = new Map(this.#units.map((unit) => [unit.lun, unit]));
    if (this.#unitsByLun.size < this.#units.length) {
      throw new ConfigError('/logicalUnits', this.#context.luns.join(' '), 'every LUN once');
    }
    config.logicalUnits.forEach(({ aptpl }, i) => {
      if (aptpl !== undefined) restoreRecord(this.#units[i]!.reservations, aptpl, (port) => this.#expect(port));
    });
  }

  /**
   * What the logical unit keeps of its reservations when the target loses power, for `LogicalUnitConfig.aptpl` of the next
   * one; undefined when there is no such LUN.
   */
  aptplRecord(lun: number): AptplRecord | undefined {
    return this.#unitsByLun.get(lun)?.aptplRecord();
  }

  /**
   * Sense data in the format that the unit's initiators chose (D_SENSE), for a command that the transport itself ends; in the
   * fixed one when there is no such LUN.
   */
  senseData(lun: number, sense: Sense): Uint8Array {
    const unit = this.#unitsByLun.get(lun);
    if (unit !== undefined) return unit.encode(sense);
    return this.#sense.slice(0, encodeSense(sense, 'fixed', this.#sense));
  }

  /**
   * @throws {RangeError} for a login whose port is malformed, or that gives one port two numbers or two ports one number,
   * and for an impossible impairment.
   */
  step(now: Nanos, input: TargetInput, emit: Emit): void {
    this.#take(now, input, emit);
    if (this.#events.length > 0) for (const event of this.#events.splice(0)) emit(event);
  }

  #take(now: Nanos, input: TargetInput, emit: Emit): void {
    switch (input.kind) {
      case 'login':
        return this.#onLogin(now, input.nexus, input.port);
      case 'logout':
        return this.#onLogout(now, input.nexus, emit);
      case 'nexus-lost':
        return this.#onNexusLost(now, input.nexus, input.isNoticed ?? false, emit);
      case 'command':
        return this.#onCommand(now, input, emit);
      case 'task-management':
        return this.#onTaskManagement(now, input, emit);
      case 'forget':
        return this.#onForget(input.nexus, emit);
      case 'impair':
        return this.#onImpair(input.nexus, input.impairment);
      case 'capacity-changed':
        return this.#onCapacityChanged(now, input.lun);
      case 'power-cycle':
        return this.#onPowerCycle(now);
      case 'wake':
        return this.#onWake(now, emit);
    }
  }

  deadline(): Nanos {
    let least = Infinity;
    for (const unit of this.#units) least = Math.min(least, unit.tasks.deadline);
    return least;
  }

  inspect(): Readonly<Record<string, unknown>> {
    return {
      name: this.#context.name,
      nexuses: Array.from(this.#nexuses.values(), ({ id, port, state }) => ({ id, port: portName(port), state })),
      units: this.#units.map((unit) => unit.inspect()),
      rejects: this.#rejects,
    };
  }

  #onLogin(now: Nanos, id: number, port: InitiatorPort): void {
    checkPort(port);
    if (!(id >= 0)) throw new RangeError(`nexus ${id}: not negative`);
    const known = this.#nexuses.get(id);
    const numbered = this.#nexusByPort.get(portName(port));
    const isExpected = numbered !== undefined && this.#expected.has(numbered);
    if (isExpected ? known !== undefined : numbered !== known?.id) {
      throw new RangeError(`nexus ${id} and ${portName(port)}: one number for one initiator port`);
    }
    const nexus = known ?? this.#admit(id, port);
    // A login over a session that stands reinstates it: the target learns only now that the old one is gone.
    if (nexus.state === 'logged-in') this.#lose(now, nexus, false);
    const attention = nexus.isNew ? POWER_ON_OR_RESET : I_T_NEXUS_LOSS;
    nexus.isNew = false;
    nexus.state = 'logged-in';
    for (const unit of this.#units) unit.login(nexus.units[unit.index]!, attention);
  }

  /** The number of a port with a restored registration. */
  #expect(port: InitiatorPort): number {
    checkPort(port);
    const known = this.#nexusByPort.get(portName(port));
    if (known !== undefined) return known;
    const number = -1 - this.#expected.size;
    this.#expected.set(number, { name: port.name, isid: port.isid });
    this.#nexusByPort.set(portName(port), number);
    return number;
  }

  #admit(id: number, port: InitiatorPort): Nexus {
    const expected = this.#nexusByPort.get(portName(port));
    if (expected !== undefined) for (const unit of this.#units) unit.reservations.renumber(expected, id);
    const choices = this.#units.map((unit) => this.#world.choices(`disk/${unit.lun}/${id}`));
    const nexus = newNexus(id, port, choices);
    nexus.impairment = this.#impairments.get(id) ?? UNIMPAIRED;
    this.#nexuses.set(id, nexus);
    this.#nexusByPort.set(portName(port), id);
    return nexus;
  }

  #onLogout(now: Nanos, id: number, emit: Emit): void {
    const nexus = this.#nexuses.get(id);
    if (nexus?.state !== 'logged-in') return this.#reject(id, emit);
    nexus.state = 'logged-out';
    for (const unit of this.#units) unit.logout(now, nexus.units[unit.index]!);
  }

  #onNexusLost(now: Nanos, id: number, isNoticed: boolean, emit: Emit): void {
    const nexus = this.#nexuses.get(id);
    if (nexus?.state !== 'logged-in') return this.#reject(id, emit);
    this.#lose(now, nexus, isNoticed);
  }

  #lose(now: Nanos, nexus: Nexus, isNoticed: boolean): void {
    nexus.state = 'lost';
    for (const unit of this.#units) unit.lose(now, nexus.units[unit.index]!, isNoticed);
  }

  #onCommand(now: Nanos, input: TargetInput & { kind: 'command' }, emit: Emit): void {
    const nexus = this.#nexuses.get(input.nexus);
    if (nexus === undefined || nexus.state === 'logged-out') return this.#reject(input.nexus, emit);
    const { lun, tag, cdb, data, attribute = 'simple' } = input;
    const unit = this.#unitsByLun.get(lun);
    if (unit === undefined) return this.#answerForMissingUnit(nexus, lun, tag, cdb, emit);
    unit.tasks.accept(now, nexus.units[unit.index]!, tag, cdb, data, attribute, emit);
  }

  #answerForMissingUnit(nexus: Nexus, lun: number, tag: number, cdb: Uint8Array, emit: Emit): void {
    if (nexus.state === 'lost') return;
    this.#cdb.fill(0);
    this.#cdb.set(cdb.subarray(0, MAX_CDB_BYTES));
    const reply = this.#reply.reset();
    answerForMissingUnit(this.#cdb, this.#context.luns, reply);
    const length = reply.sense === undefined ? 0 : encodeSense(reply.sense, 'fixed', this.#sense);
    const sense = this.#sense.subarray(0, length);
    emit({ kind: 'response', nexus: nexus.id, lun, tag, status: reply.status, sense, data: reply.data });
  }

  #onTaskManagement(now: Nanos, input: TargetInput & { kind: 'task-management' }, emit: Emit): void {
    const nexus = this.#nexuses.get(input.nexus);
    if (nexus?.state !== 'logged-in') return this.#reject(input.nexus, emit);
    const response = this.#manage(now, nexus, input, emit);
    emit({ kind: 'task-management-ended', nexus: nexus.id, id: input.id, response });
  }

  #manage(
    now: Nanos,
    nexus: Nexus,
    input: TargetInput & { kind: 'task-management' },
    emit: Emit,
  ): TaskManagementResponse {
    if (input.function === 'target-warm-reset' || input.function === 'target-cold-reset') {
      for (const unit of this.#units) unit.reset(now, nexus.units[unit.index]!, POWER_ON_OR_RESET, emit);
      return 'function-complete';
    }
    const unit = this.#unitsByLun.get(input.lun);
    if (unit === undefined) return 'incorrect-lun';
    const from = nexus.units[unit.index]!;
    switch (input.function) {
      case 'abort-task':
        return unit.tasks.abortTask(now, from, input.tag ?? -1) ? 'function-complete' : 'task-does-not-exist';
      case 'abort-task-set':
        unit.tasks.abortTaskSet(now, from);
        break;
      case 'clear-task-set':
        unit.tasks.clear(now, 'clear-task-set', from, emit);
        break;
      case 'lun-reset':
        unit.reset(now, from, BUS_DEVICE_RESET_FUNCTION, emit);
        break;
      case 'clear-aca':
        break;
    }
    return 'function-complete';
  }

  #onForget(id: number, emit: Emit): void {
    const nexus = this.#nexuses.get(id);
    if (nexus === undefined || nexus.state === 'logged-in') return;
    if (this.#units.some((unit) => unit.remembers(id))) return;
    for (const unit of this.#units) unit.forget(id);
    this.#nexuses.delete(id);
    this.#nexusByPort.delete(portName(nexus.port));
    emit({ kind: 'forgotten', nexus: id });
  }

  #onImpair(id: number, change: Partial<Impairment>): void {
    const impairment = checkImpairment({ ...UNIMPAIRED, ...change });
    this.#impairments.set(id, impairment);
    const nexus = this.#nexuses.get(id);
    if (nexus !== undefined) nexus.impairment = impairment;
  }

  #onCapacityChanged(now: Nanos, lun: number): void {
    const unit = this.#unitsByLun.get(lun);
    if (unit === undefined) throw new RangeError(`LUN ${lun}: one of ${this.#context.luns.join(', ')}`);
    unit.capacityChanged(now);
  }

  #onPowerCycle(now: Nanos): void {
    for (const unit of this.#units) unit.powerCycle(now);
    for (const nexus of this.#nexuses.values()) {
      nexus.state = 'logged-out';
      nexus.isNew = true;
    }
  }

  #onWake(now: Nanos, emit: Emit): void {
    for (const unit of this.#units) if (unit.tasks.deadline <= now) unit.tasks.wake(now, emit);
  }

  #reject(nexus: number, emit: Emit): void {
    this.#rejects += 1;
    emit({ kind: 'reject', reason: 'not-logged-in', nexus });
  }
}
