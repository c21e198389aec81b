import { bytesEqual, type Os, type Task, TaskRunner } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { type BlockDevice, findQuorumDisk, mkqdiskProgram } from '../src/index.js';
import { recordedImages } from './images.js';

/** A device over an array of bytes. */
function device(paths: readonly string[], bytes: Uint8Array, changes: Partial<BlockDevice> = {}): BlockDevice {
  const sectorSize = changes.sectorSize ?? 512;
  return {
    paths,
    sectorSize,
    sectors: bytes.length / sectorSize,
    isHeld: false,
    *readSector(sector) {
      return bytes.subarray(sector * sectorSize, (sector + 1) * sectorSize);
    },
    *writeSector(sector, data): Task<undefined> {
      bytes.set(data, sector * sectorSize);
    },
    ...changes,
  };
}

function finish<T>(task: Task<T>): T {
  let result: unknown;
  const runner = new TaskRunner((_now, _id, request) => {
    throw new Error(`unexpected request ${String(request)}`);
  });
  runner.step(0, { kind: 'start', id: runner.newId(), task }, (output) => {
    result = output.result;
  });
  return result as T;
}

function run(
  devices: readonly BlockDevice[],
  line: string,
  input = '',
): { text: string; errors: string; status: number } {
  let [text, errors] = ['', ''];
  const os = {
    hostname: 'my-vm1',
    input,
    print: (printed: string) => {
      text += printed;
    },
    printError: (printed: string) => {
      errors += printed;
    },
    wall: () => ({ sec: 1_446_127_500, nsec: 0 }),
  } as unknown as Os;
  const status = finish(
    mkqdiskProgram(() => devices)(['mkqdisk', ...line.split(' ').filter((word) => word !== '')], os),
  );
  expect(text.startsWith('mkqdisk v3.0.12.1\n\n')).toBe(true);
  return { text: text.slice('mkqdisk v3.0.12.1\n\n'.length), errors, status };
}

const images = recordedImages();
const SDC1 = ['/dev/block/8:33', '/dev/disk/by-id/scsi-3600-part1', '/dev/sdc1'];
const image = (name: string): Uint8Array => images.get(name)!.slice();
const SDC1_TEXT = `/dev/block/8:33:
/dev/disk/by-id/scsi-3600-part1:
/dev/sdc1:
	Magic:                eb7a62c2
	Label:                myqdisk
	Created:              Thu Oct 29 14:05:00 2015
	Host:                 my-vm1
	Kernel Sector Size:   512
	Recorded Sector Size: 512

`;

describe('mkqdisk -L', () => {
  it('prints what it finds, all paths first', () => {
    const devices = [device(['/dev/sda'], new Uint8Array(100_352)), device(SDC1, image('01-mkqdisk-ssz512'))];
    expect(run(devices, '-L')).toEqual({ text: SDC1_TEXT, errors: '', status: 0 });
  });

  it.each([
    ['nothing there', device(SDC1, new Uint8Array(73_728))],
    ['the device is held', device(SDC1, image('01-mkqdisk-ssz512'), { isHeld: true })],
    ['too small', device(SDC1, image('01-mkqdisk-ssz512').subarray(0, 73_216))],
    ['made for another sector size', device(SDC1, image('02-mkqdisk-ssz4096'))],
    [
      'unreadable',
      device(SDC1, image('01-mkqdisk-ssz512'), {
        *readSector() {
          return 'EIO' as const;
        },
      }),
    ],
  ])('%s: prints nothing, exit status 255', (_, odd) => {
    expect(run([odd], '-L')).toEqual({ text: '', errors: '', status: 255 });
  });

  it('a header without a version has no recorded sector size', () => {
    const { text } = run([device(['/dev/sdc1'], image('02-mkqdisk-ssz4096'), { sectorSize: 4096 })], '-L');
    expect(text).toContain('\tKernel Sector Size:   4096\n\tRecorded Sector Size: 4096\n\n');
  });

  it('with -d five times it also tells of every status block that is in use', () => {
    const { errors } = run([device(SDC1, image('07-node2-evicted-by-node3'))], '-L -d -dddd');
    expect(errors.split('Status block').length - 1).toBe(4);
    expect(errors).toContain('Status block for node 2\n\tLast updated by node 3\n');
    expect(errors).toMatch(
      /Status block for node 3\n\tLast updated by node 3\n\tLast updated on .*\n\tState: Master\n\tFlags: 0000\n\tScore: 0\/0\n\tAverage Cycle speed: 0\.\d{6} seconds\n\tLast Cycle speed: 0\.\d{6} seconds\n\tIncarnation: [0-9a-f]{16}\n/,
    );
  });

  it('a status block that cannot be read is mentioned from -dd on', () => {
    const bytes = image('01-mkqdisk-ssz512');
    bytes[3 * 4096 + 40]! ^= 1;
    expect(run([device(SDC1, bytes)], '-L -dd').errors).toBe('Error reading node ID block 3\n');
    expect(run([device(SDC1, bytes)], '-L').errors).toBe('');
  });
});

