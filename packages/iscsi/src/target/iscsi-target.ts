import { type Choices, ConfigError, type Machine, type Nanos, type Observe, type World } from '@quorate/kernel';
import type { ConnectionEnd, IscsiFact, PduFact, SessionEndedFact } from '../facts.js';
import { LoginStatus } from '../login/login-status.js';
import { type Authentication, type LoginReply, type LoginSubject, TargetLogin } from '../login/target-login.js';
import { PduOpcode } from '../pdu/opcode.js';
import type { Pdu } from '../pdu/pdu.js';
import { addSerial } from '../pdu/serial.js';
import type { Parameters } from '../session/parameters.js';
import { AsyncMessages } from './async-messages.js';
import { TargetConnection } from './connection.js';
import { DataBuffers } from './data-buffers.js';
import { FullFeature } from './full-feature.js';
import { checkLimits, type Limits, wantedParameters } from './limits.js';
import { Outlet } from './outlet.js';
import { Session } from './session.js';
import type { IscsiTargetInput, IscsiTargetOutput } from './target-io.js';
import { TargetNode, type TargetNodeConfig } from './target-node.js';

export interface IscsiTargetConfig {
  readonly targets: readonly TargetNodeConfig[];
  /** Challenges, session handles and what the disks do: streams `iscsi/login` and `disk/<lun>/<nexus>`. */
  readonly world: World;
  /** Who may ask for the list of targets; everybody when left out. */
  readonly discovery?: Authentication;
  /** Addresses that discovery tells, `10.0.0.1:3260`; by default the one at which the initiator came in. */
  readonly portals?: readonly string[];
  readonly limits?: Partial<Limits>;
  readonly observe?: Observe<IscsiFact>;
  /** Hears every PDU of full feature phase. */
  readonly observePdus?: Observe<PduFact>;
}

type Emit = (output: IscsiTargetOutput) => void;

/** A paused connection may still deliver what was on its way; more than this is no accident. */
const MAX_PAUSED_BYTES = 4 * 1024 * 1024;

/**
 * iSCSI targets behind one or more portals, at error recovery level 0: logins, sessions, commands and their data.
 *
 * Each target has its SCSI device. A connection goes through its login and then takes part in a session; the last
 * connection that leaves ends the session, and with it the I_T nexus. Source: RFC 7143.
 */
export class IscsiTarget implements Machine<IscsiTargetInput, IscsiTargetOutput> {
  readonly #limits: Limits;
  readonly #wanted: Readonly<Parameters>;
  readonly #nodes: ReadonlyMap<string, TargetNode>;
  readonly #discovery: Authentication;
  readonly #choices: Choices;
  readonly #observe: Observe<IscsiFact> | undefined;
  readonly #outlet: Outlet;
  readonly #messages: AsyncMessages;
  readonly #buffers: DataBuffers;
  readonly #fullFeature: FullFeature;
  readonly #connections = new Map<number, TargetConnection>();
  /** By target session identifying handle. */
  readonly #sessions = new Map<number, Session>();
  #lastSession = 0;
  /** Never later than the first connection that is due for a ping, or to be dropped. */
  #nextRound: Nanos = Infinity;
  #isStopping = false;
  /** When everybody who is still here is dropped. */
  #stopAt: Nanos = Infinity;

