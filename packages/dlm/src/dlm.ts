import { ConfigError, type Errno, type Machine, MILLISECOND, type Nanos, type Observe, SECOND } from '@quorate/kernel';
import { scanRsbs } from './directory.js';
import type { CallInput, CreateInput, DlmInput, DlmOutput, RejectReason, StartMember } from './dlm-io.js';
import type { DlmFact } from './facts.js';
import { LkidTable } from './lkid-table.js';
import { Lockspace, type LockspaceHost } from './lockspace.js';
import { type LockspaceView, lockspaceView } from './lockspace-view.js';
import { decodeMessage, Message, MessageWriter } from './message.js';
import { Midcomms, type MidcommsView } from './midcomms.js';
import { dlmLock, dlmUnlock } from './owner.js';
import { Command, type Packet, Version } from './packet-header.js';
import { clearProcLocks, purge } from './processes.js';
import { decodeRcom, Rcom, RcomType, RcomWriter } from './rcom.js';
import { MAX_LVB_BYTES, RcomLock } from './rcom-lock.js';
import { receiveRcom } from './rcom-receive.js';
import { sendNotReady } from './rcom-send.js';
import { receiveMessage } from './receive.js';
import { recoverd } from './recovery.js';
import { addRequestqueue } from './requestqueue.js';
import { NameBytes } from './resource-table.js';
import { scanTimeout } from './timeout-scan.js';
import { timeoutDeadline } from './timeouts.js';

export interface DlmConfig {
  /** Node id: positive. */
  readonly nodeId: number;
  /** `3.2` (Linux 5.14 on): nothing is lost when a connection breaks. `3.1`: plain messages. 3.2 when absent. */
  readonly protocol?: '3.1' | '3.2';
  /** Follow Linux also in what the README says we do otherwise. */
  readonly strictReference?: boolean;
  /** `toss_secs`: how long a resource without locks is remembered; 10 s. */
  readonly tossTime?: Nanos;
  /** `scan_secs`: how often those are looked through; 5 s. */
  readonly scanInterval?: Nanos;
  /** `timewarn`: how long a lock is queued in a lockspace with TIMEWARN before `timewarn` is told; 5 s. */
  readonly timewarn?: Nanos;
  /** `recover_timer`: after this time a question of recovery is asked again; 5 s. */
  readonly recoverTimer?: Nanos;
  /** First wait between two polls of a barrier; 1 ms here, 20 ms in Linux. */
  readonly recoverPoll?: Nanos;
  /** Messages taken before they are acknowledged, at the end of the packet; 1. */
  readonly ackAfter?: number;
  /** How long peers may take to say goodbye after the last lockspace; 3 minutes. */
  readonly finTimeout?: Nanos;
  readonly observe?: Observe<DlmFact>;
}

export interface DlmView {
  readonly lockspaces: readonly LockspaceView[];
  readonly peers: MidcommsView;
}

/**
 * The lock manager of one node: all its lockspaces, and the messages between them and those of the other nodes.
 *
 * Calls made while a lockspace is stopped wait for the end of its recovery. A call that can be served here completes
 * in its own step.
 *
 * Source: Linux fs/dlm (6.1).
 */
export class Dlm implements Machine<DlmInput, DlmOutput> {
  readonly #host: LockspaceHost;
  readonly #midcomms: Midcomms;
  readonly #lockspaces = new Map<string, Lockspace>();
  readonly #byGlobalId = new Map<number, Lockspace>();
  /** They wait until our peers have said goodbye to the lockspaces that were here before. */
  #creates: CreateInput[] = [];

