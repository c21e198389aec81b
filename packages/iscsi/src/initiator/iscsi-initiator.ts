import { type Machine, type Nanos, SECOND, utf8Bytes, type World } from '@quorate/kernel';
import type { ChapSecret } from '../chap/chap.js';
import { AsyncEvent, FINAL, IMMEDIATE, NO_TAG, PduOpcode, TextFlag } from '../pdu/opcode.js';
import type { Pdu } from '../pdu/pdu.js';
import { PduReader } from '../pdu/pdu-reader.js';
import { PduWriter } from '../pdu/pdu-writer.js';
import { senseIn } from '../pdu/sense-segment.js';
import { addSerial } from '../pdu/serial.js';
import { DEFAULT_PARAMETERS, type Parameters } from '../session/parameters.js';
import { decodeText, TextBuffer } from '../text/key-value.js';
import type { InitiatorEnd, IscsiInitiatorInput, IscsiInitiatorOutput } from './initiator-io.js';
import { InitiatorLogin, type LoginStep } from './initiator-login.js';
import { InitiatorNumbers } from './initiator-numbers.js';
import { InitiatorTasks } from './initiator-tasks.js';

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
  readonly #numbers = new InitiatorNumbers();
  readonly #tasks: InitiatorTasks;
  readonly #text = new TextBuffer();
  #state: 'idle' | 'login' | 'full-feature' | 'closed' = 'idle';
  #emit: Emit = () => {};
  #now: Nanos = 0;
  #loginBy: Nanos = Infinity;
  #lastHeard: Nanos = 0;
  #pingedAt: Nanos = Infinity;

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
    this.#tasks = new InitiatorTasks({
      writer: this.#writer,
      numbers: this.#numbers,
      emit: (output) => this.#emit(output),
      fail: (why) => this.#end('protocol-error', why),
    });
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
        this.#mustBeIn();
        this.#tasks.onCommand(input);
        break;
      case 'task-management':
        this.#mustBeIn();
        this.#tasks.onTaskManagement(input);
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
    return { state: this.#state, ...this.#tasks.inspect(), cmdSn: this.#numbers.cmdSn };
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
    writer.u32(16, 0).u32(24, this.#numbers.cmdSn).u32(28, this.#numbers.expStatSn);
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
    if (this.#state === 'full-feature') this.#tasks.sendQueued();
  }

  get #isOver(): boolean {
    return this.#state === 'closed';
  }

  #onPdu(pdu: Pdu): void {
    if (pdu.hasBadDataDigest) return this.#end('protocol-error', 'a data digest is wrong');
    if (this.#state === 'login') return this.#onLoginResponse(pdu);
    this.#numbers.note(pdu);
    switch (pdu.opcode) {
      case PduOpcode.scsiResponse:
        return this.#tasks.onScsiResponse(pdu);
      case PduOpcode.dataIn:
        return this.#tasks.onDataIn(pdu);
      case PduOpcode.r2t:
        return this.#tasks.onR2t(pdu);
      case PduOpcode.taskManagementResponse:
        return this.#tasks.onTaskManagementResponse(pdu);
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

  #onLoginResponse(pdu: Pdu): void {
    if (pdu.opcode !== PduOpcode.loginResponse) return this.#end('protocol-error', 'no Login Response');
    this.#numbers.expStatSn = addSerial(pdu.u32(24), 1);
    const step: LoginStep = this.#login.response(pdu);
    switch (step.kind) {
      case 'request':
        return this.#sendLogin(step);
      case 'failed':
        return this.#end('login-failed', step.why, step.status);
      case 'done':
        break;
    }
    const parameters: Readonly<Parameters> = { ...this.#login.settled };
    this.#tasks.parameters = parameters;
    this.#state = 'full-feature';
    this.#numbers.maxCmdSn = pdu.u32(32);
    this.#writer.flush();
    const { headerDigest, dataDigest } = parameters;
    this.#writer.hasHeaderDigest = this.#reader.hasHeaderDigest = headerDigest;
    this.#writer.hasDataDigest = this.#reader.hasDataDigest = dataDigest;
    this.#emit({ kind: 'logged-in', tsih: pdu.u16(14), parameters });
  }

  #mustBeIn(): void {
    if (this.#state !== 'full-feature') throw new RangeError(`the session is ${this.#state}, expected full-feature`);
  }

  #onNopIn(pdu: Pdu): void {
    const transferTag = pdu.u32(20);
    if (transferTag === NO_TAG) return;
    const writer = this.#writer.begin(IMMEDIATE | PduOpcode.nopOut, FINAL).raw(8, pdu.slice(8, 16));
    writer.u32(16, NO_TAG).u32(20, transferTag).u32(24, this.#numbers.cmdSn).u32(28, this.#numbers.expStatSn);
    writer.end();
  }

  #onSendTargets(): void {
    this.#mustBeIn();
    const value = this.#config.target === undefined ? 'All' : '';
    this.#sendText(utf8Bytes(`SendTargets=${value}\0`), NO_TAG);
  }

  #sendText(text: Uint8Array, transferTag: number): void {
    const writer = this.#writer.begin(IMMEDIATE | PduOpcode.text, TextFlag.final);
    writer
      .u32(16, this.#numbers.newTag())
      .u32(20, transferTag)
      .u32(24, this.#numbers.cmdSn)
      .u32(28, this.#numbers.expStatSn);
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
    switch (event) {
      case AsyncEvent.scsi:
        this.#emit({ kind: 'unit-event', lun: pdu.lun, sense: senseIn(pdu) });
        return;
      case AsyncEvent.logoutRequest:
        this.#emit({ kind: 'logout-requested', seconds: pdu.u16(42) });
        return;
      case AsyncEvent.dropConnection:
      case AsyncEvent.dropSession:
        this.#end('dropped-by-target', `event ${event}`);
        return;
    }
  }

  #onLogout(): void {
    this.#mustBeIn();
    const writer = this.#writer.begin(IMMEDIATE | PduOpcode.logout, FINAL);
    writer.u32(16, this.#numbers.newTag()).u32(24, this.#numbers.cmdSn).u32(28, this.#numbers.expStatSn);
    writer.end();
  }

  #onWake(): void {
    if (this.#now < this.deadline()) return;
    if (this.#state === 'login') return this.#end('login-timeout', 'the login took too long');
    if (this.#pingedAt !== Infinity) return this.#end('no-answer-to-ping', 'the target is silent');
    this.#pingedAt = this.#now;
    const writer = this.#writer.begin(IMMEDIATE | PduOpcode.nopOut, FINAL);
    writer
      .u32(16, this.#numbers.newTag())
      .u32(20, NO_TAG)
      .u32(24, this.#numbers.cmdSn)
      .u32(28, this.#numbers.expStatSn);
    writer.end();
  }

  #end(reason: InitiatorEnd, why: string, status = 0): void {
    if (this.#state === 'closed') return;
    this.#writer.flush();
    this.#state = 'closed';
    this.#tasks.clear();
    this.#emit({ kind: 'close', reason, why, status });
  }
}
