/** What fdisk counts cylinders with. A disk of today has none of its own; these are the BIOS's largest. */
export interface DiskGeometry {
  readonly heads: number;
  readonly sectorsPerTrack: number;
  readonly cylinders: number;
}

/** 255 heads of 63 sectors; what is left behind the last whole cylinder is not counted. `sectors` of 512 bytes. */
export function diskGeometry(sectors: number): DiskGeometry {
  return { heads: 255, sectorsPerTrack: 63, cylinders: Math.floor(sectors / (255 * 63)) };
}

export function sectorsPerCylinder({ heads, sectorsPerTrack }: DiskGeometry): number {
  return heads * sectorsPerTrack;
}

/** A sector by cylinder (0..1023), head (0..255) and sector of the track (1..63). */
export interface Chs {
  readonly cylinder: number;
  readonly head: number;
  readonly sector: number;
}

/** All zero: the address of nothing. */
export const NO_CHS: Chs = { cylinder: 0, head: 0, sector: 0 };

/** The address of a sector; behind cylinder 1023, which is all that the field holds, the last one that it can name. */
export function chsOf(lba: number, geometry: DiskGeometry): Chs {
  const { heads, sectorsPerTrack } = geometry;
  const perCylinder = heads * sectorsPerTrack;
  const named = Math.min(lba, 1024 * perCylinder - 1);
  const cylinder = Math.floor(named / perCylinder);
  const inCylinder = named - cylinder * perCylinder;
  return { cylinder, head: Math.floor(inCylinder / sectorsPerTrack), sector: (inCylinder % sectorsPerTrack) + 1 };
}

/** Three bytes: head, sector with bits 8 and 9 of the cylinder above it, cylinder. */
export function encodeChs(bytes: Uint8Array, offset: number, { cylinder, head, sector }: Chs): void {
  bytes[offset] = head;
  bytes[offset + 1] = sector | ((cylinder >> 2) & 0xc0);
  bytes[offset + 2] = cylinder & 0xff;
}

export function decodeChs(bytes: Uint8Array, offset: number): Chs {
  const middle = bytes[offset + 1]!;
  return { cylinder: ((middle & 0xc0) << 2) | bytes[offset + 2]!, head: bytes[offset]!, sector: middle & 0x3f };
}
