import type { TaskAttribute } from '@quorate/scsi';
import { CommandFlag, FINAL, IMMEDIATE, NO_TAG, PduOpcode, ResponseFlag, TaskFunction } from '../pdu/opcode.js';
import type { Pdu } from '../pdu/pdu.js';
import type { PduWriter } from '../pdu/pdu-writer.js';
import { senseIn } from '../pdu/sense-segment.js';
import { addSerial } from '../pdu/serial.js';
import { DEFAULT_PARAMETERS, type Parameters } from '../session/parameters.js';
import type { InitiatorFunction, IscsiInitiatorInput, IscsiInitiatorOutput } from './initiator-io.js';
import type { InitiatorNumbers } from './initiator-numbers.js';
import type { InitiatorTask } from './initiator-task.js';

export interface InitiatorTasksConfig {
  readonly writer: PduWriter;
  readonly numbers: InitiatorNumbers;
  readonly emit: (output: IscsiInitiatorOutput) => void;
  /** The target broke the protocol: the session ends. */
  readonly fail: (why: string) => void;
}

/** A function that is under way. */
interface ManagedFunction {
  /** The caller's number. */
  readonly id: number;
  /** Whether a task is gone when the function has been carried out. */
  readonly isMeant: (tag: number, task: InitiatorTask) => boolean;
}

/** Response of a function that was carried out. */
const FUNCTION_COMPLETE = 0;
const NOTHING: Uint8Array = new Uint8Array(0);
const FUNCTIONS: { readonly [name in InitiatorFunction]: number } = {
  'abort-task': TaskFunction.abortTask,
  'abort-task-set': TaskFunction.abortTaskSet,
  'clear-task-set': TaskFunction.clearTaskSet,
  'lun-reset': TaskFunction.lunReset,
  'warm-reset': TaskFunction.warmReset,
  'cold-reset': TaskFunction.coldReset,
};
const ATTRIBUTES: { readonly [attribute in TaskAttribute]: number } = { simple: 1, ordered: 2, 'head-of-queue': 3 };

/**
 * The tasks of an initiator, from the caller's command to the target's response, and the functions that manage them.
 *
 * Commands go out as the target's window allows, and wait here until then. Source: RFC 7143, 11.3 to 11.8.
 */
export class InitiatorTasks {
  /** What the login settled. */
  parameters: Readonly<Parameters> = DEFAULT_PARAMETERS;
  readonly #writer: PduWriter;
  readonly #numbers: InitiatorNumbers;
  readonly #emit: (output: IscsiInitiatorOutput) => void;
  readonly #fail: (why: string) => void;
  /** Commands that were sent, by initiator task tag. */
  readonly #open = new Map<number, InitiatorTask>();
  /** By initiator task tag. */
  readonly #functions = new Map<number, ManagedFunction>();
  readonly #queue: InitiatorTask[] = [];

  constructor({ writer, numbers, emit, fail }: InitiatorTasksConfig) {
    this.#writer = writer;
    this.#numbers = numbers;
    this.#emit = emit;
    this.#fail = fail;
  }

