import { extentsFor, groupExtents, VolumeError, type VolumeGroup } from '@quorate/volumes';

/** `-L` or `-l` as it was typed; one of them. */
export interface WantedSize {
  readonly size: string | undefined;
  readonly extents: string | undefined;
}

const UNITS = 'kmgt';

/** Extents that `-L SIZE[kmgt]`, `-l EXTENTS` or `-l N%FREE` mean. @throws {VolumeError} `bad-argument` */
export function wantedExtents(group: VolumeGroup, { size, extents = '' }: WantedSize): number {
  if (size === undefined) {
    const [, number = '', isShare] = /^(\d+)(%FREE)?$/.exec(extents) ?? [];
    if (number === '') throw new VolumeError('bad-argument', `Invalid argument for --extents: ${extents}`);
    return isShare === undefined ? Number(number) : Math.floor((groupExtents(group).free * Number(number)) / 100);
  }
  const [, number = '', unit = 'm'] = /^(\d+(?:\.\d+)?)([kmgt])?$/i.exec(size) ?? [];
  if (number === '') throw new VolumeError('bad-argument', `Invalid argument for --size: ${size}`);
  return extentsFor(group, Number(number) * 1024 ** (1 + UNITS.indexOf(unit.toLowerCase())));
}
