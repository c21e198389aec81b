import type { Fact } from '@quorate/kernel';
import type { Parameters } from './session/parameters.js';

/** A session gained a connection: the first one makes the session. */
export interface LoggedInFact extends Fact {
  readonly kind: 'iscsi.logged-in';
  readonly connection: number;
  readonly session: number;
  /** Number of the I_T nexus in the facts of the SCSI target; 0 for a discovery session. */
  readonly nexus: number;
  readonly remote: string;
  readonly initiator: string;
  readonly isid: string;
  readonly tsih: number;
  readonly cid: number;
  /** Empty for a discovery session. */
  readonly target: string;
  readonly parameters: Readonly<Parameters>;
}

/** A login was refused. */
export interface LoginRefusedFact extends Fact {
  readonly kind: 'iscsi.login-refused';
  readonly connection: number;
  readonly remote: string;
  /** Empty when the login did not come so far. */
  readonly initiator: string;
  /** Class and detail of the Login Response, `0201`. */
  readonly status: string;
  readonly why: string;
}

/** A PDU was answered by a Reject. */
export interface RejectedFact extends Fact {
  readonly kind: 'iscsi.rejected';
  readonly connection: number;
  readonly opcode: number;
  readonly reason: number;
  readonly why: string;
}

/** Why a connection ended. */
export type ConnectionEnd =
  | 'peer-closed'
  | 'logout'
  | 'login-refused'
  | 'login-timeout'
  | 'no-answer-to-ping'
  | 'too-many-connections'
  | 'session-reinstated'
  | 'connection-reinstated'
  | 'session-dropped'
  | 'cold-reset'
  | 'stopped'
  | 'bad-header-digest'
  | 'data-segment-too-long'
  | 'login-after-login'
  | 'not-a-login'
  | 'unknown-opcode'
  | 'input-overrun'
  | 'held-too-much';

export interface ConnectionEndedFact extends Fact {
  readonly kind: 'iscsi.connection-ended';
  readonly connection: number;
  readonly remote: string;
  readonly reason: ConnectionEnd;
}

export interface SessionEndedFact extends Fact {
  readonly kind: 'iscsi.session-ended';
  readonly session: number;
  readonly initiator: string;
  readonly reason: 'logout' | 'lost' | 'reinstated';
}

/** What happens now and then, and is worth a line in a log. */
export type IscsiFact = LoggedInFact | LoginRefusedFact | RejectedFact | ConnectionEndedFact | SessionEndedFact;

/** The fields of a PDU of full feature phase; see `Pdu` for what they mean in which. */
interface PduFields extends Fact {
  readonly connection: number;
  readonly session: number;
  readonly opcode: number;
  readonly isImmediate: boolean;
  readonly flags: number;
  readonly dataLength: number;
  readonly initiatorTaskTag: number;
  /** Offset 20. */
  readonly transferTag: number;
  /** Offset 24: CmdSN or StatSN. */
  readonly sequence: number;
  /** Offset 28: ExpStatSN or ExpCmdSN. */
  readonly expected: number;
  /** Offset 32, MaxCmdSN in what the target sends. */
  readonly maxCmdSn: number;
  /** Offset 36: DataSN or R2TSN. */
  readonly dataSn: number;
  /** Offset 40. */
  readonly bufferOffset: number;
  /** Offset 44: residual count or desired length. */
  readonly lastWord: number;
}

export interface PduReceivedFact extends PduFields {
  readonly kind: 'iscsi.pdu-received';
}

export interface PduSentFact extends PduFields {
  readonly kind: 'iscsi.pdu-sent';
}

/** Every PDU of full feature phase, for checkers and traces. */
export type PduFact = PduReceivedFact | PduSentFact;
