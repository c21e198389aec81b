import type { TaskManagementFunction, TaskManagementResponse } from '@quorate/scsi';
import { FINAL, PduOpcode, TaskFunction, TaskResponse } from '../pdu/opcode.js';
import type { Pdu } from '../pdu/pdu.js';
import { isBefore } from '../pdu/serial.js';
import type { TargetConnection } from './connection.js';
import type { Outlet } from './outlet.js';
import type { ScsiCommands } from './scsi-commands.js';
import type { Session } from './session.js';

/** Task management functions of initiators. Source: RFC 7143, 11.5 and 11.6. */
export class TaskManagement {
  readonly #outlet: Outlet;
  readonly #commands: ScsiCommands;

  constructor(outlet: Outlet, commands: ScsiCommands) {
    this.#outlet = outlet;
    this.#commands = commands;
  }

  /** Answers the function once what it names is gone. True for a cold reset, after which every connection is closed. */
  onRequest(connection: TargetConnection, pdu: Pdu): boolean {
    const session = connection.session!;
    const code = pdu.flags & 0x7f;
    const tag = pdu.initiatorTaskTag;
    const isCold = code === TaskFunction.coldReset && session.node !== undefined;
    this.#respond(connection, tag, session.node === undefined ? TaskResponse.rejected : this.#run(session, code, pdu));
    return isCold;
  }

  #run(session: Session, code: number, pdu: Pdu): number {
    const { lun } = pdu;
    switch (code) {
      case TaskFunction.abortTask:
        return this.#abortTask(session, pdu);
      case TaskFunction.abortTaskSet:
        this.#commands.dropGathering(session, (task) => task.lun === lun);
        return this.#manage(session, lun, 'abort-task-set');
      case TaskFunction.clearAca:
        return this.#manage(session, lun, 'clear-aca');
      case TaskFunction.clearTaskSet:
        this.#commands.dropGathering(session, (task) => task.lun === lun);
        return this.#manage(session, lun, 'clear-task-set');
      case TaskFunction.lunReset:
        return this.#reset(session, 'lun-reset', lun);
      case TaskFunction.warmReset:
        return this.#reset(session, 'target-warm-reset', undefined);
      case TaskFunction.coldReset:
        return this.#reset(session, 'target-cold-reset', undefined);
      case TaskFunction.reassign:
        return TaskResponse.reassignNotSupported;
      default:
        return TaskResponse.notSupported;
    }
  }

  #abortTask(session: Session, pdu: Pdu): number {
    const tag = pdu.u32(20);
    if (this.#commands.dropGathering(session, (task) => task.tag === tag)) return TaskResponse.complete;
    const response = this.#manage(session, pdu.lun, 'abort-task', tag);
    if (response !== TaskResponse.noSuchTask) return response;
    // A command still on its way counts as received and aborted (RFC 7143, 11.5.1).
    const referenced = pdu.u32(32);
    const isOnItsWay = !isBefore(referenced, session.expCmdSn) && !isBefore(session.maxCmdSn, referenced);
    return isOnItsWay && referenced !== pdu.u32(24) ? TaskResponse.complete : TaskResponse.noSuchTask;
  }

  /** Tasks of every session are gone, on that unit or on all; the sessions learn it by a unit attention. */
  #reset(session: Session, name: TaskManagementFunction, lun: number | undefined): number {
    for (const each of session.node!.sessions.values()) {
      this.#commands.dropGathering(each, (task) => lun === undefined || task.lun === lun);
    }
    return this.#manage(session, lun, name);
  }

  #manage(session: Session, lun: number | undefined, name: TaskManagementFunction, tag?: number): number {
    const { node, nexus } = session;
    const rest = tag === undefined ? undefined : { tag };
    let response = 'task-does-not-exist' as TaskManagementResponse;
    this.#commands.through(node!, (emit) => {
      node!.scsi.step(
        this.#outlet.now,
        { kind: 'task-management', nexus, lun: lun ?? 0, function: name, id: 0, ...rest },
        (output) => {
          if (output.kind === 'task-management-ended') response = output.response;
          else emit(output);
        },
      );
    });
    if (response === 'function-complete') this.#forgetTasks(session, lun, name, tag);
    return RESPONSES[response];
  }

  /** The unit has no such task any more and answers none of them. */
  #forgetTasks(session: Session, lun: number | undefined, name: TaskManagementFunction, tag: number | undefined): void {
    if (name === 'clear-aca') return;
    const isOwnOnly = name === 'abort-task' || name === 'abort-task-set';
    for (const each of isOwnOnly ? [session] : session.node!.sessions.values()) {
      this.#commands.dropInUnit(
        each,
        (task) => (lun === undefined || task.lun === lun) && (tag === undefined || task.tag === tag),
      );
    }
  }

  #respond(connection: TargetConnection, tag: number, response: number): void {
    this.#outlet.begin(connection, PduOpcode.taskManagementResponse, FINAL).u8(2, response).u32(16, tag);
    this.#outlet.end(connection, 'status');
  }
}

const RESPONSES: { readonly [response in TaskManagementResponse]: number } = {
  'function-complete': TaskResponse.complete,
  'task-does-not-exist': TaskResponse.noSuchTask,
  'incorrect-lun': TaskResponse.noSuchLun,
};
