/** Majors of SCSI disks, each for 16 disks. Source: Linux Documentation/admin-guide/devices.txt. */
const DISK_MAJORS: readonly number[] = [8, 65, 66, 67, 68, 69, 70, 71, 128, 129, 130, 131, 132, 133, 134, 135];

/** Minors of a disk: itself, and partitions 1 to 15. */
const MINORS = 16;

/** Path of the SCSI disk of that number: `/dev/sda` for 0, `/dev/sdaa` for 26. */
export function diskPath(index: number): string {
  const letter = (digit: number): string => String.fromCharCode('a'.charCodeAt(0) + digit);
  return index < 26 ? `/dev/sd${letter(index)}` : `/dev/sd${letter(Math.floor(index / 26) - 1)}${letter(index % 26)}`;
}

/**
 * `major:minor` of a disk or of a partition of a SCSI disk, `8:17` for the first one of `/dev/sdb`, and `8:16` for partition 0, the disk
 * itself.
 *
 * Undefined for a disk of another kind, and from partition 16 on, where Linux takes the next number that is free.
 */
export function partitionNumber(disk: string, partition: number): string | undefined {
  const letters = /^\/dev\/sd([a-z]{1,2})$/.exec(disk)?.[1];
  if (letters === undefined || partition >= MINORS) return undefined;
  const digits = [...letters].map((letter) => letter.charCodeAt(0) - 'a'.charCodeAt(0));
  const index = digits.reduce((sum, digit) => (sum + 1) * 26 + digit, -1);
  const major = DISK_MAJORS[Math.floor(index / MINORS)];
  return major === undefined ? undefined : `${major}:${(index % MINORS) * MINORS + partition}`;
}
