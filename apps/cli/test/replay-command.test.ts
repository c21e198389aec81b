import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Checker, concatBytes, crc32c, SECOND, viewOf } from '@quorate/kernel';
import { type Lab, plainTopology, type Topology } from '@quorate/lab';
import { checkCapture, Direction, invariants, readPcapng } from '@quorate/trace';
import { inProcessWorker, Recording, type Registry, WorkersLab } from '@quorate/workers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCommand } from '../src/run-command.js';
import { SCENARIOS } from '../src/scenarios.js';
import { type CapturedIo, capturedIo } from './captured-io.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-replay-'));
afterAll(() => rmSync(folder, { recursive: true }));

const pair = (): Topology => plainTopology({ machines: 2 });
const TOPOLOGIES: Registry = { pair };

/** A machine boots, and does so on another day than in the run that was recorded. */
const tomorrow: Registry = {
  pair: () => ({ ...pair(), wall: { sec: pair().wall.sec + 86_400, nsec: 0 } }),
};

function fileOf(name: string, bytes: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

let path = '';
beforeAll(async () => {
  const pieces: Uint8Array[] = [];
  const lab = new WorkersLab({
    scenario: {
      name: 'a machine boots',
      title: '',
      kinds: [],
      *script(lab: Lab) {
        lab.powerOn('node1');
        yield* lab.wait(35 * SECOND);
      },
    },
    topologyName: 'pair',
    topology: pair(),
    seed: { hi: 0, lo: 0xabc },
    speed: 50,
    invariants: [],
    spawn: () => inProcessWorker(TOPOLOGIES),
    recordTo: (bytes) => pieces.push(bytes.slice()),
  });
  expect((await lab.run()).reason).toBe('ended');
  path = fileOf('run.qrec', concatBytes(...pieces));
}, 180_000);

async function replay(file: string, topologies = TOPOLOGIES): Promise<{ code: number; io: CapturedIo }> {
  const io = capturedIo();
  return { code: await runCommand(['replay', file], io, SCENARIOS, topologies), io };
}

it('a run is reproduced, machine by machine', async () => {
  const { code, io } = await replay(path);
  const [head, ...lines] = io.stdout.text.trimEnd().split('\n');
  expect(head).toMatch(/^a machine boots, seed 0x0000000000000abc, recorded at speed 50: 35\.\d s, ended$/);
  const parts = lines
    .slice(0, -1)
    .map((line) => /^ {2}(\w+) +(\d+) inputs +(\d+) outputs {2}[0-9a-f]{8} {2}equal$/.exec(line));
  expect(parts.map((part) => part?.[1])).toEqual(['switch', 'disks', 'node1', 'node2']);
  expect(Number(parts[2]?.[3])).toBeGreaterThan(10);
  expect(lines.at(-1)).toBe('The run is reproduced: every output of all 4, byte by byte.');
  expect(code).toBe(0);
});

it('its frames are captured, as they were sent and as they arrived', async () => {
  const pcap = join(folder, 'run.pcapng');
  expect(await runCommand(['replay', path, '--pcap', pcap], capturedIo(), SCENARIOS, TOPOLOGIES)).toBe(0);
  const file = readFileSync(pcap);
  const checker = new Checker(invariants);
  checkCapture(file, checker);
  expect(checker.violations).toEqual([]);
  const packets = [...readPcapng(file)];
  const ofNode1 = packets.filter(({ interface: card }) => card === 'node1.eth0');
  const { inbound, outbound } = Direction;
  for (const way of [inbound, outbound]) {
    expect(ofNode1.filter(({ direction }) => direction === way).length).toBeGreaterThan(2);
  }
  // The frames that the machine sent are those that its switch was given.
  const recording = new Recording(readFileSync(path));
  const given = [...recording.inputs(0)].filter(({ input }) => input.kind === 'send').map(({ at }) => at);
  const sent = ofNode1.filter(({ direction, comment }) => direction === outbound && comment === undefined);
  expect(new Set(given)).toEqual(new Set(sent.map(({ at }) => at)));
});

it('where it is not reproduced, the first difference of each machine is named, and the exit code is 3', async () => {
  const { code, io } = await replay(path, tomorrow);
  const lines = io.stdout.text.trimEnd().split('\n');
  const at = lines.findIndex((line) => /^ {2}node1 .* different$/.test(line));
  expect(lines.slice(at + 1, at + 4)).toEqual([
    expect.stringMatching(/^ {4}output \d+ differs, at input 2$/),
    expect.stringMatching(/^ {4}expected 3\d\.\d{9} s log, \d+ bytes$/),
    expect.stringMatching(/^ {4}found {4}3\d\.\d{9} s log, \d+ bytes {.*"wallSec":14201568\d\d}$/),
  ]);
  expect(lines.at(-1)).toBe('The run is not reproduced: 1 of 4 differ.');
  expect(code).toBe(3);
});

describe('a mistake is one line on stderr and exit code 4', () => {
  it.each<[string, () => readonly [string, Registry?], RegExp]>([
    [
      'no recording',
      () => [fileOf('no.qrec', Buffer.from('something'))],
      /no\.qrec: at byte 0: found "somethin", expected "QRRECRD1"$/,
    ],
    [
      'a truncated one',
      () => [fileOf('cut.qrec', readFileSync(path).subarray(0, -40))],
      /cut\.qrec: at byte \d+: .*cut off/,
    ],
    [
      'a damaged one',
      () => [fileOf('bad.qrec', damaged())],
      /bad\.qrec: at byte \d+: the checksum of the chunk is wrong$/,
    ],
    [
      'one of another topology',
      () => [path, { other: pair }],
      /run\.qrec: found topology "pair", expected one of other$/,
    ],
    [
      'one without inputs',
      () => [fileOf('odd.qrec', odd())],
      /odd\.qrec: at byte \d+: found a document that is no list$/,
    ],
    ['no file', () => [join(folder, 'absent')], /cannot read .*absent: ENOENT$/],
  ])('%s', async (_what, file, message) => {
    const { code, io } = await replay(...file());
    expect(io.stderr.text).toMatch(/^quorate: [^\n]+\n$/);
    expect(io.stderr.text.trimEnd()).toMatch(message);
    expect(code).toBe(4);
  });

  it('the simulator has nothing to record', async () => {
    const io = capturedIo();
    const argv = ['story', '--driver', 'simulator', '--record', join(folder, 'x')];
    expect(await runCommand(argv, io)).toBe(4);
    expect(io.stderr.text).toBe(
      'quorate: --record: found driver simulator, expected workers: a simulated run is its seed\n',
    );
  });
});

/** Where its first chunk begins: after the head of the file. */
function firstChunk(bytes: Uint8Array): number {
  return 16 + viewOf(bytes).getUint32(8, true);
}

/** One bit of the data of its first chunk is another. */
function damaged(): Uint8Array {
  const bytes = readFileSync(path);
  bytes[firstChunk(bytes) + 12]! ^= 1;
  return bytes;
}

/** Its first chunk begins with something else than an input, under a right checksum. */
function odd(): Uint8Array {
  const bytes = readFileSync(path);
  const view = viewOf(bytes);
  const at = firstChunk(bytes);
  bytes[at + 12] = 0;
  view.setUint32(at + 8, crc32c(bytes, at + 12, at + 12 + view.getUint32(at + 4, true)), true);
  return bytes;
}
