import type { Observe } from '@quorate/kernel';
import type { TargetOutput } from '@quorate/scsi';
import type { ConnectionEnd, IscsiFact, PduFact, SessionEndedFact } from '../facts.js';
import { FINAL, LogoutReason, LogoutResponse, NO_TAG, PduOpcode, RejectReason } from '../pdu/opcode.js';
import type { Pdu } from '../pdu/pdu.js';
import type { AsyncMessages } from './async-messages.js';
import type { TargetConnection } from './connection.js';
import type { DataBuffers } from './data-buffers.js';
import type { Limits } from './limits.js';
import type { Outlet } from './outlet.js';
import { ScsiCommands } from './scsi-commands.js';
import type { Session } from './session.js';
import type { TargetNode } from './target-node.js';
import { TaskManagement } from './task-management.js';
import { TextRequests } from './text-requests.js';

export interface FullFeatureHost {
  readonly outlet: Outlet;
  readonly messages: AsyncMessages;
  readonly limits: Limits;
  readonly buffers: DataBuffers;
  readonly nodes: ReadonlyMap<string, TargetNode>;
  readonly portals: readonly string[] | undefined;
  readonly observe: Observe<IscsiFact> | undefined;
  readonly observePdus: Observe<PduFact> | undefined;
  drop(connection: TargetConnection, reason: ConnectionEnd): void;
  endSession(session: Session, reason: SessionEndedFact['reason'], why: ConnectionEnd): void;
}

/** Full feature phase: puts requests in the order of CmdSN and hands each to whom it concerns. */
export class FullFeature {
  readonly #host: FullFeatureHost;
  readonly #outlet: Outlet;
  readonly #commands: ScsiCommands;
  readonly #taskManagement: TaskManagement;
  readonly #text: TextRequests;

  constructor(host: FullFeatureHost) {
    this.#host = host;
    this.#outlet = host.outlet;
    const reject = (connection: TargetConnection, pdu: Pdu, reason: RejectReason, why: string): void =>
      this.#reject(connection, pdu, reason, why);
    this.#commands = new ScsiCommands(host.outlet, host.messages, host.limits, host.buffers, reject);
    this.#taskManagement = new TaskManagement(host.outlet, this.#commands);
    this.#text = new TextRequests(host.outlet, host.nodes, host.portals, reject);
  }

