import { findNode } from '../lvm/config-text.js';
import { freeExtents, groupExtents } from '../lvm/extents.js';
import type { FoundGroup, VolumeScan } from '../lvm/scan.js';
import {
  extentsOf,
  isClustered,
  type LogicalVolume,
  type PhysicalVolume,
  type VolumeGroup,
} from '../lvm/volume-group.js';
import { columnSize, displaySize } from './size.js';
import { formatTable } from './table.js';

/** What a node knows of a logical volume besides its group's text. */
export interface VolumeState {
  /** It is mapped on this node. */
  readonly isActive: boolean;
  /** How often it is open: mounted, say. */
  readonly openCount: number;
}

/** A volume that is not mapped. */
export const INACTIVE: VolumeState = { isActive: false, openCount: 0 };

/** Stands where the path of a physical volume would, when there is no device for it. */
export const UNKNOWN_DEVICE = 'unknown device';

const number = true;

/** What `pvs` prints. */
export function pvsReport({ groups, physicalVolumes }: VolumeScan): string {
  const columns = ['PV', 'VG', 'Fmt', 'Attr'].map((heading) => ({ heading }));
  const rows: string[][] = [];
  const isMember = new Set(groups.flatMap(({ group }) => group.physicalVolumes.map(({ id }) => id)));
  for (const { label, device } of physicalVolumes) {
    if (isMember.has(label.uuid)) continue;
    const size = columnSize(Math.floor(label.deviceSize / 512));
    rows.push([device.path, '', 'lvm2', '---', size, size]);
  }
  for (const { group, members } of groups) {
    for (const each of group.physicalVolumes) {
      const path = members.get(each.id)?.device.path;
      const size = columnSize(each.peCount * group.extentSize);
      const free = columnSize(freeExtents(group, each) * group.extentSize);
      rows.push([path ?? UNKNOWN_DEVICE, group.name, 'lvm2', pvAttributes(each, path === undefined), size, free]);
    }
  }
  return formatTable(
    [...columns, { heading: 'PSize', isNumber: number }, { heading: 'PFree', isNumber: number }],
    sortedBy(rows, 0),
  );
}

/** Name of the group, in LVM's library, that those without one are in; it takes its room in the columns of pvscan. */
const ORPHANS = '#orphans_lvm2';

/** What `pvscan` prints. */
export function pvscanReport({ groups, physicalVolumes }: VolumeScan): string {
  const isMember = new Set(groups.flatMap(({ group }) => group.physicalVolumes.map(({ id }) => id)));
  const orphans = physicalVolumes.filter(({ label }) => !isMember.has(label.uuid));
  const members = groups.flatMap(({ group, members: found }) =>
    group.physicalVolumes.map((each) => ({
      path: found.get(each.id)?.device.path ?? UNKNOWN_DEVICE,
      group: group.name,
      size: each.peCount * group.extentSize,
      free: freeExtents(group, each) * group.extentSize,
    })),
  );
  if (orphans.length + members.length === 0) return '  No matching physical volumes found\n';
  const paths = [...members.map(({ path }) => path), ...orphans.map(({ device }) => device.path)];
  const names = [...members.map((each) => each.group), ...orphans.map(() => ORPHANS)];
  const [pathWidth, nameWidth] = [paths, names].map((texts) => Math.max(...texts.map(({ length }) => length)) + 2);
  const sizeOf = (label: { readonly deviceSize: number }): number => Math.floor(label.deviceSize / 512);
  const lines = [
    ...members.map(({ path, group, size, free }) => {
      const room = `[${displaySize(size)} / ${displaySize(free)} free]`;
      return `  PV ${path.padEnd(pathWidth!)} VG ${group.padEnd(nameWidth!)} lvm2 ${room}`;
    }),
    ...orphans.map(({ device, label }) => {
      const room = `[${displaySize(sizeOf(label))}]`;
      return `  PV ${device.path.padEnd(pathWidth!)}    ${''.padEnd(nameWidth!)} lvm2 ${room}`;
    }),
  ];
  const used = members.reduce((sum, { size }) => sum + size, 0);
  const unused = orphans.reduce((sum, { label }) => sum + sizeOf(label), 0);
  const part = (count: number, size: number): string => `${count} [${displaySize(size)}]`;
  const counts = [part(lines.length, used + unused), part(members.length, used), part(orphans.length, unused)];
  return `${lines.join('\n')}\n  Total: ${counts[0]} / in use: ${counts[1]} / in no VG: ${counts[2]}\n`;
}

