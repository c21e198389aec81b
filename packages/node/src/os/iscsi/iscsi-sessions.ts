import {
  type Errno,
  type Fact,
  type LogPriority,
  type Nanos,
  type Observe,
  PENDING,
  SECOND,
  type Task,
  type TaskId,
  type World,
} from '@quorate/kernel';
import type { IpInput } from '@quorate/network';
import { diskPath, partitionNumber } from '../device-numbers.js';
import type { BlockDevice, DiskCommand } from '../disks.js';
import { HostStatus } from '../host-status.js';
import type { OperatingSystem } from '../operating-system.js';
import type { Storage } from '../storage.js';
import type { SystemCall } from '../system-call.js';
import { diskLines } from './disk-lines.js';
import { IscsiError } from './iscsi-error.js';
import { IscsiSession, type SessionPorts } from './iscsi-session.js';
import type { IscsidCall, SessionInfo } from './iscsid-call.js';
import type { LoginRequest } from './login-request.js';
import { type FoundDisk, scanHost } from './scsi-scan.js';

/** A session came, was lost, waited too long to come back, or is over. */
export interface NodeIscsiFact extends Fact {
  readonly kind: 'node.iscsi-session';
  readonly sid: number;
  readonly target: string;
  readonly state: 'logged-in' | 'recovered' | 'lost' | 'timed-out' | 'over';
  /** Why it was lost, by the reason of the initiator's end; else empty. */
  readonly reason: string;
}

export interface SessionsConfig {
  readonly system: OperatingSystem;
  readonly storage: Storage;
  readonly world: World;
  now(): Nanos;
  toStack(input: IpInput): void;
  newConnection(): number;
  log(priority: LogPriority, tag: string, text: string): void;
  readonly observe: Observe<NodeIscsiFact> | undefined;
}

interface Disk {
  readonly lun: number;
  readonly device: BlockDevice;
}

interface Ended {
  readonly tag: number;
  readonly status: number;
  readonly sense: Uint8Array;
  readonly data: Uint8Array;
}

/** Hosts 0 and 1 are those of the root disk and of the shared disks. */
const FIRST_HOST = 2;
/** `/dev/sda` is the root disk. */
const FIRST_DISK = 1;
/** The timeout of a SCSI command in Linux. */
const ANSWER: Nanos = 30 * SECOND;
const NOTHING = new Uint8Array(0);

/**
 * The machine's iSCSI initiator: the sessions of its kernel, iscsid that logs in and connects again, and the disks that sessions
 * bring.
 *
 * Ends of commands are told by `settle`, at the end of the machine's step, so that no disk answers inside of a command.
 */
export class IscsiSessions {
  readonly #config: SessionsConfig;
  readonly #ports: SessionPorts;
  readonly #sessions = new Set<IscsiSession>();
  readonly #disks = new Map<IscsiSession, readonly Disk[]>();
  /** Who waits for a login or a logout. */
  readonly #callers = new Map<IscsiSession, TaskId>();
  #ended: Ended[] = [];
  #lastSid = 0;
  #hasDaemon = false;

