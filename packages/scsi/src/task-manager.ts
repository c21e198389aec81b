import type { Nanos } from '@quorate/kernel';
import { Reply, type UnitContext } from './commands/command.js';
import type { AbortReason } from './facts.js';
import { UNIMPAIRED } from './impairment.js';
import type { UnitNexus } from './nexus.js';
import { refusalOf } from './order-of-checks.js';
import type { Refusal } from './refusal.js';
import {
  COMMANDS_CLEARED_BY_ANOTHER_INITIATOR,
  encodeSense,
  LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE,
  MAX_SENSE_BYTES,
  type Sense,
  senseOfStoreError,
} from './sense.js';
import { isImmediate, meanExtraTime } from './service-model.js';
import { ServiceQueue } from './service-queue.js';
import { Status } from './status.js';
import { StoreError } from './store/store-error.js';
import type { Task, TaskAttribute } from './task.js';
import { isWriting, runsLeftByAbort, survivesItsInitiator } from './task-fate.js';
import { TaskSet } from './task-set.js';
import type { UnitObserver } from './unit-observer.js';
import type { UnitResponse } from './unit-response.js';

const BEYOND_END: Refusal = { status: Status.checkCondition, sense: LOGICAL_BLOCK_ADDRESS_OUT_OF_RANGE };

type Emit = (response: UnitResponse) => void;

const NOTHING: Uint8Array = new Uint8Array(0);

/**
 * The tasks of one logical unit, from their arrival to their answer or to their end without one.
 *
 * A command is dormant until its turn comes, then enabled: checked, and put into service for as long as the disk takes.
 * When that ends it is carried out, in one step, and answered. So a task aborted in service has not changed the medium,
 * unless the world says that some of its blocks got there; and what a command finds is the state at its end, except for
 * its right to run, which is that of the moment it was enabled.
 *
 * Source: SAM-5, "Task manager" and "Task set management".
 */
export class TaskManager {
  readonly #unit: UnitContext;
  readonly #lun: number;
  readonly #reply: Reply;
  /** For what is carried out and answered to nobody, in the middle of a command that has an answer. */
  readonly #unheard = new Reply();
  readonly #observer: UnitObserver | undefined;
  readonly #service: ServiceQueue;
  readonly #tasks: TaskSet;
  readonly #sense = new Uint8Array(MAX_SENSE_BYTES);
  /** No command takes any time: what can be answered in the step that brought it is. */
  readonly #isImmediate: boolean;
  /** Where the command that is being carried out answers to. */
  #emit: Emit = () => {};

  constructor(unit: UnitContext, lun: number, reply: Reply, observer: UnitObserver | undefined) {
    this.#unit = unit;
    this.#lun = lun;
    this.#reply = reply;
    this.#observer = observer;
    const { service } = unit.settings;
    this.#service = new ServiceQueue(service);
    this.#tasks = new TaskSet(service.inService);
    this.#isImmediate = isImmediate(service);
  }

  /** When the next command ends; Infinity when none is in service. */
  get deadline(): Nanos {
    return this.#service.deadline;
  }

  /** Tasks in the task set. */
  get size(): number {
    return this.#tasks.size;
  }

  get inService(): number {
    return this.#tasks.inService;
  }