/** What `vgs` prints. */
export function vgsReport(groups: readonly FoundGroup[]): string {
  const rows = groups.map((found) => {
    const { group } = found;
    const { total, free } = groupExtents(group);
    const counts = [group.physicalVolumes.length, visible(group).length, 0].map(String);
    const sizes = [total, free].map((extents) => columnSize(extents * group.extentSize));
    return [group.name, ...counts, vgAttributes(found), ...sizes];
  });
  const columns = [
    { heading: 'VG' },
    { heading: '#PV', isNumber: number },
    { heading: '#LV', isNumber: number },
    { heading: '#SN', isNumber: number },
    { heading: 'Attr' },
    { heading: 'VSize', isNumber: number },
    { heading: 'VFree', isNumber: number },
  ];
  return formatTable(columns, sortedBy(rows, 0));
}

/**
 * What `vgs --noheadings --separator SEPARATOR --sort pv_uuid --options vg_attr,pv_name` prints: a line for each physical
 * volume of a group.
 */
export function vgsDevicesReport(groups: readonly FoundGroup[], separator: string): string {
  const rows = groups.flatMap((found) =>
    found.group.physicalVolumes.map(({ id }) => {
      const path = found.members.get(id)?.device.path ?? UNKNOWN_DEVICE;
      return [id, `  ${vgAttributes(found)}${separator}${path}\n`] as const;
    }),
  );
  return sortedBy(rows, 0)
    .map(([, line]) => line)
    .join('');
}

/** What `lvs` prints. `stateOf` says what is mapped on this node. */
export function lvsReport(
  groups: readonly FoundGroup[],
  stateOf: (volume: LogicalVolume) => VolumeState = () => INACTIVE,
): string {
  const rows = groups.flatMap(({ group, missing }) =>
    visible(group).map((volume) => {
      const isPartial = volume.segments.some(({ stripes }) =>
        stripes.some(({ on }) => missing.includes(group.physicalVolumes.find(({ key }) => key === on)?.id ?? '')),
      );
      const size = columnSize(extentsOf(volume) * group.extentSize);
      return [volume.name, group.name, lvAttributes(volume, stateOf(volume), isPartial), size, ...Array(8).fill('')];
    }),
  );
  const columns = [
    { heading: 'LV' },
    { heading: 'VG' },
    { heading: 'Attr' },
    { heading: 'LSize', isNumber: number },
    { heading: 'Pool' },
    { heading: 'Origin' },
    { heading: 'Data%', width: 6 },
    { heading: 'Meta%', width: 6 },
    ...['Move', 'Log', 'Cpy%Sync', 'Convert'].map((heading) => ({ heading })),
  ];
  return formatTable(columns, sortedBy(sortedBy(rows, 0), 1));
}

/** Volumes that are no part of others. */
export function visible(group: VolumeGroup): readonly LogicalVolume[] {
  return group.logicalVolumes.filter(({ status }) => status.includes('VISIBLE'));
}

/** By the bytes of a column, and otherwise in the order they had. */
function sortedBy<Row extends readonly string[]>(rows: readonly Row[], column: number): readonly Row[] {
  return [...rows].sort((a, b) => (a[column]! < b[column]! ? -1 : a[column]! > b[column]! ? 1 : 0));
}

/** Allocatable, exported, missing. */
function pvAttributes({ status }: PhysicalVolume, isMissing: boolean): string {
  return `${status.includes('ALLOCATABLE') ? 'a' : '-'}${status.includes('EXPORTED') ? 'x' : '-'}${isMissing ? 'm' : '-'}`;
}

/** Writable, resizable, exported, partial, allocation policy, clustered. */
function vgAttributes({ group, missing }: FoundGroup): string {
  const { status } = group;
  return [
    status.includes('WRITE') ? 'w' : 'r',
    status.includes('RESIZEABLE') ? 'z' : '-',
    status.includes('EXPORTED') ? 'x' : '-',
    missing.length > 0 ? 'p' : '-',
    policyLetter(group),
    isClustered(group) ? 'c' : '-',
  ].join('');
}

function policyLetter({ other }: VolumeGroup): string {
  const node = findNode(other, 'allocation_policy');
  const policy = node !== undefined && 'value' in node ? String(node.value) : 'normal';
  return { contiguous: 'c', cling: 'l', anywhere: 'a', inherit: 'i' }[policy] ?? 'n';
}

/** Type, permissions, allocation policy, fixed minor, state, open, target, zeroing, health, skip activation. */
function lvAttributes(
  { status, segments }: LogicalVolume,
  { isActive, openCount }: VolumeState,
  isPartial: boolean,
): string {
  return [
    typeLetter(segments[0]?.type ?? 'striped'),
    status.includes('WRITE') ? 'w' : 'r',
    'i',
    status.includes('FIXED_MINOR') ? 'm' : '-',
    isActive ? 'a' : '-',
    openCount > 0 ? 'o' : '-',
    '-',
    '-',
    isPartial ? 'p' : '-',
    '-',
  ].join('');
}

function typeLetter(type: string): string {
  if (type.startsWith('raid')) return 'r';
  return { mirror: 'm', snapshot: 's', thin: 'V', 'thin-pool': 't' }[type] ?? '-';
}
