import { TAME_WORLD } from '@quorate/kernel';
import {
  MemoryFile,
  persistentReserveOut,
  ReservationType,
  ReserveOut,
  read10,
  ScsiTarget,
  Status,
  synchronizeCache10,
  type TargetInput,
  testUnitReady,
  write10,
} from '@quorate/scsi';
import { expect, it } from 'vitest';
import { checkVhdx } from '../src/index.js';
import { MIB, newImage, open, openReadOnly, sectors } from './images.js';

const NO_DATA = new Uint8Array(0);
const NODES = [1, 2, 3, 4, 5];

it('five initiators with reservations share one image, and who is fenced leaves nothing in it', () => {
  const file = newImage({ size: 8 * MIB }, new MemoryFile());
  const image = open(file);
  const { naa } = image.info;
  const target = new ScsiTarget({
    name: 'iqn.2024-01.lab:shared',
    logicalUnits: [{ lun: 0, serial: 'SHARED', store: image, naa }],
    world: TAME_WORLD,
  });
  let now = 0;
  let last = { status: -1, data: NO_DATA };
  const step = (input: TargetInput): void =>
    target.step(now, input, (output) => {
      if (output.kind === 'response') last = { status: output.status, data: output.data.slice() };
    });
  const run = (nexus: number, cdb: Uint8Array, data: Uint8Array = NO_DATA): number => {
    step({ kind: 'command', nexus, lun: 0, tag: 1, cdb, data });
    for (; target.deadline() !== Infinity; step({ kind: 'wake' })) now = target.deadline();
    return last.status;
  };
  const reserve = (nexus: number, action: ReserveOut, type: number, key: bigint, other = 0n): number => {
    const { cdb, data } = persistentReserveOut(action, type, key, other);
    return run(nexus, cdb, data);
  };
  for (const nexus of NODES) {
    step({ kind: 'login', nexus, port: { name: `iqn.2024-01.lab:my-vm${nexus}`, isid: '400000000001' } });
    run(nexus, testUnitReady());
    reserve(nexus, ReserveOut.register, 0, 0n, BigInt(nexus));
  }
  expect(reserve(1, ReserveOut.reserve, ReservationType.writeExclusiveRegistrantsOnly, 1n)).toBe(Status.good);
  for (const nexus of NODES) expect(run(nexus, write10(nexus * 2048, 1), sectors(nexus))).toBe(Status.good);
  expect(reserve(2, ReserveOut.preemptAndAbort, ReservationType.writeExclusiveRegistrantsOnly, 2n, 5n)).toBe(
    Status.good,
  );
  run(5, testUnitReady());
  expect(run(5, write10(5 * 2048, 1), sectors(0xee))).toBe(Status.reservationConflict);
  expect(run(3, read10(5 * 2048, 1))).toBe(Status.good);
  expect(last.data).toEqual(sectors(5));
  expect(run(4, synchronizeCache10())).toBe(Status.good);
  image.close();
  expect(checkVhdx(file)).toEqual([]);
  const bytes = sectors(0);
  openReadOnly(file).read(5 * 2048, 1, bytes);
  expect(bytes).toEqual(sectors(5));
});