  /** Whether a nexus, be it gone, has tasks here. */
  hasOf(nexus: number): boolean {
    for (const task of this.#tasks.tasks()) if (task.from.nexus.id === nexus) return true;
    return false;
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
    task.command = this.#unit.commands.of(task.cdb);
    task.isOrphan = from.nexus.state !== 'logged-in';
    // Drawn for every command alike, refused ones too: what others do to its fate never moves a nexus's stream.
    if (!this.#isImmediate) {
      const mean = meanExtraTime(this.#unit.settings.service, task.command?.service ?? 'other');
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
      this.enableReady(now);
    }
    this.#service.forgetAborted();
  }

  /** The turn of those that need not wait any more. */
  enableReady(now: Nanos): void {
    for (let task = this.#tasks.enableNext(); task !== undefined; task = this.#tasks.enableNext()) {
      this.#enable(now, task);
      this.#service.begin(now, task, transferBytes(task, this.#unit.store.blockLength));
    }
  }

  /** The unit has so many blocks now: commands in service, of which the range was checked, are checked again. */
  refuseBeyond(size: number): void {
    for (const task of this.#tasks.tasks()) {
      const isInService = task.state === 'enabled' && task.refusal === undefined && !task.isCarriedOut;
      if (!isInService || task.blocks < 0 || task.blocks <= size - task.lba) continue;
      task.refusal = BEYOND_END;
      task.blocks = -1;
    }
  }

  /** ABORT TASK: whether the nexus had a task of that tag. */
  abortTask(now: Nanos, from: UnitNexus, tag: number): boolean {
    const isNamed = (task: Task): boolean => task.from === from && task.tag === tag && !task.isOrphan;
    const aborted = this.#abort(now, isNamed, 'abort-task', from);
    this.enableReady(now);
    return aborted > 0;
  }

  /** All tasks of that nexus. */
  abortTaskSet(now: Nanos, from: UnitNexus): void {
    this.#abort(now, (task) => task.from === from, 'abort-task-set', from);
    this.enableReady(now);
  }

  /** All tasks of that nexus; whose turn it is then, `enableReady` decides when the nexus holds nothing up any more. */
  logout(now: Nanos, from: UnitNexus): void {
    this.#abort(now, (task) => task.from === from, 'logout', from);
  }

  /** CLEAR TASK SET and resets: all tasks of all nexuses. */
  clear(now: Nanos, reason: 'clear-task-set' | 'lun-reset', by: UnitNexus, emit: Emit): void {
    this.#emit = emit;
    this.#abort(now, () => true, reason, by);
  }

  /** PREEMPT AND ABORT: the tasks of its victims; how many there were. */
  preempt(now: Nanos, victims: readonly number[], by: UnitNexus): number {
    return this.#abort(now, (task) => victims.includes(task.from.nexus.id), 'preempt', by);
  }

  /** That nexus is gone without a word: the world decides over each of its tasks, and when it is noticed, at once. */
  lose(now: Nanos, from: UnitNexus, isNoticed: boolean): void {
    for (const task of this.#tasks.tasks()) {
      if (task.from !== from || task.isOrphan) continue;
      if (isNoticed) this.#endUnanswered(now, task, 'nexus-lost');
      else this.#settleFate(now, task, 'nexus-lost');
    }
    this.#service.forgetAborted();
  }

  /** Writes in service may have reached the medium, whole or in part; no task is left. */
  powerCycle(now: Nanos): void {
    for (const task of this.#tasks.tasks()) this.#endUnanswered(now, task, 'power-cycle');
    this.#service.forgetAborted();
  }

  /** A command that is not taken up at all. */
  #refuse(now: Nanos, task: Task, why: 'busy' | 'task-set-full', emit: Emit): void {
    this.#answer(now, task, why === 'busy' ? Status.busy : Status.taskSetFull, undefined, NOTHING, emit);
    this.#service.giveBack(task);
  }

  #queue(now: Nanos, task: Task, emit: Emit): void {
    if (this.#tasks.size >= this.#unit.settings.maxTasks) return this.#refuse(now, task, 'task-set-full', emit);
    task.keepData();
    this.#tasks.add(task);
    this.enableReady(now);
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

  /** The turn of a task has come: its rights are decided now. */
  #enable(now: Nanos, task: Task): void {
    this.#observer?.enabled(now, task);
    task.refusal = refusalOf(now, this.#unit, task, task.command, task.cdbLength);
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
    else if (!task.isCarriedOut) this.#execute(now, task, reply);
    return reply;
  }

  #execute(now: Nanos, task: Task, reply: Reply): void {
    task.isCarriedOut = true;
    try {
      task.command!.execute(this.#unit, task, reply, now);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      reply.check(senseOfStoreError(error, this.#unit.store.blockLength));
    }
  }

  #answer(now: Nanos, task: Task, status: Status, sense: Sense | undefined, data: Uint8Array, emit: Emit): void {
    this.#observer?.ended(now, task, status, sense);
    if (task.isOrphan) return;
    emit({
      kind: 'response',
      nexus: task.from.nexus.id,
      lun: this.#lun,
      tag: task.tag,
      status,
      sense: sense === undefined ? NOTHING : this.#encodeSense(sense),
      data,
    });
  }

  #encodeSense(sense: Sense): Uint8Array {
    return this.#sense.subarray(0, encodeSense(sense, this.#unit.mode.senseFormat, this.#sense));
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
    if (this.#unit.mode.hasTaskAbortedStatus) {
      this.#answer(now, task, Status.taskAborted, undefined, NOTHING, this.#emit);
    } else {
      task.from.attentions.add(COMMANDS_CLEARED_BY_ANOTHER_INITIATOR);
    }
  }

  /** A write that is aborted in service may leave some of its blocks behind. */
  #tearAborted(now: Nanos, task: Task): void {
    const runs = runsLeftByAbort(task, this.#unit.store.blockLength);
    if (runs.length === 0) return;
    task.torn = runs;
    this.#execute(now, task, this.#unheard.reset());
  }

  /** It is over when this returns: a write in service has reached the medium, whole or in part, or it has not. */
  #endUnanswered(now: Nanos, task: Task, reason: AbortReason): void {
    this.#settleFate(now, task, reason);
    if (task.state === 'pooled') return;
    if (isWriting(task)) this.#execute(now, task, this.#unheard.reset());
    this.#discard(now, task, reason);
  }

  #settleFate(now: Nanos, task: Task, reason: AbortReason): void {
    if (survivesItsInitiator(task, this.#unit.store.blockLength)) task.isOrphan = true;
    else this.#discard(now, task, reason);
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

/** Bytes that a task moves over the path; lists and answers that are not blocks count as nothing. */
function transferBytes(task: Task, blockLength: number): number {
  if (task.refusal !== undefined || task.blocks <= 0) return 0;
  return task.command!.transfer.bytes(task.cdb, blockLength);
}
