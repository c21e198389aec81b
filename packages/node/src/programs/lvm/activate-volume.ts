import type { Os, Task } from '@quorate/kernel';
import { type FoundGroup, isClustered, type LogicalVolume, type VolumeGroup } from '@quorate/volumes';
import { activate, reload } from '../../os/activation.js';
import type { Storage } from '../../os/storage.js';
import { askClvmd, type ClvmdCall } from './clvmd-call.js';

/** What an `-a` asks for. Where the group is not clustered there is one node and no other mode. */
export interface Activation {
  readonly change: 'activate' | 'activate-exclusive' | 'deactivate';
  /** On this node only, with `l`; otherwise on all. An exclusive one is on this node. */
  readonly isLocal: boolean;
}

const ACTIVATIONS: ReadonlyMap<string, Activation> = new Map([
  ['y', { change: 'activate', isLocal: false }],
  ['ly', { change: 'activate', isLocal: true }],
  ['yl', { change: 'activate', isLocal: true }],
  ['e', { change: 'activate-exclusive', isLocal: true }],
  ['ey', { change: 'activate-exclusive', isLocal: true }],
  ['ye', { change: 'activate-exclusive', isLocal: true }],
  ['n', { change: 'deactivate', isLocal: false }],
  ['en', { change: 'deactivate', isLocal: false }],
  ['ne', { change: 'deactivate', isLocal: false }],
  ['ln', { change: 'deactivate', isLocal: true }],
  ['nl', { change: 'deactivate', isLocal: true }],
]);

/** What `-aly`, `-an`, `-a ey`, `--activate n` ask for, and of what. `activation` is undefined when the words are something else. */
export function parseActivation(words: readonly string[]): {
  readonly activation: Activation | undefined;
  readonly names: readonly string[];
} {
  const text = words.join(' ').replace(/^(?:-a|--available|--activate) ?/, '-a');
  const [, change = '', rest = ''] = /^-a([a-z]+)( .*)?$/.exec(text) ?? [];
  const names = rest.split(' ').filter((word) => word !== '');
  if (names.some((name) => name.startsWith('-'))) return { activation: undefined, names };
  return { activation: ACTIVATIONS.get(change), names };
}

/** Undefined, or in lines why the volume is not as it should be. */
export function* changeActivation(
  os: Os,
  storage: Storage,
  found: FoundGroup,
  volume: LogicalVolume,
  { change, isLocal }: Activation,
): Task<string | undefined> {
  const { group } = found;
  if (change === 'deactivate' && storage.mapper.openCount(volume.id) > 0) {
    return `Logical volume ${group.name}/${volume.name} in use.`;
  }
  if (isClustered(group)) return yield* askAbout(os, group, volume, change, isLocal);
  if (change !== 'deactivate') return activate(storage, found, volume.name);
  storage.mapper.unmap(volume.id);
  return undefined;
}

/** Wherever the volume is active it gets the size that the metadata gives it. Undefined, or in lines where it does not. */
export function* resume(os: Os, storage: Storage, found: FoundGroup, volume: LogicalVolume): Task<string | undefined> {
  if (isClustered(found.group)) return yield* askAbout(os, found.group, volume, 'resume', false);
  return storage.mapper.active.has(volume.id) ? reload(storage, found, volume.name) : undefined;
}

function* askAbout(
  os: Os,
  { id: groupId }: VolumeGroup,
  { id: volumeId }: LogicalVolume,
  kind: Extract<ClvmdCall, { isLocal: boolean }>['kind'],
  isLocal: boolean,
): Task<string | undefined> {
  return yield* askClvmd(os, { kind, groupId, volumeId, isLocal });
}

/** Prints what went wrong, line by line. */
export function printError(os: Os, lines: string): void {
  for (const line of lines.split('\n')) os.printError(`  ${line}\n`);
}
