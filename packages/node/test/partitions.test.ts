import { SECOND, type Task } from '@quorate/kernel';
import { SparseStore } from '@quorate/scsi';
import { addPartition, finish, type PartitionTable, storeDevice, writePartitionTable } from '@quorate/volumes';
import { describe, expect, it } from 'vitest';
import { partitionNumber } from '../src/os/device-numbers.js';
import { type BlockDevice, Disks } from '../src/os/disks.js';
import { Partitions } from '../src/os/partitions.js';
import { DEVICES, TestMachine } from './machine.js';

const DISK: BlockDevice = { path: '/dev/sdb', lun: 0, start: 0, blocks: 131_072 };

const NO_TABLE: PartitionTable = { signature: 1, partitions: [] };

/** Two primary partitions, an extended one, and a logical one in it. */
const TABLE = [
  { kind: 'primary', last: '+10M' },
  { kind: 'primary', last: '+10M' },
  { kind: 'extended' },
  { kind: 'logical' },
].reduce(
  (table, wanted) => addPartition(table, { ...wanted, diskSectors: DISK.blocks } as Parameters<typeof addPartition>[1]),
  NO_TABLE,
);

function diskWith(table: PartitionTable): SparseStore {
  const store = new SparseStore({ blocks: DISK.blocks });
  finish(writePartitionTable(storeDevice(DISK.path, store), table));
  return store;
}

/** Runs a task whose SCSI reads a store answers; `isUnplugged`: with an error. */
function run<Result>(task: Task<Result>, store: SparseStore, isUnplugged = false): Result {
  let reply: unknown;
  for (;;) {
    const step = task.next(reply);
    if (step.done === true) return step.value;
    const { cdb } = step.value as { readonly cdb: Uint8Array };
    const data = new Uint8Array(512);
    store.read(new DataView(cdb.buffer, cdb.byteOffset).getUint32(2), 1, data);
    reply = { status: isUnplugged ? -1 : 0, sense: new Uint8Array(0), data };
  }
}

function scanned(store: SparseStore, isUnplugged = false) {
  const disks = new Disks([DISK], () => {});
  const partitions = new Partitions(disks);
  return { disks, partitions, outcome: run(partitions.scan(DISK), store, isUnplugged) };
}

const shown = (devices: readonly BlockDevice[]): string[] =>
  devices.map(({ path, aliases = [], start, blocks }) => `${[path, ...aliases].join(' ')}: ${start} + ${blocks}`);

describe('partitions of a disk', () => {
  it('are devices, also in the extended one, which is its boot record', () => {
    const { disks, partitions } = scanned(diskWith(TABLE));
    expect(shown(partitions.of(DISK))).toEqual([
      '/dev/sdb1 /dev/block/8:17: 63 + 32067',
      '/dev/sdb2 /dev/block/8:18: 32130 + 32130',
      '/dev/sdb3 /dev/block/8:19: 64260 + 2',
      '/dev/sdb5 /dev/block/8:21: 64323 + 64197',
    ]);
    expect(disks.device('/dev/block/8:21')?.path).toBe('/dev/sdb5');
  });

  it('are none without a table, or with a chain that is damaged', () => {
    expect(scanned(new SparseStore({ blocks: DISK.blocks })).partitions.of(DISK)).toEqual([]);
    const store = diskWith(TABLE);
    store.write(64_260, new Uint8Array(512));
    expect(scanned(store).partitions.of(DISK)).toEqual([]);
  });

  it('end with the disk', () => {
    const { partitions } = scanned(
      diskWith({
        ...NO_TABLE,
        partitions: [{ number: 1, isActive: false, type: 0x83, start: 131_000, sectors: 1000 }],
      }),
    );
    expect(shown(partitions.of(DISK))).toEqual(['/dev/sdb1 /dev/block/8:17: 131000 + 72']);
  });

  it('that are open stay as they were, with all others, when they are gone from the table', () => {
    const { disks, partitions } = scanned(diskWith(TABLE));
    const [first] = partitions.of(DISK);
    disks.open(first!);
    expect(run(partitions.scan(DISK), diskWith(NO_TABLE))).toBe('EBUSY');
    expect(partitions.of(DISK)).toHaveLength(4);
    disks.close(first!);
    expect(run(partitions.scan(DISK), diskWith(NO_TABLE))).toBeUndefined();
    expect(disks.devices()).toEqual([DISK]);
  });

  it('are not known of a disk that cannot be read', () => {
    expect(() => scanned(diskWith(TABLE), true)).toThrow('/dev/sdb: read of sectors 0 + 1: EIO');
  });
});

it.each([
  ['/dev/sda', 0, '8:0'],
  ['/dev/sdb', 1, '8:17'],
  ['/dev/sdp', 15, '8:255'],
  ['/dev/sdq', 1, '65:1'],
  ['/dev/sdz', 1, '65:145'],
  ['/dev/sdaa', 1, '65:161'],
  ['/dev/sdb', 16, undefined],
  ['/dev/zz', 0, undefined],
  ['/dev/mapper/a-b', 1, undefined],
])('%s, partition %d, is block device %s', (disk, partition, number) => {
  expect(partitionNumber(disk, partition)).toBe(number);
});

describe('a machine that boots', () => {
  const booted = (store: SparseStore): TestMachine => new TestMachine({ store });
  const tables = (machine: TestMachine): string[] => machine.log.filter((line) => line.startsWith('kernel:  '));

  it('knows its partitions before a service starts', () => {
    const machine = booted(diskWith(TABLE));
    machine.boot();
    machine.runUntilLogged('cman did not start');
    expect(tables(machine)).toEqual(['kernel:  sda: sda1 sda2 sda3 sda5']);
  });

  it('waits 30 s for a disk that does not answer, which has no partitions until partprobe', () => {
    const machine = booted(diskWith(TABLE));
    machine.disk({ kind: 'impair', nexus: 1, impairment: { hungUntil: 60 * SECOND } });
    machine.boot();
    machine.runUntilLogged('cman did not start');
    expect([machine.now / SECOND, tables(machine)]).toEqual([30, []]);
    machine.run(40 * SECOND);
    expect(tables(machine)).toEqual([]);
    expect(machine.type(`partprobe ${DEVICES[0]!.path}`)).toEqual({ status: 0, output: '', errors: '' });
    expect(tables(machine)).toEqual(['kernel:  sda: sda1 sda2 sda3 sda5']);
  });

  it.each([
    ['partprobe /dev/sda2', 'Error: Could not stat device /dev/sda2 - No such file or directory.\n'],
    ['partprobe /dev/sda', 'Error: Input/output error during read on /dev/sda\n'],
  ])('%s complains', (command, errors) => {
    const machine = booted(diskWith(TABLE));
    machine.boot();
    machine.runUntilLogged('cman did not start');
    machine.hasDiskCable = false;
    expect(machine.type(command)).toEqual({ status: 1, output: '', errors });
  });
});
