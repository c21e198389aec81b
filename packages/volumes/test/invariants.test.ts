import { Checker, type Fact, SECOND, type Stamped } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import {
  type AreaWrittenFact,
  createVolume,
  extendVolume,
  findVolume,
  invariants,
  mapVolume,
  reduceVolume,
  removeVolume,
  type VolumeGroup,
  type VolumesFact,
} from '../src/index.js';
import { TestMachine } from './machine.js';

/** Everything that a machine's commits told, in its order. */
function watched(): { machine: TestMachine; facts: VolumesFact[] } {
  const facts: VolumesFact[] = [];
  const machine = new TestMachine([64, 64], { observe: (fact) => facts.push(fact), now: () => facts.length });
  machine.pvCreate().vgCreate();
  machine.change((group) => createVolume(group, machine.newVolume('a', 20)));
  machine.change((group) => createVolume(group, machine.newVolume('b', 5)));
  return { machine, facts };
}

const { machine, facts } = watched();
const { group } = machine.group();
const committed = (each: VolumeGroup): VolumesFact => ({ kind: 'volumes.committed', now: 0, group: each });
const activated = (name: string): VolumesFact => ({
  kind: 'volumes.activated',
  now: 0,
  volumeId: findVolume(group, name)!.id,
  segments: mapVolume(group, name),
});
const deactivated = (name: string): VolumesFact => ({
  kind: 'volumes.deactivated',
  now: 0,
  volumeId: findVolume(group, name)!.id,
});

/** The group with another place for a volume's first segment. */
function moved(each: VolumeGroup, name: string, on: string, extent: number): VolumeGroup {
  const logicalVolumes = each.logicalVolumes.map((volume) => {
    const [first, ...rest] = volume.segments;
    return volume.name === name ? { ...volume, segments: [{ ...first!, stripes: [{ on, extent }] }, ...rest] } : volume;
  });
  return { ...each, logicalVolumes };
}

function violations(told: readonly Fact[], node: (i: number) => number = () => 1): string[] {
  const checker = new Checker(invariants);
  for (const [i, fact] of told.entries()) {
    checker.observe({ ...fact, node: node(i), life: 1, seq: i, at: i * SECOND } as Stamped);
  }
  checker.end(told.length * SECOND);
  return checker.violations.map(({ invariant, message }) => `${invariant}: ${message}`);
}

const next = (each: VolumeGroup): VolumeGroup => ({ ...each, seqno: each.seqno + 1 });

describe('nothing is wrong', () => {
  it('with what commits tell', () => {
    expect(facts.map(({ kind }) => kind).filter((kind) => kind === 'volumes.committed')).toHaveLength(3);
    expect(facts.filter(({ kind }) => kind === 'volumes.area-written')).toHaveLength(12);
    expect(violations(facts)).toEqual([]);
  });

  it('when volumes grow, shrink, go, and a group of the same name comes', () => {
    const grown = next(extendVolume(group, 'b', 2));
    const shrunk = next(reduceVolume(grown, 'b', 4));
    const gone = next(removeVolume(shrunk, 'a'));
    const removed: VolumesFact = { kind: 'volumes.group-removed', now: 0, groupId: group.id };
    const told = [committed(group), committed(grown), committed(shrunk), committed(gone), removed, committed(group)];
    expect(violations(told)).toEqual([]);
  });

  it('when both volumes are mapped, also by two nodes', () => {
    expect(violations([activated('a'), activated('b'), deactivated('a'), activated('a')])).toEqual([]);
    expect(violations([activated('a'), activated('a')], (i) => 1 + i)).toEqual([]);
  });
});

describe('a planted bug is found', () => {
  const area = (i: number) => facts.filter((fact): fact is AreaWrittenFact => fact.kind === 'volumes.area-written')[i]!;
  const flipped = (bytes: Uint8Array) => Uint8Array.from(bytes, (byte, i) => (i === 100 ? byte ^ 1 : byte));

  it.each([
    [
      'an extent with two owners',
      [committed(moved(group, 'b', 'pv0', 3))],
      'volumes.V1: my-vg1: a and b both have extent 3 of pv0',
    ],
    [
      'an extent behind the end',
      [committed(moved(group, 'b', 'pv1', 12))],
      'volumes.V1: my-vg1: b has extent 16 of pv1, which has 15',
    ],
    [
      'a commit of an old state',
      [committed(next(group)), committed(next(group))],
      'volumes.V2: my-vg1: seqno 4 after 4, expected 5',
    ],
    [
      'a volume that moves',
      [committed(group), committed(next(moved(group, 'b', 'pv1', 10)))],
      'volumes.V3: my-vg1: extent 0 of b has moved',
    ],
    [
      'a header with a wrong checksum',
      [{ ...area(0), header: flipped(area(0).header) }],
      'volumes.V4: mda_header at byte 4096: checksum',
    ],
    [
      'a text that its header does not name',
      [{ ...area(0), text: flipped(area(0).text) }],
      'volumes.V4: the header names a text of',
    ],
    ['a commit before all is precommitted', [area(0), area(2)], 'volumes.V4: seqno 1 of'],
    [
      'another text than was precommitted',
      [area(0), area(1), { ...area(6), seqno: 1 }],
      'another text is committed than was precommitted',
    ],
    [
      'two volumes on the same sectors',
      [activated('a'), { ...activated('b'), segments: mapVolume(group, 'a') }],
      'both map sector 2048',
    ],
    [
      'a gap',
      [{ ...activated('a'), segments: mapVolume(group, 'a').slice(1) }],
      'is mapped from sector 122880, expected 0',
    ],
  ] as [string, VolumesFact[], string][])('%s', (_, told, message) => {
    expect(violations(told).join('\n')).toContain(message);
  });
});
