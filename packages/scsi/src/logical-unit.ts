import { assert, type Nanos, type Observe } from '@quorate/kernel';
import { read10, write10 } from './cdb.js';
import type { CommandRequest, Reply, TargetContext, UnitContext } from './commands/command.js';
import { CommandSet } from './commands/command-set.js';
import type { ScsiFact } from './facts.js';
import { Medium } from './medium.js';
import { ModeParameters } from './mode-parameters.js';
import type { UnitNexus } from './nexus.js';
import { ReserveOut } from './opcode.js';
import type { AptplRecord } from './reservation/aptpl-record.js';
import { recordOf } from './reservation/aptpl-state.js';
import { conflictsWithReservation } from './reservation/conflict.js';
import {
  PersistentReservations,
  type ReservationOutcome,
  type ReservationRequest,
  type ReservationsSnapshot,
} from './reservation/persistent-reservations.js';
import { Spc2Reservation } from './reservation/spc2-reservation.js';
import {
  CAPACITY_DATA_HAS_CHANGED,
  encodeSense,
  MAX_SENSE_BYTES,
  type Sense,
  SOFTWARE_WRITE_PROTECTED,
  senseText,
  THIN_PROVISIONING_SOFT_THRESHOLD_REACHED,
  WRITE_PROTECTED,
} from './sense.js';
import type { BlockStore } from './store/block-store.js';
import { StoreError } from './store/store-error.js';
import { TaskManager } from './task-manager.js';
import { type LogicalUnitConfig, type UnitSettings, unitSettings } from './unit-config.js';
import { UnitObserver } from './unit-observer.js';
import type { UnitResponse } from './unit-response.js';

/** One logical unit: its medium, mode parameters and reservations, what it keeps for each nexus, and its tasks. */
export class LogicalUnit implements UnitContext {
  readonly lun: number;
  /** Place among the units of the target, and so in `Nexus.units`. */
  readonly index: number;
  readonly target: TargetContext;
  readonly store: BlockStore;
  readonly settings: UnitSettings;
  readonly reservations: PersistentReservations = new PersistentReservations();
  readonly spc2: Spc2Reservation = new Spc2Reservation();
  readonly mode: ModeParameters;
  readonly medium: Medium = new Medium();
  readonly commands: CommandSet;
  readonly tasks: TaskManager;
  readonly #observer: UnitObserver | undefined;
  readonly #saveAptpl: ((record: AptplRecord) => void) | undefined;
  readonly #nexuses = new Map<number, UnitNexus>();
  /** Size of the store, as the initiators were told. */
  #blocks: number;