  constructor(config: SessionsConfig) {
    this.#config = config;
    this.#ports = {
      world: config.world,
      now: () => config.now(),
      toStack: (input) => config.toStack(input),
      newConnection: () => config.newConnection(),
      newSession: () => this.#newSession(),
      log: (priority, tag, text) => config.log(priority, tag, text),
      commandDone: (tag, status, sense, data) =>
        this.#ended.push({ tag, status, sense: sense.slice(), data: data.slice() }),
      online: (session, isFirst, attempts) => this.#onOnline(session, isFirst, attempts),
      lost: (session, reason) => this.#tell(session, 'lost', reason),
      timedOut: (session) => this.#tell(session, 'timed-out'),
      over: (session, error) => this.#onOver(session, error),
    };
  }

  /** Whether a connection of the IP stack is one of a session. */
  owns(connection: number): boolean {
    return this.#sessionOf(connection) !== undefined;
  }

  onConnected(connection: number): void {
    this.#sessionOf(connection)?.connected();
  }

  /** `bytes` are lent. */
  onReceived(connection: number, bytes: Uint8Array): void {
    this.#sessionOf(connection)?.received(bytes);
  }

  onClosed(connection: number): void {
    this.#sessionOf(connection)?.closed();
  }

  onFailed(connection: number, errno: Errno): void {
    this.#sessionOf(connection)?.failed(errno);
  }

  /** A command for a disk behind that host. Its bytes are lent. */
  command(host: number, { tag, lun, cdb, data }: DiskCommand): void {
    const session = this.#find(({ sid }) => sid > 0 && hostOf(sid) === host);
    if (session !== undefined) session.command(tag, lun, cdb, data);
    else this.#ended.push({ tag, status: HostStatus.noConnect, sense: NOTHING, data: NOTHING });
  }

  /** Tells the disk driver which commands have ended, and which others that leads to. */
  settle(): void {
    while (this.#ended.length > 0) {
      const ended = this.#ended;
      this.#ended = [];
      for (const { tag, status, sense, data } of ended) this.#config.storage.disks.onDone(tag, status, sense, data);
    }
  }

  deadline(): Nanos {
    let deadline = Infinity;
    for (const session of this.#sessions) deadline = Math.min(deadline, session.deadline());
    return deadline;
  }

  wakeIfDue(now: Nanos): void {
    for (const session of [...this.#sessions]) session.wakeIfDue(now);
  }

  inspect(): readonly unknown[] {
    return this.#infos().map(({ sid, request: { target, address }, sessionState, disks }) => {
      return { sid, target, address, sessionState, disks };
    });
  }

  /** Answers iscsiadm: at once, or PENDING and later. */
  serve(task: TaskId, call: IscsidCall): unknown {
    if (call.kind === 'sessions') return this.#infos();
    this.#startDaemon();
    if (call.kind === 'login') return this.#login(task, call.request);
    const session = this.#find(({ sid }) => sid === call.sid);
    if (session === undefined) return IscsiError.sessionNotFound;
    if (call.kind === 'rescan') {
      this.#scan(session, task);
      return PENDING;
    }
    if (this.#callers.has(session)) return IscsiError.internal;
    this.#callers.set(session, task);
    session.logout();
    return PENDING;
  }

  /** iscsiadm starts it when it is needed, as `iscsid.startup` says. */
  #startDaemon(): void {
    if (this.#hasDaemon) return;
    this.#hasDaemon = true;
    this.#config.system.daemonStarted(['iscsid']);
  }

  #login(task: TaskId, request: LoginRequest): unknown {
    const session = new IscsiSession(request, this.#ports);
    this.#sessions.add(session);
    this.#callers.set(session, task);
    return PENDING;
  }

  #newSession(): number {
    this.#lastSid += 1;
    this.#config.log('info', 'kernel', `scsi${hostOf(this.#lastSid)} : iSCSI Initiator over TCP/IP`);
    return this.#lastSid;
  }

  #onOnline(session: IscsiSession, isFirst: boolean, attempts: number): void {
    this.#tell(session, isFirst ? 'logged-in' : 'recovered');
    if (isFirst) {
      this.#config.log('warning', 'iscsid', `${this.#nameOf(session)} is operational now`);
      const caller = this.#callers.get(session);
      this.#callers.delete(session);
      this.#scan(session, caller);
      return;
    }
    const text = `connection${session.sid}:0 is operational after recovery (${attempts} attempts)`;
    this.#config.log('warning', 'iscsid', text);
  }

  #onOver(session: IscsiSession, error: number): void {
    this.#sessions.delete(session);
    for (const { device } of this.#disks.get(session) ?? []) this.#removeDisk(device);
    this.#disks.delete(session);
    this.#config.log('warning', 'iscsid', `${this.#nameOf(session)} is shutdown.`);
    this.#tell(session, 'over');
    const caller = this.#callers.get(session);
    this.#callers.delete(session);
    if (caller !== undefined) this.#config.system.reply(caller, error);
  }

  #nameOf({ sid, request: { target, address, port } }: IscsiSession): string {
    // iscsid counts the number of no session as -1.
    return `Connection${sid === 0 ? -1 : sid}:0 to [target: ${target}, portal: ${address},${port}] through [iface: default]`;
  }

  /** Finds the disks of a session that are not known yet, and their partitions. */
  #scan(session: IscsiSession, caller: TaskId | undefined): void {
    const { system } = this.#config;
    system.runTask(this.#scanTask(session), () => {
      if (caller !== undefined) system.reply(caller, IscsiError.success);
    });
  }

  *#scanTask(session: IscsiSession): Task {
    const host = hostOf(session.sid);
    for (const found of yield* scanHost(host)) {
      const known = this.#disks.get(session) ?? [];
      const isNews = this.#sessions.has(session) && known.every(({ lun }) => lun !== found.lun);
      if (!isNews || found.capacity.blockLength !== 512) continue;
      const device = this.#addDisk(host, found);
      this.#disks.set(session, [...known, { lun: found.lun, device }]);
      const probe: SystemCall = { call: 'run', argv: ['partprobe', device.path], options: { timeout: ANSWER } };
      yield probe;
    }
  }

  #addDisk(host: number, found: FoundDisk): BlockDevice {
    const { disks } = this.#config.storage;
    let index = FIRST_DISK;
    while (disks.device(diskPath(index)) !== undefined) index += 1;
    const path = diskPath(index);
    for (const line of diskLines(host, path, found)) this.#config.log('info', 'kernel', line);
    const number = partitionNumber(path, 0);
    const aliases = number === undefined ? [] : [`/dev/block/${number}`];
    const { lun, capacity } = found;
    const device: BlockDevice = { path, aliases, host, lun, start: 0, blocks: capacity.blocks };
    disks.addDisk(device);
    return device;
  }

  #removeDisk(device: BlockDevice): void {
    const { disks, partitions } = this.#config.storage;
    partitions.forget(device);
    disks.removeDisk(device);
  }

  #sessionOf(connection: number): IscsiSession | undefined {
    return this.#find((session) => session.connection === connection);
  }

  #find(isIt: (session: IscsiSession) => boolean): IscsiSession | undefined {
    for (const session of this.#sessions) if (isIt(session)) return session;
    return undefined;
  }

  #infos(): readonly SessionInfo[] {
    return [...this.#sessions]
      .filter(({ hasLoggedIn }) => hasLoggedIn)
      .map((session) => {
        const { sid, request, connectionState, isRecovering, parameters, deviceState } = session;
        const disks = (this.#disks.get(session) ?? []).map(({ lun, device: { path } }) => ({ lun, path }));
        const sessionState = isRecovering ? 'FAILED' : 'LOGGED_IN';
        return {
          sid,
          host: hostOf(sid),
          request,
          connectionState,
          sessionState,
          isRecovering,
          parameters,
          deviceState,
          disks,
        };
      });
  }

  #tell({ sid, request: { target } }: IscsiSession, state: NodeIscsiFact['state'], reason = ''): void {
    this.#config.observe?.({ kind: 'node.iscsi-session', now: this.#config.now(), sid, target, state, reason });
  }
}

/** Number of a session's SCSI host. */
function hostOf(sid: number): number {
  return FIRST_HOST + sid - 1;
}
