import { defineInvariant, type Invariant, type Stamped, type Verdict } from '@quorate/kernel';
import type {
  CommandAbortedFact,
  CommandEnabledFact,
  CommandEndedFact,
  PowerCycledFact,
  ReservationChangedFact,
  WrittenFact,
} from './facts.js';
import { ReservationWitness } from './reservation-witness.js';

/** A witness for each logical unit. */
class Witnesses {
  readonly #byLun = new Map<number, ReservationWitness>();

  of(lun: number): ReservationWitness {
    let witness = this.#byLun.get(lun);
    if (witness === undefined) {
      witness = new ReservationWitness();
      this.#byLun.set(lun, witness);
    }
    return witness;
  }
}

type FencedWriteFact = ReservationChangedFact | PowerCycledFact | WrittenFact;

class FencedWrite {
  readonly #witnesses = new Witnesses();
  /** Fenced nexuses by logical unit. */
  readonly #fenced = new Map<number, Set<number>>();

  observe(fact: Stamped<FencedWriteFact>, verdict: Verdict): void {
    switch (fact.kind) {
      case 'scsi.power-cycled':
        return this.#witnesses.of(fact.lun).powerCycle();
      case 'scsi.reservation-changed':
        return this.#onReservationChanged(fact);
      case 'scsi.written':
        if (this.#fenced.get(fact.lun)?.has(fact.nexus) !== true) return;
        return verdict.violate(`nexus ${fact.nexus} is fenced and wrote ${rangeOf(fact)}`, [fact.nexus]);
    }
  }

  #onReservationChanged(fact: ReservationChangedFact): void {
    const witness = this.#witnesses.of(fact.lun);
    const victims = witness.note(fact);
    const fenced = this.#fenced.get(fact.lun) ?? new Set();
    if (fact.action === 'preempt-and-abort') for (const nexus of victims) fenced.add(nexus);
    for (const nexus of fenced) if (witness.isRegistered(nexus)) fenced.delete(nexus);
    this.#fenced.set(fact.lun, fenced);
  }
}

type RightsFact =
  | ReservationChangedFact
  | PowerCycledFact
  | CommandEnabledFact
  | CommandEndedFact
  | CommandAbortedFact
  | WrittenFact;

class Rights {
  readonly #witnesses = new Witnesses();
  /** Commands that were enabled without the right to run and have not ended. */
  readonly #without = new Set<string>();

  observe(fact: Stamped<RightsFact>, verdict: Verdict): void {
    switch (fact.kind) {
      case 'scsi.reservation-changed':
        this.#witnesses.of(fact.lun).note(fact);
        return;
      case 'scsi.power-cycled':
        return this.#witnesses.of(fact.lun).powerCycle();
      case 'scsi.command-enabled':
        return this.#onEnabled(fact);
      case 'scsi.written':
        if (!this.#isWithout(fact)) return;
        return verdict.violate(`nexus ${fact.nexus} wrote ${rangeOf(fact)} without the right to`, [fact.nexus]);
      case 'scsi.command-ended':
        return this.#onEnded(fact, verdict);
      case 'scsi.command-aborted':
        this.#without.delete(keyOf(fact));
    }
  }

  #onEnabled(fact: CommandEnabledFact): void {
    const { lun, nexus, opcode, serviceAction } = fact;
    if (this.#witnesses.of(lun).mayRun(nexus, opcode, serviceAction) === false) this.#without.add(keyOf(fact));
    else if (this.#without.size > 0) this.#without.delete(keyOf(fact));
  }

  #onEnded(fact: CommandEndedFact, verdict: Verdict): void {
    if (!this.#isWithout(fact)) return;
    this.#without.delete(keyOf(fact));
    if (endedWithoutRights(fact)) return;
    const ending = `status ${fact.status.toString(16)}h${fact.sense === undefined ? '' : ` ${fact.sense}`}`;
    const command = `command ${fact.opcode.toString(16)}h`;
    verdict.violate(`nexus ${fact.nexus} had no right to ${command}, which ended with ${ending}`, [fact.nexus]);
  }

  #isWithout(fact: CommandEndedFact | WrittenFact): boolean {
    return this.#without.size > 0 && this.#without.has(keyOf(fact));
  }
}

/** RESERVATION CONFLICT, or what is reported before reservations are looked at, or TASK ABORTED. */
function endedWithoutRights({ status, sense = '' }: CommandEndedFact): boolean {
  return status === 0x18 || status === 0x40 || (status === 0x02 && (sense.startsWith('6/') || sense === '5/20/00'));
}

function keyOf(fact: { readonly lun: number; readonly nexus: number; readonly tag: number }): string {
  return `${fact.lun}/${fact.nexus}/${fact.tag}`;
}

function rangeOf({ lun, lba, blocks }: WrittenFact): string {
  return `blocks ${lba} + ${blocks} of LUN ${lun}`;
}

class Generation {
  readonly #last = new Map<number, number>();

  observe(fact: Stamped<ReservationChangedFact | PowerCycledFact>, verdict: Verdict): void {
    if (fact.kind === 'scsi.power-cycled') {
      this.#last.set(fact.lun, 0);
      return;
    }
    const last = this.#last.get(fact.lun) ?? 0;
    const counts = fact.action !== 'reserve' && fact.action !== 'release';
    const expected = counts ? (last + 1) % 0x1_0000_0000 : last;
    this.#last.set(fact.lun, fact.generation);
    if (fact.generation === expected) return;
    verdict.violate(`PRgeneration ${fact.generation} after ${fact.action}, expected ${expected}`, [fact.nexus]);
  }
}

/**
 * What must never be observed of a target. The numbers of nexuses stand for nodes in violations: an embedder that wants
 * them to agree gives a node's nexus its node id.
 */
export const invariants: readonly Invariant[] = [
  defineInvariant<FencedWriteFact>({
    id: 'S13',
    name: 'fenced-write',
    statement:
      'per logical unit: after PREEMPT AND ABORT completes and until the victim registers anew, no command of the victim changes that medium',
    kinds: ['scsi.reservation-changed', 'scsi.power-cycled', 'scsi.written'],
    start: () => new FencedWrite(),
  }),
  defineInvariant<RightsFact>({
    id: 'S15',
    name: 'pr-rights',
    statement: 'a command without rights ends with RESERVATION CONFLICT and changes nothing',
    kinds: [
      'scsi.reservation-changed',
      'scsi.power-cycled',
      'scsi.command-enabled',
      'scsi.command-ended',
      'scsi.command-aborted',
      'scsi.written',
    ],
    start: () => new Rights(),
  }),
  defineInvariant<ReservationChangedFact | PowerCycledFact>({
    id: 'S16',
    name: 'pr-generation',
    statement:
      'PRgeneration rises by 1 with each REGISTER, CLEAR and PREEMPT that succeeds, and not with RESERVE and RELEASE',
    kinds: ['scsi.reservation-changed', 'scsi.power-cycled'],
    start: () => new Generation(),
  }),
];
