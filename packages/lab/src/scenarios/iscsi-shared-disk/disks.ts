import { mkfs } from '@quorate/gfs2';
import { fromHex, Prng } from '@quorate/kernel';
import type { BlockDevice } from '@quorate/node';
import { formatQuorumDisk } from '@quorate/qdisk';
import { SparseStore } from '@quorate/scsi';
import * as volumes from '@quorate/volumes';
import type { DiskSpec } from '../../topology.js';

const MIB_BLOCKS = 2048;
const [STORAGE_BLOCKS, QUORUM_BLOCKS] = [256 * MIB_BLOCKS, 16 * MIB_BLOCKS];
const [STORAGE_LUN, QUORUM_LUN] = [1, 2];

/** `fdisk /dev/sdb`: one partition over all whole cylinders. */
const TABLE = volumes.addPartition(
  { signature: 0x15c51001, partitions: [] },
  { diskSectors: STORAGE_BLOCKS, kind: 'primary', type: volumes.PartitionType.linux },
);
const PARTITION = TABLE.partitions[0]!;

/** Where the file system is: its name on every node, and its place on the storage host's disk. */
export const VOLUME: BlockDevice = {
  path: '/dev/sdb1',
  lun: STORAGE_LUN,
  start: PARTITION.start,
  blocks: PARTITION.sectors,
};

/** 2015-01-01 00:00:00 UTC. */
const FORMATTED_AT_SEC = 1_420_070_400;

/** The disks of the storage host: one with a GFS2 in a partition, one that is a quorum disk. The same bytes every time. */
export function formatDisks(clusterName: string): readonly DiskSpec[] {
  const storage = new SparseStore({ blocks: STORAGE_BLOCKS });
  const quorum = new SparseStore({ blocks: QUORUM_BLOCKS });
  volumes.finish(volumes.writePartitionTable(volumes.storeDevice('/dev/sdb', storage), TABLE));
  const volume = volumes.partitionStore(storage, PARTITION);
  mkfs(
    {
      lockProtocol: 'lock_dlm',
      lockTable: `${clusterName}:shared`,
      journals: 3,
      journalMiB: 8,
      uuid: fromHex('73616e2d736861726564000000000001'),
      wall: { sec: FORMATTED_AT_SEC, nsec: 0 },
      prng: new Prng(1, 2, 3, 4),
    },
    { sizeBytes: volume.blocks * 512, write: (byteOffset, bytes) => volume.write(byteOffset / 512, bytes) },
  );
  formatQuorumDisk({ label: 'san', host: 'node1', wall: FORMATTED_AT_SEC }, (sector, bytes) => {
    quorum.write(sector, bytes);
  });
  return [
    { lun: STORAGE_LUN, name: 'storage', serial: '6002248000150001', image: storage },
    { lun: QUORUM_LUN, name: 'quorum', serial: '6002248000150002', image: quorum },
  ];
}
