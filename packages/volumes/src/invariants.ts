import { type Check, defineInvariant, type Invariant, type Stamped, type Verdict } from '@quorate/kernel';
import { FormatError } from './format-error.js';
import { lvmChecksum } from './lvm/checksum.js';
import type { ActivatedFact, AreaWrittenFact, CommittedFact, DeactivatedFact, GroupRemovedFact } from './lvm/facts.js';
import type { MappedSegment } from './lvm/mapping.js';
import { decodeMdaHeader } from './lvm/mda-header.js';
import type { LogicalVolume, VolumeGroup } from './lvm/volume-group.js';

/** A run of extents or sectors on one physical volume, and whose it is. */
interface OwnedRun {
  readonly on: string;
  readonly start: number;
  readonly end: number;
  readonly owner: string;
}

/** Two neighbours in the order of their places that share something. */
function overlapOf(runs: readonly OwnedRun[]): readonly [OwnedRun, OwnedRun] | undefined {
  const sorted = [...runs].sort((a, b) => (a.on === b.on ? a.start - b.start : a.on < b.on ? -1 : 1));
  for (let i = 1; i < sorted.length; i++) {
    const [before, after] = [sorted[i - 1]!, sorted[i]!];
    if (before.on === after.on && after.start < before.end) return [before, after];
  }
  return undefined;
}

/** Worked out anew, not by `checkGroup`, which the commit itself relies on. */
function extentRuns({ logicalVolumes }: VolumeGroup): readonly OwnedRun[] {
  return logicalVolumes.flatMap(({ name, segments }) =>
    segments.flatMap(({ extentCount, stripes }) =>
      stripes.map(({ on, extent }) => ({ on, start: extent, end: extent + extentCount / stripes.length, owner: name })),
    ),
  );
}

const extentsOnce: Invariant = defineInvariant<CommittedFact>({
  id: 'volumes.V1',
  name: 'extents-once',
  statement: 'In a committed volume group no physical extent has two owners, and each lies inside its physical volume.',
  kinds: ['volumes.committed'],
  start(): Check<CommittedFact> {
    return {
      observe({ group, node }, verdict) {
        const runs = extentRuns(group);
        const overlap = overlapOf(runs);
        if (overlap !== undefined) {
          const [a, b] = overlap;
          verdict.violate(`${group.name}: ${a.owner} and ${b.owner} both have extent ${b.start} of ${b.on}`, [node]);
        }
        const sizes = new Map(group.physicalVolumes.map(({ key, peCount }) => [key, peCount]));
        const beyond = runs.find(({ on, end }) => sizes.has(on) && end > sizes.get(on)!);
        if (beyond === undefined) return;
        const { owner, on, end } = beyond;
        verdict.violate(`${group.name}: ${owner} has extent ${end - 1} of ${on}, which has ${sizes.get(on)}`, [node]);
      },
    };
  },
});

type GroupFact = CommittedFact | GroupRemovedFact;

const seqnoRises: Invariant = defineInvariant<GroupFact>({
  id: 'volumes.V2',
  name: 'seqno-rises',
  statement:
    'Each commit of a volume group carries the seqno after that of the commit before it, whichever node made that: no two nodes change one at once.',
  kinds: ['volumes.committed', 'volumes.group-removed'],
  start(): Check<GroupFact> {
    const last = new Map<string, { readonly seqno: number; readonly node: number }>();
    return {
      observe(fact, verdict) {
        if (fact.kind === 'volumes.group-removed') return void last.delete(fact.groupId);
        const { group, node } = fact;
        const before = last.get(group.id);
        last.set(group.id, { seqno: group.seqno, node });
        if (before === undefined || group.seqno === before.seqno + 1) return;
        const why = `${group.name}: seqno ${group.seqno} after ${before.seqno}, expected ${before.seqno + 1}`;
        verdict.violate(why, [...new Set([before.node, node])]);
      },
    };
  },
});

const dataStays: Invariant = defineInvariant<GroupFact>({
  id: 'volumes.V3',
  name: 'data-stays',
  statement: 'From one commit to the next, an extent that a logical volume keeps stays where it is.',
  kinds: ['volumes.committed', 'volumes.group-removed'],
  start(): Check<GroupFact> {
    const groups = new Map<string, VolumeGroup>();
    return {
      observe(fact, verdict) {
        if (fact.kind === 'volumes.group-removed') return void groups.delete(fact.groupId);
        const before = groups.get(fact.group.id);
        groups.set(fact.group.id, fact.group);
        if (before === undefined) return;
        for (const volume of fact.group.logicalVolumes) {
          const old = before.logicalVolumes.find(({ id }) => id === volume.id);
          const moved = old === undefined ? -1 : firstMoved(before, old, fact.group, volume);
          if (moved < 0) continue;
          verdict.violate(`${fact.group.name}: extent ${moved} of ${volume.name} has moved`, [fact.node]);
        }
      },
    };
  },
});