  inspect(): { readonly open: number; readonly queued: number } {
    return { open: this.#open.size, queued: this.#queue.length };
  }

  /** The session is over: nothing is answered any more. */
  clear(): void {
    this.#open.clear();
    this.#functions.clear();
    this.#queue.length = 0;
  }

  onCommand(input: IscsiInitiatorInput & { kind: 'command' }): void {
    const { id, lun, cdb, dataInLength = 0, dataOut = NOTHING, attribute = 'simple' } = input;
    this.#queue.push({
      id,
      lun,
      cdb: cdb.slice(),
      attribute: ATTRIBUTES[attribute],
      dataOut: dataOut.slice(),
      dataIn: dataInLength === 0 ? NOTHING : new Uint8Array(dataInLength),
      received: 0,
      nextDataSn: 0,
    });
    this.sendQueued();
  }

  /** Sends commands that wait, as far as the window reaches. */
  sendQueued(): void {
    let sent = 0;
    while (sent < this.#queue.length && this.#numbers.isWindowOpen) {
      this.#sendCommand(this.#queue[sent]!);
      sent += 1;
    }
    if (sent > 0) this.#queue.splice(0, sent);
  }

  #sendCommand(task: InitiatorTask): void {
    const { initialR2T, immediateData, firstBurstLength, peerMaxRecvDataSegmentLength } = this.parameters;
    const { dataOut } = task;
    const tag = this.#numbers.newTag();
    const first = Math.min(dataOut.length, firstBurstLength);
    const immediate = immediateData ? Math.min(first, peerMaxRecvDataSegmentLength) : 0;
    const isMoreToCome = !initialR2T && first > immediate;
    const direction = dataOut.length > 0 ? CommandFlag.write : task.dataIn.length > 0 ? CommandFlag.read : 0;
    this.#open.set(tag, task);
    const writer = this.#writer.begin(PduOpcode.scsiCommand, (isMoreToCome ? 0 : FINAL) | direction | task.attribute);
    writer
      .lun(task.lun)
      .u32(16, tag)
      .u32(20, dataOut.length > 0 ? dataOut.length : task.dataIn.length);
    writer.u32(24, this.#numbers.cmdSn).u32(28, this.#numbers.expStatSn).raw(32, task.cdb.subarray(0, 16));
    this.#numbers.cmdSn = addSerial(this.#numbers.cmdSn, 1);
    writer.end(immediate === 0 ? undefined : dataOut.subarray(0, immediate));
    if (isMoreToCome) this.#sendData(task, tag, NO_TAG, immediate, first);
  }

  /** A run of Data-Out from `start` to `end` of the command's data. */
  #sendData(task: InitiatorTask, tag: number, transferTag: number, start: number, end: number): void {
    const most = this.parameters.peerMaxRecvDataSegmentLength;
    for (let offset = start, dataSn = 0; offset < end; dataSn++) {
      const length = Math.min(most, end - offset);
      const writer = this.#writer.begin(PduOpcode.dataOut, offset + length === end ? FINAL : 0);
      writer
        .lun(task.lun)
        .u32(16, tag)
        .u32(20, transferTag)
        .u32(28, this.#numbers.expStatSn)
        .u32(36, dataSn)
        .u32(40, offset);
      writer.end(task.dataOut.subarray(offset, offset + length));
      offset += length;
    }
  }

  onR2t(pdu: Pdu): void {
    const task = this.#open.get(pdu.initiatorTaskTag);
    if (task === undefined) return;
    const start = pdu.u32(40);
    const end = start + pdu.u32(44);
    if (end > task.dataOut.length || end === start) {
      return this.#fail(`R2T for bytes ${start} to ${end} of ${task.dataOut.length}`);
    }
    this.#sendData(task, pdu.initiatorTaskTag, pdu.u32(20), start, end);
  }

  onDataIn(pdu: Pdu): void {
    const task = this.#open.get(pdu.initiatorTaskTag);
    if (task === undefined) return;
    const offset = pdu.u32(40);
    if (pdu.u32(36) !== task.nextDataSn || offset + pdu.data.length > task.dataIn.length) {
      return this.#fail(`Data-In ${pdu.u32(36)} of ${pdu.data.length} bytes at ${offset}`);
    }
    task.nextDataSn += 1;
    task.dataIn.set(pdu.data, offset);
    task.received = Math.max(task.received, offset + pdu.data.length);
    if ((pdu.flags & ResponseFlag.status) !== 0) this.#finish(pdu, task, NOTHING);
  }

  onScsiResponse(pdu: Pdu): void {
    const task = this.#open.get(pdu.initiatorTaskTag);
    if (task === undefined) return;
    this.#finish(pdu, task, senseIn(pdu));
  }

  #finish(pdu: Pdu, task: InitiatorTask, sense: Uint8Array): void {
    this.#open.delete(pdu.initiatorTaskTag);
    const count = pdu.u32(44);
    const isOver = (pdu.flags & ResponseFlag.overflow) !== 0;
    const residual = isOver ? -count : (pdu.flags & ResponseFlag.underflow) !== 0 ? count : 0;
    const data = task.dataIn.subarray(0, task.received);
    // A response code other than 0 says that the target failed: there is no status then (RFC 7143, 11.4.3).
    const hasFailed = pdu.opcode === PduOpcode.scsiResponse && pdu.u8(2) !== 0;
    this.#emit({ kind: 'response', id: task.id, status: hasFailed ? 0x02 : pdu.u8(3), sense, data, residual });
  }

  onTaskManagement(input: IscsiInitiatorInput & { kind: 'task-management' }): void {
    const queued = this.#queue.findIndex(({ id }) => id === input.command);
    if (input.function === 'abort-task' && queued >= 0) {
      this.#queue.splice(queued, 1);
      return this.#emit({ kind: 'task-management-ended', id: input.id, response: FUNCTION_COMPLETE });
    }
    const referenced = input.command === undefined ? NO_TAG : this.#tagOf(input.command);
    const tag = this.#numbers.newTag();
    this.#functions.set(tag, { id: input.id, isMeant: meantBy(input, referenced) });
    const writer = this.#writer.begin(IMMEDIATE | PduOpcode.taskManagement, FINAL | FUNCTIONS[input.function]);
    writer.lun(input.lun).u32(16, tag).u32(20, referenced);
    writer.u32(24, this.#numbers.cmdSn).u32(28, this.#numbers.expStatSn).u32(32, this.#numbers.cmdSn);
    writer.end();
  }

  #tagOf(id: number): number {
    for (const [tag, task] of this.#open) if (task.id === id) return tag;
    return NO_TAG;
  }

  onTaskManagementResponse(pdu: Pdu): void {
    const managed = this.#functions.get(pdu.initiatorTaskTag);
    if (managed === undefined) return;
    const response = pdu.u8(2);
    this.#functions.delete(pdu.initiatorTaskTag);
    if (response === FUNCTION_COMPLETE) {
      for (const [tag, task] of this.#open) if (managed.isMeant(tag, task)) this.#open.delete(tag);
    }
    this.#emit({ kind: 'task-management-ended', id: managed.id, response });
  }
}

function meantBy(
  { function: name, lun }: IscsiInitiatorInput & { kind: 'task-management' },
  referenced: number,
): ManagedFunction['isMeant'] {
  switch (name) {
    case 'abort-task':
      return (tag) => tag === referenced;
    case 'abort-task-set':
    case 'clear-task-set':
    case 'lun-reset':
      return (_, task) => task.lun === lun;
    case 'warm-reset':
    case 'cold-reset':
      return () => true;
  }
}
