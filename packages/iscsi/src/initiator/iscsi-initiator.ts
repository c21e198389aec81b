import { type Machine, type Nanos, SECOND, utf8Bytes, type World } from '@quorate/kernel';
import type { TaskAttribute } from '@quorate/scsi';
import type { ChapSecret } from '../chap/chap.js';
import {
  AsyncEvent,
  CommandFlag,
  FINAL,
  IMMEDIATE,
  NO_TAG,
  PduOpcode,
  ResponseFlag,
  TaskFunction,
  TextFlag,
} from '../pdu/opcode.js';
import type { Pdu } from '../pdu/pdu.js';
import { type FramingError, PduReader } from '../pdu/pdu-reader.js';
import { PduWriter } from '../pdu/pdu-writer.js';
import { addSerial, isBefore } from '../pdu/serial.js';
import { DEFAULT_PARAMETERS, type Parameters } from '../session/parameters.js';
import { decodeText, TextBuffer } from '../text/key-value.js';
import { InitiatorLogin, type LoginStep } from './initiator-login.js';
import type { InitiatorTask } from './initiator-task.js';

/** Functions of task management that an initiator may ask for. */
export type InitiatorFunction =
  | 'abort-task'
  | 'abort-task-set'
  | 'clear-task-set'
  | 'lun-reset'
  | 'warm-reset'
  | 'cold-reset';

export type IscsiInitiatorInput =
  /** The TCP connection stands: the login begins. */
  | { readonly kind: 'connected' }
  | { readonly kind: 'received'; readonly bytes: Uint8Array }
  /** The other side closed, or the network gave up. */
  | { readonly kind: 'closed' }
  | {
      readonly kind: 'command';
      /** The caller's number, unique among its open commands. */
      readonly id: number;
      readonly lun: number;
      readonly cdb: Uint8Array;
      /** Bytes of Data-In that are expected, default 0. */
      readonly dataInLength?: number;
      readonly dataOut?: Uint8Array;
      /** Default `simple`. */
      readonly attribute?: TaskAttribute;
    }
  | {
      readonly kind: 'task-management';
      /** Comes back with the answer. */
      readonly id: number;
      readonly function: InitiatorFunction;
      readonly lun: number;
      /** The command that ABORT TASK means. */
      readonly command?: number;
    }
  /** Asks for all targets (discovery session), or for the addresses of the session's own. */
  | { readonly kind: 'send-targets' }
  | { readonly kind: 'logout' }
  | { readonly kind: 'wake' };

/** A target as discovery tells it. */
export interface DiscoveredTarget {
  readonly name: string;
  /** `10.0.0.1:3260,1`: address, port and portal group tag. */
  readonly addresses: readonly string[];
}

/** Why a connection of an initiator ended. */
export type InitiatorEnd =
  | 'logged-out'
  | 'login-failed'
  | 'login-timeout'
  | 'no-answer-to-ping'
  | 'peer-closed'
  | 'protocol-error'
  | 'dropped-by-target'
  | FramingError;

export type IscsiInitiatorOutput =
  | { readonly kind: 'send'; readonly bytes: Uint8Array }
  | { readonly kind: 'logged-in'; readonly tsih: number; readonly parameters: Readonly<Parameters> }
  /** A command ended. `sense` and `data` are lent. */
  | {
      readonly kind: 'response';
      readonly id: number;
      readonly status: number;
      readonly sense: Uint8Array;
      readonly data: Uint8Array;
      /** Bytes that were expected and not moved; negative when more would have been moved. */
      readonly residual: number;
    }
  /** `response` as in `TaskResponse`: 0 is complete. */
  | { readonly kind: 'task-management-ended'; readonly id: number; readonly response: number }
  | { readonly kind: 'targets'; readonly targets: readonly DiscoveredTarget[] }
  /** The target asks for a logout within so many seconds. */
  | { readonly kind: 'logout-requested'; readonly seconds: number }
  /** The target did not take a PDU of ours. */
  | { readonly kind: 'reject'; readonly reason: number; readonly opcode: number }
  /** The end: open commands get no response any more. `status` is that of a login that was refused. */
  | { readonly kind: 'close'; readonly reason: InitiatorEnd; readonly why: string; readonly status: number };

