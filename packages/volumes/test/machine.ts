import { Prng } from '@quorate/kernel';
import { SparseStore } from '@quorate/scsi';
import {
  type CommitOptions,
  commitGroup,
  createGroup,
  type FoundGroup,
  findGroup,
  finish,
  type NewGroup,
  newUuid,
  orphansOf,
  pvCreate,
  type SectorDevice,
  scanVolumes,
  storeDevice,
  type VolumeGroup,
  type VolumeScan,
} from '../src/index.js';

export const MIB = 1024 * 1024;

/** A machine with disks `/dev/sda`, `/dev/sdb`, …, and what its administrator does on them. */
export class TestMachine {
  readonly stores: readonly SparseStore[];
  readonly devices: readonly SectorDevice[];
  readonly prng: Prng = Prng.derive({ hi: 0, lo: 1 }, 'volumes/test');
  readonly options: CommitOptions;

  constructor(sizesMiB: readonly number[], options: Partial<CommitOptions> = {}) {
    this.stores = sizesMiB.map((size) => new SparseStore({ blocks: (size * MIB) / 512 }));
    this.devices = this.stores.map((store, i) => storeDevice(`/dev/sd${'abcdefgh'[i]}`, store));
    this.options = { host: 'my-vm1', time: 1_446_127_500, ...options };
  }

  uuid(): string {
    return newUuid(this.prng);
  }

  /** `pvcreate` of all disks. */
  pvCreate(extensionVersion: 1 | 2 = 1): this {
    for (const device of this.devices) finish(pvCreate(device, { uuid: this.uuid(), extensionVersion }));
    return this;
  }

  scan(): VolumeScan {
    return finish(scanVolumes(this.devices));
  }

  /** `vgcreate` of all disks that belong to no group. */
  vgCreate(name = 'my-vg1', wanted: Partial<NewGroup> = {}): VolumeGroup {
    const orphans = orphansOf(this.scan());
    const group = createGroup({ name, id: this.uuid(), ...wanted }, orphans);
    return finish(commitGroup(group, orphans, this.options));
  }

  group(name = 'my-vg1'): FoundGroup {
    return findGroup(this.scan(), name);
  }

  /** Changes a group and commits it. */
  change(how: (group: VolumeGroup) => VolumeGroup, name = 'my-vg1'): VolumeGroup {
    const scan = this.scan();
    return finish(commitGroup(how(findGroup(scan, name).group), scan.physicalVolumes, this.options));
  }

  /** `lvcreate -l`. */
  newVolume(name: string, extents: number) {
    return { name, id: this.uuid(), extents, creationHost: 'my-vm1', creationTime: 1_446_127_500 };
  }
}
