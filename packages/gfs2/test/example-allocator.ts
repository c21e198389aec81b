import {
  allocBlocks,
  allocDinode,
  inplaceRelease,
  inplaceReserve,
  Reservation,
  type ReserveHost,
  Rgrp,
  type RgrpHost,
  RgrpIndex,
  type Volume,
} from '@quorate/gfs2';

const host: RgrpHost & ReserveHost<Rgrp> = {
  willChange: () => {},
  inconsistent: (rgrp, text) => {
    throw new Error(`${rgrp.addr}: ${text}`);
  },
  isLockedByMe: () => false,
  isFastToAcquire: () => true,
  isCongested: () => false,
  *lock() {},
  unlock: () => {},
  reclaim: () => {},
  *flushLog() {},
};

/** Makes two files in the resource groups of a volume and lets them grow in turns; gives the extents of both. */
export function growInTurns(volume: Volume): string[] {
  const records = volume.rindex();
  if (typeof records === 'string') throw new Error(records);
  const index = new RgrpIndex(
    records.map((rindex) => {
      const rgrp = new Rgrp(volume.geometry, rindex);
      rgrp.attach(Array.from({ length: rindex.length }, (_, i) => volume.readBlock(rindex.addr + i)!));
      return rgrp;
    }),
  );
  const files = [0, 1].map(() => new Reservation(0, records.at(-1)!.data0, false));
  const reserve = (file: Reservation, target: number, use: () => void) => {
    if (inplaceReserve(index, file, { target }, host).next().value === 'ENOSPC') throw new Error('ENOSPC');
    use();
    inplaceRelease(file);
  };
  for (const file of files) reserve(file, 1, () => allocDinode(file, host));
  return [1, 2, 3].flatMap(() =>
    files.map((file) => {
      let extent = '';
      file.sizeHint = 32;
      reserve(file, 4, () => {
        const { block, count } = allocBlocks(file, 4, host);
        extent = `file ${file.addr}: ${count} blocks from ${block}`;
      });
      return extent;
    }),
  );
}
