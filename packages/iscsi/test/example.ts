import { IscsiInitiator, type IscsiInitiatorInput, IscsiTarget, type IscsiTargetInput } from '@quorate/iscsi';
import { TAME_WORLD } from '@quorate/kernel';
import { IMMEDIATE_SERVICE, read10, SparseStore, testUnitReady } from '@quorate/scsi';

const name = 'iqn.2024-01.lab:disks';
const store = new SparseStore({ blocks: 204_800 });
const logicalUnits = [{ lun: 0, serial: 'SHARED-1', store, service: IMMEDIATE_SERVICE }];
const target = new IscsiTarget({ targets: [{ name, logicalUnits }], world: TAME_WORLD });
const port = { initiator: 'iqn.2024-01.lab:my-vm1', isid: '800000000001' };
const initiator = new IscsiInitiator({ ...port, target: name, world: TAME_WORLD });
export const log: string[] = [];
const inputs: (() => void)[] = [];

const toTarget = (input: IscsiTargetInput): void =>
  target.step(0, input, (output) => {
    const bytes = output.kind === 'send' ? output.bytes.slice() : undefined;
    if (bytes !== undefined) inputs.push(() => toInitiator({ kind: 'received', bytes }));
  });
const toInitiator = (input: IscsiInitiatorInput): void =>
  initiator.step(0, input, (output) => {
    const bytes = output.kind === 'send' ? output.bytes.slice() : undefined;
    if (bytes !== undefined) inputs.push(() => toTarget({ kind: 'received', connection: 1, bytes }));
    else if (output.kind === 'response') log.push(`status ${output.status}, ${output.data.length} bytes`);
    else log.push(output.kind);
  });
const run = (): void => {
  for (let input = inputs.shift(); input !== undefined; input = inputs.shift()) input();
};

toTarget({ kind: 'connected', connection: 1, remote: '10.0.0.1:40000', local: '10.0.0.250:3260' });
toInitiator({ kind: 'connected' });
run();
toInitiator({ kind: 'command', id: 1, lun: 0, cdb: testUnitReady() });
toInitiator({ kind: 'command', id: 2, lun: 0, cdb: read10(0, 8), dataInLength: 4096 });
toInitiator({ kind: 'logout' });
run();
