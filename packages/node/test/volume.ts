import { mkfs } from '@quorate/gfs2';
import { fromHex, Prng } from '@quorate/kernel';
import { SparseStore } from '@quorate/scsi';
import { DEVICES } from './machine.js';

/** A disk whose second half is GFS2 with one journal, for the cluster `solo` unless told. */
export function formattedDisk(lockTable = 'solo:storage'): SparseStore {
  const [disk, half] = DEVICES;
  const store = new SparseStore({ blocks: disk!.blocks });
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
    {
      sizeBytes: half!.blocks * 512,
      write: (byteOffset, bytes) => store.write(half!.start + byteOffset / 512, bytes),
    },
  );
  return store;
}
