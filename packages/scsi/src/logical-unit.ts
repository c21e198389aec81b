import { assert, type Nanos, type Observe } from '@quorate/kernel';
import { read10, write10 } from './cdb.js';
import type { CommandRequest, Reply, TargetContext, UnitContext } from './commands/command.js';
import { CommandSet } from './commands/command-set.js';
import type { AbortReason, ScsiFact } from './facts.js';
import { UNIMPAIRED } from './impairment.js';
import { Medium } from './medium.js';
import { ModeParameters } from './mode-parameters.js';
import type { UnitNexus } from './nexus.js';
import { ReserveOut } from './opcode.js';
import { refusalOf } from './order-of-checks.js';
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
  COMMANDS_CLEARED_BY_ANOTHER_INITIATOR,
  encodeSense,
  MAX_SENSE_BYTES,
  type Sense,
  SOFTWARE_WRITE_PROTECTED,
  senseOfStoreError,
  senseText,
  WRITE_PROTECTED,
} from './sense.js';
import { isImmediate, meanExtraTime } from './service-model.js';
import { ServiceQueue } from './service-queue.js';
import { Status } from './status.js';
import type { BlockStore } from './store/block-store.js';
import { StoreError } from './store/store-error.js';
import type { Task, TaskAttribute } from './task.js';
import { TaskSet } from './task-set.js';
import { type LogicalUnitConfig, type UnitSettings, unitSettings } from './unit-config.js';
import { UnitObserver } from './unit-observer.js';

/** How a command of a nexus ended. `sense` and `data` are lent. */
export interface UnitResponse {
  readonly kind: 'response';
  readonly nexus: number;
  readonly lun: number;
  readonly tag: number;
  /** SCSI status byte, see `Status`. */
  readonly status: number;
  /** Sense data in the unit's format; empty unless CHECK CONDITION. */
  readonly sense: Uint8Array;
  /** Data-In; it may be the bytes of the store themselves. */
  readonly data: Uint8Array;
}

type Emit = (response: UnitResponse) => void;

const NOTHING: Uint8Array = new Uint8Array(0);

/** What the world does with a command whose initiator is gone. */
const Fate = { completes: 0, torn: 1, dropped: 2 } as const;

