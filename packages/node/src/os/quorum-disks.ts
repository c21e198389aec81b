import type { BlockDevice as QuorumDevice } from '@quorate/qdisk';
import { type BlockDevice, type Disks, extentsOf, isOnSameDisk } from './disks.js';
import { sectorDevice } from './sector-device.js';

/** The node's block devices, as qdiskd and mkqdisk look for a quorum disk on them. */
export function quorumDisks(disks: Disks): readonly QuorumDevice[] {
  const devices = disks.devices();
  return devices.map((device) => {
    const sectors = sectorDevice(device);
    return {
      paths: [...(device.aliases ?? []), device.path],
      sectorSize: 512,
      sectors: device.blocks,
      isHeld: devices.some((other) => other !== device && liesOn(other, device)),
      readSector: (sector) => sectors.read(sector, 1),
      writeSector: (sector, bytes) => sectors.write(sector, bytes),
    };
  });
}

/** A partition, or a volume on it, keeps the whole disk below it. */
function liesOn(part: BlockDevice, whole: BlockDevice): boolean {
  return extentsOf(part).some(
    (extent) =>
      isOnSameDisk(extent, whole) &&
      extent.start >= whole.start &&
      extent.start + extent.blocks <= whole.start + whole.blocks,
  );
}
