import { defineInvariant, type Invariant, type Stamped, type Verdict } from '@quorate/kernel';
import type { LoggedInFact, PduReceivedFact, PduSentFact } from './facts.js';
import { CommandFlag, FINAL, NO_TAG, PduOpcode, ResponseFlag } from './pdu/opcode.js';
import { addSerial, isBefore } from './pdu/serial.js';
import type { Parameters } from './session/parameters.js';

/** Opcodes of the target that always take a StatSN; Data-In takes one with its status, NOP-In unless it is a ping. */
const WITH_STATUS: ReadonlySet<number> = new Set([
  PduOpcode.scsiResponse,
  PduOpcode.taskManagementResponse,
  PduOpcode.textResponse,
  PduOpcode.logoutResponse,
  PduOpcode.asyncMessage,
  PduOpcode.reject,
]);

function hasStatus(fact: PduSentFact): boolean {
  if (fact.opcode === PduOpcode.dataIn) return (fact.flags & ResponseFlag.status) !== 0;
  if (fact.opcode === PduOpcode.nopIn) return fact.initiatorTaskTag !== NO_TAG;
  return WITH_STATUS.has(fact.opcode);
}

class StatusNumbers {
  /** Next StatSN by connection. */
  readonly #next = new Map<number, number>();

  observe(fact: Stamped<LoggedInFact | PduSentFact>, verdict: Verdict): void {
    if (fact.kind === 'iscsi.logged-in') {
      this.#next.delete(fact.connection);
      return;
    }
    if (!hasStatus(fact)) return;
    const next = this.#next.get(fact.connection);
    if (next !== undefined && fact.sequence !== next) {
      verdict.violate(`connection ${fact.connection}: StatSN ${fact.sequence}, expected ${next}`, []);
    }
    this.#next.set(fact.connection, addSerial(fact.sequence, 1));
  }
}

class Window {
  /** Last ExpCmdSN and MaxCmdSN by session. */
  readonly #last = new Map<number, { readonly expected: number; readonly most: number }>();

  observe(fact: Stamped<PduSentFact>, verdict: Verdict): void {
    const { session, expected, maxCmdSn: most } = fact;
    const last = this.#last.get(session);
    if (last !== undefined && (isBefore(expected, last.expected) || isBefore(most, last.most))) {
      verdict.violate(`session ${session}: window ${expected} to ${most} after ${last.expected} to ${last.most}`, []);
    }
    if (isBefore(most, addSerial(expected, -1))) verdict.violate(`session ${session}: ${most} before ${expected}`, []);
    this.#last.set(session, { expected, most });
  }
}

/** What a check knows of an open command. */
interface OpenCommand {
  readonly expected: number;
  readonly isRead: boolean;
  /** Data-In or R2T: what the next one has to say. */
  nextSn: number;
  nextOffset: number;
  burst: number;
  readonly openR2ts: Set<number>;
}

/** Open commands by session and task tag, and what was settled for their connection. */
class Commands {
  readonly #parameters = new Map<number, Readonly<Parameters>>();
  readonly #open = new Map<string, OpenCommand>();

  parametersOf(connection: number): Readonly<Parameters> | undefined {
    return this.#parameters.get(connection);
  }

  of(fact: PduSentFact | PduReceivedFact): OpenCommand | undefined {
    return this.#open.get(keyOf(fact));
  }

  note(fact: LoggedInFact | PduReceivedFact): void {
    if (fact.kind === 'iscsi.logged-in') this.#parameters.set(fact.connection, fact.parameters);
    else if (fact.opcode === PduOpcode.scsiCommand && !this.#open.has(keyOf(fact))) {
      this.#open.set(keyOf(fact), {
        expected: fact.transferTag,
        isRead: (fact.flags & CommandFlag.read) !== 0,
        nextSn: 0,
        nextOffset: 0,
        burst: 0,
        openR2ts: new Set(),
      });
    }
  }

  close(fact: PduSentFact): void {
    this.#open.delete(keyOf(fact));
  }
}

function keyOf(fact: { readonly session: number; readonly initiatorTaskTag: number }): string {
  return `${fact.session}/${fact.initiatorTaskTag}`;
}

function isResponse(fact: PduSentFact): boolean {
  return fact.opcode === PduOpcode.scsiResponse || (fact.opcode === PduOpcode.dataIn && hasStatus(fact));
}

type CommandFact = LoggedInFact | PduReceivedFact | PduSentFact;

class OneResponse {
  readonly #commands = new Commands();

  observe(fact: Stamped<CommandFact>, verdict: Verdict): void {
    if (fact.kind !== 'iscsi.pdu-sent') return this.#commands.note(fact);
    if (!isResponse(fact)) return;
    if (this.#commands.of(fact) === undefined) {
      verdict.violate(`session ${fact.session}: a response to task ${fact.initiatorTaskTag}, which is not open`, []);
    }
    this.#commands.close(fact);
  }
}

class ReadyToTransfer {
  readonly #commands = new Commands();

  observe(fact: Stamped<CommandFact>, verdict: Verdict): void {
    if (fact.kind !== 'iscsi.pdu-sent') return this.#onOther(fact);
    if (fact.opcode === PduOpcode.r2t) this.#onR2t(fact, verdict);
    else if (isResponse(fact)) this.#commands.close(fact);
  }