export interface IscsiInitiatorConfig {
  readonly initiator: string;
  /** iSCSI name of the target; left out for a discovery session. */
  readonly target?: string;
  /** 12 hex digits. Name and isid make the initiator port: the same again gets its registrations back. */
  readonly isid: string;
  readonly user?: ChapSecret;
  readonly mutual?: ChapSecret;
  /** What to ask for in the login, besides what `DEFAULT_WISHES` says. */
  readonly wishes?: Partial<Parameters>;
  /** Time for the login, default 15 s. */
  readonly login?: Nanos;
  /** Silence after which the target is pinged, and again until it counts as gone; default 15 s. */
  readonly ping?: Nanos;
  /** Challenges, from the stream `iscsi/initiator`. */
  readonly world: World;
}

/** What our initiator asks for. */
export const DEFAULT_WISHES: Readonly<Parameters> = {
  ...DEFAULT_PARAMETERS,
  initialR2T: false,
  maxRecvDataSegmentLength: 262_144,
  firstBurstLength: 262_144,
  maxBurstLength: 1_048_576,
  maxOutstandingR2T: 4,
  defaultTime2Retain: 0,
};

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

type Emit = (output: IscsiInitiatorOutput) => void;

/**
 * One connection of an iSCSI initiator, one session, at error recovery level 0. When it ends it is of no more use: the
 * caller decides whether to make another one. Source: RFC 7143.
 *
 * Commands go out as the target's window allows, and wait here until then.
 */
export class IscsiInitiator implements Machine<IscsiInitiatorInput, IscsiInitiatorOutput> {
  readonly #config: IscsiInitiatorConfig;
  readonly #reader: PduReader;
  readonly #writer = new PduWriter();
  readonly #login: InitiatorLogin;
  readonly #tasks = new Map<number, InitiatorTask>();
  /** Our numbers of functions by initiator task tag. */
  readonly #functions = new Map<number, number>();
  readonly #queue: InitiatorTask[] = [];
  readonly #text = new TextBuffer();
  #state: 'idle' | 'login' | 'full-feature' | 'closed' = 'idle';
  #parameters: Readonly<Parameters> = DEFAULT_PARAMETERS;
  #emit: Emit = () => {};
  #now: Nanos = 0;
  #loginBy: Nanos = Infinity;
  #lastHeard: Nanos = 0;
  #pingedAt: Nanos = Infinity;
  #lastTag = 0;
  #cmdSn = 1;
  #maxCmdSn = 1;
  #expStatSn = 0;

