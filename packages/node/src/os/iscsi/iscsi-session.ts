import { IscsiInitiator, type IscsiInitiatorInput, type IscsiInitiatorOutput, type Parameters } from '@quorate/iscsi';
import { type Errno, type LogPriority, type Nanos, SECOND, type World } from '@quorate/kernel';
import type { IpInput } from '@quorate/network';
import { dataInLength } from '@quorate/scsi';
import { Child } from '../../child.js';
import { HostStatus } from '../host-status.js';
import { loginFailureOf, lossLines, type SessionLoss, whyNotConnected } from './connection-error.js';
import { IscsiError } from './iscsi-error.js';
import type { LoginRequest } from './login-request.js';
import { ScsiErrorHandler } from './scsi-error-handler.js';

/** States of a connection, by iscsid's names. */
export type ConnectionState = 'TRANSPORT WAIT' | 'IN LOGIN' | 'LOGGED IN' | 'IN LOGOUT' | 'CLEANUP WAIT';

/** What a session needs of the machine around it, and what it tells. */
export interface SessionPorts {
  readonly world: World;
  now(): Nanos;
  toStack(input: IpInput): void;
  newConnection(): number;
  /** The portal has answered: the kernel makes the session. Its number, which no other had or will have until the next boot. */
  newSession(): number;
  log(priority: LogPriority, tag: string, text: string): void;
  /** A command ended, which is told to whoever sent it later in this step. `sense` and `data` are lent. */
  commandDone(tag: number, status: number, sense: Uint8Array, data: Uint8Array): void;
  /** It is there, for the first time or again. */
  online(session: IscsiSession, isFirst: boolean, attempts: number): void;
  /** The connection broke; the session waits to come back. */
  lost(session: IscsiSession, reason: string): void;
  /** It has waited too long: commands fail from now on until it comes back. */
  timedOut(session: IscsiSession): void;
  /** It is over: the first login failed for good, or somebody logged out. `error` as in `IscsiError`. */
  over(session: IscsiSession, error: number): void;
}

interface Command {
  readonly tag: number;
  readonly lun: number;
  readonly cdb: Uint8Array;
  readonly data: Uint8Array;
}

/** From the first connection on; a discriminated union by what is waited for. */
type State =
  | { readonly kind: 'pause'; readonly until: Nanos }
  | { readonly kind: 'connecting'; readonly until: Nanos }
  | { readonly kind: 'login' | 'logged-in' | 'logout' }
  | { readonly kind: 'over' };

const CONNECTION_STATES: { readonly [kind in State['kind']]: ConnectionState } = {
  pause: 'TRANSPORT WAIT',
  connecting: 'TRANSPORT WAIT',
  login: 'IN LOGIN',
  'logged-in': 'LOGGED IN',
  logout: 'IN LOGOUT',
  over: 'CLEANUP WAIT',
};

/** `ISCSI_CONN_ERR_REOPEN_DELAY` of iscsid. */
const REOPEN_DELAY: Nanos = 3 * SECOND;
/** DefaultTime2Wait: how long a session that was lost leaves the target alone. */
const TIME_TO_WAIT: Nanos = 2 * SECOND;
/** `node.conn[0].timeo.logout_timeout`. */
const LOGOUT_TIMEOUT: Nanos = 15 * SECOND;

const NOTHING = new Uint8Array(0);
/** All disks of the cluster have these. */
const BLOCK_BYTES = 512;

/**
 * One session of the machine's iSCSI initiator, over the connections that it has one after the other.
 *
 * When its connection breaks, commands on their way end as disrupted, which makes the disk driver send them again, and whatever is
 * sent meanwhile waits. It connects again until it gets through. A command that is not answered is the error handler's. After the replacement timeout what waits fails, and what comes
 * later fails at once, until it is back.
 *
 * Source: open-iscsi 2.1 usr/initiator.c; Linux drivers/scsi/libiscsi.c, scsi_transport_iscsi.c.
 */
