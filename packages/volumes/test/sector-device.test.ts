import { PENDING, TaskRunner } from '@quorate/kernel';
import { SparseStore } from '@quorate/scsi';
import { expect, it } from 'vitest';
import {
  commitGroup,
  createGroup,
  finish,
  orphansOf,
  pvCreate,
  readPhysicalVolume,
  type SectorDevice,
  scanVolumes,
  storeDevice,
} from '../src/index.js';
import { TestMachine } from './machine.js';

/** A device whose every transfer waits for a reply, as a SCSI command of a node does. */
function waiting(device: SectorDevice): SectorDevice {
  return {
    ...device,
    *read(sector, count) {
      yield 'command';
      return yield* device.read(sector, count);
    },
    *write(sector, bytes) {
      yield 'command';
      return yield* device.write(sector, bytes);
    },
  };
}

it('what finishes over a store waits in a task runner over commands, and writes the same', () => {
  const [direct, slow] = [new TestMachine([64]), new TestMachine([64])];
  function* make(device: SectorDevice, machine: TestMachine) {
    yield* pvCreate(device, { uuid: machine.uuid() });
    const orphans = orphansOf(yield* scanVolumes([device]));
    yield* commitGroup(createGroup({ name: 'vg', id: machine.uuid() }, orphans), orphans, machine.options);
  }
  finish(make(direct.devices[0]!, direct));
  const commands: [number, number][] = [];
  const runner = new TaskRunner((now, id) => {
    commands.push([now, id]);
    return PENDING;
  });
  const task = make(waiting(slow.devices[0]!), slow);
  runner.step(0, { kind: 'start', id: runner.newId(), task }, () => {});
  for (let now = 1; runner.size > 0; now++) {
    const [, id] = commands.at(-1)!;
    runner.step(now, { kind: 'reply', id, value: undefined }, () => {});
  }
  expect(commands.length).toBeGreaterThan(8);
  expect(slow.group('vg')).toEqual({ ...direct.group('vg'), members: expect.any(Map) });
});

it('a task that waits cannot be finished on the spot', () => {
  const { devices } = new TestMachine([64]);
  expect(() => finish(scanVolumes([waiting(devices[0]!)]))).toThrow(
    'the task waits for its device: run it in a task runner',
  );
});

it.each([
  ['a device that refuses', () => 'EIO' as const, '/dev/sda: read of sectors 0 + 4: EIO'],
  ['a device that gives too little', () => new Uint8Array(100), '/dev/sda: read of sectors 0 + 4 gave 100 bytes'],
])('%s is an error of kind io', (_, reply, message) => {
  const device: SectorDevice = {
    ...new TestMachine([64]).devices[0]!,
    *read() {
      return reply();
    },
  };
  const read = () => finish(readPhysicalVolume(device));
  expect(read).toThrow(expect.objectContaining({ name: 'VolumeError', code: 'io', message }));
});

it('a device of two sectors is no physical volume, and blocks of 4096 bytes are refused', () => {
  expect(finish(readPhysicalVolume(storeDevice('/dev/sda', new SparseStore({ blocks: 2 }))))).toBeUndefined();
  const large = new SparseStore({ blocks: 2, blockLength: 4096 });
  expect(() => storeDevice('/dev/sda', large)).toThrow('blockLength 4096: expected 512');
});
