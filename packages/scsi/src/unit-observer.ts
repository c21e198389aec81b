import { crc32c, type Nanos, type Observe } from '@quorate/kernel';
import type { CommandRequest } from './commands/command.js';
import type { AbortReason, CommandEnabledFact, CommandEndedFact, ReservationAction, ScsiFact } from './facts.js';
import { ReserveOut } from './opcode.js';
import type { PersistentReservations, ReservationRequest } from './reservation/persistent-reservations.js';
import { type Sense, senseText } from './sense.js';
import type { Status } from './status.js';
import type { Task } from './task.js';

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface CommandFacts {
  'scsi.command-enabled': Mutable<CommandEnabledFact>;
  'scsi.command-ended': Mutable<CommandEndedFact>;
}

const ACTION_NAMES: { readonly [action in ReserveOut]: ReservationAction } = {
  [ReserveOut.register]: 'register',
  [ReserveOut.reserve]: 'reserve',
  [ReserveOut.release]: 'release',
  [ReserveOut.clear]: 'clear',
  [ReserveOut.preempt]: 'preempt',
  [ReserveOut.preemptAndAbort]: 'preempt-and-abort',
  [ReserveOut.registerAndIgnoreExistingKey]: 'register-and-ignore',
  [ReserveOut.registerAndMove]: 'register-and-move',
};

/** Tells the facts of one logical unit to who observes it. */
export class UnitObserver {
  readonly #lun: number;
  readonly #blockLength: number;
  readonly #tellsContent: boolean;
  readonly #observe: Observe<ScsiFact>;

  constructor(lun: number, blockLength: number, tellsContent: boolean, observe: Observe<ScsiFact>) {
    this.#lun = lun;
    this.#blockLength = blockLength;
    this.#tellsContent = tellsContent;
    this.#observe = observe;
  }

  enabled(now: Nanos, task: Task): void {
    this.#observe(this.#factOf('scsi.command-enabled', now, task));
  }

  ended(now: Nanos, task: Task, status: Status, sense: Sense | undefined): void {
    const fact = this.#factOf('scsi.command-ended', now, task);
    fact.status = status;
    if (sense !== undefined) fact.sense = senseText(sense);
    if (task.blocks >= 0) {
      fact.lba = task.lba;
      fact.blocks = task.blocks;
    }
    fact.isDelivered = !task.isOrphan;
    this.#observe(fact);
  }

  aborted(now: Nanos, nexus: number, tag: number, opcode: number, reason: AbortReason): void {
    this.#observe({ kind: 'scsi.command-aborted', now, lun: this.#lun, nexus, tag, opcode, reason });
  }

  powerCycled(now: Nanos, hasKeptReservations: boolean): void {
    this.#observe({ kind: 'scsi.power-cycled', now, lun: this.#lun, hasKeptReservations });
  }

  capacityChanged(now: Nanos, blocks: number): void {
    this.#observe({ kind: 'scsi.capacity-changed', now, lun: this.#lun, blocks });
  }

  /** `bytes` are those of the blocks, or of one block when all are alike. */
  written(now: Nanos, { from, tag }: CommandRequest, lba: number, blocks: number, bytes: Uint8Array): void {
    const nexus = from.nexus.id;
    const fact = { kind: 'scsi.written', now, lun: this.#lun, nexus, tag, lba, blocks } as const;
    this.#observe(this.#tellsContent ? { ...fact, digests: this.#digestsOf(bytes) } : fact);
  }

  read(now: Nanos, { from, tag, lba }: CommandRequest, bytes: Uint8Array): void {
    if (!this.#tellsContent) return;
    const nexus = from.nexus.id;
    this.#observe({ kind: 'scsi.read', now, lun: this.#lun, nexus, tag, lba, digests: this.#digestsOf(bytes) });
  }

  reservationChanged(
    now: Nanos,
    request: ReservationRequest,
    reservations: PersistentReservations,
    preempted: readonly number[],
    aborted: number,
  ): void {
    const { generation, type, holder } = reservations;
    const { destination } = request;
    this.#observe({
      kind: 'scsi.reservation-changed',
      now,
      lun: this.#lun,
      nexus: request.nexus,
      action: ACTION_NAMES[request.action],
      requestedType: request.type,
      key: request.key.toString(16),
      serviceActionKey: request.serviceActionKey.toString(16),
      aptpl: request.aptpl,
      alsoRegister: request.alsoRegister ?? [],
      ...(destination === undefined ? undefined : { destination }),
      unregister: request.unregister,
      generation,
      type,
      ...(holder === undefined ? undefined : { holder }),
      registered: Array.from(reservations.registrations(), ({ nexus, key }) => ({ nexus, key: key.toString(16) })),
      preempted,
      aborted,
    });
  }

  /** What all facts about a command begin with. Two are told of each command, so it is built without copies. */
  #factOf<K extends keyof CommandFacts>(kind: K, now: Nanos, task: Task): CommandFacts[K] {
    const nexus = task.from.nexus.id;
    const fact = { kind, now, lun: this.#lun, nexus, tag: task.tag, opcode: task.cdb[0]! } as CommandFacts[K];
    const serviceAction = task.command?.serviceAction;
    if (serviceAction !== undefined) fact.serviceAction = serviceAction;
    return fact;
  }

  /** CRC32C of each block. */
  #digestsOf(bytes: Uint8Array): number[] {
    const digests: number[] = [];
    for (let at = 0; at < bytes.length; at += this.#blockLength) {
      digests.push(crc32c(bytes.subarray(at, at + this.#blockLength)));
    }
    return digests;
  }
}
