import { VolumeError } from '../volume-error.js';
import type { VolumeGroup } from './volume-group.js';
import { volumeOf } from './volume-operations.js';

/** Longest tag. */
const TAG_CHARACTERS = 1024;

/** What is to become of one tag. A tag that is there already, or is not there to be taken away, changes nothing. */
export interface TagChange {
  readonly change: 'add' | 'delete';
  readonly tag: string;
}

/**
 * Tags a volume group, or takes a tag away, as `vgchange --addtag` and `--deltag`. Nothing is written: `commitGroup` does.
 *
 * @throws {VolumeError} `bad-name`
 */
export function changeGroupTag(group: VolumeGroup, change: TagChange): VolumeGroup {
  return { ...group, tags: changed(group.tags, change) };
}

/** The same for a logical volume, as `lvchange`. @throws {VolumeError} also `not-found` */
export function changeVolumeTag(group: VolumeGroup, name: string, change: TagChange): VolumeGroup {
  const volume = volumeOf(group, name);
  const tagged = { ...volume, tags: changed(volume.tags, change) };
  return { ...group, logicalVolumes: group.logicalVolumes.map((each) => (each === volume ? tagged : each)) };
}

function changed(tags: readonly string[], { change, tag }: TagChange): readonly string[] {
  checkTag(tag);
  const others = tags.filter((each) => each !== tag);
  if (change === 'delete') return others;
  return others.length < tags.length ? tags : [...tags, tag];
}

/** Source: LVM2 lib/metadata, `validate_tag`. */
function checkTag(tag: string): void {
  const isTag = /^[A-Za-z0-9_+./=!:&#][A-Za-z0-9_+.\-/=!:&#]*$/.test(tag) && tag.length <= TAG_CHARACTERS;
  if (!isTag) throw new VolumeError('bad-name', `Invalid tag ${tag.slice(0, 160)}`);
}