  /** @throws {ConfigError} when the node id or a time is not positive. */
  constructor(config: DlmConfig) {
    const {
      nodeId,
      protocol = '3.2',
      strictReference = false,
      tossTime = 10 * SECOND,
      scanInterval = 5 * SECOND,
      timewarn = 5 * SECOND,
      recoverTimer = 5 * SECOND,
      recoverPoll = MILLISECOND,
      ackAfter = 1,
      finTimeout = 180 * SECOND,
    } = config;
    const positives = { nodeId, tossTime, scanInterval, timewarn, recoverTimer, recoverPoll, ackAfter, finTimeout };
    for (const [name, value] of Object.entries(positives)) {
      if (!(value > 0)) throw new ConfigError(name, String(value), 'a positive number');
    }
    const version = protocol === '3.1' ? Version.v3_1 : Version.v3_2;
    this.#midcomms = new Midcomms(
      { nodeid: nodeId, version, ackAfter, finTimeout },
      {
        transmit: (to, bytes) => this.#host.emit({ kind: 'packet', to, bytes }),
        deliver: (from, packet) => this.#onPacket(from, packet),
        reject: (from, reason) => this.#reject(from, reason),
      },
    );
    this.#host = {
      nodeid: nodeId,
      version,
      isStrict: strictReference,
      tossTime,
      scanInterval,
      timewarn,
      recoverTimer,
      recoverPoll,
      midcomms: this.#midcomms,
      observe: config.observe,
      message: new Message(),
      incoming: new Message(),
      messageWriter: new MessageWriter(),
      incomingRcom: new Rcom(),
      rcomWriter: new RcomWriter(),
      rcomLock: new RcomLock(),
      incomingName: new NameBytes(),
      // Were it 0, engines would lay this out anew when it is no small integer any more, after two seconds.
      now: Infinity,
      emit: () => {},
    };
  }

  step(now: Nanos, input: DlmInput, emit: (output: DlmOutput) => void): void {
    this.#host.now = now;
    this.#host.emit = emit;
    switch (input.kind) {
      case 'create':
        return this.#onCreate(input);
      case 'release':
        return this.#onRelease(input.lockspace, input.isForced === true);
      case 'left':
        return this.#onLeft(input.lockspace);
      case 'stop':
        return this.#onStop(input.lockspace);
      case 'start':
        return this.#onStart(input.lockspace, input.members, input.failed);
      case 'lock':
      case 'unlock':
      case 'process-exit':
      case 'purge':
        return this.#onCall(input);
      case 'packet':
        return this.#onBytes(input.from, input.bytes);
      case 'connected':
        return this.#midcomms.connected(input.node, this.#isStoppedWith(input.node));
      case 'disconnected':
        return this.#midcomms.disconnected(input.node);
      case 'node-gone':
        this.#midcomms.gone(input.node);
        return this.#createWaiting();
      case 'wake':
        return this.#onWake();
    }
  }

  deadline(): Nanos {
    let least = this.#midcomms.deadline();
    for (const ls of this.#lockspaces.values()) {
      least = Math.min(least, ls.scanDeadline(), timeoutDeadline(ls));
      if (ls.recovery !== undefined) least = Math.min(least, ls.recoveryWakeAt);
    }
    return least;
  }

  inspect(): DlmView {
    return {
      lockspaces: [...this.#lockspaces.values()].map(lockspaceView),
      peers: this.#midcomms.inspect(),
    };
  }

  #onCreate(input: CreateInput): void {
    const { lockspace, lvbLength } = input;
    const errno = this.#createDefect(lockspace, lvbLength);
    if (errno !== undefined) return this.#host.emit({ kind: 'create-refused', lockspace, errno });
    if (!this.#midcomms.isClosed) return void this.#creates.push(input);
    const ls = new Lockspace(this.#host, input);
    this.#lockspaces.set(lockspace, ls);
    this.#byGlobalId.set(ls.globalId, ls);
    this.#host.emit({ kind: 'online', lockspace });
  }

  #createDefect(lockspace: string, lvbLength: number): Errno | undefined {
    if (this.#lockspaces.has(lockspace) || this.#creates.some((create) => create.lockspace === lockspace))
      return 'EEXIST';
    if (lockspace.length === 0 || lockspace.length > 64) return 'EINVAL';
    return lvbLength >= 0 && lvbLength % 8 === 0 && lvbLength <= MAX_LVB_BYTES ? undefined : 'EINVAL';
  }

  #onRelease(lockspace: string, isForced: boolean): void {
    const ls = this.#lockspaces.get(lockspace);
    if (ls === undefined && this.#withdrawCreate(lockspace)) return this.#host.emit({ kind: 'released', lockspace });
    if (ls === undefined || ls.isLeaving) {
      return this.#host.emit({ kind: 'release-refused', lockspace, errno: 'EINVAL' });
    }
    if (ls.handles.size + ls.orphans.size > 0 && !isForced) {
      return this.#host.emit({ kind: 'release-refused', lockspace, errno: 'EBUSY' });
    }
    ls.isLeaving = true;
    ls.blockedCalls.length = 0;
    this.#host.emit({ kind: 'offline', lockspace });
  }

  /** Whether that lockspace waited for connections of an earlier one to end; it does so no more. */
  #withdrawCreate(lockspace: string): boolean {
    const waiting = this.#creates.length;
    this.#creates = this.#creates.filter((create) => create.lockspace !== lockspace);
    return this.#creates.length < waiting;
  }

  #onLeft(lockspace: string): void {
    const ls = this.#lockspaces.get(lockspace);
    if (ls === undefined) return;
    this.#remove(ls);
    this.#host.emit({ kind: 'released', lockspace });
  }

  #remove(ls: Lockspace): void {
    ls.recovery?.return();
    this.#lockspaces.delete(ls.name);
    this.#byGlobalId.delete(ls.globalId);
    for (const { nodeid, incarnation } of ls.members) {
      if (nodeid !== ls.nodeid) this.#midcomms.removeMember(nodeid, incarnation, false);
    }
    const { now, observe } = this.#host;
    observe?.({ kind: 'dlm.released', now, lockspace: ls.name });
    if (this.#lockspaces.size === 0) this.#midcomms.shutdown(now);
  }

  #isStoppedWith(node: number): boolean {
    for (const ls of this.#lockspaces.values()) if (ls.isRecoveryStopped && ls.isMember(node)) return true;
    return false;
  }

  /** When it returns nothing is granted in the lockspace any more. Source: Linux fs/dlm/member.c, `dlm_ls_stop`. */
  #onStop(lockspace: string): void {
    const ls = this.#lockspaces.get(lockspace);
    if (ls !== undefined) this.#stop(ls);
    this.#host.emit({ kind: 'stopped', lockspace });
  }

  #stop(ls: Lockspace): void {
    const { now, observe } = this.#host;
    const wasRunning = ls.isRunning;
    ls.isRunning = false;
    ls.isRecoveryStopped = true;
    ls.recoverSeq += 1;
    ls.recoverStatus = 0;
    ls.recovery?.return();
    ls.recovery = undefined;
    ls.recoverLookups = new LkidTable();
    if (ls.recoverLocksOut > 0) for (const r of ls.rsbs.values()) r.recoverLocksCount = 0;
    ls.recoverLocksOut = ls.recoverLocksIn = 0;
    if (wasRunning) ls.recoveryBegan = now;
    for (const { nodeid } of ls.members) ls.connectionsAtStop.set(nodeid, this.#midcomms.connections(nodeid));
    observe?.({ kind: 'dlm.stopped', now, lockspace: ls.name, recoverSeq: ls.recoverSeq });
    if (wasRunning && ls.isFs) this.#host.emit({ kind: 'recover-prep', lockspace: ls.name });
  }

  /** Source: Linux fs/dlm/member.c, `dlm_ls_start`. */
  #onStart(lockspace: string, members: readonly StartMember[], failed: readonly number[] | undefined): void {
    const ls = this.#lockspaces.get(lockspace);
    if (ls === undefined) return;
    if (ls.isRunning) throw new RangeError(`lockspace ${lockspace} was started without a stop before`);
    ls.recoverSeq += 1;
    ls.isRecoveryStopped = false;
    if (!ls.hasRecoveredOnce) ls.recoveryBegan = this.#host.now;
    ls.recovery?.return();
    ls.recovery = recoverd(ls, {
      seq: ls.recoverSeq,
      members: members.map(({ node, weight = 1, isNew = false }) => ({ nodeid: node, weight, isNew })),
      failed,
    });
    this.#advance(ls);
  }

  /** Lets recovery go on as far as it can. */
  #advance(ls: Lockspace): void {
    if (ls.recovery === undefined) return;
    if (ls.recovery.next().done === true) {
      ls.recovery = undefined;
      for (const call of ls.blockedCalls.splice(0)) this.#call(ls, call);
    } else if (ls.isMismatched && !ls.hasRecoveredOnce && !ls.isLeaving) {
      ls.isLeaving = true;
      this.#host.emit({ kind: 'create-refused', lockspace: ls.name, errno: 'EPROTO' });
      this.#host.emit({ kind: 'offline', lockspace: ls.name });
    }
  }

  #onCall(input: CallInput): void {
    const ls = this.#lockspaces.get(input.lockspace);
    if (ls === undefined || ls.isLeaving) return this.#refuse(input, 'EINVAL');
    if (ls.isRunning) return this.#call(ls, input);
    // The value block is lent, and the call waits.
    const isLent = 'lvb' in input && input.lvb !== undefined;
    ls.blockedCalls.push(isLent ? { ...input, lvb: input.lvb!.slice() } : input);
  }

  #call(ls: Lockspace, input: CallInput): void {
    switch (input.kind) {
      case 'lock':
        return this.#refuse(input, dlmLock(ls, input));
      case 'unlock':
        return this.#refuse(input, dlmUnlock(ls, input));
      case 'process-exit':
        return clearProcLocks(ls, input.process);
      case 'purge':
        return purge(ls, input);
    }
  }

  /** What concerns no single lock has no effect instead. */
  #refuse(input: CallInput, errno: Errno | undefined): void {
    if (errno === undefined || !('handle' in input)) return;
    const { lockspace, handle } = input;
    this.#host.emit({ kind: 'call-refused', lockspace, handle, errno });
  }

  #onBytes(from: number, bytes: Uint8Array): void {
    this.#midcomms.receive(from, bytes);
    this.#createWaiting();
  }

  #createWaiting(): void {
    if (this.#creates.length === 0 || !this.#midcomms.isClosed) return;
    const creates = this.#creates;
    this.#creates = [];
    for (const create of creates) this.#onCreate(create);
  }

  #onPacket(from: number, packet: Packet): void {
    const ls = this.#byGlobalId.get(packet.word);
    if (packet.command === Command.RCOM) this.#onRcom(ls, from, packet);
    else if (ls === undefined) this.#reject(from, 'unknown-lockspace');
    else this.#onMessage(ls, from, packet);
  }

  #onRcom(ls: Lockspace | undefined, from: number, packet: Packet): void {
    const rcom = this.#host.incomingRcom;
    if (!decodeRcom(packet, rcom)) return this.#reject(from, 'bad-rcom');
    if (ls === undefined) {
      if (rcom.type === RcomType.STATUS) return sendNotReady(this.#host, packet.word, from, rcom);
      return this.#reject(from, 'unknown-lockspace');
    }
    const reason = receiveRcom(ls, from, rcom);
    if (reason !== undefined) this.#reject(from, reason);
    if (rcom.type >= RcomType.STATUS_REPLY && ls.hasAllAnswers) this.#advance(ls);
  }

  /**
   * What a node says that has left, and may come back, is about the time before, as is all without a generation: then it is we who
   * have left. Differs from Linux, which takes it in, up to the end of the next recovery.
   *
   * Source: Linux fs/dlm/lock.c, `dlm_receive_message`.
   */
  #onMessage(ls: Lockspace, from: number, packet: Packet): void {
    if (ls.generation === 0 || !ls.isMember(from)) return;
    if (!ls.isRunning) return addRequestqueue(ls, from, packet);
    const { incoming } = this.#host;
    const reason: RejectReason | undefined =
      decodeMessage(packet, incoming) === undefined ? receiveMessage(ls, from, incoming) : 'bad-message';
    if (reason !== undefined) this.#reject(from, reason);
  }

  #reject(from: number, reason: RejectReason): void {
    this.#host.emit({ kind: 'reject', from, reason });
  }

  #onWake(): void {
    const { now } = this.#host;
    this.#midcomms.wake(now);
    this.#createWaiting();
    for (const ls of this.#lockspaces.values()) {
      if (ls.scanDeadline() <= now) scanRsbs(ls);
      if (timeoutDeadline(ls) <= now) scanTimeout(ls);
      if (ls.recoveryWakeAt <= now) this.#advance(ls);
    }
  }
}