  constructor(
    config: LogicalUnitConfig,
    index: number,
    target: TargetContext,
    reply: Reply,
    observe: Observe<ScsiFact> | undefined,
  ) {
    this.lun = config.lun;
    this.index = index;
    this.target = target;
    this.store = config.store;
    this.#blocks = config.store.blocks;
    this.settings = unitSettings(config);
    this.mode = new ModeParameters(this.settings);
    this.commands = new CommandSet(this.settings);
    this.#saveAptpl = config.saveAptpl;
    if (observe !== undefined) {
      this.#observer = new UnitObserver(this.lun, this.store.blockLength, config.tellsContent === true, observe);
    }
    this.tasks = new TaskManager(this, this.lun, reply, this.#observer);
  }

  get writeProtection(): Sense | undefined {
    if (this.settings.isWriteProtected) return WRITE_PROTECTED;
    return this.mode.isSoftwareWriteProtected ? SOFTWARE_WRITE_PROTECTED : undefined;
  }

  /** A nexus logs in, for the first time or again, and is told so with its first command. */
  login(from: UnitNexus, attention: Sense): void {
    this.#nexuses.set(from.nexus.id, from);
    from.attentions.add(attention);
  }

  /** Whether a nexus that left has something here: a registration, or commands that are still carried out. */
  remembers(nexus: number): boolean {
    return this.reservations.isRegistered(nexus) || this.tasks.hasOf(nexus);
  }

  forget(nexus: number): void {
    this.#nexuses.delete(nexus);
  }

  /** A nexus logs out: its tasks end without an answer, a reservation of the old kind is released, others stay. */
  logout(now: Nanos, from: UnitNexus): void {
    this.tasks.logout(now, from);
    this.#leave(now, from);
  }

  /** A nexus is gone without a word: the world decides over each of its tasks, and when it is noticed, at once. */
  lose(now: Nanos, from: UnitNexus, isNoticed: boolean): void {
    this.tasks.lose(now, from, isNoticed);
    this.#leave(now, from);
  }

  /**
   * LUN RESET, or a reset of the target: tasks and the reservation of the old kind go, mode parameters are the default
   * ones, the medium can be removed; persistent reservations stay (P20).
   */
  reset(now: Nanos, from: UnitNexus, attention: Sense, emit: (response: UnitResponse) => void): void {
    this.tasks.clear(now, 'lun-reset', from, emit);
    this.#resetConditions();
    for (const each of this.#nexuses.values()) each.attentions.add(attention);
  }

  /** The store has another size: what does not fit any more is refused, and every nexus is told. */
  capacityChanged(now: Nanos): void {
    const { blocks } = this.store;
    if (blocks === this.#blocks) return;
    this.#blocks = blocks;
    this.tasks.refuseBeyond(blocks);
    this.#observer?.capacityChanged(now, blocks);
    this.tellAll(CAPACITY_DATA_HAS_CHANGED);
    this.#watchThresholds(undefined);
  }

  /** The target lost power: writes in service may have reached the medium, whole or in part. */
  powerCycle(now: Nanos): void {
    this.tasks.powerCycle(now);
    this.reservations.powerCycle();
    this.#resetConditions();
    for (const each of this.#nexuses.values()) each.attentions.clear();
    this.#observer?.powerCycled(now, this.reservations.isAptplActive);
  }

  write(now: Nanos, request: CommandRequest, lba: number, bytes: Uint8Array): void {
    this.store.write(lba, bytes);
    this.#observer?.written(now, request, lba, bytes.length / this.store.blockLength, bytes);
    if (this.mode.thresholds !== undefined) this.#watchThresholds(request.from.nexus.id);
  }

  wasRead(now: Nanos, request: CommandRequest, bytes: Uint8Array): void {
    this.#observer?.read(now, request, bytes);
  }

  unmap(now: Nanos, request: CommandRequest, lba: number, blocks: number): void {
    assert(this.store.unmap !== undefined, 'only a store that can unmap is asked to');
    this.store.unmap(lba, blocks);
    this.#observer?.written(now, request, lba, blocks, new Uint8Array(this.store.blockLength));
    this.#watchThresholds(request.from.nexus.id);
  }

  mayAccess(now: Nanos, nexus: number, access: 'read' | 'write'): boolean {
    if (this.medium.notReady(now) !== undefined) return false;
    if (access === 'write' && this.writeProtection !== undefined) return false;
    const { spc2, reservations } = this;
    const probe = access === 'read' ? READ_PROBE : WRITE_PROBE;
    if (reservations.size === 0) return !spc2.conflicts(probe, nexus);
    return !conflictsWithReservation(probe, reservations.standing(nexus), reservations.isRegistered(nexus));
  }

  tellOthers(nexus: number, sense: Sense): void {
    for (const each of this.#nexuses.values()) if (each.nexus.id !== nexus) each.attentions.add(sense);
  }

  tellAll(sense: Sense): void {
    for (const each of this.#nexuses.values()) each.attentions.add(sense);
    this.target.report({ kind: 'unit-event', lun: this.lun, sense: this.encode(sense) });
  }

  keepReservations(before: ReservationsSnapshot): boolean {
    if (this.#saveAptpl === undefined || !(before.isAptplActive || this.reservations.isAptplActive)) return true;
    try {
      this.#saveAptpl(this.aptplRecord());
      return true;
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.reservations.restore(before);
      return false;
    }
  }

  /** What is left after a power loss. */
  aptplRecord(): AptplRecord {
    return recordOf(this.reservations, (nexus) => this.target.portOf(nexus));
  }

  reservationsChanged(now: Nanos, request: ReservationRequest, outcome: ReservationOutcome & { kind: 'done' }): void {
    for (const { nexus, sense } of outcome.attentions) this.#nexuses.get(nexus)?.attentions.add(sense);
    let aborted = 0;
    if (request.action === ReserveOut.preemptAndAbort) {
      aborted = this.tasks.preempt(now, outcome.preempted, this.#nexuses.get(request.nexus)!);
    }
    this.#observer?.reservationChanged(now, request, this.reservations, outcome.preempted, aborted);
  }

  inspect(): Readonly<Record<string, unknown>> {
    const { reservations } = this;
    return {
      lun: this.lun,
      blocks: this.store.blocks,
      blockLength: this.store.blockLength,
      tasks: this.tasks.size,
      inService: this.tasks.inService,
      reservedBy: this.spc2.holder ?? null,
      generation: reservations.generation,
      isAptplActive: reservations.isAptplActive,
      type: reservations.type,
      holder: reservations.holder ?? null,
      registrations: Array.from(reservations.registrations(), ({ nexus, key }) => ({ nexus, key: key.toString(16) })),
      attentions: Array.from(this.#nexuses.values(), ({ nexus, attentions }) => ({
        nexus: nexus.id,
        pending: attentions.pending().map(senseText),
      })),
    };
  }

  /** Tells who is to hear of it when the room that is used has crossed a threshold. */
  #watchThresholds(nexus: number | undefined): void {
    const { mode, store } = this;
    const { thresholds } = mode;
    if (thresholds?.isWatching !== true) return;
    for (const offset of thresholds.crossed(store.mappedBlocks ?? 0, store.blocks)) {
      const sense = { ...THIN_PROVISIONING_SOFT_THRESHOLD_REACHED, information: offset };
      if (nexus === undefined || !thresholds.tellsOneOnly) {
        this.tellAll(sense);
        continue;
      }
      this.#nexuses.get(nexus)?.attentions.add(sense);
      this.target.report({ kind: 'unit-event', lun: this.lun, nexus, sense: this.encode(sense) });
    }
  }

  /** Sense data in the format of the mode parameters. */
  encode(sense: Sense): Uint8Array {
    const bytes = new Uint8Array(MAX_SENSE_BYTES);
    return bytes.subarray(0, encodeSense(sense, this.mode.senseFormat, bytes));
  }

  /** What both ends of a session have in common. */
  #leave(now: Nanos, from: UnitNexus): void {
    this.spc2.release(from.nexus.id);
    this.medium.allow(from.nexus.id);
    from.attentions.clear();
    this.tasks.enableReady(now);
  }

  #resetConditions(): void {
    this.spc2.reset();
    this.mode.reset();
    this.medium.allowAll();
  }
}

/** CDBs that stand for all that read and for all that write, as far as reservations care. */
const READ_PROBE: Uint8Array = read10(0, 0);
const WRITE_PROBE: Uint8Array = write10(0, 0);
