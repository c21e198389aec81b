import { assert } from '@quorate/kernel';
import { dataOutLength, Status, type TargetOutput, type UnitResponse } from '@quorate/scsi';
import { CommandFlag, FINAL, NO_TAG, PduOpcode, RejectReason, ResponseFlag } from '../pdu/opcode.js';
import type { Pdu } from '../pdu/pdu.js';
import { senseSegment } from '../pdu/sense-segment.js';
import type { AsyncMessages } from './async-messages.js';
import { CommandTask, DataError, type DataSequence } from './command-task.js';
import type { TargetConnection } from './connection.js';
import type { DataBuffers } from './data-buffers.js';
import type { Limits } from './limits.js';
import type { Outlet } from './outlet.js';
import type { Session } from './session.js';
import type { TargetNode } from './target-node.js';

const NOTHING: Uint8Array = new Uint8Array(0);

export type Reject = (connection: TargetConnection, pdu: Pdu, reason: RejectReason, why: string) => void;

/**
 * SCSI commands over iSCSI: gathers the Data-Out of each, hands it to the SCSI target, and sends what comes back.
 *
 * Source: RFC 7143, 4.2.5 "Data transfer overview", 11.3 to 11.8.
 */
export class ScsiCommands {
  readonly #outlet: Outlet;
  readonly #messages: AsyncMessages;
  readonly #limits: Limits;
  readonly #buffers: DataBuffers;
  readonly #reject: Reject;
  readonly #free: CommandTask[] = [];
  /** Tasks that wait for room before they ask for their Data-Out, oldest first. */
  #waiting: CommandTask[] = [];
  readonly #onTargetOutput: (output: TargetOutput) => void;
  /** Whose SCSI target is on the stack. */
  #node: TargetNode | undefined;

