import type { Os, Task } from '@quorate/kernel';
import { type FoundGroup, isClustered, type LogicalVolume, type VolumeGroup } from '@quorate/volumes';
import { activate } from '../../os/activation.js';
import type { Storage } from '../../os/storage.js';
import { askClvmd } from './clvmd-call.js';

/** What `-aly`, `-an`, `-a y`, `--activate n` ask for, and of what. `change` is undefined when the words are something else. */
export function parseActivation(words: readonly string[]): {
  readonly change: 'y' | 'n' | undefined;
  readonly names: readonly string[];
} {
  const text = words.join(' ').replace(/^(?:-a|--available|--activate) ?/, '-a');
  const [, change, rest = ''] = /^-al?([yn])( .*)?$/.exec(text) ?? [];
  const names = rest.split(' ').filter((word) => word !== '');
  if (names.some((name) => name.startsWith('-'))) return { change: undefined, names };
  return { change: change as 'y' | 'n' | undefined, names };
}

/** Undefined, or why the volume does not become active on this machine. */
export function* activateOne(
  os: Os,
  storage: Storage,
  found: FoundGroup,
  { id, name }: LogicalVolume,
): Task<string | undefined> {
  if (!isClustered(found.group)) return activate(storage, found, name);
  return lockError(os, yield* askClvmd(os, { kind: 'activate', groupId: found.group.id, volumeId: id }));
}

/** Undefined, or why the volume stays active on this machine. */
export function* deactivateOne(
  os: Os,
  { mapper }: Storage,
  group: VolumeGroup,
  { id, name }: LogicalVolume,
): Task<string | undefined> {
  if (mapper.openCount(id) > 0) return `Logical volume ${group.name}/${name} in use.`;
  if (isClustered(group)) {
    return lockError(os, yield* askClvmd(os, { kind: 'deactivate', groupId: group.id, volumeId: id }));
  }
  mapper.unmap(id);
  return undefined;
}

export function lockError(os: Os, refused: string | undefined): string | undefined {
  return refused && `Error locking on node ${os.hostname}: ${refused}`;
}
