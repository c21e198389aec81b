import { mkfs } from '@quorate/gfs2';
import { fromHex, Prng } from '@quorate/kernel';
import { type BlockStore, SparseStore } from '@quorate/scsi';
import {
  addPartition,
  commitGroup,
  createGroup,
  createVolume,
  extendVolume,
  finish,
  logicalVolumeStore,
  newUuid,
  orphansOf,
  type PartitionTable,
  PartitionType,
  partitionStore,
  pvCreate,
  type SectorDevice,
  scanVolumes,
  storeDevice,
  type VolumeGroup,
  writePartitionTable,
} from '@quorate/volumes';
import { DEVICES } from './machine.js';

/** A disk whose second half is GFS2 with one journal, for the cluster `solo` unless told. */
export function formattedDisk(lockTable = 'solo:storage'): SparseStore {
  const [disk, half] = DEVICES;
  const store = new SparseStore({ blocks: disk!.blocks });
  format(
    partitionStore(store, { number: 2, isActive: false, type: 0x83, start: half!.start, sectors: half!.blocks }),
    lockTable,
  );
  return store;
}

function format(store: BlockStore, lockTable: string): void {
  mkfs(
    {
      lockProtocol: 'lock_dlm',
      lockTable,
      journals: 1,
      journalMiB: 8,
      uuid: fromHex('736f6c6f3a73746f7261676500000001'),
      wall: { sec: 1_446_127_500, nsec: 0 },
      prng: new Prng(1, 2, 3, 4),
    },
    { sizeBytes: store.blocks * 512, write: (byteOffset, bytes) => store.write(byteOffset / 512, bytes) },
  );
}

/** A disk of two partitions of type 8e with nothing on them. */
export function partitionedDisk(): { readonly store: SparseStore; readonly partitions: readonly BlockStore[] } {
  const store = new SparseStore({ blocks: DEVICES[0]!.blocks });
  const type = PartitionType.linuxLvm;
  const table = ['+44M', undefined].reduce<PartitionTable>(
    (before, last) =>
      addPartition(before, { diskSectors: store.blocks, kind: 'primary', type, ...(last !== undefined && { last }) }),
    { signature: 7, partitions: [] },
  );
  finish(writePartitionTable(storeDevice('/dev/sda', store), table));
  return { store, partitions: table.partitions.map((partition) => partitionStore(store, partition)) };
}

/**
 * A disk of two partitions: on the first one the clustered group `vg-1` with `wall` and, in two pieces around it, `data`, which is
 * GFS2 for the cluster `solo`; on the second one the group `own` with `home`.
 */
export function diskWithVolumes(): SparseStore {
  const {
    store,
    partitions: [first, second],
  } = partitionedDisk();
  const prng = new Prng(5, 6, 7, 8);
  const shared = createOn(storeDevice('/dev/sda1', first!), prng, { name: 'vg-1', isClustered: true }, (group, add) =>
    extendVolume(add(add(group, 'data', 4), 'wall', 1), 'data', 4),
  );
  createOn(storeDevice('/dev/sda2', second!), prng, { name: 'own', isClustered: false }, (group, add) =>
    add(group, 'home', 1),
  );
  format(
    logicalVolumeStore(shared, 'data', () => first),
    'solo:storage',
  );
  return store;
}

type AddVolume = (group: VolumeGroup, name: string, extents: number) => VolumeGroup;

function createOn(
  device: SectorDevice,
  prng: Prng,
  wanted: { readonly name: string; readonly isClustered: boolean },
  fill: (group: VolumeGroup, add: AddVolume) => VolumeGroup,
): VolumeGroup {
  const by = { host: 'alpha', time: 1_446_127_500 };
  finish(pvCreate(device, { uuid: newUuid(prng) }));
  const members = orphansOf(finish(scanVolumes([device])));
  const full = fill(createGroup({ ...wanted, id: newUuid(prng) }, members), (group, name, extents) =>
    createVolume(group, { name, id: newUuid(prng), extents, creationHost: by.host, creationTime: by.time }),
  );
  return finish(commitGroup(full, members, by));
}
