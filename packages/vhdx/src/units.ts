/** Everything that a VHDX places is placed in units of this size. */
export const MIB: number = 1024 * 1024;

/** Longer files are refused: the largest virtual disk has 64 TiB, and what an image adds to it is less than a percent. */
export const MAX_FILE_BYTES: number = 128 * 1024 ** 4;

/** Bytes as whole MiB, rounded up. */
export function mibOf(bytes: number): number {
  return Math.ceil(bytes / MIB);
}