describe('mkqdisk -f', () => {
  it('prints the devices that carry the label', () => {
    const devices = [device(SDC1, image('01-mkqdisk-ssz512'))];
    expect(run(devices, '-f myqdisk')).toEqual({ text: SDC1_TEXT, errors: '', status: 0 });
    expect(run(devices, '-fother').status).toBe(255);
  });
});

describe('mkqdisk -c', () => {
  const question =
    "Writing new quorum disk label 'myqdisk' to /dev/sdc1.\n" +
    'WARNING: About to destroy all data on /dev/sdc1; proceed [N/y] ? ';
  const progress = Array.from({ length: 16 }, (_, i) => `Initializing status block for node ${i + 1}...\n`).join('');

  it('writes the image of the original', () => {
    const bytes = new Uint8Array(73_728);
    const { text, status } = run([device(SDC1, bytes)], '-c /dev/sdc1 -l myqdisk', 'y\n');
    expect({ text, status }).toEqual({ text: question + progress, status: 0 });
    expect(bytesEqual(bytes, image('01-mkqdisk-ssz512'))).toBe(true);
  });

  it('tells when a quorum disk is there already', () => {
    const { text } = run([device(SDC1, image('05-node1-master'))], '-c /dev/sdc1 -l myqdisk', 'y');
    expect(text).toBe(`${question}Warning: Initializing previously initialized partition\n${progress}`);
  });

  it.each(['', 'n', 'Y'])('anything but y ("%s") changes nothing', (answer) => {
    const bytes = new Uint8Array(73_728);
    const { text, status } = run([device(SDC1, bytes)], '-c /dev/sdc1 -l myqdisk', answer);
    expect({ text, status }).toEqual({ text: `${question}Good thinking.\n`, status: 0 });
    expect(bytesEqual(bytes, new Uint8Array(73_728))).toBe(true);
  });

  it.each([
    ['-c /dev/sdc1', 'Both a device and a label are required\n', '', 1],
    ['-l myqdisk', 'Both a device and a label are required\n', '', 1],
    ['', 'usage: mkqdisk -L | -f <label> | -c <device> -l <label>\n', '', 1],
    ['-h', 'usage: mkqdisk -L | -f <label> | -c <device> -l <label> [-d]\n', '', 0],
    ['-x', 'usage: mkqdisk -L | -f <label> | -c <device> -l <label>\n', "mkqdisk: invalid option -- 'x'\n", 1],
    [
      '-c',
      'usage: mkqdisk -L | -f <label> | -c <device> -l <label>\n',
      "mkqdisk: option requires an argument -- 'c'\n",
      1,
    ],
  ])('mkqdisk %s', (line, text, errors, status) => {
    expect(run([], line)).toEqual({ text, errors, status });
  });

  it('a device that is not there, too small or failing gives 255', () => {
    const line = '-ddd -c /dev/sdc1 -l myqdisk';
    expect(run([], line, 'y')).toMatchObject({ errors: '', status: 255 });
    const small = device(SDC1, new Uint8Array(512));
    expect(run([small], line, 'y')).toMatchObject({ errors: 'Partition /dev/sdc1 too small\n', status: 255 });
    let writes = 0;
    const failing = device(SDC1, new Uint8Array(73_728), {
      *writeSector() {
        writes += 1;
        return writes === 3 ? ('EIO' as const) : undefined;
      },
    });
    const { text, status } = run([failing], line, 'y');
    expect(status).toBe(255);
    expect(text.endsWith('node 2...\nError writing node ID block 2\n')).toBe(true);
  });
});

describe('the quorum disk that qdiskd uses', () => {
  it('is the first match, under its first path; further matches are counted', () => {
    const one = device(SDC1, image('01-mkqdisk-ssz512'));
    const other = device(['/dev/sdd1'], image('05-node1-master'));
    expect(finish(findQuorumDisk([one, other], { label: 'myqdisk', device: '/dev/sdd1' }))).toEqual({
      path: '/dev/block/8:33',
      device: one,
      matches: 2,
    });
  });

  it('is the device that is named, under that name, when no label is', () => {
    const one = device(SDC1, image('01-mkqdisk-ssz512'), { isHeld: true });
    expect(finish(findQuorumDisk([one], { device: '/dev/sdc1' }))).toEqual({
      path: '/dev/sdc1',
      device: one,
      matches: 1,
    });
  });

  it.each([
    [{ label: 'other' }, "Unable to match label 'other' to any device"],
    [{ device: '/dev/sdz' }, 'Specified partition /dev/sdz does not have a qdisk label'],
    [{ device: '/dev/sdd1' }, 'Specified partition /dev/sdd1 does not have a qdisk label'],
    [{ device: '/dev/sde1' }, "Specified device /dev/sde1 does not match kernel's reported sector size (4096 != 512)"],
    [{}, 'No device or label specified'],
  ])('%j: %s', (wanted, why) => {
    const devices = [
      device(SDC1, image('01-mkqdisk-ssz512')),
      device(['/dev/sdd1'], new Uint8Array(73_728)),
      device(['/dev/sde1'], image('02-mkqdisk-ssz4096')),
    ];
    expect(finish(findQuorumDisk(devices, wanted))).toBe(why);
  });
});