/** The first extent that both have, in different places; -1 when there is none. Segments need not be the same. */
function firstMoved(before: VolumeGroup, old: LogicalVolume, after: VolumeGroup, volume: LogicalVolume): number {
  for (const a of old.segments) {
    for (const b of volume.segments) {
      const from = Math.max(a.startExtent, b.startExtent);
      if (from >= Math.min(a.startExtent + a.extentCount, b.startExtent + b.extentCount)) continue;
      if (placeOf(before, a, from) !== placeOf(after, b, from)) return from;
    }
  }
  return -1;
}

/** Physical volume and extent of a linear segment's extent; other types are not looked at. */
function placeOf(
  group: VolumeGroup,
  { startExtent, stripes }: LogicalVolume['segments'][number],
  extent: number,
): string {
  const [stripe] = stripes;
  if (stripe === undefined || stripes.length > 1) return '';
  const on = group.physicalVolumes.find(({ key }) => key === stripe.on)?.id;
  return `${on}:${stripe.extent + extent - startExtent}`;
}

/** What is known of the texts that one commit writes. */
interface Phases {
  readonly precommitted: Map<string, number>;
}

const twoPhases: Invariant = defineInvariant<AreaWrittenFact>({
  id: 'volumes.V4',
  name: 'two-phases',
  statement:
    'A metadata area is written with right checksums, its text is precommitted in every area before it is committed in one, and what is committed is what was precommitted.',
  kinds: ['volumes.area-written'],
  start(): Check<AreaWrittenFact> {
    const commits = new Map<string, Phases>();
    return {
      observe(fact, verdict) {
        const { groupId, seqno, phase, areas, node } = fact;
        const key = `${groupId} ${seqno}`;
        const phases = commits.get(key) ?? { precommitted: new Map() };
        commits.set(key, phases);
        const area = `${fact.physicalVolumeId} ${fact.offset}`;
        const checksum = checksumOf(fact, verdict);
        if (phase === 'precommit') return void phases.precommitted.set(area, checksum);
        if (phases.precommitted.size < areas) {
          const found = `${phases.precommitted.size} of ${areas} areas`;
          verdict.violate(`seqno ${seqno} of ${groupId} is committed when ${found} have it precommitted`, [node]);
        }
        if (phases.precommitted.get(area) === checksum) return;
        verdict.violate(`seqno ${seqno} of ${groupId}: another text is committed than was precommitted`, [node]);
      },
    };
  },
});

/** Checksum of the text that the header names; a header that is wrong is told. */
function checksumOf(fact: Stamped<AreaWrittenFact>, verdict: Verdict): number {
  const checksum = lvmChecksum(fact.text);
  try {
    const { committed, precommitted } = decodeMdaHeader(fact.header, { offset: fact.offset, size: fact.size });
    const named = fact.phase === 'commit' ? committed : precommitted;
    if (named.checksum === checksum && named.size === fact.text.length) return checksum;
    const found = `a text of ${named.size} bytes with checksum 0x${named.checksum.toString(16)}`;
    verdict.violate(
      `the header names ${found}, the text is ${fact.text.length} bytes with 0x${checksum.toString(16)}`,
      [fact.node],
    );
  } catch (error) {
    if (!(error instanceof FormatError)) throw error;
    verdict.violate(error.message, [fact.node]);
  }
  return checksum;
}

type MappingFact = ActivatedFact | DeactivatedFact;

const mappedOnce: Invariant = defineInvariant<MappingFact>({
  id: 'volumes.V5',
  name: 'mapped-once',
  statement:
    'On a node no sector of a physical volume is mapped by two logical volumes, and the sectors of each are mapped from 0 on without gaps.',
  kinds: ['volumes.activated', 'volumes.deactivated'],
  start(): Check<MappingFact> {
    const active = new Map<string, readonly OwnedRun[]>();
    return {
      observe(fact, verdict) {
        const { node, life, volumeId } = fact;
        // A node that boots maps nothing.
        const own = `${node} ${life} `;
        if (fact.kind === 'volumes.deactivated') return void active.delete(own + volumeId);
        const runs = fact.segments.map((segment) => runOf(volumeId, segment));
        active.set(own + volumeId, runs);
        const all = [...active].flatMap(([key, each]) => (key.startsWith(own) ? each : []));
        const overlap = overlapOf(all);
        if (overlap !== undefined) {
          const [a, b] = overlap;
          verdict.violate(`${a.owner} and ${b.owner} both map sector ${b.start} of ${b.on}`, [node]);
        }
        let end = 0;
        for (const { start, sectors } of fact.segments) {
          if (start !== end) verdict.violate(`${volumeId} is mapped from sector ${start}, expected ${end}`, [node]);
          end = start + sectors;
        }
      },
    };
  },
});

function runOf(owner: string, { physicalVolumeId, physicalStart, sectors }: MappedSegment): OwnedRun {
  return { on: physicalVolumeId, start: physicalStart, end: physicalStart + sectors, owner };
}

/** What must never be observed of volume groups. */
export const invariants: readonly Invariant[] = [extentsOnce, seqnoRises, dataStays, twoPhases, mappedOnce];
