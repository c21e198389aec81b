import { bytesEqual, concatBytes, crc32c, fromHex, SECOND, SeededWorld, viewOf } from '@quorate/kernel';
import {
  initiatorPort,
  machineConfig,
  type Topology,
  targetConfig,
  VirtualMachine,
  type VirtualMachineInput,
} from '@quorate/lab';
import { ScsiTarget, type TargetInput } from '@quorate/scsi';
import { describe, expect, it } from 'vitest';
import { readDamaged } from '../../../tooling/damage.js';
import {
  type RecordedPart,
  Recording,
  type RecordingEnd,
  RecordingError,
  type ReplayedPart,
  replay,
} from '../src/index.js';
import { MachineRecorder, type RecordPiece } from '../src/record/machine-recorder.js';
import { RecordingWriter } from '../src/record/recording-writer.js';
import { twoMachines } from './two-machines.js';

/** An ARP request of 10.0.0.9 for the machine's own address: it answers. */
const ARP_REQUEST = Uint8Array.from([
  ...[255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 9, 8, 6, 0, 1, 8, 0, 6, 4, 0, 1],
  ...[2, 0, 0, 0, 0, 9, 10, 0, 0, 9, 0, 0, 0, 0, 0, 0, 10, 0, 0, 1],
]);

const NOTHING = new Uint8Array(0);
const SEED = { hi: 0, lo: 1 };

/** Every kind of input that a machine can have. */
const HISTORY: readonly (readonly [seconds: number, input: VirtualMachineInput])[] = [
  [0, { kind: 'power-on' }],
  [1, { kind: 'carrier', nic: 0, isUp: false }],
  [2, { kind: 'carrier', nic: 0, isUp: true }],
  // The table of the disk, which it reads at boot, is empty.
  [31, { kind: 'io-done', tag: 1, status: 0, sense: NOTHING, data: new Uint8Array(512) }],
  [40, { kind: 'frame', nic: 0, bytes: ARP_REQUEST }],
  [41, { kind: 'exec', id: 7, command: 'cat /dev/sdb' }],
  [42, { kind: 'exec', id: 0x8000_0001, command: 'echo grüß' }],
  [43, { kind: 'disk-path', isUp: false }],
  [44, { kind: 'disk-path', isUp: true }],
  [45, { kind: 'power-switched', id: 1, reply: { isOk: true, state: 'off' } }],
  [46, { kind: 'pause' }],
  [47, { kind: 'io-done', tag: 2, status: -1, sense: Uint8Array.of(0x70), data: NOTHING }],
  [48, { kind: 'resume' }],
  [50, { kind: 'power-off' }],
];

/** A recording of that history on the first machine of the pair. Its pieces are of ten inputs, so that there are several. */
function record(threw: { readonly part: string; readonly message: string } | null = null): Uint8Array {
  const pieces: RecordPiece[] = [];
  const recorder = new MachineRecorder();
  const topology = twoMachines();
  const machine = new VirtualMachine(machineConfig(topology, topology.machines[0]!, SEED, undefined));
  let steps = 0;
  const flush = (): void => {
    const piece = recorder.take();
    if (piece !== undefined) pieces.push(piece);
  };
  const step = (at: number, input: VirtualMachineInput): void => {
    recorder.input(at, input);
    machine.step(at, input, (output) => recorder.output(at, output));
    steps += 1;
    if (steps % 10 === 0) flush();
  };
  for (const [seconds, input] of HISTORY) {
    while (machine.deadline() < seconds * SECOND) step(machine.deadline(), { kind: 'wake' });
    step(seconds * SECOND, input);
  }
  flush();
  return fileOf({ name: 'node1', kind: 'machine' }, pieces, threw);
}

function fileOf(part: RecordedPart, pieces: readonly RecordPiece[], threw: RecordingEnd['threw'] = null): Uint8Array {
  const written: Uint8Array[] = [];
  const what = { scenario: 'by hand', topologyName: 'pair', topologyOptions: null };
  const writer = new RecordingWriter({ ...what, seed: SEED, speed: 1, sliceNanos: 1, parts: [part] }, (bytes) =>
    written.push(bytes.slice()),
  );
  for (const piece of pieces) writer.piece(0, piece);
  writer.end({ reason: 'ended', at: 50 * SECOND, threw });
  return concatBytes(...written);
}

function replayed(bytes: Uint8Array, pair: () => Topology = twoMachines): ReplayedPart {
  const [part, ...others] = replay(new Recording(bytes), { pair });
  expect(others).toEqual([]);
  return part!;
}

