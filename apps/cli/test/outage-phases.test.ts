import { concatBytes, SECOND, type Stamped } from '@quorate/kernel';
import { PHASE_KINDS, phasesOf } from '@quorate/lab';
import { RunTrace, spansOf, TraceFile } from '@quorate/trace';
import fc from 'fast-check';
import { expect, it } from 'vitest';

type Fact = Stamped & Readonly<Record<string, unknown>>;

/** A fact of a kind that ends phases, with fields that decide whether it does. */
const facts = fc.array(
  fc.record({
    kind: fc.constantFrom(...PHASE_KINDS),
    seconds: fc.nat(40),
    action: fc.constantFrom('start', 'stop', 'status'),
    type: fc.constantFrom('regular', 'transitional'),
    left: fc.constantFrom([], [2]),
    wasDirty: fc.boolean(),
  }),
  { maxLength: 30 },
);

/** The facts of a history, in its order. */
function stamped(history: readonly { readonly seconds: number }[]): readonly Fact[] {
  return [...history]
    .sort((a, b) => a.seconds - b.seconds)
    .map(({ seconds, ...fields }, i) => {
      const at = seconds * SECOND;
      return { node: 1, life: 1, seq: i, at, now: at, ring: '1.5', victim: 2, ...fields } as unknown as Fact;
    });
}

function traceOf(all: readonly Fact[], from: number, to: number): TraceFile {
  const parts: Uint8Array[] = [];
  const header = { seed: '0', scenario: 'outage', nodes: [{ id: 1, name: 'node1' }] };
  const trace = new RunTrace(header, (bytes) => parts.push(bytes.slice()));
  for (const fact of all) trace.fact(fact);
  const ended = { kind: 'client.outage-ended', node: 0, life: 0, seq: 0, at: to, now: to, from, failed: 1 };
  trace.fact(ended as Stamped);
  trace.end('0');
  return new TraceFile(concatBytes(...parts));
}

it('the report of a story and the spans of its trace divide an outage in the same way', () => {
  fc.assert(
    fc.property(facts, fc.nat(20), (history, begin) => {
      const [from, to] = [begin * SECOND, 40 * SECOND];
      const all = stamped(history);
      const spans = [...spansOf(traceOf(all, from, to).records())].filter(({ category }) => category === 'phase');
      const ofTrace = spans.map((span) => ({ name: span.name, seconds: (span.to - span.from) / SECOND }));
      expect(ofTrace).toEqual(phasesOf({ from, to }, all));
    }),
  );
});
