import type { Fact } from '@quorate/kernel';
import type { StoreFault } from './store/faulty-store.js';

/** A command's turn has come: it leaves the queue and is checked against reservations now. */
export interface CommandEnabledFact extends Fact {
  readonly kind: 'scsi.command-enabled';
  readonly lun: number;
  readonly nexus: number;
  readonly tag: number;
  readonly opcode: number;
  /** For opcodes that have service actions. */
  readonly serviceAction?: number;
}

/** A command ended with a status. */
export interface CommandEndedFact extends Fact {
  readonly kind: 'scsi.command-ended';
  readonly lun: number;
  readonly nexus: number;
  readonly tag: number;
  readonly opcode: number;
  readonly serviceAction?: number;
  readonly status: number;
  /** Key, ASC and ASCQ, `6/2A/05`; with CHECK CONDITION only. */
  readonly sense?: string;
  /** For commands that address the medium and were not refused. */
  readonly lba?: number;
  readonly blocks?: number;
  /** False when its nexus is gone: the status went nowhere. */
  readonly isDelivered: boolean;
}

export type AbortReason =
  | 'preempt'
  | 'abort-task'
  | 'abort-task-set'
  | 'clear-task-set'
  | 'lun-reset'
  | 'logout'
  | 'nexus-lost'
  | 'power-cycle';

/** A command left the task set without a status, or with TASK ABORTED. It changes the medium no more. */
export interface CommandAbortedFact extends Fact {
  readonly kind: 'scsi.command-aborted';
  readonly lun: number;
  readonly nexus: number;
  readonly tag: number;
  readonly opcode: number;
  readonly reason: AbortReason;
}

/** Blocks of the medium changed, by a command of that nexus. */
export interface WrittenFact extends Fact {
  readonly kind: 'scsi.written';
  readonly lun: number;
  readonly nexus: number;
  readonly tag: number;
  readonly lba: number;
  readonly blocks: number;
  /**
   * CRC32C of each block, or one for all when they are alike; only of units that tell their content. A block that is
   * written in part, or torn, counts as it is afterwards.
   */
  readonly digests?: readonly number[];
}

/** A READ gave blocks to that nexus; only units that tell their content tell it. */
export interface ReadFact extends Fact {
  readonly kind: 'scsi.read';
  readonly lun: number;
  readonly nexus: number;
  readonly tag: number;
  readonly lba: number;
  /** CRC32C of each block. */
  readonly digests: readonly number[];
}

/** Blocks do not hold what was written to them from now on: told by who makes the disk fail, see `FaultyStore`. */
export interface StoreFaultFact extends Fact, StoreFault {
  readonly kind: 'scsi.store-fault';
  readonly lun: number;
}

export type ReservationAction =
  | 'register'
  | 'reserve'
  | 'release'
  | 'clear'
  | 'preempt'
  | 'preempt-and-abort'
  | 'register-and-ignore'
  | 'register-and-move';

/**
 * A PERSISTENT RESERVE OUT is about to end with GOOD: what was asked, and how the unit stands now.
 *
 * Keys are hex without leading zeros, as sg_persist prints them. After PREEMPT AND ABORT the tasks of the victims are gone.
 */
export interface ReservationChangedFact extends Fact {
  readonly kind: 'scsi.reservation-changed';
  readonly lun: number;
  readonly nexus: number;
  readonly action: ReservationAction;
  /** Type in the CDB; meaningful for reserve, release and the preempts. */
  readonly requestedType: number;
  readonly key: string;
  readonly serviceActionKey: string;
  readonly aptpl: boolean;
  /** Register: nexuses that the caller registered besides itself. */
  readonly alsoRegister: readonly number[];
  /** Register and move: who got the reservation, and whether the caller unregistered. */
  readonly destination?: number;
  readonly unregister: boolean;
  /** PRGENERATION afterwards. */
  readonly generation: number;
  /** Type of the reservation held afterwards, 0 for none. */
  readonly type: number;
  /** The one holder afterwards; absent without a reservation and under All Registrants. */
  readonly holder?: number;
  /** Registered nexuses afterwards, in the order of registration. */
  readonly registered: readonly { readonly nexus: number; readonly key: string }[];
  /** Nexuses that lost their registration to a preempt, the caller left out. */
  readonly preempted: readonly number[];
  /** Tasks that PREEMPT AND ABORT ended. */
  readonly aborted: number;
}

/** The target lost power and has it back: PRGENERATION is 0, all sessions are gone. */
export interface PowerCycledFact extends Fact {
  readonly kind: 'scsi.power-cycled';
  readonly lun: number;
  /** Registrations and reservation are still there: APTPL was active. */
  readonly hasKeptReservations: boolean;
}

/** The medium has so many blocks now; what was in blocks that are gone is lost, should they come back. */
export interface CapacityChangedFact extends Fact {
  readonly kind: 'scsi.capacity-changed';
  readonly lun: number;
  readonly blocks: number;
}

export type ScsiFact =
  | CommandEnabledFact
  | CommandEndedFact
  | CommandAbortedFact
  | WrittenFact
  | ReadFact
  | StoreFaultFact
  | ReservationChangedFact
  | PowerCycledFact
  | CapacityChangedFact;
