import { fromHex, type Nanos } from '@quorate/kernel';
import type { Medium, MediumNeeds } from '../medium.js';
import type { ModeParameters } from '../mode-parameters.js';
import type { UnitNexus } from '../nexus.js';
import type {
  PersistentReservations,
  ReservationOutcome,
  ReservationRequest,
  ReservationsSnapshot,
} from '../reservation/persistent-reservations.js';
import type { Spc2Reservation } from '../reservation/spc2-reservation.js';
import type { Sense } from '../sense.js';
import type { ServiceClass } from '../service-model.js';
import { Status } from '../status.js';
import type { BlockStore } from '../store/block-store.js';
import type { BlockRun } from '../torn-write.js';
import type { InitiatorPort } from '../transport-id.js';
import type { UnitSettings } from '../unit-config.js';
import type { UnitEvent } from '../unit-event.js';
import type { Transfer } from './transfer.js';

/** What a command knows of the task that carries it. */
export interface CommandRequest {
  readonly tag: number;
  readonly cdb: Uint8Array;
  readonly dataOut: Uint8Array;
  readonly from: UnitNexus;
  /** Range of a command that addresses the medium; blocks stays -1 for other commands. */
  lba: number;
  blocks: number;
  /** Blocks of a write that reach the medium; undefined for all of them. */
  readonly torn: readonly BlockRun[] | undefined;
}

/** What a command knows of the target. */
export interface TargetContext {
  /** iSCSI name of the target. */
  readonly name: string;
  /** Relative identifier of the one target port. */
  readonly relativePort: number;
  /** Number of the one target port group. */
  readonly portGroup: number;
  readonly luns: readonly number[];
  /** The nexus of that initiator port; undefined when it never logged in. */
  nexusOf(port: InitiatorPort): number | undefined;
  /** The logical unit with that NAA identifier, hex digits; undefined when this target has none. */
  unitOf(naa: string): UnitContext | undefined;
  portOf(nexus: number): InitiatorPort;
  /** Hands an event to the transport, once the input is dealt with. */
  report(event: UnitEvent): void;
}

/** The commands of one logical unit. */
export interface KnownCommands {
  /** In the order of opcode and service action. */
  readonly all: readonly Command[];
  /** What a CDB asks for; undefined for an unknown opcode, and for an unknown service action of a known one. */
  of(cdb: Uint8Array): Command | undefined;
  /** By opcode, and by service action for opcodes that have them. */
  find(opcode: number, serviceAction: number): Command | undefined;
  /** Whether the opcode is known, be it with other service actions. */
  isKnownOpcode(opcode: number): boolean;
  hasServiceActions(opcode: number): boolean;
}

/** What a command may do to the logical unit. */
export interface UnitContext {
  readonly target: TargetContext;
  readonly store: BlockStore;
  readonly settings: UnitSettings;
  readonly reservations: PersistentReservations;
  readonly spc2: Spc2Reservation;
  readonly mode: ModeParameters;
  readonly medium: Medium;
  readonly commands: KnownCommands;
  /** Why it cannot be written; undefined when it can. */
  readonly writeProtection: Sense | undefined;
  /** Whether no reservation keeps that nexus from reading or writing here, and the medium is ready. */
  mayAccess(now: Nanos, nexus: number, access: 'read' | 'write'): boolean;
  /** Changes the medium. */
  write(now: Nanos, request: CommandRequest, lba: number, bytes: Uint8Array): void;
  /** Gives blocks of the medium back: they read as zeros. */
  unmap(now: Nanos, request: CommandRequest, lba: number, blocks: number): void;
  /** Leaves a unit attention for every other nexus. */
  tellOthers(nexus: number, sense: Sense): void;
  /** Leaves a unit attention for every nexus, and lets the transport tell it at once. */
  tellAll(sense: Sense): void;
  /** Tells what a READ gave, to who checks that. */
  wasRead(now: Nanos, request: CommandRequest, bytes: Uint8Array): void;
  /** Keeps changed reservations over a power loss, if they are to be; false, and as before, when that failed. */
  keepReservations(before: ReservationsSnapshot): boolean;
  /** Tells and aborts whom a PERSISTENT RESERVE OUT concerns. */
  reservationsChanged(now: Nanos, request: ReservationRequest, outcome: ReservationOutcome & { kind: 'done' }): void;
}

/** One command as the target knows it. */
export interface Command extends MediumNeeds {
  /** `READ(10)`. */
  readonly name: string;
  readonly opcode: number;
  /** Undefined for an opcode without service actions. */
  readonly serviceAction?: number;
  /** Bits of the CDB that this target evaluates, one byte per byte of the CDB; all others must be 0. */
  readonly usage: Uint8Array;
  readonly service: ServiceClass;
  readonly transfer: Transfer;
  /** Runs in spite of a pending unit attention. */
  readonly passesUnitAttention?: boolean;
  /** A crash or an abort may leave some of its blocks on the medium; of others it leaves all or nothing. */
  readonly isTearable?: boolean;
  /** Goes on after it was carried out: `Reply.waitUntil`. */
  readonly takesLong?: boolean;
  /** Whether a unit has it; left out when every unit does. */
  isOn?(settings: UnitSettings): boolean;
  /** Checks the CDB and sets the range; what is wrong, or undefined. */
  validate?(unit: UnitContext, request: CommandRequest): Sense | undefined;
  execute(unit: UnitContext, request: CommandRequest, reply: Reply, now: Nanos): void;
}

/** One command in CDBs of several lengths: what they share, then name, opcode and `usage` in hex of each. */
export function family(
  shared: Omit<Command, 'name' | 'opcode' | 'usage'>,
  members: readonly (readonly [name: string, opcode: number, usage: string])[],
): readonly Command[] {
  return members.map(([name, opcode, usage]) => ({ name, opcode, usage: fromHex(usage), ...shared }));
}

const NOTHING: Uint8Array = new Uint8Array(0);

/** How a command ended. One reply serves a whole target; its data is lent until the next command ends. */
export class Reply {
  status: Status = Status.good;
  sense: Sense | undefined;
  data: Uint8Array = NOTHING;
  /** When it is given; 0 for at once. Only commands that take long set it. */
  waitUntil: Nanos = 0;
  #buffer = new Uint8Array(4096);
  #lent: Uint8Array = this.#buffer;

  reset(): this {
    this.status = Status.good;
    this.sense = undefined;
    this.data = NOTHING;
    this.waitUntil = 0;
    return this;
  }

  /** Data-In of exactly that many bytes, to be filled by the caller; they are not zero. */
  allocate(length: number): Uint8Array {
    if (length > this.#buffer.length) this.#buffer = new Uint8Array(length);
    if (this.#lent.length !== length || this.#lent.buffer !== this.#buffer.buffer) {
      this.#lent = this.#buffer.subarray(0, length);
    }
    this.data = this.#lent;
    return this.data;
  }

  /** Data-In, cut to the allocation length of the CDB. Length fields inside are left as they are. */
  give(bytes: Uint8Array, allocationLength: number): void {
    this.data = bytes.length > allocationLength ? bytes.subarray(0, allocationLength) : bytes;
  }

  check(sense: Sense): void {
    this.data = NOTHING;
    this.status = Status.checkCondition;
    this.sense = sense;
  }

  conflict(): void {
    this.status = Status.reservationConflict;
  }
}