  constructor(config: IscsiInitiatorConfig) {
    const ours = { ...DEFAULT_WISHES, ...config.wishes };
    this.#config = config;
    this.#reader = new PduReader(ours.maxRecvDataSegmentLength);
    this.#login = new InitiatorLogin({
      initiator: config.initiator,
      target: config.target,
      ours,
      user: config.user,
      mutual: config.mutual,
      choices: config.world.choices('iscsi/initiator'),
    });
    this.#writer.sendTo((bytes) => this.#emit({ kind: 'send', bytes }));
  }

  /** @throws {RangeError} for a command before the login has ended, or after the connection has. */
  step(now: Nanos, input: IscsiInitiatorInput, emit: Emit): void {
    this.#now = now;
    this.#emit = emit;
    switch (input.kind) {
      case 'connected':
        this.#onConnected();
        break;
      case 'received':
        this.#onReceived(input.bytes);
        break;
      case 'closed':
        this.#end('peer-closed', 'the connection broke');
        break;
      case 'command':
        this.#onCommand(input);
        break;
      case 'task-management':
        this.#onTaskManagement(input);
        break;
      case 'send-targets':
        this.#onSendTargets();
        break;
      case 'logout':
        this.#onLogout();
        break;
      case 'wake':
        this.#onWake();
        break;
    }
    this.#writer.flush();
  }

  deadline(): Nanos {
    if (this.#state === 'login') return this.#loginBy;
    if (this.#state !== 'full-feature') return Infinity;
    return (this.#pingedAt === Infinity ? this.#lastHeard : this.#pingedAt) + this.#ping;
  }

  inspect(): Readonly<Record<string, unknown>> {
    return { state: this.#state, open: this.#tasks.size, queued: this.#queue.length, cmdSn: this.#cmdSn };
  }

  get #ping(): Nanos {
    return this.#config.ping ?? 15 * SECOND;
  }

  #onConnected(): void {
    this.#state = 'login';
    this.#loginBy = this.#now + (this.#config.login ?? 15 * SECOND);
    this.#sendLogin(this.#login.begin());
  }

  #sendLogin({ flags, text }: { readonly flags: number; readonly text: Uint8Array }): void {
    const writer = this.#writer.begin(IMMEDIATE | PduOpcode.login, flags);
    for (let i = 0; i < 6; i++) writer.u8(8 + i, Number.parseInt(this.#config.isid.slice(2 * i, 2 * i + 2), 16));
    writer.u32(16, 0).u32(24, this.#cmdSn).u32(28, this.#expStatSn);
    writer.end(text);
  }

  #onReceived(bytes: Uint8Array): void {
    if (this.#state === 'closed') return;
    this.#lastHeard = this.#now;
    this.#pingedAt = Infinity;
    this.#reader.feed(bytes);
    for (let found = this.#reader.next(); found !== 'more'; found = this.#reader.next()) {
      if (found !== 'pdu') return this.#end(found, 'the stream cannot be read on');
      this.#onPdu(this.#reader.pdu);
      if (this.#isOver) return;
    }
    this.#reader.keep();
    this.#sendQueued();
  }

  get #isOver(): boolean {
    return this.#state === 'closed';
  }

  #onPdu(pdu: Pdu): void {
    if (pdu.hasBadDataDigest) return this.#end('protocol-error', 'a data digest is wrong');
    if (this.#state === 'login') return this.#onLoginResponse(pdu);
    this.#noteNumbers(pdu);
    switch (pdu.opcode) {
      case PduOpcode.scsiResponse:
        return this.#onScsiResponse(pdu);
      case PduOpcode.dataIn:
        return this.#onDataIn(pdu);
      case PduOpcode.r2t:
        return this.#onR2t(pdu);
      case PduOpcode.taskManagementResponse:
        return this.#onTaskManagementResponse(pdu);
      case PduOpcode.nopIn:
        return this.#onNopIn(pdu);
      case PduOpcode.textResponse:
        return this.#onTextResponse(pdu);
      case PduOpcode.asyncMessage:
        return this.#onAsync(pdu);
      case PduOpcode.reject:
        this.#emit({ kind: 'reject', reason: pdu.u8(2), opcode: (pdu.data[0] ?? 0) & 0x3f });
        return;
      case PduOpcode.logoutResponse:
        return this.#end('logged-out', '');
      default:
        return this.#end('protocol-error', `opcode ${pdu.opcode.toString(16)}h from a target`);
    }
  }

  /** StatSN of what carries one, and the window. */
  #noteNumbers(pdu: Pdu): void {
    const { opcode, flags } = pdu;
    const hasStatus = opcode === PduOpcode.dataIn ? (flags & ResponseFlag.status) !== 0 : opcode !== PduOpcode.r2t;
    const isPing = opcode === PduOpcode.nopIn && pdu.initiatorTaskTag === NO_TAG;
    if (hasStatus && !isPing) this.#expStatSn = addSerial(pdu.u32(24), 1);
    if (isBefore(this.#maxCmdSn, pdu.u32(32))) this.#maxCmdSn = pdu.u32(32);
  }

  #onLoginResponse(pdu: Pdu): void {
    if (pdu.opcode !== PduOpcode.loginResponse) return this.#end('protocol-error', 'no Login Response');
    this.#expStatSn = addSerial(pdu.u32(24), 1);
    const step: LoginStep = this.#login.response(pdu);
    switch (step.kind) {
      case 'request':
        return this.#sendLogin(step);
      case 'failed':
        return this.#end('login-failed', step.why, step.status);
      case 'done':
        break;
    }
    this.#parameters = this.#login.settled;
    this.#state = 'full-feature';
    this.#maxCmdSn = pdu.u32(32);
    this.#writer.flush();
    const { headerDigest, dataDigest } = this.#parameters;
    this.#writer.hasHeaderDigest = this.#reader.hasHeaderDigest = headerDigest;
    this.#writer.hasDataDigest = this.#reader.hasDataDigest = dataDigest;
    this.#emit({ kind: 'logged-in', tsih: pdu.u16(14), parameters: { ...this.#parameters } });
  }

  #onCommand(input: IscsiInitiatorInput & { kind: 'command' }): void {
    this.#mustBeIn();
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
    this.#sendQueued();
  }

  #mustBeIn(): void {
    if (this.#state !== 'full-feature') throw new RangeError(`the session is ${this.#state}, expected full-feature`);
  }

  /** Sends commands that wait, as far as the window reaches. */
  #sendQueued(): void {
    let sent = 0;
    while (this.#state === 'full-feature' && sent < this.#queue.length && !isBefore(this.#maxCmdSn, this.#cmdSn)) {
      this.#sendCommand(this.#queue[sent]!);
      sent += 1;
    }
    if (sent > 0) this.#queue.splice(0, sent);
  }

  #newTag(): number {
    this.#lastTag = (this.#lastTag + 1) % NO_TAG;
    return this.#lastTag;
  }

  #sendCommand(task: InitiatorTask): void {
    const { initialR2T, immediateData, firstBurstLength, peerMaxRecvDataSegmentLength } = this.#parameters;
    const { dataOut } = task;
    const tag = this.#newTag();
    const first = Math.min(dataOut.length, firstBurstLength);
    const immediate = immediateData ? Math.min(first, peerMaxRecvDataSegmentLength) : 0;
    const isMoreToCome = !initialR2T && first > immediate;
    const direction = dataOut.length > 0 ? CommandFlag.write : task.dataIn.length > 0 ? CommandFlag.read : 0;
    this.#tasks.set(tag, task);
    const writer = this.#writer.begin(PduOpcode.scsiCommand, (isMoreToCome ? 0 : FINAL) | direction | task.attribute);
    writer
      .lun(task.lun)
      .u32(16, tag)
      .u32(20, dataOut.length > 0 ? dataOut.length : task.dataIn.length);
    writer.u32(24, this.#cmdSn).u32(28, this.#expStatSn).raw(32, task.cdb.subarray(0, 16));
    this.#cmdSn = addSerial(this.#cmdSn, 1);
    writer.end(immediate === 0 ? undefined : dataOut.subarray(0, immediate));
    if (isMoreToCome) this.#sendData(task, tag, NO_TAG, immediate, first);
  }

  /** A run of Data-Out from `start` to `end` of the command's data. */
  #sendData(task: InitiatorTask, tag: number, transferTag: number, start: number, end: number): void {
    const most = this.#parameters.peerMaxRecvDataSegmentLength;
    for (let offset = start, dataSn = 0; offset < end; dataSn++) {
      const length = Math.min(most, end - offset);
      const writer = this.#writer.begin(PduOpcode.dataOut, offset + length === end ? FINAL : 0);
      writer.lun(task.lun).u32(16, tag).u32(20, transferTag).u32(28, this.#expStatSn).u32(36, dataSn).u32(40, offset);
      writer.end(task.dataOut.subarray(offset, offset + length));
      offset += length;
    }
  }

  #onR2t(pdu: Pdu): void {
    const task = this.#tasks.get(pdu.initiatorTaskTag);
    if (task === undefined) return;
    const start = pdu.u32(40);
    const end = start + pdu.u32(44);
    if (end > task.dataOut.length || end === start) {
      return this.#end('protocol-error', `R2T for bytes ${start} to ${end} of ${task.dataOut.length}`);
    }
    this.#sendData(task, pdu.initiatorTaskTag, pdu.u32(20), start, end);
  }

  #onDataIn(pdu: Pdu): void {
    const task = this.#tasks.get(pdu.initiatorTaskTag);
    if (task === undefined) return;
    const offset = pdu.u32(40);
    if (pdu.u32(36) !== task.nextDataSn || offset + pdu.data.length > task.dataIn.length) {
      return this.#end('protocol-error', `Data-In ${pdu.u32(36)} of ${pdu.data.length} bytes at ${offset}`);
    }
    task.nextDataSn += 1;
    task.dataIn.set(pdu.data, offset);
    task.received = Math.max(task.received, offset + pdu.data.length);
    if ((pdu.flags & ResponseFlag.status) !== 0) this.#finish(pdu, task, NOTHING);
  }

  #onScsiResponse(pdu: Pdu): void {
    const task = this.#tasks.get(pdu.initiatorTaskTag);
    if (task === undefined) return;
    const { data } = pdu;
    const length = data.length < 2 ? 0 : (data[0]! << 8) | data[1]!;
    this.#finish(pdu, task, data.subarray(2, 2 + length));
  }

  #finish(pdu: Pdu, task: InitiatorTask, sense: Uint8Array): void {
    this.#tasks.delete(pdu.initiatorTaskTag);
    const count = pdu.u32(44);
    const isOver = (pdu.flags & ResponseFlag.overflow) !== 0;
    const residual = isOver ? -count : (pdu.flags & ResponseFlag.underflow) !== 0 ? count : 0;
    const data = task.dataIn.subarray(0, task.received);
    // A response code other than 0 says that the target failed: there is no status then (RFC 7143, 11.4.3).
    const hasFailed = pdu.opcode === PduOpcode.scsiResponse && pdu.u8(2) !== 0;
    this.#emit({ kind: 'response', id: task.id, status: hasFailed ? 0x02 : pdu.u8(3), sense, data, residual });
  }

  #onTaskManagement(input: IscsiInitiatorInput & { kind: 'task-management' }): void {
    this.#mustBeIn();
    const referenced = input.command === undefined ? NO_TAG : this.#tagOf(input.command);
    const tag = this.#newTag();
    this.#functions.set(tag, input.id);
    const writer = this.#writer.begin(IMMEDIATE | PduOpcode.taskManagement, FINAL | FUNCTIONS[input.function]);
    writer.lun(input.lun).u32(16, tag).u32(20, referenced);
    writer.u32(24, this.#cmdSn).u32(28, this.#expStatSn).u32(32, this.#cmdSn);
    writer.end();
  }

  #tagOf(id: number): number {
    for (const [tag, task] of this.#tasks) if (task.id === id) return tag;
    return NO_TAG;
  }

  #onTaskManagementResponse(pdu: Pdu): void {
    const id = this.#functions.get(pdu.initiatorTaskTag);
    if (id === undefined) return;
    this.#functions.delete(pdu.initiatorTaskTag);
    this.#emit({ kind: 'task-management-ended', id, response: pdu.u8(2) });
  }

  #onNopIn(pdu: Pdu): void {
    const transferTag = pdu.u32(20);
    if (transferTag === NO_TAG) return;
    const writer = this.#writer.begin(IMMEDIATE | PduOpcode.nopOut, FINAL).raw(8, pdu.slice(8, 16));
    writer.u32(16, NO_TAG).u32(20, transferTag).u32(24, this.#cmdSn).u32(28, this.#expStatSn);
    writer.end();
  }

  #onSendTargets(): void {
    this.#mustBeIn();
    const value = this.#config.target === undefined ? 'All' : '';
    this.#sendText(utf8Bytes(`SendTargets=${value}\0`), NO_TAG);
  }

  #sendText(text: Uint8Array, transferTag: number): void {
    const writer = this.#writer.begin(IMMEDIATE | PduOpcode.text, TextFlag.final);
    writer.u32(16, this.#newTag()).u32(20, transferTag).u32(24, this.#cmdSn).u32(28, this.#expStatSn);
    writer.end(text);
  }

  #onTextResponse(pdu: Pdu): void {
    if (!this.#text.add(pdu.data)) return this.#end('protocol-error', 'more text than a response has');
    if ((pdu.flags & TextFlag.continue) !== 0) return this.#sendText(NOTHING, pdu.u32(20));
    const targets: { name: string; addresses: string[] }[] = [];
    for (const [key, value] of decodeText(this.#text.take()) ?? []) {
      if (key === 'TargetName') targets.push({ name: value, addresses: [] });
      else if (key === 'TargetAddress') targets.at(-1)?.addresses.push(value);
    }
    this.#emit({ kind: 'targets', targets });
  }

  #onAsync(pdu: Pdu): void {
    const event = pdu.u8(36);
    if (event === AsyncEvent.logoutRequest) this.#emit({ kind: 'logout-requested', seconds: pdu.u16(42) });
    else if (event === AsyncEvent.dropConnection || event === AsyncEvent.dropSession)
      this.#end('dropped-by-target', `event ${event}`);
  }

  #onLogout(): void {
    this.#mustBeIn();
    const writer = this.#writer.begin(IMMEDIATE | PduOpcode.logout, FINAL);
    writer.u32(16, this.#newTag()).u32(24, this.#cmdSn).u32(28, this.#expStatSn);
    writer.end();
  }

  #onWake(): void {
    if (this.#now < this.deadline()) return;
    if (this.#state === 'login') return this.#end('login-timeout', 'the login took too long');
    if (this.#pingedAt !== Infinity) return this.#end('no-answer-to-ping', 'the target is silent');
    this.#pingedAt = this.#now;
    const writer = this.#writer.begin(IMMEDIATE | PduOpcode.nopOut, FINAL);
    writer.u32(16, this.#newTag()).u32(20, NO_TAG).u32(24, this.#cmdSn).u32(28, this.#expStatSn);
    writer.end();
  }

  #end(reason: InitiatorEnd, why: string, status = 0): void {
    if (this.#state === 'closed') return;
    this.#writer.flush();
    this.#state = 'closed';
    this.#tasks.clear();
    this.#queue.length = 0;
    this.#emit({ kind: 'close', reason, why, status });
  }
}
