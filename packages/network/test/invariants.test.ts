import { Checker, SeededWorld, type Stamped, TAME_WORLD } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { invariants, type NetworkFact } from '../src/index.js';
import { EVERYBODY, Wire } from './wire.js';

const MS = 1_000_000;

function stamped(fact: NetworkFact): Stamped {
  return { ...fact, node: 0, life: 1, seq: 0, at: fact.now };
}

function violationsOf(facts: readonly NetworkFact[]): readonly string[] {
  const checker = new Checker(invariants);
  for (const fact of facts) checker.observe(stamped(fact));
  checker.end(0);
  return checker.violations.map(({ invariant, message }) => `${invariant}: ${message}`);
}

const sent = (id: number, isReordered = false): NetworkFact => ({
  kind: 'network.sent',
  now: id,
  id,
  from: 1,
  to: 2,
  sizeBytes: 60,
  isReordered,
});
const delivered = (id: number): NetworkFact => ({ kind: 'network.delivered', now: 9, id, from: 1, to: 2 });
const dropped = (id: number): NetworkFact => ({ kind: 'network.dropped', now: 9, id, from: 1, to: 2, reason: 'loss' });
const cut = (isClosed: boolean, cutsInFlight = true): NetworkFact => ({
  kind: 'network.partition',
  now: 5,
  from: 1,
  to: 2,
  isClosed,
  cutsInFlight,
});
const nic = (isUp: boolean): NetworkFact => ({ kind: 'network.nic', now: 5, nic: 2, isUp });

/** A stormy run of the real machine; `change` may falsify what the checker hears, as a defect would. */
function storm(change: (fact: NetworkFact) => readonly NetworkFact[]): readonly string[] {
  const facts: NetworkFact[] = [];
  const wire = new Wire(new SeededWorld({ hi: 0, lo: 9 }), {
    link: { loss: 0.1, duplicate: 0.2, reorder: 0.1, reorderDelay: MS, extraLatency: MS },
    observe: (fact) => facts.push(...change(fact)),
  });
  for (let i = 0; i < 2000; i++) {
    wire.until(i * 200_000);
    if (i % 100 === 50) wire.step({ kind: 'partition', from: [1], to: [2, 3] });
    if (i % 100 === 80) wire.step({ kind: 'heal' });
    if (i % 150 === 20) wire.step({ kind: 'nic', nic: 3, isUp: i % 300 === 20 });
    wire.send(1 + (i % 3), i % 5 === 0 ? EVERYBODY : 1 + ((i + 1) % 3), 100, i);
  }
  wire.drain();
  return violationsOf(facts);
}

describe('the invariants of the network', () => {
  it('hold in a stormy run', () => {
    expect(storm((fact) => [fact])).toEqual([]);
  });

  it.each([
    ['copies in order', [sent(1), sent(2), delivered(1), delivered(2)], []],
    [
      'an overtaking copy',
      [sent(1), sent(2), delivered(2), delivered(1)],
      ['network.N1: 1>2 delivered copy 1 after 2'],
    ],
    ['a reordered copy', [sent(1, true), sent(2), delivered(2), delivered(1)], []],
    ['a lost copy', [sent(1), dropped(1)], []],
    [
      'delivery over a closed link',
      [sent(1), cut(true), delivered(1)],
      ['network.N2: copy 1 was delivered over 1>2, which is closed'],
    ],
    ['delivery of what was under way, where partitions spare it', [sent(1), cut(true, false), delivered(1)], []],
    [
      'delivery of what was sent over a closed link',
      [cut(true, false), sent(1), cut(false), delivered(1)],
      ['network.N2: copy 1, sent while 1>2 was closed, was delivered'],
    ],
    ['delivery after healing', [cut(true), cut(false), sent(1), delivered(1)], []],
    [
      'delivery to a pulled cable',
      [sent(1), nic(false), delivered(1)],
      ['network.N2: copy 1 reached card 2, whose cable is pulled'],
    ],
    ['delivery to a cable plugged again', [sent(1), nic(false), nic(true), delivered(1)], []],
    [
      'two ends of one copy',
      [sent(1), dropped(1), dropped(1)],
      ['network.N3: copy 1 was dropped (loss) but is not under way'],
    ],
    ['an end without a beginning', [delivered(4)], ['network.N3: copy 4 was delivered but is not under way']],
    ['one id for two copies', [sent(1), sent(1)], ['network.N3: copy 1 was sent twice']],
  ] as const)('%s', (_, facts, expected) => {
    expect(violationsOf(facts)).toEqual(expected);
  });

  it('N1 trips when a link forgets that it may not reorder', () => {
    const broken = storm((fact) => [fact.kind === 'network.sent' ? { ...fact, isReordered: false } : fact]);
    expect(broken.some((violation) => violation.startsWith('network.N1'))).toBe(true);
  });

  it('N2 trips when the matrix is not looked at again at delivery', () => {
    const broken = storm((fact) =>
      fact.kind === 'network.dropped' && (fact.reason === 'cut' || fact.reason === 'receiver-down')
        ? [{ kind: 'network.delivered', now: fact.now, id: fact.id, from: fact.from, to: fact.to }]
        : [fact],
    );
    expect(broken.some((violation) => violation.startsWith('network.N2') && violation.includes('closed'))).toBe(true);
    expect(broken.some((violation) => violation.startsWith('network.N2') && violation.includes('pulled'))).toBe(true);
  });

  it('N2 trips when a real network does not hear of a partition', () => {
    const facts: NetworkFact[] = [];
    const isOfWires = ({ kind }: NetworkFact): boolean => kind === 'network.partition' || kind === 'network.nic';
    const deaf = new Wire(TAME_WORLD, { observe: (fact) => facts.push(fact) });
    const told = new Wire(TAME_WORLD, { observe: (fact) => isOfWires(fact) && facts.push(fact) });
    told.step({ kind: 'partition', from: [1], to: [2] });
    told.step({ kind: 'nic', nic: 3, isUp: false });
    deaf.send(1, EVERYBODY);
    deaf.send(2, 1);
    deaf.drain();
    expect(violationsOf(facts)).toEqual([
      'network.N2: copy 1, sent while 1>2 was closed, was delivered',
      'network.N2: copy 2 reached card 3, whose cable is pulled',
    ]);
  });

  it('N3 trips when a copy is delivered twice', () => {
    const broken = storm((fact) => (fact.kind === 'network.delivered' && fact.id % 97 === 0 ? [fact, fact] : [fact]));
    expect(broken.some((violation) => violation.startsWith('network.N3'))).toBe(true);
  });

  it('counts what is still under way at the end', () => {
    const checker = new Checker(invariants);
    checker.observe(stamped(sent(1)));
    checker.end(10);
    expect(checker.violations).toEqual([]);
    expect(checker.counts.get('network-under-way-at-end')).toEqual({ times: 1, largest: 1 });
  });
});
