import { mkfs } from '@quorate/gfs2';
import { fromHex, Prng } from '@quorate/kernel';
import type { BlockDevice } from '@quorate/node';
import { formatQuorumDisk } from '@quorate/qdisk';
import { SparseStore } from '@quorate/scsi';
import { OfflineVolume } from '../../offline-volume.js';
import type { DiskSpec } from '../../topology.js';

const GIB_BLOCKS = 2 * 1024 * 1024;

/**
 * The two shared disks under their names on every node.
 *
 * fdisk's geometry of the walk-through: 63 sectors in front of the first partition, /dev/sdb1 of 3917 cylinders. LVM puts
 * its data 1 MiB into the partition, and the volume is its first 20 GiB. The structures of partitions and volumes
 * themselves are not on the disks: the extents are what they would give.
 */
export const DEVICES: readonly BlockDevice[] = [
  { path: '/dev/sdb', aliases: ['/dev/block/8:16'], lun: 0, start: 0, blocks: 100 * GIB_BLOCKS },
  { path: '/dev/sdb1', aliases: ['/dev/block/8:17'], lun: 0, start: 63, blocks: 62_926_542 },
  { path: '/dev/mapper/my--vg1-my--store1', aliases: ['/dev/dm-0'], lun: 0, start: 2111, blocks: 20 * GIB_BLOCKS },
  { path: '/dev/sdc', aliases: ['/dev/block/8:32'], lun: 1, start: 0, blocks: GIB_BLOCKS },
  { path: '/dev/sdc1', aliases: ['/dev/block/8:33'], lun: 1, start: 63, blocks: 2_088_387 },
];

/** The volume that GFS2 is on. */
export const VOLUME: BlockDevice = DEVICES[2]!;

const QUORUM_PARTITION: BlockDevice = DEVICES[4]!;

/** 2015-10-29 14:05:00 UTC, when the walk-through's quorum disk was made. */
const FORMATTED_AT_SEC = 1_446_127_500;

const PAGE = '<html> <body> <h1> "Hello, World" (test page)</h1>  </body> </html>\n';

/**
 * Formats both disks as the walk-through does, and puts its page on the file system. The same bytes every time.
 *
 * `mkfs.gfs2 -p lock_dlm -t my-cluster:storage -j5 -J8`: 8 MiB journals in place of 32 MiB, so that the image stays small.
 */
export function formatDisks(clusterName: string): readonly DiskSpec[] {
  const storage = new SparseStore({ blocks: 100 * GIB_BLOCKS });
  const quorum = new SparseStore({ blocks: GIB_BLOCKS });
  mkfs(
    {
      lockProtocol: 'lock_dlm',
      lockTable: `${clusterName}:storage`,
      journals: 5,
      journalMiB: 8,
      uuid: fromHex('6d792d636c75737465723a73746f7261'),
      wall: { sec: FORMATTED_AT_SEC, nsec: 0 },
      prng: new Prng(1, 2, 3, 4),
    },
    {
      sizeBytes: VOLUME.blocks * 512,
      write: (byteOffset, bytes) => storage.write(VOLUME.start + byteOffset / 512, bytes),
    },
  );
  const volume = new OfflineVolume(storage, VOLUME, FORMATTED_AT_SEC);
  volume.call({ kind: 'mkdir', path: '/html' });
  volume.writeFile('/html/index.html', PAGE);
  volume.unmount();
  formatQuorumDisk({ label: 'myqdisk', host: 'my-vm1', wall: FORMATTED_AT_SEC }, (sector, bytes) => {
    quorum.write(QUORUM_PARTITION.start + sector, bytes);
  });
  return [
    { lun: 0, name: 'storage', serial: '60022480a1b2c3d4e5f60001', image: storage },
    { lun: 1, name: 'quorum', serial: '60022480a1b2c3d4e5f60002', image: quorum },
  ];
}
