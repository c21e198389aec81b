import { type Nanos, SECOND } from '@quorate/kernel';
import type { AnyFact } from './lab.js';

/** One stretch of an outage, named by what was waited for. */
export interface Phase {
  readonly name: string;
  readonly seconds: number;
}

/** When nobody was served; `to`: the first page after it, or how far it has come. */
export interface OutageSpan {
  readonly from: Nanos;
  readonly to: Nanos;
}

/** Kinds of facts that end a phase. */
export const PHASE_KINDS: readonly string[] = [
  'rg.agent-ended',
  'totem.configuration',
  'fenced.fenced',
  'dlm.recovered',
  'gfs2.journal-recovered',
];

/** What ends each phase, in the order in which they follow each other. */
const ENDS: readonly (readonly [name: string, kind: string, ends: (fact: AnyFact) => boolean])[] = [
  ['stop', 'rg.agent-ended', ({ action }) => action === 'stop'],
  ['detection', 'totem.configuration', isLoss],
  ['fencing', 'fenced.fenced', () => true],
  ['lock recovery', 'dlm.recovered', () => true],
  ['journal', 'gfs2.journal-recovered', ({ wasDirty }) => wasDirty === true],
  ['start', 'rg.agent-ended', ({ action }) => action === 'start'],
];

/**
 * An outage in stretches that follow each other: each ends with the last fact of its kind in it. What is left at the end is
 * `ARP`: the service runs, and the client learns where; `isOver` false leaves it out.
 *
 * A stretch that nothing ended in, because nothing of the kind was waited for, is left out. `facts` are those of
 * `PHASE_KINDS`, in the order of time; others do no harm.
 */
export function phasesOf({ from, to }: OutageSpan, facts: readonly AnyFact[], isOver = true): readonly Phase[] {
  const inside = facts.filter(({ at }) => at >= from && at <= to);
  const phases: Phase[] = [];
  let at = from;
  const end = (name: string, endedAt: Nanos | undefined): void => {
    if (endedAt === undefined || endedAt <= at) return;
    phases.push({ name, seconds: (endedAt - at) / SECOND });
    at = endedAt;
  };
  for (const [name, kind, ends] of ENDS) {
    end(name, inside.filter((fact) => fact.kind === kind && ends(fact)).at(-1)?.at);
  }
  if (isOver) end('ARP', to);
  return phases;
}

function isLoss(fact: AnyFact): boolean {
  return fact.type === 'regular' || (fact.left as readonly number[]).length > 0;
}