  onPdu(connection: TargetConnection, pdu: Pdu): void {
    if (this.#host.observePdus !== undefined) this.#tell(connection, pdu, this.#host.observePdus);
    switch (pdu.opcode) {
      case PduOpcode.scsiCommand:
      case PduOpcode.taskManagement:
      case PduOpcode.text:
      case PduOpcode.logout:
        return this.#onNumbered(connection, pdu);
      case PduOpcode.nopOut:
        // An answer to a ping is no request: it has no number, and that it came is all there is to it.
        return pdu.initiatorTaskTag === NO_TAG ? undefined : this.#onNumbered(connection, pdu);
      case PduOpcode.dataOut:
        return this.#commands.onData(connection, pdu);
      case PduOpcode.snack:
        return this.#reject(connection, pdu, RejectReason.snack, 'SNACK at error recovery level 0');
      case PduOpcode.login:
        return this.#host.drop(connection, 'login-after-login');
      default:
        return this.#host.drop(connection, 'unknown-opcode');
    }
  }

  /** NOP-In that wants an answer. Source: RFC 7143, 11.19. */
  ping(connection: TargetConnection): void {
    const tag = connection.session!.nextTransferTag();
    this.#outlet.begin(connection, PduOpcode.nopIn, FINAL).u32(16, NO_TAG).u32(20, tag);
    this.#outlet.end(connection, 'next');
  }

  /** Lets the units of a target do what is due. */
  wake(node: TargetNode): void {
    this.through(node, (emit) => node.scsi.step(this.#outlet.now, { kind: 'wake' }, emit));
  }

  through(node: TargetNode, act: (emit: (output: TargetOutput) => void) => void): void {
    this.#commands.through(node, act);
  }

  serveWaiting(): void {
    this.#commands.serveWaiting();
  }

  /** A connection is gone: its commands are never answered. Source: RFC 7143, 7.4, for error recovery level 0. */
  leave(session: Session, connection: TargetConnection): void {
    session.forgetHeldOf(connection);
    this.#commands.dropGathering(session, (task) => task.connection === connection);
    if (session.connections.size === 0) return;
    for (const task of [...session.tasks.values()]) {
      if (task.connection !== connection || session.node === undefined) continue;
      const { nexus, node } = session;
      const { lun, tag } = task;
      const abort = { kind: 'task-management', nexus, lun, function: 'abort-task', tag, id: 0 } as const;
      this.through(node, (emit) => node.scsi.step(this.#outlet.now, abort, emit));
      this.#commands.dropInUnit(session, (each) => each === task);
    }
  }

  endSession(session: Session): void {
    this.#commands.dropGathering(session, () => true);
    this.#commands.dropInUnit(session, () => true);
  }

  /** What comes out of order waits for its turn; what is outside the window is dropped without a word. */
  #onNumbered(connection: TargetConnection, pdu: Pdu): void {
    if (pdu.isImmediate) return this.#onRequest(connection, pdu);
    const session = connection.session!;
    const cmdSn = pdu.u32(24);
    const place = session.placeOf(cmdSn);
    if (place === 'outside') return;
    if (place === 'later') {
      session.hold(cmdSn, connection, pdu);
      if (session.heldBytes > this.#host.limits.heldBytes) this.#host.drop(connection, 'held-too-much');
      return;
    }
    session.advance();
    this.#onRequest(connection, pdu);
    for (let held = session.takeHeld(); held !== undefined; held = session.takeHeld()) {
      session.advance();
      for (const each of held.pdus) {
        if (held.connection.state !== 'full-feature') break;
        if (each.opcode === PduOpcode.dataOut) this.#commands.onData(held.connection, each);
        else this.#onRequest(held.connection, each);
      }
    }
  }

  #onRequest(connection: TargetConnection, pdu: Pdu): void {
    switch (pdu.opcode) {
      case PduOpcode.scsiCommand:
        return this.#commands.onCommand(connection, pdu);
      case PduOpcode.nopOut:
        return this.#onNop(connection, pdu);
      case PduOpcode.taskManagement:
        return this.#onTaskManagement(connection, pdu);
      case PduOpcode.text:
        return this.#text.onRequest(connection, pdu);
      case PduOpcode.logout:
        return this.#onLogout(connection, pdu);
    }
  }

  #onNop(connection: TargetConnection, pdu: Pdu): void {
    const most = connection.parameters.peerMaxRecvDataSegmentLength;
    const data = pdu.data.length > most ? pdu.data.subarray(0, most) : pdu.data;
    const writer = this.#outlet.begin(connection, PduOpcode.nopIn, FINAL);
    writer.raw(8, pdu.slice(8, 16)).u32(16, pdu.initiatorTaskTag).u32(20, NO_TAG);
    this.#outlet.end(connection, 'status', data);
  }

  #onTaskManagement(connection: TargetConnection, pdu: Pdu): void {
    const { node } = connection.session!;
    const isCold = this.#taskManagement.onRequest(connection, pdu);
    if (!isCold || node === undefined) return;
    for (const session of [...node.sessions.values()]) this.#host.endSession(session, 'lost', 'cold-reset');
  }

  #onLogout(connection: TargetConnection, pdu: Pdu): void {
    const session = connection.session!;
    const reason = pdu.flags & 0x7f;
    const other = session.connections.get(pdu.u16(20));
    const response =
      reason > LogoutReason.connection
        ? LogoutResponse.recoveryNotSupported
        : reason === LogoutReason.connection && other === undefined
          ? LogoutResponse.noSuchConnection
          : LogoutResponse.closed;
    const writer = this.#outlet.begin(connection, PduOpcode.logoutResponse, FINAL);
    writer.u8(2, response).u32(16, pdu.initiatorTaskTag);
    writer.u16(40, session.parameters.defaultTime2Wait).u16(42, session.parameters.defaultTime2Retain);
    this.#outlet.end(connection, 'status');
    if (response !== LogoutResponse.closed) return;
    if (reason === LogoutReason.connection) this.#host.drop(other!, 'logout');
    else this.#host.endSession(session, 'logout', 'logout');
  }

  /** Reject, with the header of what is rejected. Source: RFC 7143, 11.17. */
  #reject(connection: TargetConnection, pdu: Pdu, reason: RejectReason, why: string): void {
    this.#outlet.begin(connection, PduOpcode.reject, FINAL).u8(2, reason).u32(16, NO_TAG);
    this.#outlet.end(connection, 'status', pdu.slice());
    const { now } = this.#outlet;
    this.#host.observe?.({ kind: 'iscsi.rejected', now, connection: connection.id, opcode: pdu.opcode, reason, why });
  }

  #tell(connection: TargetConnection, pdu: Pdu, observe: Observe<PduFact>): void {
    observe({
      kind: 'iscsi.pdu-received',
      now: this.#outlet.now,
      connection: connection.id,
      session: connection.session!.id,
      opcode: pdu.opcode,
      isImmediate: pdu.isImmediate,
      flags: pdu.flags,
      dataLength: pdu.data.length,
      initiatorTaskTag: pdu.initiatorTaskTag,
      transferTag: pdu.u32(20),
      sequence: pdu.u32(24),
      expected: pdu.u32(28),
      maxCmdSn: pdu.u32(32),
      dataSn: pdu.u32(36),
      bufferOffset: pdu.u32(40),
      lastWord: pdu.u32(44),
    });
  }
}