  constructor(outlet: Outlet, messages: AsyncMessages, limits: Limits, buffers: DataBuffers, reject: Reject) {
    this.#outlet = outlet;
    this.#messages = messages;
    this.#limits = limits;
    this.#buffers = buffers;
    this.#reject = reject;
    this.#onTargetOutput = (output) => {
      if (output.kind === 'response') this.#onResponse(output);
      else if (output.kind === 'unit-event') this.#messages.report(this.#node!, output);
    };
  }

  /** Lets the SCSI target of a node do something; its responses and events are sent. */
  through(node: TargetNode, act: (emit: (output: TargetOutput) => void) => void): void {
    this.#node = node;
    act(this.#onTargetOutput);
  }

  onCommand(connection: TargetConnection, pdu: Pdu): void {
    const session = connection.session!;
    const fault = this.#faultOf(session, pdu);
    if (fault !== undefined) return this.#reject(connection, pdu, fault.reason, fault.why);
    const task = this.#free.pop() ?? new CommandTask();
    task.load(connection, pdu);
    session.tasks.set(task.tag, task);
    if (task.isWrite) this.#beginWrite(session, task, pdu);
    else this.#execute(session, task, NOTHING);
  }

  /** Data-Out of a task. */
  onData(connection: TargetConnection, pdu: Pdu): void {
    const session = connection.session!;
    const task = session.tasks.get(pdu.initiatorTaskTag);
    if (task === undefined || task.state !== 'gathering' || task.connection !== connection) {
      if (session.holdData(connection, pdu) || session.wasAborted(pdu.initiatorTaskTag)) return;
      return this.#reject(connection, pdu, RejectReason.protocolError, 'Data-Out of no task');
    }
    const sequence = task.sequenceOf(pdu.u32(20));
    if (sequence === undefined) {
      return this.#reject(connection, pdu, RejectReason.protocolError, 'Data-Out that nobody asked for');
    }
    if (pdu.hasBadDataDigest) this.#reject(connection, pdu, RejectReason.dataDigest, 'data digest');
    this.#takeData(task, sequence, pdu);
    if (!pdu.isFinal) return;
    if (sequence.tag !== NO_TAG && sequence.received < sequence.length) task.error ??= DataError.incorrectAmount;
    task.closeSequence(sequence);
    this.#goOn(session, task);
  }

  /** Ends tasks that have not reached the unit; whether there were any. */
  dropGathering(session: Session, isMeant: (task: CommandTask) => boolean): boolean {
    let hasDropped = false;
    for (const task of session.tasks.values()) {
      if (task.state !== 'gathering' || !isMeant(task)) continue;
      session.rememberAborted(task.tag);
      this.#release(session, task);
      hasDropped = true;
    }
    return hasDropped;
  }

  /** The unit has forgotten these tasks: they are never answered. */
  dropInUnit(session: Session, isMeant: (task: CommandTask) => boolean): void {
    for (const task of session.tasks.values()) {
      if (task.state === 'in-unit' && isMeant(task)) this.#release(session, task);
    }
  }

  /** Asks for the Data-Out of tasks that waited for room, if there is room now. */
  serveWaiting(): void {
    while (this.#waiting.length > 0) {
      const task = this.#waiting[0]!;
      const session = task.connection.session!;
      if (!this.#growBuffer(task)) return;
      this.#waiting.shift();
      this.#goOn(session, task);
    }
  }

  #faultOf(session: Session, pdu: Pdu): { readonly reason: RejectReason; readonly why: string } | undefined {
    const { flags } = pdu;
    const isWrite = (flags & CommandFlag.write) !== 0;
    if (session.node === undefined) return { reason: RejectReason.protocolError, why: 'a command in discovery' };
    if (session.tasks.has(pdu.initiatorTaskTag)) return { reason: RejectReason.taskInProgress, why: 'task tag in use' };
    if (pdu.initiatorTaskTag === NO_TAG) return { reason: RejectReason.invalidField, why: 'task tag FFFFFFFF' };
    if (session.isFull) return { reason: RejectReason.tooManyImmediate, why: `${session.tasks.size} open commands` };
    if (pdu.additionalHeaderBytes > 0 || (isWrite && (flags & CommandFlag.read) !== 0)) {
      return { reason: RejectReason.notSupported, why: 'a long CDB or data both ways' };
    }
    if (!isWrite && pdu.data.length > 0) return { reason: RejectReason.protocolError, why: 'data of a read' };
    return undefined;
  }

  #beginWrite(session: Session, task: CommandTask, pdu: Pdu): void {
    const { parameters } = session;
    const immediate = pdu.data.length;
    const mostUnsolicited = Math.min(parameters.firstBurstLength, task.expected);
    task.cdbLength = dataOutLength(task.cdb, session.node!.blockLengthOf(task.lun));
    task.kept = task.lun < 0 ? 0 : task.expected;
    task.wanted = task.cdbLength > this.#limits.dataOutBytes ? 0 : Math.min(task.kept, task.cdbLength);
    if (pdu.hasBadDataDigest) {
      this.#reject(task.connection, pdu, RejectReason.dataDigest, 'data digest');
      task.error = DataError.crc;
    } else if (immediate > 0 && !parameters.immediateData) task.error = DataError.unexpectedUnsolicited;
    else if (immediate > mostUnsolicited) task.error = DataError.tooMuch;
    const isMoreToCome = (pdu.flags & FINAL) === 0;
    if (isMoreToCome && parameters.initialR2T) task.error ??= DataError.unexpectedUnsolicited;
    if (!isMoreToCome && task.error === undefined && immediate >= task.wanted) {
      return this.#execute(session, task, task.kept === 0 ? NOTHING : pdu.data);
    }
    if (isMoreToCome) {
      const length = Math.max(mostUnsolicited, immediate);
      task.sequences.push({ tag: NO_TAG, offset: 0, length, received: immediate, nextDataSn: 0 });
    }
    if (task.error === undefined && task.kept > 0) {
      const first = isMoreToCome ? mostUnsolicited : immediate;
      if (first > 0) task.buffer = this.#buffers.take(first, 'unsolicited');
      if (first > 0 && task.buffer === undefined) task.isRefused = true;
      this.#store(task, 0, pdu.data);
    }
    if (!isMoreToCome) this.#goOn(session, task);
  }

  #takeData(task: CommandTask, sequence: DataSequence, pdu: Pdu): void {
    const { length } = pdu.data;
    const offset = sequence.offset + sequence.received;
    if (pdu.hasBadDataDigest) task.error ??= DataError.crc;
    else if (pdu.u32(36) !== sequence.nextDataSn || pdu.u32(40) !== offset) task.error ??= DataError.offset;
    else if (sequence.received + length > sequence.length) task.error ??= DataError.tooMuch;
    sequence.nextDataSn = (sequence.nextDataSn + 1) >>> 0;
    if (task.error !== undefined) return;
    sequence.received += length;
    this.#store(task, offset, pdu.data);
  }

  /** Keeps the data for the unit, if there is one. */
  #store(task: CommandTask, offset: number, data: Uint8Array): void {
    if (task.isRefused || task.buffer === undefined) return;
    const length = Math.min(data.length, task.kept - offset);
    if (length <= 0) return;
    task.buffer.set(length === data.length ? data : data.subarray(0, length), offset);
    task.received += length;
  }

  /** A run of Data-Out is complete, or there was none: answers a failure, asks for more, or executes. */
  #goOn(session: Session, task: CommandTask): void {
    const isFailed = task.error !== undefined || task.isRefused;
    if (isFailed) {
      if (task.sequences.length === 0) this.#fail(session, task);
      return;
    }
    if (task.received < task.wanted) return this.#solicit(session, task);
    if (task.sequences.length > 0) return;
    this.#execute(session, task, task.buffer === undefined ? NOTHING : task.buffer.subarray(0, task.received));
  }

  #solicit(session: Session, task: CommandTask): void {
    if ((task.buffer?.length ?? 0) < task.wanted && !this.#growBuffer(task)) {
      if (!this.#waiting.includes(task)) this.#waiting.push(task);
      return;
    }
    const { maxBurstLength, maxOutstandingR2T } = session.parameters;
    task.solicited = Math.max(task.solicited, task.received);
    while (task.solicited < task.wanted && task.sequences.length < maxOutstandingR2T) {
      const length = Math.min(maxBurstLength, task.wanted - task.solicited);
      const sequence = {
        tag: session.nextTransferTag(),
        offset: task.solicited,
        length,
        received: 0,
        nextDataSn: 0,
      };
      task.sequences.push(sequence);
      task.solicited += length;
      this.#sendR2t(task, sequence);
    }
  }

  /** Room for all that is wanted; false when there is none at the moment. */
  #growBuffer(task: CommandTask): boolean {
    const old = task.buffer;
    const buffer = this.#buffers.take(task.wanted, 'solicited');
    if (buffer === undefined) return false;
    if (old !== undefined) {
      buffer.set(old.subarray(0, task.received));
      this.#buffers.giveBack(old);
    }
    task.buffer = buffer;
    return true;
  }

  #sendR2t(task: CommandTask, sequence: DataSequence): void {
    const { connection } = task;
    const writer = this.#outlet.begin(connection, PduOpcode.r2t, FINAL);
    writer.lun(Math.max(task.lun, 0)).u32(16, task.tag).u32(20, sequence.tag);
    writer.u32(36, task.nextSn).u32(40, sequence.offset).u32(44, sequence.length);
    task.nextSn += 1;
    this.#outlet.end(connection, 'next');
  }

  #execute(session: Session, task: CommandTask, data: Uint8Array): void {
    task.state = 'in-unit';
    const { tag, lun, cdb, attribute } = task;
    const { now } = this.#outlet;
    const { scsi } = session.node!;
    this.#node = session.node;
    scsi.step(now, { kind: 'command', nexus: session.nexus, lun, tag, cdb, data, attribute }, this.#onTargetOutput);
    // Answered before the next request is read: so the connection is paused before answers pile up.
    while (scsi.deadline() <= now) scsi.step(now, { kind: 'wake' }, this.#onTargetOutput);
    // The unit has its own copy. A task that was answered is back in the pool, and gave its buffer back.
    this.#giveBuffer(task);
  }

  /** Ends a task whose Data-Out was wrong, or had no room. */
  #fail(session: Session, task: CommandTask): void {
    if (task.error === undefined) {
      this.#respond(task, Status.taskSetFull, NOTHING, 0);
    } else {
      const sense = session.node!.scsi.senseData(task.lun, task.error);
      this.#respond(task, Status.checkCondition, sense, 0);
    }
    this.#release(session, task);
  }

  #onResponse(response: UnitResponse): void {
    const session = this.#node!.sessions.get(response.nexus);
    const task = session?.tasks.get(response.tag);
    if (session === undefined || task === undefined) return;
    assert(task.state === 'in-unit', 'the unit answers only what it was given');
    // It leaves the session first: the window opens by it with the very PDU that answers it.
    session.tasks.delete(task.tag);
    if (task.isRead && response.data.length > 0 && task.expected > 0) this.#sendData(task, response);
    else this.#respond(task, response.status, response.sense, movedBytes(task, response));
    this.#recycle(task);
  }

  /** Data-In, and the status with the last of it when it is GOOD (phase collapse). */
  #sendData(task: CommandTask, { data, status, sense }: UnitResponse): void {
    const { connection } = task;
    const { maxBurstLength } = connection.session!.parameters;
    const largest = connection.parameters.peerMaxRecvDataSegmentLength;
    const total = Math.min(task.expected, data.length);
    const isCollapsed = status === Status.good;
    for (let offset = 0, burstEnd = 0; offset < total; ) {
      if (offset === burstEnd) burstEnd = Math.min(total, offset + maxBurstLength);
      const length = Math.min(largest, burstEnd - offset);
      const end = offset + length;
      const isLast = end === total;
      let flags = end === burstEnd ? FINAL : 0;
      if (isLast && isCollapsed) flags |= ResponseFlag.status | residualFlags(task.expected, data.length);
      const writer = this.#outlet.begin(connection, PduOpcode.dataIn, flags);
      writer.u32(16, task.tag).u32(20, NO_TAG).u32(36, task.nextSn).u32(40, offset);
      task.nextSn += 1;
      if (isLast && isCollapsed) writer.u8(3, status).u32(44, Math.abs(task.expected - data.length));
      const part = length === data.length ? data : data.subarray(offset, end);
      this.#outlet.end(connection, isLast && isCollapsed ? 'status' : 'none', part);
      offset = end;
    }
    if (!isCollapsed) this.#respond(task, status, sense, data.length);
  }

  /** SCSI Response. `length` is what the command would have moved; the residual is what differs from it. */
  #respond(task: CommandTask, status: number, sense: Uint8Array, length: number): void {
    const { connection } = task;
    const writer = this.#outlet.begin(connection, PduOpcode.scsiResponse, FINAL | residualFlags(task.expected, length));
    writer
      .u8(3, status)
      .u32(16, task.tag)
      .u32(36, task.nextSn)
      .u32(44, Math.abs(task.expected - length));
    this.#outlet.end(connection, 'status', sense.length === 0 ? undefined : senseSegment(sense));
  }

  #release(session: Session, task: CommandTask): void {
    session.tasks.delete(task.tag);
    const waiting = this.#waiting.indexOf(task);
    if (waiting >= 0) this.#waiting.splice(waiting, 1);
    this.#recycle(task);
  }

  #recycle(task: CommandTask): void {
    this.#giveBuffer(task);
    this.#free.push(task);
  }

  #giveBuffer(task: CommandTask): void {
    if (task.buffer === undefined) return;
    this.#buffers.giveBack(task.buffer);
    task.buffer = undefined;
  }
}

/** What the command would have moved, had the initiator expected it. */
function movedBytes(task: CommandTask, { data }: UnitResponse): number {
  return task.isWrite ? task.cdbLength : data.length;
}

function residualFlags(expected: number, length: number): number {
  return length > expected ? ResponseFlag.overflow : length < expected ? ResponseFlag.underflow : 0;
}