  #onOther(fact: LoggedInFact | PduReceivedFact): void {
    this.#commands.note(fact);
    if (fact.kind === 'iscsi.logged-in' || fact.opcode !== PduOpcode.dataOut || (fact.flags & FINAL) === 0) return;
    this.#commands.of(fact)?.openR2ts.delete(fact.transferTag);
  }

  #onR2t(fact: PduSentFact, verdict: Verdict): void {
    const command = this.#commands.of(fact);
    const parameters = this.#commands.parametersOf(fact.connection);
    if (command === undefined || parameters === undefined) return;
    const { maxOutstandingR2T, maxBurstLength } = parameters;
    command.openR2ts.add(fact.transferTag);
    const task = `session ${fact.session}, task ${fact.initiatorTaskTag}`;
    if (command.openR2ts.size > maxOutstandingR2T) {
      verdict.violate(`${task}: ${command.openR2ts.size} R2Ts open, at most ${maxOutstandingR2T}`, []);
    }
    if (fact.lastWord === 0 || fact.lastWord > maxBurstLength || fact.bufferOffset + fact.lastWord > command.expected) {
      verdict.violate(`${task}: R2T for ${fact.lastWord} bytes at ${fact.bufferOffset}`, []);
    }
    if (fact.dataSn !== command.nextSn)
      verdict.violate(`${task}: R2TSN ${fact.dataSn}, expected ${command.nextSn}`, []);
    command.nextSn = fact.dataSn + 1;
  }
}

class DataIn {
  readonly #commands = new Commands();

  observe(fact: Stamped<CommandFact>, verdict: Verdict): void {
    if (fact.kind !== 'iscsi.pdu-sent') return this.#commands.note(fact);
    if (fact.opcode === PduOpcode.dataIn) this.#onDataIn(fact, verdict);
    if (isResponse(fact)) this.#commands.close(fact);
  }

  #onDataIn(fact: PduSentFact, verdict: Verdict): void {
    const command = this.#commands.of(fact);
    const parameters = this.#commands.parametersOf(fact.connection);
    if (command === undefined || parameters === undefined) return;
    const { peerMaxRecvDataSegmentLength, maxBurstLength } = parameters;
    const end = fact.bufferOffset + fact.dataLength;
    command.burst += fact.dataLength;
    const isWrong =
      !command.isRead ||
      fact.dataSn !== command.nextSn ||
      fact.bufferOffset !== command.nextOffset ||
      fact.dataLength > peerMaxRecvDataSegmentLength ||
      command.burst > maxBurstLength ||
      end > command.expected;
    if (isWrong) {
      const what = `Data-In ${fact.dataSn} of ${fact.dataLength} bytes at ${fact.bufferOffset}`;
      const due = `expected ${command.nextSn} at ${command.nextOffset}, up to ${command.expected}`;
      verdict.violate(`session ${fact.session}, task ${fact.initiatorTaskTag}: ${what}, ${due}`, []);
    }
    command.nextSn = fact.dataSn + 1;
    command.nextOffset = end;
    if ((fact.flags & FINAL) !== 0) command.burst = 0;
  }
}

const COMMAND_FACTS = ['iscsi.logged-in', 'iscsi.pdu-received', 'iscsi.pdu-sent'] as const;

/** What must never be seen of a target. Its facts come from `observe` and `observePdus`, in one stream. */
export const invariants: readonly Invariant[] = [
  defineInvariant<LoggedInFact | PduSentFact>({
    id: 'iscsi.I1',
    name: 'stat-sn',
    statement: 'per connection: StatSN rises by 1 with each PDU that carries a status, and with no other',
    kinds: ['iscsi.logged-in', 'iscsi.pdu-sent'],
    start: () => new StatusNumbers(),
  }),
  defineInvariant<PduSentFact>({
    id: 'iscsi.I2',
    name: 'command-window',
    statement: 'per session: ExpCmdSN and MaxCmdSN never go back, and MaxCmdSN is at least ExpCmdSN - 1',
    kinds: ['iscsi.pdu-sent'],
    start: () => new Window(),
  }),
  defineInvariant<CommandFact>({
    id: 'iscsi.I3',
    name: 'one-response',
    statement: 'a task gets one response, and only one that an initiator opened',
    kinds: COMMAND_FACTS,
    start: () => new OneResponse(),
  }),
  defineInvariant<CommandFact>({
    id: 'iscsi.I4',
    name: 'r2t',
    statement:
      'per task: at most MaxOutstandingR2T R2Ts are open, R2TSN counts from 0, and each asks for at most MaxBurstLength bytes that the initiator has',
    kinds: COMMAND_FACTS,
    start: () => new ReadyToTransfer(),
  }),
  defineInvariant<CommandFact>({
    id: 'iscsi.I5',
    name: 'data-in',
    statement:
      'per read: Data-In comes in order without gaps, no PDU over MaxRecvDataSegmentLength, no burst over MaxBurstLength, no byte beyond what was expected',
    kinds: COMMAND_FACTS,
    start: () => new DataIn(),
  }),
];
