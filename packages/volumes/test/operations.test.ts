import { Checker, type Stamped } from '@quorate/kernel';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import {
  checkGroup,
  createVolume,
  extendVolume,
  extentsOf,
  findVolume,
  groupExtents,
  invariants,
  reduceGroup,
  reduceVolume,
  removeVolume,
  VolumeError,
  type VolumeGroup,
} from '../src/index.js';
import { TestMachine } from './machine.js';

const name = fc.constantFrom('a', 'b', 'c', 'd');
const extents = fc.integer({ min: 1, max: 40 });
const operation = fc.oneof(
  fc.record({ kind: fc.constant('create' as const), name, extents }),
  fc.record({ kind: fc.constant('extend' as const), name, extents }),
  fc.record({ kind: fc.constant('reduce' as const), name, extents }),
  fc.record({ kind: fc.constant('remove' as const), name, extents }),
  fc.record({ kind: fc.constant('reduce-group' as const), name, extents }),
);
type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

function apply(group: VolumeGroup, { kind, name, extents }: Operation, machine: TestMachine): VolumeGroup {
  switch (kind) {
    case 'create':
      return createVolume(group, machine.newVolume(name, extents));
    case 'extend':
      return extendVolume(group, name, extents);
    case 'reduce':
      return reduceVolume(group, name, extents);
    case 'remove':
      return removeVolume(group, name);
    case 'reduce-group':
      return reduceGroup(group, group.physicalVolumes.at(-1)!.id);
  }
}

/** What the sizes of the volumes must be after an operation that was not refused. */
function count(sizes: Map<string, number>, { kind, name, extents }: Operation): void {
  if (kind === 'create') sizes.set(name, extents);
  else if (kind === 'extend') sizes.set(name, sizes.get(name)! + extents);
  else if (kind === 'reduce') sizes.set(name, sizes.get(name)! - extents);
  else if (kind === 'remove') sizes.delete(name);
}

it('any sequence of operations keeps the group right, on disk and for the invariants', () => {
  fc.assert(
    fc.property(fc.array(operation, { maxLength: 25 }), (operations) => {
      const checker = new Checker(invariants);
      let seq = 0;
      const observe = (fact: { kind: string; now: number }) => {
        seq += 1;
        checker.observe({ ...fact, node: 1, life: 1, seq, at: seq } as Stamped);
      };
      const machine = new TestMachine([64, 64, 64], { observe }).pvCreate();
      let group = machine.vgCreate();
      const sizes = new Map<string, number>();
      for (const each of operations) {
        try {
          group = machine.change((before) => apply(before, each, machine));
          count(sizes, each);
        } catch (error) {
          expect(error).toBeInstanceOf(VolumeError);
        }
        expect(machine.group().group).toEqual(group);
        expect(checkGroup(group)).toEqual([]);
        for (const [volume, size] of sizes) expect(extentsOf(findVolume(group, volume)!)).toBe(size);
        const { total, free } = groupExtents(group);
        expect(total - free).toBe([...sizes.values()].reduce((sum, size) => sum + size, 0));
      }
      expect(checker.violations).toEqual([]);
    }),
    { numRuns: 60 },
  );
});
