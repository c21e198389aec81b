import { TAME_WORLD } from '@quorate/kernel';
import { persistentReserveOut, ReserveOut, ScsiTarget, SparseStore, type TargetInput, write10 } from '@quorate/scsi';

const store = new SparseStore({ blocks: (100 * 1024 ** 3) / 512 });
const logicalUnits = [{ lun: 0, serial: 'SHARED-1', store }];
const target = new ScsiTarget({ name: 'iqn.2024-01.lab:disks', logicalUnits, world: TAME_WORLD });
export const log: string[] = [];
let now = 0;

function step(input: TargetInput): void {
  target.step(now, input, (output) => {
    if (output.kind === 'response') log.push(`node ${output.nexus}: status ${output.status.toString(16)}h`);
  });
}

function run(nexus: number, cdb: Uint8Array, data: Uint8Array): void {
  step({ kind: 'command', nexus, lun: 0, tag: 1, cdb, data });
  for (; target.deadline() !== Infinity; step({ kind: 'wake' })) now = target.deadline();
}

for (const nexus of [1, 2]) {
  step({ kind: 'login', nexus, port: { name: `iqn.2024-01.lab:my-vm${nexus}`, isid: '400000000001' } });
  run(nexus, new Uint8Array(6), new Uint8Array(0)); // TEST UNIT READY takes the unit attention of the login
}
const register = persistentReserveOut(ReserveOut.register, 0, 0n, 0x63d20001n);
const reserve = persistentReserveOut(ReserveOut.reserve, 5, 0x63d20001n, 0n);
for (const { cdb, data } of [register, reserve]) run(1, cdb, data);
run(2, write10(0, 1), new Uint8Array(512));
