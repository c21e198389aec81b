import { mkfs } from '@quorate/gfs2';
import { assert, fromHex, Prng } from '@quorate/kernel';
import type { BlockDevice } from '@quorate/node';
import { formatQuorumDisk } from '@quorate/qdisk';
import { type BlockStore, SparseStore } from '@quorate/scsi';
import * as volumes from '@quorate/volumes';
import { OfflineVolume } from '../../offline-volume.js';
import type { DiskSpec } from '../../topology.js';

const GIB = 1024 ** 3;
const GIB_BLOCKS = GIB / 512;

const [STORAGE_BLOCKS, QUORUM_BLOCKS] = [100 * GIB_BLOCKS, GIB_BLOCKS];

const [STORAGE_SERIAL, QUORUM_SERIAL] = ['60022480a1b2c3d4e5f60001', '60022480a1b2c3d4e5f60002'];

/** `fdisk /dev/sdb`: `n`, `p`, `1`, first cylinder 1, last `+30G`, `t` `8e`. */
const STORAGE_TABLE = volumes.addPartition(
  { signature: 0x2e7c2c4c, partitions: [] },
  { diskSectors: STORAGE_BLOCKS, kind: 'primary', last: '+30G', type: volumes.PartitionType.linuxLvm },
);

/** `fdisk /dev/sdc`: one partition over all whole cylinders. */
const QUORUM_TABLE = volumes.addPartition(
  { signature: 0x5a1d9b07, partitions: [] },
  { diskSectors: QUORUM_BLOCKS, kind: 'primary', type: volumes.PartitionType.linux },
);

const [STORAGE_PARTITION, QUORUM_PARTITION] = [STORAGE_TABLE.partitions[0]!, QUORUM_TABLE.partitions[0]!];

/** Where LVM of RHEL 6 begins the data of a physical volume: 1 MiB into it. */
const PE_START_BLOCKS = 2048;

/** The volume that GFS2 is on, as the extent of the disk that it is. */
export const VOLUME: BlockDevice = {
  path: `/dev/mapper/${volumes.mapperName('my-vg1', 'my-store1')}`,
  lun: 0,
  start: STORAGE_PARTITION.start + PE_START_BLOCKS,
  blocks: 20 * GIB_BLOCKS,
};

/** The two shared disks under their names on every node. */
export const DEVICES: readonly BlockDevice[] = [
  { path: '/dev/sdb', aliases: ['/dev/block/8:16'], lun: 0, start: 0, blocks: STORAGE_BLOCKS },
  { path: '/dev/sdc', aliases: ['/dev/block/8:32'], lun: 1, start: 0, blocks: QUORUM_BLOCKS },
];

/** 2015-10-29 14:05:00 UTC, when the walk-through's disks were made. */
const FORMATTED_AT_SEC = 1_446_127_500;
const FORMATTED_ON = 'my-vm1';

const PAGE = '<html> <body> <h1> "Hello, World" (test page)</h1>  </body> </html>\n';

/** Both disks as they come: nothing is on them. */
export function blankDisks(): readonly DiskSpec[] {
  return [
    { lun: 0, name: 'storage', serial: STORAGE_SERIAL, image: new SparseStore({ blocks: STORAGE_BLOCKS }) },
    { lun: 1, name: 'quorum', serial: QUORUM_SERIAL, image: new SparseStore({ blocks: QUORUM_BLOCKS }) },
  ];
}

/**
 * Formats both disks as the walk-through does, and puts its page on the file system. The same bytes every time.
 *
 * `fdisk`, `pvcreate /dev/sdb1`, `vgcreate -cy my-vg1 /dev/sdb1`, `lvcreate -L20G -n my-store1 my-vg1`, `mkqdisk`, and `mkfs.gfs2
 * -p lock_dlm -t my-cluster:storage -j5 -J8`: 8 MiB journals in place of 32 MiB, so that the image stays small.
 */
export function formatDisks(clusterName: string): readonly DiskSpec[] {
  const storage = new SparseStore({ blocks: STORAGE_BLOCKS });
  const quorum = new SparseStore({ blocks: QUORUM_BLOCKS });
  volumes.finish(volumes.writePartitionTable(volumes.storeDevice('/dev/sdb', storage), STORAGE_TABLE));
  volumes.finish(volumes.writePartitionTable(volumes.storeDevice('/dev/sdc', quorum), QUORUM_TABLE));
  formatVolume(createVolume(storage), clusterName);
  const quorumPartition = volumes.partitionStore(quorum, QUORUM_PARTITION);
  formatQuorumDisk({ label: 'myqdisk', host: FORMATTED_ON, wall: FORMATTED_AT_SEC }, (sector, bytes) => {
    quorumPartition.write(sector, bytes);
  });
  return [
    { lun: 0, name: 'storage', serial: STORAGE_SERIAL, image: storage },
    { lun: 1, name: 'quorum', serial: QUORUM_SERIAL, image: quorum },
  ];
}

/** Makes the partition a physical volume, and the volume group on it with its one volume. */
function createVolume(storage: BlockStore): BlockStore {
  const partition = volumes.partitionStore(storage, STORAGE_PARTITION);
  const device = volumes.storeDevice('/dev/sdb1', partition);
  const prng = new Prng(5, 6, 7, 8);
  volumes.finish(volumes.pvCreate(device, { uuid: volumes.newUuid(prng) }));
  const members = volumes.orphansOf(volumes.finish(volumes.scanVolumes([device])));
  const empty = volumes.createGroup({ name: 'my-vg1', id: volumes.newUuid(prng), isClustered: true }, members);
  const by = { host: FORMATTED_ON, time: FORMATTED_AT_SEC };
  const created = volumes.finish(volumes.commitGroup(empty, members, by));
  const full = volumes.createVolume(created, {
    name: 'my-store1',
    id: volumes.newUuid(prng),
    extents: volumes.extentsFor(created, 20 * GIB),
    creationHost: by.host,
    creationTime: by.time,
  });
  const group = volumes.finish(volumes.commitGroup(full, members, by));
  const [segment, ...others] = volumes.mapVolume(group, 'my-store1');
  assert(
    others.length === 0 && STORAGE_PARTITION.start + segment!.physicalStart === VOLUME.start,
    `my-store1 begins at sector ${segment!.physicalStart} of /dev/sdb1, expected ${PE_START_BLOCKS}, in one piece`,
  );
  return volumes.logicalVolumeStore(group, 'my-store1', () => partition);
}

function formatVolume(store: BlockStore, clusterName: string): void {
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
    { sizeBytes: store.blocks * 512, write: (byteOffset, bytes) => store.write(byteOffset / 512, bytes) },
  );
  const volume = new OfflineVolume(store, FORMATTED_AT_SEC);
  volume.call({ kind: 'mkdir', path: '/html' });
  volume.writeFile('/html/index.html', PAGE);
  volume.unmount();
}
