import { formatDateTime } from '@quorate/kernel';
import { freeExtents, groupExtents } from '../lvm/extents.js';
import type { FoundPhysicalVolume } from '../lvm/physical-volume.js';
import type { FoundGroup } from '../lvm/scan.js';
import {
  extentsOf,
  isClustered,
  type LogicalVolume,
  type PhysicalVolume,
  type VolumeGroup,
  visibleVolumes,
} from '../lvm/volume-group.js';
import { INACTIVE, UNKNOWN_DEVICE, type VolumeState } from './reports.js';
import { displaySize } from './size.js';

/** What a node knows of a logical volume that lvdisplay shows. */
export interface VolumeDevice extends VolumeState {
  /** `major:minor` of the mapped device. */
  readonly device: string;
}

/** Lines of name and value, the values in one column, with the blank line that LVM ends a block with. */
function block(title: string, width: number, lines: readonly (readonly [string, string | number])[]): string {
  const rows = lines.map(([name, value]) => `  ${name.padEnd(width)} ${value}\n`);
  return `  --- ${title} ---\n${rows.join('')}   \n`;
}

/** What `pvdisplay` prints of a physical volume of a group. */
export function pvDisplay({ group, members }: FoundGroup, physicalVolume: PhysicalVolume): string {
  const { id, devSize, peStart, peCount, status } = physicalVolume;
  const usable = peCount * group.extentSize;
  const free = freeExtents(group, physicalVolume);
  // What is before the data counts as not usable too, but only if there is a rest behind it.
  const notUsable = devSize > peStart + usable ? devSize - usable : 0;
  const isAllocatable = status.includes('ALLOCATABLE');
  return block('Physical volume', 21, [
    ['PV Name', members.get(id)?.device.path ?? UNKNOWN_DEVICE],
    ['VG Name', group.name],
    ['PV Size', `${displaySize(devSize)} / not usable ${displaySize(notUsable)}`],
    ['Allocatable', !isAllocatable ? 'NO' : free === 0 ? 'yes (but full)' : 'yes '],
    ['PE Size', displaySize(group.extentSize)],
    ['Total PE', peCount],
    ['Free PE', free],
    ['Allocated PE', peCount - free],
    ['PV UUID', id],
  ]);
}

/** What `pvdisplay` prints of a physical volume that belongs to no group. */
export function newPvDisplay({ device, label }: FoundPhysicalVolume): string {
  const size = displaySize(Math.floor(label.deviceSize / 512));
  const lines = block('NEW Physical volume', 21, [
    ['PV Name', device.path],
    ['VG Name', ''],
    ['PV Size', size],
    ['Allocatable', 'NO'],
    ['PE Size', displaySize(0)],
    ['Total PE', 0],
    ['Free PE', 0],
    ['Allocated PE', 0],
    ['PV UUID', label.uuid],
  ]);
  return `  "${device.path}" is a new physical volume of "${size}"\n${lines}`;
}

/** What `vgdisplay` prints of a group. `openVolumes` of its volumes are open on this node. */
export function vgDisplay({ group, members, missing }: FoundGroup, openVolumes = 0): string {
  const { total, free } = groupExtents(group);
  const areas = [...members.values()].reduce((sum, member) => sum + member.areas.length, 0);
  const size = (extents: number) => displaySize(extents * group.extentSize);
  const clustered = [
    ['Clustered', 'yes'],
    ['Shared', 'no'],
  ] as const;
  return block('Volume group', 21, [
    ['VG Name', group.name],
    ['System ID', ''],
    ['Format', 'lvm2'],
    ['Metadata Areas', areas],
    ['Metadata Sequence No', group.seqno],
    ['VG Access', group.status.includes('WRITE') ? 'read/write' : 'read'],
    ['VG Status', `${group.status.includes('EXPORTED') ? 'exported/' : ''}resizable`],
    ...(isClustered(group) ? clustered : []),
    ['MAX LV', group.maxLv],
    ['Cur LV', visibleVolumes(group).length],
    ['Open LV', openVolumes],
    ['Max PV', group.maxPv],
    ['Cur PV', group.physicalVolumes.length],
    ['Act PV', group.physicalVolumes.length - missing.length],
    ['VG Size', size(total)],
    ['PE Size', displaySize(group.extentSize)],
    ['Total PE', total],
    ['Alloc PE / Size', `${total - free} / ${size(total - free)}`],
    ['Free  PE / Size', `${free} / ${size(free)}`],
    ['VG UUID', group.id],
  ]);
}

/** What `lvdisplay` prints of a volume, with its device when it is mapped. */
export function lvDisplay(group: VolumeGroup, volume: LogicalVolume, state: VolumeDevice | undefined): string {
  const { isActive, openCount } = state ?? INACTIVE;
  const { creationHost, creationTime } = volume;
  const created = creationTime === undefined ? '' : `${creationHost ?? ''}, ${formatDateTime(creationTime)} +0000`;
  const mapped: [string, string | number][] = [
    ['- currently set to', 256],
    ['Block device', state?.device ?? ''],
  ];
  return block('Logical volume', 22, [
    ['LV Path', `/dev/${group.name}/${volume.name}`],
    ['LV Name', volume.name],
    ['VG Name', group.name],
    ['LV UUID', volume.id],
    ['LV Write Access', volume.status.includes('WRITE') ? 'read/write' : 'read only'],
    ['LV Creation host, time', created],
    ['LV Status', isActive ? 'available' : 'NOT available'],
    ...(isActive ? ([['# open', openCount]] as const) : []),
    ['LV Size', displaySize(extentsOf(volume) * group.extentSize)],
    ['Current LE', extentsOf(volume)],
    ['Segments', volume.segments.length],
    ['Allocation', 'inherit'],
    ['Read ahead sectors', 'auto'],
    ...(isActive ? mapped : []),
  ]);
}
