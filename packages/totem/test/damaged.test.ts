import { Checker, type Fact, MILLISECOND, type Nanos } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { readDamaged } from '../../../tooling/damage.js';
import { isThorough } from '../../../tooling/thorough.js';
import { corosync31, invariants, type RingState, Totem, type TotemInput } from '../src/index.js';
import { enterMidRing, ringSeqBefore } from './mid-ring.js';
import { recorded } from './recorded.js';

/** Each is damaged and cut 200 times, so that there are 200,000 damaged datagrams, or a tenth of them. */
const DATAGRAMS = isThorough ? 500 : 50;

/** Rules that one node alone can break, whoever lies to it. */
const OWN_RULES = ['S1', 'S2', 'S4', 'S7', 'totem.V3', 'totem.V12', 'totem.V18', 'totem.V21', 'totem.V22'];

const RING = { representative: 1, seq: 0x12 };
const timings = corosync31(3, { tokenMs: 1000, tokenCoefficientMs: 0 });

/** Of the recordings of that ring, and of what became of it, every so many datagrams. */
function datagrams(): Uint8Array[] {
  const all = [...recorded('cpg-hello'), ...recorded('kill9-and-rejoin'), ...recorded('recovery-old-messages')];
  const step = Math.floor(all.length / DATAGRAMS);
  return Array.from({ length: DATAGRAMS }, (_, i) => all[i * step]!.bytes);
}

/** A member of the recorded ring, watched. */
class Watched {
  readonly totem: Totem;
  readonly checker = new Checker(invariants.filter(({ id }) => OWN_RULES.includes(id)));
  readonly states = new Set<RingState>();
  #now: Nanos = 0;
  #facts = 0;

  constructor() {
    this.totem = new Totem({
      nodeId: 1,
      nodes: [1, 2, 3].map((id) => ({ id })),
      ...{ era: 'modern', timings, ringSeq: ringSeqBefore(RING), tokenFacts: true },
      observe: (fact) => this.#observe(fact),
    });
    const start = { ring: RING, members: [1, 2, 3], seq: 21, token: { tokenSeq: 100 }, isIdle: true };
    enterMidRing(this.totem, 1, { ...start, at: 100 * MILLISECOND }, (now, input) => this.#step(now, input));
  }

  /** Hears something, and lets a little time go by. */
  hear(bytes: Uint8Array): void {
    this.#step(this.#now, { kind: 'datagram', bytes });
    const until = this.#now + 5 * MILLISECOND;
    while (this.totem.deadline() <= until) this.#step(Math.max(this.#now, this.totem.deadline()), { kind: 'wake' });
    this.#now = until;
  }

  #step(now: Nanos, input: TotemInput): void {
    this.#now = now;
    this.totem.step(now, input, () => {});
  }

  #observe(fact: Fact): void {
    if (fact.kind === 'totem.state') this.states.add((fact as Fact & { readonly state: RingState }).state);
    this.#facts += 1;
    this.checker.observe({ ...fact, node: 1, life: 1, seq: this.#facts, at: fact.now });
  }
}

it(`a member survives ${DATAGRAMS * 400} damaged datagrams, and breaks no rule of its own`, () => {
  const states = new Set<RingState>();
  for (const bytes of datagrams()) {
    const watched = new Watched();
    readDamaged(
      bytes,
      (damaged) => watched.hear(damaged),
      () => undefined,
    );
    expect(watched.checker.violations).toEqual([]);
    const view = watched.totem.inspect();
    expect(view.proc.length).toBeLessThanOrEqual(384);
    expect(view.queued + view.queuedTrans).toBe(0);
    for (const state of watched.states) states.add(state);
  }
  expect([...states].sort()).toEqual(['commit', 'gather', 'operational', 'recovery']);
});
