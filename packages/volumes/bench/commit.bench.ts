import { Prng } from '@quorate/kernel';
import { SparseStore } from '@quorate/scsi';
import { bench, describe } from 'vitest';
import {
  commitGroup,
  createGroup,
  createVolume,
  extentsFor,
  finish,
  newUuid,
  orphansOf,
  pvCreate,
  scanVolumes,
  storeDevice,
} from '../src/index.js';

// A group on two disks in memory: what a scan and a commit cost with one volume, and with a hundred.

const MIB = 1024 * 1024;
const options = { host: 'h', time: 1_446_127_500 };

function prepared(volumes: number) {
  const prng = Prng.derive({ hi: 0, lo: 1 }, 'bench');
  const devices = ['/dev/sda', '/dev/sdb'].map((path) => storeDevice(path, new SparseStore({ blocks: 2 ** 25 })));
  for (const device of devices) finish(pvCreate(device, { uuid: newUuid(prng) }));
  const members = orphansOf(finish(scanVolumes(devices)));
  let group = createGroup({ name: 'vg', id: newUuid(prng) }, members);
  for (let i = 0; i < volumes; i++) {
    const made = { creationHost: 'h', creationTime: options.time };
    const extents = extentsFor(group, 100 * MIB);
    group = createVolume(group, { name: `lv${i}`, id: newUuid(prng), extents, ...made });
  }
  return { devices, members, group: finish(commitGroup(group, members, options)) };
}

describe.each([1, 100])('%i volumes', (volumes) => {
  const { devices, members, group } = prepared(volumes);
  if (finish(scanVolumes(devices)).groups[0]?.group.logicalVolumes.length !== volumes)
    throw new Error('the scan is wrong');

  bench('scan of two disks', () => {
    finish(scanVolumes(devices));
  });

  let last = group;
  bench('commit to two disks', () => {
    last = finish(commitGroup(last, members, options));
  });
});