/** Sets the checksums of header and whole chunks right, so that what is behind them gets to see the damage. */
function reseal(bytes: Uint8Array): Uint8Array {
  const view = viewOf(bytes);
  let at = 16 + view.getUint32(8, true);
  view.setUint32(12, crc32c(bytes, 16, at), true);
  while (at + 12 <= bytes.length) {
    const end = at + 12 + view.getUint32(at + 4, true);
    if (end > bytes.length) break;
    view.setUint32(at + 8, crc32c(bytes, at + 12, end), true);
    at = end;
  }
  return bytes;
}

function placeOf(bytes: Uint8Array, part: Uint8Array): number {
  for (let at = 0; ; at++) if (bytesEqual(bytes.subarray(at, at + part.length), part)) return at;
}

describe('a replay', () => {
  it('finds that a machine emits what it emitted, byte by byte', () => {
    const part = replayed(record());
    expect(part).toMatchObject({
      name: 'node1',
      kind: 'machine',
      isEqual: true,
      difference: undefined,
      threw: undefined,
    });
    expect(part.inputs).toBeGreaterThan(HISTORY.length + 20);
    expect(part.outputs).toBeGreaterThan(40);
    expect(part.digest).toMatch(/^[0-9a-f]{8}$/);
  });

  it('finds that the disks answer as they answered, and names the answer that changed data changes', () => {
    const topology = twoMachines();
    const target = new ScsiTarget(targetConfig(topology, new SeededWorld(SEED)).config);
    const recorder = new MachineRecorder();
    const step = (at: number, input: TargetInput): void => {
      recorder.input(at, input);
      target.step(at, input, (output) => recorder.output(at, output));
    };
    const command = (tag: number, cdb: string, data: Uint8Array): TargetInput => {
      return { kind: 'command', nexus: 1, lun: 0, tag, cdb: fromHex(cdb), data };
    };
    step(0, { kind: 'login', nexus: 1, port: initiatorPort(topology.machines[0]!) });
    step(1000, command(1, '000000000000', NOTHING));
    step(2000, command(2, '2a000000000500000100', new Uint8Array(512).fill(0x77)));
    while (target.deadline() < Infinity) step(target.deadline(), { kind: 'wake' });
    step(SECOND, command(3, '28000000000500000100', NOTHING));
    while (target.deadline() < Infinity) step(target.deadline(), { kind: 'wake' });
    step(2 * SECOND, { kind: 'nexus-lost', nexus: 1 });
    const bytes = fileOf({ name: 'disks', kind: 'disks' }, [recorder.take()!]);
    expect(replayed(bytes)).toMatchObject({ isEqual: true, inputs: 8, outputs: 3 });
    bytes[placeOf(bytes, new Uint8Array(16).fill(0x77))] = 0x78;
    const { difference } = replayed(reseal(bytes));
    expect(difference).toMatchObject({ output: 3, expected: { kind: 'response' }, found: { kind: 'response' } });
    expect(difference!.found!.text).toContain('"data":"7877');
  });

  it('gives machines bytes whose slices are copies, also from a Buffer', () => {
    const [data] = Array.from(new Recording(Buffer.from(record())).inputs(0), ({ input }) => input.bytes).filter(
      Boolean,
    );
    expect(Object.getPrototypeOf(data)).toBe(Uint8Array.prototype);
  });

  it('names the output that a changed byte of an input changes', () => {
    const bytes = record();
    // The request comes from 10.0.0.8 now: so the answer goes there.
    bytes[placeOf(bytes, ARP_REQUEST) + 31] = 8;
    const { isEqual, difference } = replayed(reseal(bytes));
    expect(isEqual).toBe(false);
    expect(difference).toMatchObject({
      expected: { at: 40 * SECOND, kind: 'frame', size: 67, text: '' },
      found: { at: 40 * SECOND, kind: 'frame', size: 67 },
    });
    expect(difference!.found!.text).toMatch(
      /^{"nic":0,"bytes":"020000000009020000000001080600010800060400020200000000010a000001… 42 bytes"}$/,
    );
  });

  it('names the output of a machine that is another than it was', () => {
    const other = (): Topology => {
      const topology = twoMachines();
      return {
        ...topology,
        machines: topology.machines.map((spec) => ({ ...spec, mac: spec.mac.replace('02', '06') })),
      };
    };
    const { difference } = replayed(record(), other);
    expect(difference!.found).toMatchObject({ kind: 'frame', size: difference!.expected!.size });
    expect(difference!.found!.text).toMatch(/^{"nic":0,"bytes":"[0-9a-f]{12}060000000001/);
  });

  it('names an output that is missing at the end, and one that is too many', () => {
    const bytes = record();
    const whole = replayed(bytes);
    const recording = new Recording(bytes);
    const marks = [...recording.outputs(0)];
    const last = marks.at(-1)!;
    const shorter = replayWith(recording, marks.slice(0, -1));
    expect(shorter.difference).toMatchObject({ output: whole.outputs, expected: undefined, found: { kind: 'power' } });
    const longer = replayWith(recording, [...marks, { ...last, kind: 'more' }]);
    expect(longer.difference).toMatchObject({
      output: whole.outputs + 1,
      expected: { kind: 'more' },
      found: undefined,
    });
  });

  it('takes a machine for equal that throws as it did, and for different when only one of both threw', () => {
    const message = 'at the power switch';
    const throws = (): Topology => {
      const topology = twoMachines();
      const programs = new Map([
        [
          'cat',
          function* (): Generator<unknown, never, unknown> {
            throw new Error(message);
          },
        ],
      ]);
      return { ...topology, programs: new Map([...topology.programs, ...programs]) as unknown as Topology['programs'] };
    };
    const dies = { part: 'node1', message };
    expect(replayed(record(dies), throws)).toMatchObject({ isEqual: true, threw: { at: 41 * SECOND, message } });
    expect(replayed(record(dies))).toMatchObject({ isEqual: false, threw: undefined });
    expect(replayed(record(), throws)).toMatchObject({ isEqual: false, threw: { at: 41 * SECOND, message } });
  });

  it('needs the topology that was recorded', () => {
    expect(() => [...replay(new Recording(record()), { story: twoMachines })]).toThrow(
      'found a recording of topology "pair", expected one of story',
    );
  });
});

/** The same recording with other outputs. */
function replayWith(recording: Recording, outputs: Iterable<unknown>): ReplayedPart {
  const changed = {
    header: recording.header,
    end: recording.end,
    inputs: (part: number) => recording.inputs(part),
    outputs: () => outputs[Symbol.iterator](),
  };
  const [part] = replay(changed as unknown as Recording, { pair: twoMachines });
  return part!;
}

describe('a file', () => {
  const whole = record();

  it.each<[string, (bytes: Uint8Array) => Uint8Array, string]>([
    [
      'that is something else',
      () => Uint8Array.of(1, 2, 3),
      'at byte 0: found "\u0001\u0002\u0003", expected "QRRECRD1"',
    ],
    ['of another version', (bytes) => bytes.fill(0x32, 7, 8), 'at byte 0: found "QRRECRD2", expected "QRRECRD1"'],
    ['cut off in its header', (bytes) => bytes.subarray(0, 60), 'at byte 8: the header has'],
    ['cut off in a chunk', (bytes) => bytes.subarray(0, bytes.length - 100), 'are left: cut off'],
    ['cut off before its end', (bytes) => bytes.subarray(0, lastChunk(bytes)), 'cut off: the run has no end'],
    [
      'with a flipped bit in its header',
      (bytes) => bytes.fill(0, 30, 31),
      'at byte 12: the checksum of the header is wrong',
    ],
    ['with a flipped bit', (bytes) => bytes.fill(0xee, 1000, 1001), 'the checksum of the chunk is wrong'],
    ['with more behind its end', (bytes) => concatBytes(bytes, Uint8Array.of(0)), 'found 1 bytes after the end'],
  ])('%s is refused', (_what, damage, message) => {
    expect(() => new Recording(damage(whole.slice()))).toThrow(RecordingError);
    expect(() => new Recording(damage(whole.slice()))).toThrow(message);
  });

  it('however it is damaged, is replayed or refused with the byte where it breaks', () => {
    const read = (bytes: Uint8Array): void => {
      try {
        const recording = new Recording(bytes);
        for (const _ of recording.inputs(0));
        for (const _ of recording.outputs(0));
      } catch (error) {
        if (!(error instanceof RecordingError)) throw error;
        expect(error.offset).toBeGreaterThanOrEqual(0);
      }
    };
    const header = 16 + viewOf(whole).getUint32(8, true);
    readDamaged(whole, read, (broken, at) => (at >= header + 12 ? reseal(broken) : undefined));
  });
});

function lastChunk(bytes: Uint8Array): number {
  const view = viewOf(bytes);
  let at = 16 + view.getUint32(8, true);
  for (;;) {
    const end = at + 12 + view.getUint32(at + 4, true);
    if (end === bytes.length) return at;
    at = end;
  }
}
