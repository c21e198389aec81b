import { decode, encode } from '@msgpack/msgpack';
import { type Nanos, utf8Bytes, utf8Text } from '@quorate/kernel';
import type { VirtualMachine, VirtualMachineInput, VirtualMachineOutput } from '@quorate/lab';
import { type BatchRecord, type BatchWriter, RecordKind, readBatch } from '../wire/batch.js';

/** Appends one input of a machine, with its instant, to a record of its inputs. */
export function recordInput(record: BatchWriter, at: Nanos, input: VirtualMachineInput): void {
  switch (input.kind) {
    case 'frame':
      return record.frame(at, input.bytes);
    case 'carrier':
      return record.nic(at, input.isUp);
    case 'io-done':
      return record.response(at, 0, input.tag, input.status, input.sense, input.data);
    case 'exec':
      return record.exec(at, input.id, utf8Bytes(input.command));
    case 'disk-path':
      return record.diskPath(at, input.isUp);
    case 'power-switched':
      return record.powerSwitched(at, input.id, encode(input.reply));
    case 'wake':
      return record.plain(RecordKind.wake, at);
    case 'power-on':
      return record.plain(RecordKind.powerOn, at);
    case 'power-off':
      return record.plain(RecordKind.powerOff, at);
    case 'pause':
      return record.plain(RecordKind.pause, at);
    case 'resume':
      return record.plain(RecordKind.resume, at);
  }
}

/**
 * Steps a new machine through a record of its inputs: it emits what it emitted in the run that was recorded.
 *
 * `machine` has the configuration of the one that was recorded and was not stepped before.
 *
 * @throws {RangeError} when the record is cut off or holds what is no input.
 */
export function reexecute(
  machine: VirtualMachine,
  record: Uint8Array,
  emit: (at: Nanos, output: VirtualMachineOutput) => void,
): void {
  readBatch(record, (each) => machine.step(each.at, inputOf(each), (output) => emit(each.at, output)));
}

function inputOf(record: BatchRecord): VirtualMachineInput {
  switch (record.kind) {
    case RecordKind.frame:
      return { kind: 'frame', nic: 0, bytes: record.data };
    case RecordKind.nic:
      return { kind: 'carrier', nic: 0, isUp: record.state === 1 };
    case RecordKind.response:
      return { kind: 'io-done', tag: record.tag, status: record.state, sense: record.head, data: record.data };
    case RecordKind.exec:
      return { kind: 'exec', id: record.tag, command: utf8Text(record.data) };
    case RecordKind.diskPath:
      return { kind: 'disk-path', isUp: record.state === 1 };
    case RecordKind.powerSwitched:
      return { kind: 'power-switched', id: record.tag, reply: decode(record.data) };
    case RecordKind.wake:
      return { kind: 'wake' };
    case RecordKind.powerOn:
      return { kind: 'power-on' };
    case RecordKind.powerOff:
      return { kind: 'power-off' };
    case RecordKind.pause:
      return { kind: 'pause' };
    case RecordKind.resume:
      return { kind: 'resume' };
    default:
      throw new RangeError(`a record of kind ${record.kind}: no input of a machine`);
  }
}