/**
 * One logical unit: its medium, reservations and task set, and the service of its commands.
 *
 * A command is dormant until its turn comes, then enabled: checked, and put into service for as long as the disk takes.
 * When that ends it is carried out, in one step, and answered. So a task aborted in service has not changed the medium,
 * unless the world says that some of its blocks got there; and what a command finds is the state at its end, except for
 * its right to run, which is that of the moment it was enabled.
 */
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
  readonly #observer: UnitObserver | undefined;
  readonly #saveAptpl: ((record: AptplRecord) => void) | undefined;
  readonly #reply: Reply;
  readonly #nexuses = new Map<number, UnitNexus>();
  readonly #service: ServiceQueue;
  readonly #tasks: TaskSet;
  readonly #sense = new Uint8Array(MAX_SENSE_BYTES);
  /** No command takes any time: what can be answered in the step that brought it is. */
  readonly #isImmediate: boolean;
  /** Where the command that is being carried out answers to. */
  #emit: Emit = () => {};

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
    this.settings = unitSettings(config);
    this.mode = new ModeParameters(this.settings);
    this.commands = new CommandSet(this.settings);
    this.#saveAptpl = config.saveAptpl;
    this.#reply = reply;
    if (observe !== undefined) {
      this.#observer = new UnitObserver(this.lun, this.store.blockLength, config.tellsContent === true, observe);
    }
    this.#service = new ServiceQueue(this.settings.service);
    this.#tasks = new TaskSet(this.settings.service.inService);
    this.#isImmediate = isImmediate(this.settings.service);
  }

  get writeProtection(): Sense | undefined {
    if (this.settings.isWriteProtected) return WRITE_PROTECTED;
    return this.mode.isSoftwareWriteProtected ? SOFTWARE_WRITE_PROTECTED : undefined;
  }

  /** When the next command ends; Infinity when none is in service. */
  deadline(): Nanos {
    return this.#service.deadline;
  }

  /** A nexus logs in, for the first time or again, and is told so with its first command. */
  login(from: UnitNexus, attention: Sense): void {
    this.#nexuses.set(from.nexus.id, from);
    from.attentions.add(attention);
  }

  /** Whether a nexus that left has something here: a registration, or commands that are still carried out. */
  remembers(nexus: number): boolean {
    if (this.reservations.isRegistered(nexus)) return true;
    for (const task of this.#tasks.tasks()) if (task.from.nexus.id === nexus) return true;
    return false;
  }

  forget(nexus: number): void {
    this.#nexuses.delete(nexus);
  }

  /** A nexus logs out: its tasks end without an answer, a reservation of the old kind is released, others stay. */
  logout(now: Nanos, from: UnitNexus): void {
    this.#abort(now, (task) => task.from === from, 'logout', from);
    this.#leave(now, from);
  }

  /** A nexus is gone without a word: the world decides over each of its tasks, and when it is noticed, at once. */
  lose(now: Nanos, from: UnitNexus, isNoticed: boolean): void {
    for (const task of this.#tasks.tasks()) {
      if (task.from !== from || task.isOrphan) continue;
      if (isNoticed) this.#endUnanswered(now, task, 'nexus-lost');
      else this.#settleFate(now, task, 'nexus-lost');
    }
    this.#leave(now, from);
  }

  accept(
    now: Nanos,
    from: UnitNexus,
    tag: number,
    cdb: Uint8Array,
    data: Uint8Array,
    attribute: TaskAttribute,
    emit: Emit,
  ): void {
    const task = this.#service.take();
    task.load(from, tag, cdb, data, attribute);
    task.command = this.commands.of(task.cdb);
    task.isOrphan = from.nexus.state !== 'logged-in';
    // Drawn for every command alike, refused ones too: what others do to its fate never moves a nexus's stream.
    if (!this.#isImmediate) {
      const mean = meanExtraTime(this.settings.service, task.command?.service ?? 'other');
      task.extraTime = from.choices.exponential('latency', mean);
    }
    const { answer } = from.nexus.impairment;
    if (answer !== 'none') return this.#refuse(now, task, answer, emit);
    if (this.#isImmediate) return this.#acceptAtOnce(now, task, emit);
    this.#queue(now, task, emit);
  }

  /** Carries out and answers what is due. */
  wake(now: Nanos, emit: Emit): void {
    this.#emit = emit;
    for (let task = this.#service.takeDone(now); task !== undefined; task = this.#service.takeDone(now)) {
      this.#end(now, task, emit);
      this.#enableReady(now);
    }
    this.#service.forgetAborted();
  }

  /** ABORT TASK: whether the nexus had a task of that tag. */
  abortTask(now: Nanos, from: UnitNexus, tag: number): boolean {
    const isNamed = (task: Task): boolean => task.from === from && task.tag === tag && !task.isOrphan;
    const aborted = this.#abort(now, isNamed, 'abort-task', from);
    this.#enableReady(now);
    return aborted > 0;
  }

  abortTaskSet(now: Nanos, from: UnitNexus): void {
    this.#abort(now, (task) => task.from === from, 'abort-task-set', from);
    this.#enableReady(now);
  }

  clearTaskSet(now: Nanos, from: UnitNexus, emit: Emit): void {
    this.#emit = emit;
    this.#abort(now, () => true, 'clear-task-set', from);
  }

  /**
   * LUN RESET, or a reset of the target: tasks and the reservation of the old kind go, mode parameters are the default
   * ones, the medium can be removed; persistent reservations stay (P20).
   */
  reset(now: Nanos, from: UnitNexus, attention: Sense, emit: Emit): void {
    this.#emit = emit;
    this.#abort(now, () => true, 'lun-reset', from);
    this.#resetConditions();
    for (const each of this.#nexuses.values()) each.attentions.add(attention);
  }

  /** The target lost power: writes in service may have reached the medium, whole or in part. */
  powerCycle(now: Nanos): void {
    for (const task of this.#tasks.tasks()) {
      this.#endUnanswered(now, task, 'power-cycle');
    }
    this.#service.forgetAborted();
    this.reservations.powerCycle();
    this.#resetConditions();
    for (const each of this.#nexuses.values()) each.attentions.clear();
    this.#observer?.powerCycled(now, this.reservations.isAptplActive);
  }

  write(now: Nanos, request: CommandRequest, lba: number, bytes: Uint8Array): void {
    this.store.write(lba, bytes);
    this.#observer?.written(now, request, lba, bytes.length / this.store.blockLength, bytes);
  }

  wasRead(now: Nanos, request: CommandRequest, bytes: Uint8Array): void {
    this.#observer?.read(now, request, bytes);
  }

  unmap(now: Nanos, request: CommandRequest, lba: number, blocks: number): void {
    assert(this.store.unmap !== undefined, 'only a store that can unmap is asked to');
    this.store.unmap(lba, blocks);
    this.#observer?.written(now, request, lba, blocks, new Uint8Array(this.store.blockLength));
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
      const isVictims = (task: Task): boolean => outcome.preempted.includes(task.from.nexus.id);
      aborted = this.#abort(now, isVictims, 'preempt', this.#nexuses.get(request.nexus)!);
    }
    this.#observer?.reservationChanged(now, request, this.reservations, outcome.preempted, aborted);
  }

  inspect(): Readonly<Record<string, unknown>> {
    const { reservations } = this;
    return {
      lun: this.lun,
      blocks: this.store.blocks,
      blockLength: this.store.blockLength,
      tasks: this.#tasks.size,
      inService: this.#tasks.inService,
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

  /** What both ends of a session have in common. */
  #leave(now: Nanos, from: UnitNexus): void {
    this.#service.forgetAborted();
    this.spc2.release(from.nexus.id);
    this.medium.allow(from.nexus.id);
    from.attentions.clear();
    this.#enableReady(now);
  }

  /** A command that is not taken up at all. */
  #refuse(now: Nanos, task: Task, why: 'busy' | 'task-set-full', emit: Emit): void {
    this.#answer(now, task, why === 'busy' ? Status.busy : Status.taskSetFull, undefined, NOTHING, emit);
    this.#service.giveBack(task);
  }

  #queue(now: Nanos, task: Task, emit: Emit): void {
    if (this.#tasks.size >= this.settings.maxTasks) return this.#refuse(now, task, 'task-set-full', emit);
    task.keepData();
    this.#tasks.add(task);
    this.#enableReady(now);
  }

  /** The way of a command when none takes any time. With nobody before it, it does not even enter the task set. */
  #acceptAtOnce(now: Nanos, task: Task, emit: Emit): void {
    const isPlain = task.command?.takesLong !== true && task.from.nexus.impairment === UNIMPAIRED;
    if (!isPlain || this.#tasks.size > 0) {
      this.#queue(now, task, emit);
      if (this.#service.deadline <= now) this.wake(now, emit);
      return;
    }
    this.#emit = emit;
    task.state = 'enabled';
    this.#enable(now, task);
    const reply = this.#carryOut(now, task);
    task.state = 'pooled';
    this.#answer(now, task, reply.status, task.refusal?.sense ?? reply.sense, reply.data, emit);
    this.#service.giveBack(task);
  }

  #enableReady(now: Nanos): void {
    for (let task = this.#tasks.enableNext(); task !== undefined; task = this.#tasks.enableNext()) {
      this.#enable(now, task);
      this.#service.begin(now, task, transferBytes(task, this.store.blockLength));
    }
  }

  /** The turn of a task has come: its rights are decided now. */
  #enable(now: Nanos, task: Task): void {
    this.#observer?.enabled(now, task);
    task.refusal = refusalOf(now, this, task, task.command, task.cdbLength);
  }

  #end(now: Nanos, task: Task, emit: Emit): void {
    const reply = this.#carryOut(now, task);
    if (reply.waitUntil > now) return this.#service.prolong(task, reply.waitUntil);
    this.#tasks.remove(task);
    this.#answer(now, task, reply.status, task.refusal?.sense ?? reply.sense, reply.data, emit);
    this.#service.giveBack(task);
  }

  #carryOut(now: Nanos, task: Task): Reply {
    const reply = this.#reply.reset();
    if (task.refusal !== undefined) reply.status = task.refusal.status;
    else if (!task.isCarriedOut) this.#execute(now, task);
    return reply;
  }

  #execute(now: Nanos, task: Task): void {
    task.isCarriedOut = true;
    try {
      task.command!.execute(this, task, this.#reply, now);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      this.#reply.check(senseOfStoreError(error, this.store.blockLength));
    }
  }

  #resetConditions(): void {
    this.spc2.reset();
    this.mode.reset();
    this.medium.allowAll();
  }

  #answer(now: Nanos, task: Task, status: Status, sense: Sense | undefined, data: Uint8Array, emit: Emit): void {
    this.#observer?.ended(now, task, status, sense);
    if (task.isOrphan) return;
    emit({
      kind: 'response',
      nexus: task.from.nexus.id,
      lun: this.lun,
      tag: task.tag,
      status,
      sense: sense === undefined ? NOTHING : this.#encodeSense(sense),
      data,
    });
  }

  #encodeSense(sense: Sense): Uint8Array {
    return this.#sense.subarray(0, encodeSense(sense, this.mode.senseFormat, this.#sense));
  }

  /**
   * Ends tasks on behalf of `by`. When this returns they are gone: nothing of them reaches the medium any more.
   *
   * Initiators whose tasks somebody else ended learn it by TASK ABORTED (TAS 1) or by a unit attention (TAS 0).
   */
  #abort(now: Nanos, isMeant: (task: Task) => boolean, reason: AbortReason, by: UnitNexus): number {
    let aborted = 0;
    for (const task of this.#tasks.tasks()) {
      if (!isMeant(task)) continue;
      aborted += 1;
      this.#tearAborted(now, task);
      if (task.from !== by && !task.isOrphan) this.#tellAborted(now, task);
      this.#discard(now, task, reason);
    }
    this.#service.forgetAborted();
    return aborted;
  }

  #tellAborted(now: Nanos, task: Task): void {
    if (this.mode.hasTaskAbortedStatus) {
      this.#answer(now, task, Status.taskAborted, undefined, NOTHING, this.#emit);
    } else {
      task.from.attentions.add(COMMANDS_CLEARED_BY_ANOTHER_INITIATOR);
    }
  }

  /** What a write that is aborted in service leaves behind: nothing, or its first blocks. */
  #tearAborted(now: Nanos, task: Task): void {
    if (!isWriting(task) || task.from.choices.choose('abort', 2) === 0) return;
    task.tornAfter = this.#tear(task);
    if (task.tornAfter > 0) this.#execute(now, task);
  }

  /** It is over when this returns: a write in service has reached the medium, whole or in part, or it has not. */
  #endUnanswered(now: Nanos, task: Task, reason: AbortReason): void {
    this.#settleFate(now, task, reason);
    if (task.state === 'pooled') return;
    if (isWriting(task)) this.#execute(now, task);
    this.#discard(now, task, reason);
  }

  #settleFate(now: Nanos, task: Task, reason: AbortReason): void {
    const fate = task.from.choices.choose('crash', 3);
    if (fate === Fate.torn) task.tornAfter = this.#tear(task);
    if (fate === Fate.dropped || task.tornAfter === 0) this.#discard(now, task, reason);
    else task.isOrphan = true;
  }

  /** Number of blocks of a write that reach the medium, fewer than it has. A block is never torn. */
  #tear(task: Task): number {
    const blocks = task.command?.isTearable === true ? Math.floor(task.dataOut.length / this.store.blockLength) : 0;
    return blocks > 1 ? task.from.choices.choose('torn', blocks) : 0;
  }

  #discard(now: Nanos, task: Task, reason: AbortReason): void {
    const { tag } = task;
    const nexus = task.from.nexus.id;
    const opcode = task.cdb[0]!;
    this.#tasks.remove(task);
    this.#service.giveBack(task);
    this.#observer?.aborted(now, nexus, tag, opcode, reason);
  }
}

/** CDBs that stand for all that read and for all that write, as far as reservations care. */
const READ_PROBE: Uint8Array = read10(0, 0);
const WRITE_PROBE: Uint8Array = write10(0, 0);

/** Whether a task is in service and would change the medium. */
function isWriting(task: Task): boolean {
  if (task.state !== 'enabled' || task.refusal !== undefined || task.isCarriedOut) return false;
  return task.command?.service === 'write';
}

/** Bytes that a task moves over the path; lists and answers that are not blocks count as nothing. */
function transferBytes(task: Task, blockLength: number): number {
  if (task.refusal !== undefined || task.blocks <= 0) return 0;
  return task.command!.transfer.bytes(task.cdb, blockLength);
}