  /** @throws {ConfigError} when a target is configured wrongly, or two have one name. */
  constructor(config: IscsiTargetConfig) {
    this.#limits = checkLimits(config.limits ?? {});
    this.#wanted = wantedParameters(this.#limits);
    this.#nodes = new Map(config.targets.map((target) => [target.name, new TargetNode(target, config.world)]));
    if (this.#nodes.size < config.targets.length) {
      throw new ConfigError('/targets', config.targets.map(({ name }) => name).join(' '), 'every name once');
    }
    this.#discovery = config.discovery ?? {};
    this.#choices = config.world.choices('iscsi/login');
    this.#observe = config.observe;
    this.#outlet = new Outlet(config.observePdus);
    this.#messages = new AsyncMessages(this.#outlet);
    this.#buffers = new DataBuffers(this.#limits.bufferedBytes);
    this.#fullFeature = new FullFeature({
      outlet: this.#outlet,
      messages: this.#messages,
      limits: this.#limits,
      buffers: this.#buffers,
      nodes: this.#nodes,
      portals: config.portals,
      observe: config.observe,
      observePdus: config.observePdus,
      drop: (connection, reason) => this.#drop(connection, reason),
      endSession: (session, reason, why) => this.#endSession(session, reason, why),
    });
  }

  /**
   * @throws {RangeError} for a connection number that is taken, a target or logical unit that is not there, or an impossible
   * impairment.
   */
  step(now: Nanos, input: IscsiTargetInput, emit: Emit): void {
    this.#outlet.open(now, emit);
    switch (input.kind) {
      case 'connected':
        this.#onConnected(input.connection, input.remote, input.local);
        break;
      case 'received':
        this.#onReceived(input.connection, input.bytes);
        break;
      case 'sent':
        this.#onSent(input.connection, input.bytes);
        break;
      case 'closed':
        this.#onClosed(input.connection);
        break;
      case 'capacity-changed':
        this.#onCapacityChanged(input.target, input.lun);
        break;
      case 'impair':
        for (const node of this.#nodes.values()) node.impair(now, input.initiator, input.impairment);
        break;
      case 'stop':
        this.#onStop();
        break;
      case 'wake':
        this.#onWake();
        break;
    }
    this.#serveUnits();
    this.#outlet.flush();
  }

  deadline(): Nanos {
    let least = Math.min(this.#nextRound, this.#stopAt);
    for (const node of this.#nodes.values()) least = Math.min(least, node.scsi.deadline());
    return least;
  }

  inspect(): Readonly<Record<string, unknown>> {
    return {
      connections: Array.from(this.#connections.values(), ({ id, remote, state, unsent, isPaused }) => {
        return { id, remote, state, unsent, isPaused };
      }),
      sessions: Array.from(this.#sessions.values(), (session) => ({
        id: session.id,
        initiator: session.initiator,
        isid: session.isid,
        tsih: session.tsih,
        target: session.node?.name ?? '',
        connections: session.connections.size,
        tasks: session.tasks.size,
      })),
      bufferedBytes: this.#buffers.taken,
      targets: Array.from(this.#nodes.values(), ({ name, scsi }) => ({ name, scsi: scsi.inspect() })),
    };
  }

  #onConnected(id: number, remote: string, local: string): void {
    if (this.#connections.has(id)) throw new RangeError(`connection ${id} is there already`);
    const { now } = this.#outlet;
    const connection = new TargetConnection(id, remote, local, now, this.#limits.maxRecvDataSegmentLength);
    this.#connections.set(id, connection);
    if (this.#isStopping) return this.#drop(connection, 'stopped');
    if (this.#connections.size > this.#limits.connections || this.#halfOpen() > this.#limits.halfOpenConnections) {
      return this.#drop(connection, 'too-many-connections');
    }
    connection.login = new TargetLogin({
      ours: this.#wanted,
      choices: this.#choices,
      discovery: this.#discovery,
      targetOf: (name) => this.#nodes.get(name),
    });
    this.#nextRound = Math.min(this.#nextRound, now + Math.min(this.#limits.login, this.#limits.ping));
  }

  #halfOpen(): number {
    let count = 0;
    for (const { state } of this.#connections.values()) if (state === 'login') count += 1;
    return count;
  }

  #onReceived(id: number, bytes: Uint8Array): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    connection.lastHeard = this.#outlet.now;
    connection.pingedAt = Infinity;
    connection.reader.feed(bytes);
    this.#read(connection);
    connection.reader.keep();
    if (connection.isPaused && connection.reader.buffered > MAX_PAUSED_BYTES) this.#drop(connection, 'input-overrun');
  }

  /** Handles what has come, as long as answers get away. */
  #read(connection: TargetConnection): void {
    const { reader } = connection;
    while (connection.state !== 'closed') {
      if (connection.unsent > this.#limits.unsentBytes) {
        if (!connection.isPaused) this.#outlet.emit({ kind: 'pause', connection: connection.id });
        connection.isPaused = true;
        return;
      }
      const found = reader.next();
      if (found === 'more') return;
      if (found !== 'pdu') return this.#drop(connection, found);
      if (connection.state === 'login') this.#onLoginPdu(connection, reader.pdu);
      else this.#fullFeature.onPdu(connection, reader.pdu);
    }
  }

  #onSent(id: number, bytes: number): void {
    const connection = this.#connections.get(id);
    if (connection === undefined) return;
    connection.unsent -= bytes;
    if (!connection.isPaused || connection.unsent > this.#limits.unsentBytes / 2) return;
    connection.isPaused = false;
    this.#outlet.emit({ kind: 'resume', connection: id });
    this.#read(connection);
    connection.reader.keep();
  }

  #onClosed(id: number): void {
    const connection = this.#connections.get(id);
    if (connection !== undefined) this.#forget(connection, 'peer-closed');
  }

  #onCapacityChanged(target: string, lun: number): void {
    const node = this.#nodes.get(target);
    if (node === undefined) throw new RangeError(`target ${target}: one of ${[...this.#nodes.keys()].join(', ')}`);
    const { now } = this.#outlet;
    this.#fullFeature.through(node, (emit) => node.scsi.step(now, { kind: 'capacity-changed', lun }, emit));
  }

  #onStop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#stopAt = this.#outlet.now + this.#limits.stop;
    for (const connection of [...this.#connections.values()]) {
      if (connection.state === 'login') this.#drop(connection, 'stopped');
      else this.#messages.askForLogout(connection, this.#limits.stop);
    }
  }

  #onWake(): void {
    const { now } = this.#outlet;
    if (this.#stopAt <= now) {
      for (const connection of [...this.#connections.values()]) this.#drop(connection, 'stopped');
      this.#stopAt = Infinity;
    }
    if (this.#nextRound <= now) this.#goRound(now);
  }

  /** Drops who has been silent for too long, pings who has been for a while, and works out when to look again. */
  #goRound(now: Nanos): void {
    this.#nextRound = Infinity;
    for (const connection of [...this.#connections.values()]) {
      const { login, ping, pingAnswer } = this.#limits;
      if (connection.state === 'login') {
        if (connection.since + login <= now) this.#drop(connection, 'login-timeout');
        else this.#nextRound = Math.min(this.#nextRound, connection.since + login);
        continue;
      }
      if (connection.pingedAt + pingAnswer <= now) {
        this.#drop(connection, 'no-answer-to-ping');
        continue;
      }
      if (connection.pingedAt === Infinity && connection.lastHeard + ping <= now) {
        connection.pingedAt = now;
        this.#fullFeature.ping(connection);
      }
      this.#nextRound = Math.min(this.#nextRound, connection.pingedAt + pingAnswer, connection.lastHeard + ping);
      if (connection.pingedAt !== Infinity) this.#nextRound = connection.pingedAt + pingAnswer;
    }
  }

  /** Carries out what the units are due to, and lets waiting commands have the room that became free. */
  #serveUnits(): void {
    const { now } = this.#outlet;
    for (const node of this.#nodes.values()) {
      while (node.scsi.deadline() <= now) this.#fullFeature.wake(node);
    }
    this.#fullFeature.serveWaiting();
  }

  #onLoginPdu(connection: TargetConnection, pdu: Pdu): void {
    if (pdu.opcode !== PduOpcode.login) return this.#drop(connection, 'not-a-login');
    const login = connection.login!;
    let reply = login.request(pdu);
    let session: Session | undefined;
    if (reply.isLast && reply.status === LoginStatus.success) {
      const admitted = this.#admit(connection, login.subject!, login.settled, pdu.u32(24));
      if (admitted instanceof Session) session = admitted;
      else
        reply = { ...reply, status: admitted, flags: 0, text: new Uint8Array(0), why: 'no room, or no such session' };
    }
    this.#sendLoginReply(connection, pdu, reply, session);
    if (reply.status !== LoginStatus.success) return this.#refuse(connection, reply);
    if (session !== undefined) this.#enterFullFeature(connection, session);
  }

  #sendLoginReply(connection: TargetConnection, pdu: Pdu, reply: LoginReply, session: Session | undefined): void {
    const cmdSn = pdu.u32(24);
    const writer = this.#outlet.begin(connection, PduOpcode.loginResponse, reply.flags);
    writer
      .raw(8, pdu.slice(8, 14))
      .u16(14, session?.tsih ?? pdu.u16(14))
      .u32(16, pdu.initiatorTaskTag);
    writer.u32(24, connection.statSn);
    writer.u32(28, session?.expCmdSn ?? cmdSn).u32(32, session?.maxCmdSn ?? cmdSn);
    writer.u16(36, reply.status);
    connection.statSn = addSerial(connection.statSn, 1);
    this.#outlet.endPlain(reply.text);
  }

  #refuse(connection: TargetConnection, { status, why }: LoginReply): void {
    const { remote, id } = connection;
    this.#observe?.({
      kind: 'iscsi.login-refused',
      now: this.#outlet.now,
      connection: id,
      remote,
      initiator: connection.login!.subject?.initiator ?? '',
      status: status.toString(16).padStart(4, '0'),
      why,
    });
    this.#drop(connection, 'login-refused');
  }

  /** The session of a login that has come to its end, new or not; or why there is none. */
  #admit(
    connection: TargetConnection,
    subject: LoginSubject,
    settled: Readonly<Parameters>,
    cmdSn: number,
  ): Session | LoginStatus {
    connection.cid = subject.cid;
    connection.parameters = settled;
    const { initiator, isid, tsih } = subject;
    const node = subject.target === undefined ? undefined : this.#nodes.get(subject.target.name)!;
    if (tsih !== 0) return this.#join(subject, node);
    const old = this.#sessionOf(initiator, isid, node);
    if (old !== undefined) this.#endSession(old, 'reinstated', 'session-reinstated');
    if (this.#sessions.size >= this.#limits.sessions) return LoginStatus.outOfResources;
    this.#lastSession += 1;
    const nexus = node?.nexusOf(initiator, isid) ?? 0;
    const handle = this.#newHandle();
    const port = { initiator, isid };
    const { commandWindow } = this.#limits;
    const session = new Session(this.#lastSession, handle, port, node, nexus, settled, cmdSn, commandWindow);
    this.#sessions.set(handle, session);
    node?.enter(this.#outlet.now, session, () => {});
    return session;
  }

  #sessionOf(initiator: string, isid: string, node: TargetNode | undefined): Session | undefined {
    // Discovery sessions have no nexus: nothing is left of an old one that a new one could want back.
    if (node === undefined) return undefined;
    for (const session of this.#sessions.values()) {
      if (session.initiator === initiator && session.isid === isid && session.node === node) return session;
    }
    return undefined;
  }

  /** One more connection for a session, or a new one for one that it has. */
  #join({ initiator, isid, tsih, cid }: LoginSubject, node: TargetNode | undefined): Session | LoginStatus {
    const session = this.#sessions.get(tsih);
    if (session === undefined || session.initiator !== initiator || session.isid !== isid || session.node !== node) {
      return LoginStatus.noSuchSession;
    }
    const old = session.connections.get(cid);
    if (old === undefined && session.connections.size >= session.parameters.maxConnections) {
      return LoginStatus.tooManyConnections;
    }
    if (old !== undefined) {
      // The session outlives its connection: the new one takes its place.
      session.connections.delete(cid);
      this.#fullFeature.leave(session, old);
      old.session = undefined;
      this.#drop(old, 'connection-reinstated');
    }
    return session;
  }

  /** A handle of 16 bits that no session has, and not 0. */
  #newHandle(): number {
    let handle = 1 + this.#choices.choose('tsih', 0xffff);
    while (this.#sessions.has(handle)) handle = (handle % 0xffff) + 1;
    return handle;
  }

  #enterFullFeature(connection: TargetConnection, session: Session): void {
    const { now } = this.#outlet;
    const parameters = connection.parameters;
    connection.state = 'full-feature';
    connection.login = undefined;
    connection.session = session;
    session.connections.set(connection.cid, connection);
    connection.reader.hasHeaderDigest = parameters.headerDigest;
    connection.reader.hasDataDigest = parameters.dataDigest;
    this.#outlet.digestsChanged();
    this.#nextRound = Math.min(this.#nextRound, now + this.#limits.ping);
    this.#observe?.({
      kind: 'iscsi.logged-in',
      now,
      connection: connection.id,
      session: session.id,
      nexus: session.nexus,
      remote: connection.remote,
      initiator: session.initiator,
      isid: session.isid,
      tsih: session.tsih,
      cid: connection.cid,
      target: session.node?.name ?? '',
      parameters: { ...parameters },
    });
  }

  /** Ends a connection from this side. */
  #drop(connection: TargetConnection, reason: ConnectionEnd): void {
    if (connection.state === 'closed') return;
    this.#outlet.emit({ kind: 'close', connection: connection.id, reason });
    this.#forget(connection, reason);
  }

  #forget(connection: TargetConnection, reason: ConnectionEnd): void {
    connection.state = 'closed';
    this.#connections.delete(connection.id);
    const { id, remote, session } = connection;
    this.#observe?.({ kind: 'iscsi.connection-ended', now: this.#outlet.now, connection: id, remote, reason });
    if (session === undefined) return;
    session.connections.delete(connection.cid);
    this.#fullFeature.leave(session, connection);
    if (session.connections.size === 0) this.#endSession(session, reason === 'logout' ? 'logout' : 'lost', reason);
  }

  /** Ends a session with all its connections. */
  #endSession(session: Session, reason: SessionEndedFact['reason'], why: ConnectionEnd): void {
    if (!this.#sessions.delete(session.tsih)) return;
    for (const connection of [...session.connections.values()]) this.#drop(connection, why);
    const { now } = this.#outlet;
    this.#fullFeature.endSession(session);
    const { node } = session;
    if (node !== undefined) {
      this.#fullFeature.through(node, (emit) => node.leave(now, session, reason === 'logout', emit));
    }
    this.#observe?.({ kind: 'iscsi.session-ended', now, session: session.id, initiator: session.initiator, reason });
  }
}