export class IscsiSession {
  readonly request: LoginRequest;
  readonly #ports: SessionPorts;
  readonly #since: Nanos;
  #sid = 0;
  #state: State = { kind: 'pause', until: Infinity };
  #connection = 0;
  #initiator: Child<IscsiInitiatorInput, IscsiInitiatorOutput> | undefined;
  #parameters: Readonly<Parameters> | undefined;
  /** At the target, by tag. */
  readonly #open = new Set<number>();
  readonly #errorHandler: ScsiErrorHandler;
  /** For when it is back, or the error handler is through. */
  #waiting: Command[] = [];
  #hasBeenOnline = false;
  #attempts = 0;
  /** When commands stop waiting for a session that is lost. */
  #replacementAt: Nanos = Infinity;
  #hasTimedOut = false;
  #logoutBy: Nanos = Infinity;

  constructor(request: LoginRequest, ports: SessionPorts) {
    this.request = request;
    this.#ports = ports;
    this.#since = ports.now();
    this.#errorHandler = new ScsiErrorHandler({
      now: () => ports.now(),
      manage: (id, name, lun, command) =>
        this.#initiator!.send({
          ...{ kind: 'task-management', id, function: name, lun },
          ...(command !== undefined && { command }),
        }),
      recovered: (tags) => this.#onRecovered(tags),
      dropSession: () => {
        this.#dropConnection();
        this.#onLost('error-handler');
      },
    });
    this.#connect();
  }

  /** Its number; 0 until its portal has answered once. */
  get sid(): number {
    return this.#sid;
  }

  /** Its TCP connection now; 0 without one. */
  get connection(): number {
    return this.#connection;
  }

  get parameters(): Readonly<Parameters> | undefined {
    return this.#parameters;
  }

  get connectionState(): ConnectionState {
    return CONNECTION_STATES[this.#state.kind];
  }

  /** It was there, is lost, and is to come back. */
  get isRecovering(): boolean {
    return this.#hasBeenOnline && !this.#isIn;
  }

  /** What sysfs says of its disks. */
  get deviceState(): 'running' | 'blocked' | 'transport-offline' {
    if (!this.isRecovering) return 'running';
    return this.#hasTimedOut ? 'transport-offline' : 'blocked';
  }

  get hasLoggedIn(): boolean {
    return this.#hasBeenOnline;
  }

  get #isIn(): boolean {
    return this.#state.kind === 'logged-in' || this.#state.kind === 'logout';
  }

  /** `cdb` and `data` are lent. */
  command(tag: number, lun: number, cdb: Uint8Array, data: Uint8Array): void {
    const isBlocked = this.#errorHandler.isRecovering;
    if (this.#state.kind === 'logged-in' && !isBlocked) return this.#send({ tag, lun, cdb, data });
    if (this.#hasTimedOut || this.#state.kind === 'over' || this.#state.kind === 'logout') return this.#fail(tag);
    this.#waiting.push({ tag, lun, cdb: cdb.slice(), data: data.slice() });
  }

  /** Ends it in order, or at once if it is lost. */
  logout(): void {
    if (this.#state.kind !== 'logged-in') return this.#end(IscsiError.success);
    this.#state = { kind: 'logout' };
    this.#logoutBy = this.#ports.now() + LOGOUT_TIMEOUT;
    this.#initiator!.send({ kind: 'logout' });
  }

  connected(): void {
    if (this.#state.kind !== 'connecting') return;
    const { initiator, target, user, mutual, wishes, loginTimeoutSec, noopSec } = this.request;
    if (this.#sid === 0) this.#sid = this.#ports.newSession();
    const machine = new IscsiInitiator({
      initiator,
      target,
      isid: isidOf(this.#sid),
      wishes,
      ...(user && { user }),
      ...(mutual && { mutual }),
      login: loginTimeoutSec * SECOND,
      ping: noopSec * SECOND,
      world: this.#ports.world,
    });
    this.#state = { kind: 'login' };
    this.#initiator = new Child(machine, () => this.#ports.now(), this.#onInitiator);
    this.#initiator.send({ kind: 'connected' });
  }

  received(bytes: Uint8Array): void {
    this.#initiator?.send({ kind: 'received', bytes });
  }

  /** The target has closed. */
  closed(): void {
    this.#ports.toStack({ kind: 'tcp-close', id: this.#connection });
    this.#connection = 0;
    this.#initiator?.send({ kind: 'closed' });
  }

  failed(errno: Errno): void {
    this.#connection = 0;
    if (this.#state.kind === 'connecting') return this.#notConnected(errno);
    this.#initiator?.send({ kind: 'closed' });
  }

  deadline(): Nanos {
    const until = this.#state.kind === 'pause' || this.#state.kind === 'connecting' ? this.#state.until : Infinity;
    return Math.min(
      until,
      this.#replacementAt,
      this.#logoutBy,
      this.#errorHandler.deadline(),
      this.#initiator?.deadline() ?? Infinity,
    );
  }

  wakeIfDue(now: Nanos): void {
    this.#initiator?.wakeIfDue(now);
    this.#errorHandler.wakeIfDue(now);
    if (this.#logoutBy <= now) this.#end(IscsiError.success);
    if (this.#replacementAt <= now) this.#giveUpWaiting();
    if (this.#state.kind === 'pause' && this.#state.until <= now) this.#connect();
    if (this.#state.kind === 'connecting' && this.#state.until <= now) this.#notConnected('ETIMEDOUT');
  }

  #connect(): void {
    const { address, port, loginTimeoutSec } = this.request;
    this.#attempts += 1;
    this.#connection = this.#ports.newConnection();
    this.#state = { kind: 'connecting', until: this.#ports.now() + loginTimeoutSec * SECOND };
    this.#ports.toStack({ kind: 'tcp-connect', id: this.#connection, to: address, port });
  }

  #notConnected(errno: Errno): void {
    const { address, port } = this.request;
    this.#ports.log('err', 'iscsid', `connect to ${address}:${port} failed (${whyNotConnected(errno)})`);
    this.#dropConnection();
    this.#tryAgain(IscsiError.transportTimeout, REOPEN_DELAY);
  }

  /** The first login is tried for a while, a session that was there for ever. */
  #tryAgain(error: number, delay: Nanos): void {
    const now = this.#ports.now();
    const { initialLoginRetryMax, loginTimeoutSec } = this.request;
    const isFatal = error === IscsiError.fatalLogin || error === IscsiError.loginAuthFailed;
    const hasTriedLongEnough = now > this.#since + initialLoginRetryMax * loginTimeoutSec * SECOND;
    if (!this.#hasBeenOnline && (isFatal || hasTriedLongEnough)) return this.#end(error);
    this.#state = { kind: 'pause', until: now + delay };
  }

  readonly #onInitiator = (output: IscsiInitiatorOutput): void => {
    switch (output.kind) {
      case 'send':
        if (this.#connection !== 0) {
          this.#ports.toStack({ kind: 'tcp-send', id: this.#connection, bytes: output.bytes });
        }
        break;
      case 'logged-in':
        this.#onLoggedIn(output.parameters);
        break;
      case 'response': {
        const { id, status, sense, data } = output;
        if (!this.#open.delete(id)) break;
        this.#ports.commandDone(id, status, sense, data);
        this.#errorHandler.ended(id);
        break;
      }
      case 'close':
        this.#onClose(output);
        break;
      case 'logout-requested':
        this.#ports.log('warning', 'iscsid', `Target requests logout within ${output.seconds} seconds`);
        break;
      case 'task-management-ended':
        this.#errorHandler.answered(output.id, output.response);
        break;
      case 'targets':
      case 'reject':
        break;
    }
  };

  #onLoggedIn(parameters: Readonly<Parameters>): void {
    const isFirst = !this.#hasBeenOnline;
    this.#parameters = parameters;
    this.#state = { kind: 'logged-in' };
    this.#hasBeenOnline = true;
    this.#hasTimedOut = false;
    this.#replacementAt = Infinity;
    this.#ports.online(this, isFirst, this.#attempts);
    this.#attempts = 0;
    this.#sendWaiting();
  }

  #sendWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const command of waiting) this.#send(command);
  }

  #onRecovered(tags: readonly number[]): void {
    for (const tag of tags) {
      if (this.#open.delete(tag)) this.#ports.commandDone(tag, HostStatus.timedOut, NOTHING, NOTHING);
    }
    this.#sendWaiting();
  }

  #send({ tag, lun, cdb, data }: Command): void {
    this.#open.add(tag);
    this.#errorHandler.sent(tag, lun);
    const expected = dataInLength(cdb, BLOCK_BYTES);
    this.#initiator!.send({ kind: 'command', id: tag, lun, cdb, dataInLength: expected, dataOut: data });
  }

  #onClose({ reason, why, status }: IscsiInitiatorOutput & { kind: 'close' }): void {
    const { kind } = this.#state;
    if (kind === 'over') return;
    this.#dropConnection();
    if (kind === 'logout') return this.#end(IscsiError.success);
    if (kind === 'login') {
      const { error, text } = loginFailureOf(reason, status, why);
      this.#ports.log('err', 'iscsid', `connection${this.#sid}:0 ${text}`);
      return this.#tryAgain(error, REOPEN_DELAY);
    }
    this.#onLost(reason);
  }

  #onLost(reason: SessionLoss): void {
    this.#errorHandler.clear();
    const ports = this.#ports;
    const now = ports.now();
    const { noopSec, replacementTimeoutSec } = this.request;
    for (const { priority, tag, text } of lossLines(this.#sid, reason, noopSec, now)) ports.log(priority, tag, text);
    this.#state = { kind: 'pause', until: now + TIME_TO_WAIT };
    this.#replacementAt = now + replacementTimeoutSec * SECOND;
    ports.lost(this, reason);
    const disrupted = [...this.#open];
    this.#open.clear();
    for (const tag of disrupted) ports.commandDone(tag, HostStatus.transportDisrupted, NOTHING, NOTHING);
  }

  #giveUpWaiting(): void {
    this.#replacementAt = Infinity;
    this.#hasTimedOut = true;
    const { replacementTimeoutSec } = this.request;
    this.#ports.log(
      'info',
      'kernel',
      ` session${this.#sid}: session recovery timed out after ${replacementTimeoutSec} secs`,
    );
    this.#ports.timedOut(this);
    this.#failWaiting();
  }

  #end(error: number): void {
    if (this.#state.kind === 'over') return;
    this.#dropConnection();
    this.#errorHandler.clear();
    this.#state = { kind: 'over' };
    this.#replacementAt = this.#logoutBy = Infinity;
    this.#ports.over(this, error);
    const open = [...this.#open];
    this.#open.clear();
    for (const tag of open) this.#fail(tag);
    this.#failWaiting();
  }

  #failWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { tag } of waiting) this.#fail(tag);
  }

  #fail(tag: number): void {
    this.#ports.commandDone(tag, HostStatus.noConnect, NOTHING, NOTHING);
  }

  #dropConnection(): void {
    this.#initiator?.end();
    this.#initiator = undefined;
    if (this.#connection !== 0) this.#ports.toStack({ kind: 'tcp-abort', id: this.#connection });
    this.#connection = 0;
  }
}

/**
 * The ISID of a session: Open-iSCSI's OUI, and the number of the session. The first session after each boot is the same initiator
 * port, so it has the registrations of the life before.
 */
function isidOf(sid: number): string {
  return `00023d${sid.toString(16).padStart(6, '0')}`;
}
