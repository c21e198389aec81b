import { Prng } from '@quorate/kernel';
import { SparseStore } from '@quorate/scsi';
import * as v from '@quorate/volumes';

const disk = new SparseStore({ blocks: 107_374_182_400 / 512 });
const wanted = { diskSectors: disk.blocks, kind: 'primary', last: '+30G', type: v.PartitionType.linuxLvm } as const;
const table = v.addPartition({ signature: 0x2e7c2c4c, partitions: [] }, wanted);
v.finish(v.writePartitionTable(v.storeDevice('/dev/sdb', disk), table));

const prng = Prng.derive({ hi: 0, lo: 1 }, 'node/1/lvm');
const partition = v.partitionStore(disk, table.partitions[0]!);
const devices = [v.storeDevice('/dev/sdb1', partition)];
v.finish(v.pvCreate(devices[0]!, { uuid: v.newUuid(prng) }));
const orphans = v.orphansOf(v.finish(v.scanVolumes(devices)));
const group = v.createGroup({ name: 'my-vg1', id: v.newUuid(prng), isClustered: true }, orphans);
const extents = v.extentsFor(group, 20 * 1024 ** 3);
const made = { creationHost: 'my-vm1', creationTime: 1_446_127_500 };
const full = v.createVolume(group, { name: 'my-store1', id: v.newUuid(prng), extents, ...made });
v.finish(v.commitGroup(full, orphans, { host: 'my-vm1', time: 1_446_127_500 }));

const scan = v.finish(v.scanVolumes(devices));
const volume = v.logicalVolumeStore(scan.groups[0]!.group, 'my-store1', () => partition);
const device = `/dev/mapper/${v.mapperName('my-vg1', 'my-store1')}: ${volume.blocks} blocks`;
const text = [v.pvsReport(scan), v.vgsReport(scan.groups), v.lvsReport(scan.groups), device].join('');
export const log: string[] = text.split('\n').map((line) => line.trimEnd());
