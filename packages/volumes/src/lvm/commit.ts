import { assert, type Nanos, type Observe, type Task, utf8Bytes } from '@quorate/kernel';
import { VolumeError } from '../volume-error.js';
import { checkGroup } from './check-group.js';
import { encodeMetadataText, type Writer } from './encode-group.js';
import type { VolumesFact } from './facts.js';
import { PV_EXT_USED } from './label.js';
import { encodeMdaHeader, type MdaHeader, NO_LOCATION } from './mda-header.js';
import { clearMetadata, commitMetadata, isIgnored, precommitMetadata, revertMetadata } from './metadata-area.js';
import { type FoundArea, type FoundPhysicalVolume, readPhysicalVolume, writeLabel } from './physical-volume.js';
import type { VolumeGroup } from './volume-group.js';

/** Who commits, and who watches. */
export interface CommitOptions {
  /** Name of the machine. */
  readonly host: string;
  /** Seconds since 1970. */
  readonly time: number;
  /** What is done; empty by default, as RHEL 6 has it in metadata areas. */
  readonly description?: string;
  readonly writer?: Writer;
  readonly observe?: Observe<VolumesFact>;
  /** The clock of the node, for what `observe` is told; 0 by default. */
  readonly now?: () => Nanos;
}

const QUORATE: Writer = { program: 'Quorate' };

/** A metadata area under way from one text to the next. */
interface Target {
  readonly member: FoundPhysicalVolume;
  header: MdaHeader;
}

/** Tells that the header of an area was written. */
type Tell = (phase: 'precommit' | 'commit', target: Target) => void;

/**
 * Writes a group to the metadata areas of all its physical volumes, in two phases: the text is precommitted everywhere
 * before it is committed anywhere. Whoever reads sees the old text or the new one.
 *
 * The caller holds the lock of the group. `members` are the physical volumes that a scan found; more than the group's do
 * no harm. They are read again before anything is written. Areas that are damaged, or hold an older text, are written anew.
 *
 * @returns the group as it is on disk: with the next `seqno`, and the devices as the scan saw them.
 * @throws {VolumeError} `inconsistent` when a physical volume is missing, or has a text that is newer than `group` or is
 * not understood; nothing was written then. `io`: in the first phase everything is taken back as far as the devices let
 * it; in the second the newest text counts for the next scan.
 */
export function* commitGroup(
  group: VolumeGroup,
  members: Iterable<FoundPhysicalVolume>,
  options: CommitOptions,
): Task<VolumeGroup> {
  const own = yield* readAgain(group, membersOf(group, [...members]));
  const next = nextOf(group, own);
  const targets: readonly Target[] = own.flatMap(targetsOf);
  if (targets.length === 0) throw new VolumeError('inconsistent', `${group.name} has no metadata area in use`);
  const { host, time, description = '', writer = QUORATE } = options;
  const text = encodeMetadataText({ group: next, description, creationHost: host, creationTime: time }, writer);
  const tell: Tell = (phase, target) =>
    tellWritten(options, phase, target, { group: next, areas: targets.length, text });
  for (const member of own) yield* setUsed(member, true);
  yield* precommit(targets, text, tell);
  for (const target of targets) {
    target.header = yield* commitMetadata(target.member.device, target.header);
    tell('commit', target);
  }
  options.observe?.({ kind: 'volumes.committed', now: options.now?.() ?? 0, group: next });
  return next;
}

/**
 * Takes a group away, as `vgremove`: its physical volumes belong to none afterwards. There must be no logical volumes.
 *
 * @throws {VolumeError} `in-use`, `inconsistent` when a physical volume is missing, `io`
 */
export function* removeGroup(
  group: VolumeGroup,
  members: Iterable<FoundPhysicalVolume>,
  options: Pick<CommitOptions, 'observe' | 'now'> = {},
): Task {
  const volumes = group.logicalVolumes.length;
  if (volumes > 0) {
    throw new VolumeError('in-use', `Volume group "${group.name}" still contains ${volumes} logical volume(s)`);
  }
  for (const member of membersOf(group, [...members])) yield* releasePhysicalVolume(member);
  options.observe?.({ kind: 'volumes.group-removed', now: options.now?.() ?? 0, groupId: group.id });
}

/** Clears the metadata areas of a physical volume that belongs to no group any more, after `vgreduce`. */
export function* releasePhysicalVolume(member: FoundPhysicalVolume): Task {
  for (const { area } of member.areas) yield* clearMetadata(member.device, area);
  yield* setUsed(member, false);
}

