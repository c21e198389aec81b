import type { Nanos, Stamped } from '@quorate/kernel';
import type { AnyFact } from '../../lab.js';
import { type OutageSpan, type Phase, phasesOf } from '../../outage-phases.js';

/** Kinds of facts that the story follows. */
export const KINDS: readonly string[] = [
  'client.request',
  'client.outage-ended',
  'node.state',
  'totem.configuration',
  'fenced.fencing-started',
  'fenced.fenced',
  'dlm.recovered',
  'gfs2.mounted',
  'gfs2.unmounted',
  'gfs2.journal-recovered',
  'qdisk.evicted',
  'qdisk.reboot',
  'qdisk.heuristic',
  'rg.service',
  'rg.agent-started',
  'rg.agent-ended',
  'rg.members',
];

/** `started`, as rgmanager numbers the states of a service. */
const STARTED = 112;

/** What was heard since the current step began. */
export class Chronicle {
  #facts: AnyFact[] = [];
  #startedAt: Nanos = 0;
  /** State of each machine, by node id. */
  readonly machineStates: Map<number, string> = new Map();
  /** Node id of the service's owner as its owner last told; 0 for none. */
  owner = 0;
  #serviceState = 0;

  begin(at: Nanos): void {
    this.#facts = [];
    this.#startedAt = at;
  }

  get startedAt(): Nanos {
    return this.#startedAt;
  }

  get isServed(): boolean {
    return this.#serviceState === STARTED;
  }

  hear(fact: Stamped): void {
    const any = fact as AnyFact;
    this.#facts.push(any);
    if (any.kind === 'node.state') this.machineStates.set(any.node, String(any.state));
    if (any.kind === 'rg.service') {
      this.#serviceState = Number(any.state);
      this.owner = Number(any.owner);
    }
  }

  /** Facts of the step of one kind, oldest first. */
  of(kind: string): readonly AnyFact[] {
    return this.#facts.filter((fact) => fact.kind === kind);
  }

  requests(): { readonly ok: number; readonly failed: number } {
    const all = this.of('client.request');
    const ok = all.filter(({ isAnswered }) => isAnswered === true).length;
    return { ok, failed: all.length - ok };
  }

  /** The longest outage that ended in the step. */
  outage(): OutageSpan | undefined {
    const outages = this.of('client.outage-ended').map(({ from, at }) => ({ from: Number(from), to: at }));
    return outages.sort((a, b) => b.to - b.from - (a.to - a.from))[0];
  }

  /** What the outage was made of. */
  phases(): readonly Phase[] {
    const outage = this.outage();
    return outage === undefined ? [] : phasesOf(outage, this.#facts);
  }
}
