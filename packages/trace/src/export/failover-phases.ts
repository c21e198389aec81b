import { type Nanos, SECOND } from '@quorate/kernel';
import type { TraceRecord } from '../reader.js';

export interface FailoverPhase {
  readonly name: string;
  readonly from: Nanos;
  readonly to: Nanos;
}

/** In the order in which they follow each other. */
const PHASES = ['stop', 'detection', 'fencing', 'lock recovery', 'journal', 'start'] as const;
type PhaseName = (typeof PHASES)[number];

/** Longer outages have lost their beginnings. */
const MEMORY: Nanos = 600 * SECOND;

/**
 * Divides an outage into stretches that follow each other and add up to it; each ends with the last record of its kind in it,
 * and the last, until the client's ARP cache knows the new owner, with the outage.
 *
 * A stretch that nothing ended in is left out: what was stopped in order has nothing to be detected or fenced. `phasesOf` of
 * `@quorate/lab` does the same with facts, before they are records.
 */
export class FailoverPhases {
  /** Ends of phases, oldest first. */
  #ends: { readonly name: PhaseName; readonly at: Nanos }[] = [];

  take(record: TraceRecord): void {
    const name = phaseThatEnds(record);
    if (name === undefined) return;
    const oldest = record.time - MEMORY;
    if (this.#ends.length > 0 && this.#ends[0]!.at < oldest) this.#ends = this.#ends.filter(({ at }) => at >= oldest);
    this.#ends.push({ name, at: record.time });
  }

  between(from: Nanos, to: Nanos): readonly FailoverPhase[] {
    const phases: FailoverPhase[] = [];
    let at = from;
    const add = (name: string, end: Nanos | undefined): void => {
      if (end === undefined || end <= at) return;
      phases.push({ name, from: at, to: end });
      at = end;
    };
    for (const name of PHASES) {
      const within = this.#ends.filter((end) => end.name === name && end.at >= from && end.at <= to);
      add(name, within.at(-1)?.at);
    }
    add('ARP', to);
    return phases;
  }
}

function phaseThatEnds({ kind, fields }: TraceRecord): PhaseName | undefined {
  switch (kind) {
    case 'agent':
      if (fields.what !== 'ended') return undefined;
      return fields.action === 'stop' || fields.action === 'start' ? fields.action : undefined;
    case 'membership': {
      if (!String(fields.of).startsWith('ring ')) return undefined;
      return String(fields.of).endsWith(' regular') || fields.left !== '' ? 'detection' : undefined;
    }
    case 'fence':
      return fields.what === 'fenced' ? 'fencing' : undefined;
    case 'state.change':
      return fields.component === 'dlm' && fields.to === 'running' ? 'lock recovery' : undefined;
    case 'journal':
      return fields.wasDirty === 1 ? 'journal' : undefined;
    default:
      return undefined;
  }
}
