/** Types that this code looks at or sets. */
export const PartitionType = {
  unused: 0x00,
  extended: 0x05,
  extendedLba: 0x0f,
  linux: 0x83,
  linuxExtended: 0x85,
  linuxLvm: 0x8e,
} as const;

/** Whether a partition of this type holds others: what fdisk calls extended. */
export function isExtended(type: number): boolean {
  return type === PartitionType.extended || type === PartitionType.extendedLba || type === PartitionType.linuxExtended;
}

/** Names as `fdisk -l` of util-linux-ng 2.17 prints them. */
const NAMES: ReadonlyMap<number, string> = new Map([
  [0x00, 'Empty'],
  [0x01, 'FAT12'],
  [0x04, 'FAT16 <32M'],
  [0x05, 'Extended'],
  [0x06, 'FAT16'],
  [0x07, 'HPFS/NTFS'],
  [0x0b, 'W95 FAT32'],
  [0x0c, 'W95 FAT32 (LBA)'],
  [0x0e, 'W95 FAT16 (LBA)'],
  [0x0f, "W95 Ext'd (LBA)"],
  [0x11, 'Hidden FAT12'],
  [0x12, 'Compaq diagnostics'],
  [0x14, 'Hidden FAT16 <32M'],
  [0x16, 'Hidden FAT16'],
  [0x17, 'Hidden HPFS/NTFS'],
  [0x1b, 'Hidden W95 FAT32'],
  [0x1c, 'Hidden W95 FAT32 (LBA)'],
  [0x1e, 'Hidden W95 FAT16 (LBA)'],
  [0x82, 'Linux swap / Solaris'],
  [0x83, 'Linux'],
  [0x85, 'Linux extended'],
  [0x86, 'NTFS volume set'],
  [0x87, 'NTFS volume set'],
  [0x88, 'Linux plaintext'],
  [0x8e, 'Linux LVM'],
  [0xa5, 'FreeBSD'],
  [0xa6, 'OpenBSD'],
  [0xa8, 'Darwin UFS'],
  [0xa9, 'NetBSD'],
  [0xaf, 'HFS / HFS+'],
  [0xbf, 'Solaris'],
  [0xda, 'Non-FS data'],
  [0xee, 'GPT'],
  [0xef, 'EFI (FAT-12/16/32)'],
  [0xfb, 'VMware VMFS'],
  [0xfc, 'VMware VMKCORE'],
  [0xfd, 'Linux raid autodetect'],
]);

/** `Linux LVM`; `Unknown` for a type that has no name here. */
export function partitionTypeName(type: number): string {
  return NAMES.get(type) ?? 'Unknown';
}
