import { findNode } from '../lvm/config-text.js';
import { freeExtents, groupExtents } from '../lvm/extents.js';
import type { FoundGroup, VolumeScan } from '../lvm/scan.js';
import {
  extentsOf,
  isClustered,
  type LogicalVolume,
  type PhysicalVolume,
  type VolumeGroup,
  visibleVolumes,
} from '../lvm/volume-group.js';
import { VolumeError } from '../volume-error.js';
import { columnSize, displaySize } from './size.js';
import { type Column, formatTable } from './table.js';

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

const isNumber = true;

/** A column of a report, and where its values come from. */
interface Field<Row> extends Column {
  /** As `-o` calls it, with its prefix. */
  readonly name: string;
  of(row: Row): string;
}

function fieldsOf<Row>(fields: readonly Field<Row>[], prefix: string, names: readonly string[]): readonly Field<Row>[] {
  return names.map((name) => {
    const found = fields.find((field) => field.name === name || field.name === `${prefix}${name}`);
    if (found === undefined) throw new VolumeError('bad-argument', `Unrecognised field: ${name}`);
    return found;
  });
}

function reportText<Row>(
  fields: readonly Field<Row>[],
  rows: readonly Row[],
  { hasHeadings = true, separator }: ReportOptions,
): string {
  const values = rows.map((row) => fields.map((field) => field.of(row)));
  if (separator === undefined) return formatTable(fields, values, hasHeadings);
  const headings = hasHeadings && values.length > 0 ? [fields.map(({ heading }) => heading)] : [];
  return [...headings, ...values].map((line) => `  ${line.join(separator)}\n`).join('');
}

function nothing(): string {
  return '';
}

function extentsSize({ extentSize }: VolumeGroup, extents: number): string {
  return columnSize(extents * extentSize);
}

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
    [...columns, { heading: 'PSize', isNumber }, { heading: 'PFree', isNumber }],
    sortedBy(rows, ([path]) => path!),
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

/** Columns that a report has, and how it sets them out. */
export interface ReportOptions {
  /** Names of the columns: `vg_name`, or `name`. Those of LVM by default. */
  readonly fields?: readonly string[];
  /** Default true. */
  readonly hasHeadings?: boolean;
  /** Stands between two values, which are not padded then. */
  readonly separator?: string;
}

const VGS_FIELDS: readonly Field<FoundGroup>[] = [
  { name: 'vg_name', heading: 'VG', of: ({ group }) => group.name },
  { name: 'pv_count', heading: '#PV', isNumber, of: ({ group }) => String(group.physicalVolumes.length) },
  { name: 'lv_count', heading: '#LV', isNumber, of: ({ group }) => String(visibleVolumes(group).length) },
  { name: 'snap_count', heading: '#SN', isNumber, of: () => '0' },
  { name: 'vg_attr', heading: 'Attr', of: vgAttributes },
  { name: 'vg_size', heading: 'VSize', isNumber, of: ({ group }) => extentsSize(group, groupExtents(group).total) },
  { name: 'vg_free', heading: 'VFree', isNumber, of: ({ group }) => extentsSize(group, groupExtents(group).free) },
  { name: 'vg_tags', heading: 'VG Tags', width: 7, of: ({ group }) => group.tags.join(',') },
  { name: 'vg_uuid', heading: 'VG UUID', of: ({ group }) => group.id },
];

/** What `vgs` prints. @throws {VolumeError} `bad-argument` for a field that there is not. */
export function vgsReport(groups: readonly FoundGroup[], options: ReportOptions = {}): string {
  const fields = fieldsOf(VGS_FIELDS, 'vg_', options.fields ?? VGS_FIELDS.slice(0, 7).map(({ name }) => name));
  return reportText(
    fields,
    sortedBy(groups, ({ group }) => group.name),
    options,
  );
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
  return sortedBy(rows, ([id]) => id)
    .map(([, line]) => line)
    .join('');
}

/** A line of `lvs`. */
interface VolumeRow {
  readonly found: FoundGroup;
  readonly volume: LogicalVolume;
  readonly state: VolumeState;
}

const LVS_FIELDS: readonly Field<VolumeRow>[] = [
  { name: 'lv_name', heading: 'LV', of: ({ volume }) => volume.name },
  { name: 'vg_name', heading: 'VG', of: ({ found }) => found.group.name },
  { name: 'lv_attr', heading: 'Attr', of: (row) => lvAttributes(row) },
  {
    name: 'lv_size',
    heading: 'LSize',
    isNumber,
    of: ({ found: { group }, volume }) => extentsSize(group, extentsOf(volume)),
  },
  { name: 'pool_lv', heading: 'Pool', of: nothing },
  { name: 'origin', heading: 'Origin', of: nothing },
  { name: 'data_percent', heading: 'Data%', width: 6, of: nothing },
  { name: 'metadata_percent', heading: 'Meta%', width: 6, of: nothing },
  { name: 'move_pv', heading: 'Move', of: nothing },
  { name: 'mirror_log', heading: 'Log', of: nothing },
  { name: 'copy_percent', heading: 'Cpy%Sync', of: nothing },
  { name: 'convert_lv', heading: 'Convert', of: nothing },
  { name: 'lv_tags', heading: 'LV Tags', width: 7, of: ({ volume }) => volume.tags.join(',') },
  { name: 'lv_uuid', heading: 'LV UUID', of: ({ volume }) => volume.id },
];

/**
 * What `lvs` prints. `stateOf` says what is mapped on this node, `isWanted` which volumes are told of.
 *
 * @throws {VolumeError} `bad-argument` for a field that there is not.
 */
export function lvsReport(
  groups: readonly FoundGroup[],
  stateOf: (volume: LogicalVolume) => VolumeState = () => INACTIVE,
  options: ReportOptions & { readonly isWanted?: (group: VolumeGroup, volume: LogicalVolume) => boolean } = {},
): string {
  const fields = fieldsOf(LVS_FIELDS, 'lv_', options.fields ?? LVS_FIELDS.slice(0, 12).map(({ name }) => name));
  const rows = groups.flatMap((found) =>
    visibleVolumes(found.group)
      .filter((volume) => options.isWanted?.(found.group, volume) ?? true)
      .map((volume) => ({ found, volume, state: stateOf(volume) })),
  );
  const byName = sortedBy(rows, ({ volume }) => volume.name);
  return reportText(
    fields,
    sortedBy(byName, ({ found }) => found.group.name),
    options,
  );
}

/** By the bytes of a text, and otherwise in the order they had. */
function sortedBy<Row>(rows: readonly Row[], textOf: (row: Row) => string): readonly Row[] {
  return [...rows].sort((a, b) => (textOf(a) < textOf(b) ? -1 : textOf(a) > textOf(b) ? 1 : 0));
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
function lvAttributes({ found: { group, missing }, volume, state: { isActive, openCount } }: VolumeRow): string {
  const { status, segments } = volume;
  const isPartial = segments.some(({ stripes }) =>
    stripes.some(({ on }) => missing.includes(group.physicalVolumes.find(({ key }) => key === on)?.id ?? '')),
  );
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