/** The physical volumes of the group, in its order. */
function membersOf(group: VolumeGroup, members: readonly FoundPhysicalVolume[]): readonly FoundPhysicalVolume[] {
  return group.physicalVolumes.map(({ id }) => {
    const member = members.find(({ label }) => label.uuid === id);
    if (member !== undefined) return member;
    throw new VolumeError('inconsistent', `Cannot change VG ${group.name} while PVs are missing: ${id}`);
  });
}

/** What the disks say now: between the scan and the commit there may have been another commit of the caller's own. */
function* readAgain(group: VolumeGroup, members: readonly FoundPhysicalVolume[]): Task<readonly FoundPhysicalVolume[]> {
  const fresh: FoundPhysicalVolume[] = [];
  for (const { device, label } of members) {
    const found = yield* readPhysicalVolume(device);
    if (found?.label.uuid !== label.uuid) {
      throw new VolumeError('inconsistent', `${device.path} is not physical volume ${label.uuid} any more`);
    }
    for (const area of found.areas) checkArea(group, device.path, area);
    fresh.push(found);
  }
  return fresh;
}

function checkArea(group: VolumeGroup, path: string, { metadata, isIntact, defect }: FoundArea): void {
  if (isIntact === true) throw new VolumeError('inconsistent', `${path}: not understood: ${defect?.message}`);
  const onDisk = metadata?.group;
  if (onDisk === undefined) return;
  if (onDisk.id !== group.id) {
    throw new VolumeError('in-use', `Physical volume '${path}' is already in volume group '${onDisk.name}'`);
  }
  if (onDisk.seqno > group.seqno) {
    const why = `${path} has seqno ${onDisk.seqno} of ${group.name}, expected at most ${group.seqno}: it has changed`;
    throw new VolumeError('inconsistent', why);
  }
}

function nextOf(group: VolumeGroup, members: readonly FoundPhysicalVolume[]): VolumeGroup {
  const [wrong] = checkGroup(group);
  assert(wrong === undefined, `${group.name} is not fit to be written: ${wrong}`);
  const physicalVolumes = group.physicalVolumes.map((each, i) => ({ ...each, device: members[i]!.device.path }));
  return { ...group, seqno: group.seqno + 1, physicalVolumes };
}

function targetsOf(member: FoundPhysicalVolume): readonly Target[] {
  return member.areas
    .filter(({ header }) => header === undefined || !isIgnored(header))
    .map(({ area, header, metadata }) => {
      // A text that cannot be read is not in force.
      const committed = metadata === undefined || header === undefined ? NO_LOCATION : header.committed;
      return { member, header: { area, committed, precommitted: NO_LOCATION } };
    });
}

/** Writes the text everywhere, or takes it back where it was written. */
function* precommit(targets: readonly Target[], text: string, tell: Tell): Task {
  for (const [i, target] of targets.entries()) {
    try {
      target.header = yield* precommitMetadata(target.member.device, target.header, text);
      tell('precommit', target);
    } catch (error) {
      for (const { member, header } of targets.slice(0, i)) yield* attempt(revertMetadata(member.device, header));
      throw error;
    }
  }
}

/** The first error is the one that counts. */
function* attempt(task: Task<unknown>): Task {
  try {
    yield* task;
  } catch (error) {
    if (!(error instanceof VolumeError)) throw error;
  }
}

/** From version 2 on the extension of the header says whether the volume belongs to a group. */
function* setUsed({ device, label }: FoundPhysicalVolume, isUsed: boolean): Task {
  const { extension } = label;
  if (extension === undefined || extension.version < 2) return;
  const flags = ((extension.flags & ~PV_EXT_USED) | (isUsed ? PV_EXT_USED : 0)) >>> 0;
  // The label may be older than what this very task wrote: taking the flag away is always written.
  if (!isUsed || flags !== extension.flags) yield* writeLabel(device, { ...label, extension: { ...extension, flags } });
}

function tellWritten(
  { observe, now }: CommitOptions,
  phase: 'precommit' | 'commit',
  { member, header }: Target,
  { group, areas, text }: { readonly group: VolumeGroup; readonly areas: number; readonly text: string },
): void {
  observe?.({
    kind: 'volumes.area-written',
    now: now?.() ?? 0,
    phase,
    groupId: group.id,
    seqno: group.seqno,
    physicalVolumeId: member.label.uuid,
    offset: header.area.offset,
    size: header.area.size,
    areas,
    header: encodeMdaHeader(header),
    text: utf8Bytes(text),
  });
}
