import type { TaskAttribute } from '@quorate/scsi';
import type { FramingError } from '../pdu/pdu-reader.js';
import type { Parameters } from '../session/parameters.js';

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
  /** Something happened to a unit of the target; a unit attention says it again. `sense` is lent. */
  | { readonly kind: 'unit-event'; readonly lun: number; readonly sense: Uint8Array }
  /** The target asks for a logout within so many seconds. */
  | { readonly kind: 'logout-requested'; readonly seconds: number }
  /** The target did not take a PDU of ours. */
  | { readonly kind: 'reject'; readonly reason: number; readonly opcode: number }
  /** The end: open commands get no response any more. `status` is that of a login that was refused. */
  | { readonly kind: 'close'; readonly reason: InitiatorEnd; readonly why: string; readonly status: number };
