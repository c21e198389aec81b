import { type ScsiReply, viewOf } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { type BlockDevice, type DiskCommand, Disks } from '../src/os/disks.js';
import { HostStatus } from '../src/os/host-status.js';

const DISK: BlockDevice = { path: '/dev/sda', aliases: ['/dev/block/8:0'], lun: 3, start: 0, blocks: 1000 };
const PARTITION: BlockDevice = { path: '/dev/sda1', lun: 3, start: 63, blocks: 100 };

/** Fixed format sense data with that key. */
function sense(key: number): Uint8Array {
  const bytes = new Uint8Array(18);
  bytes.set([0x70, 0, key, 0, 0, 0, 0, 10]);
  return bytes;
}

const NONE = new Uint8Array(0);
const GOOD = { status: 0, sense: NONE };
const UNIT_ATTENTION = { status: 2, sense: sense(6) };
const MEDIUM_ERROR = { status: 2, sense: sense(3) };
const BUSY = { status: 8, sense: NONE };
const RESERVATION_CONFLICT = { status: 0x18, sense: NONE };
const TASK_SET_FULL = { status: 0x28, sense: NONE };
const NO_PATH = { status: HostStatus.noConnect, sense: NONE };
const PATH_BROKE = { status: HostStatus.transportDisrupted, sense: NONE };

function setUp() {
  const sent: DiskCommand[] = [];
  const ended: string[] = [];
  const disks = new Disks([DISK, PARTITION], (command) => sent.push({ ...command, data: command.data.slice() }));
  const owner = {
    transferDone: (id: number, data: Uint8Array, error: string | undefined) => {
      ended.push(`${id}: ${error ?? `${data.length} bytes`}`);
    },
  };
  return { disks, sent, ended, owner };
}

describe('a transfer', () => {
  it.each([
    ['ends with its data', [GOOD], '7: 512 bytes'],
    ['is sent again after a unit attention', [UNIT_ATTENTION, UNIT_ATTENTION, GOOD], '7: 512 bytes'],
    ['is sent again to a full task set', [TASK_SET_FULL, BUSY, GOOD], '7: 512 bytes'],
    ['is given up after five attempts', Array(5).fill(UNIT_ATTENTION), '7: EIO'],
    ['fails at a reservation conflict', [RESERVATION_CONFLICT], '7: EIO'],
    ['fails at a medium error', [MEDIUM_ERROR], '7: EIO'],
    ['fails without a path to the disk', [NO_PATH], '7: EIO'],
    ['is sent again when the path broke meanwhile', [PATH_BROKE, GOOD], '7: 512 bytes'],
  ])('%s', (_, replies, outcome) => {
    const { disks, sent, ended, owner } = setUp();
    disks.read(PARTITION, 5, 1, owner, 7);
    for (const { status, sense: bytes } of replies) {
      expect(ended).toEqual([]);
      disks.onDone(sent.at(-1)!.tag, status, bytes, new Uint8Array(status === 0 ? 512 : 0));
    }
    expect(ended).toEqual([outcome]);
    expect(sent).toHaveLength(replies.length);
    expect(new Set(sent.map(({ tag }) => tag)).size).toBe(replies.length);
  });

  it('discards with UNMAP, as many blocks at once as the disk takes', () => {
    const { sent, ended, owner } = setUp();
    const large = { path: '/dev/sdb', lun: 1, start: 63, blocks: 200_000 };
    const disks = new Disks([large], (command) => sent.push({ ...command, data: command.data.slice() }));
    disks.discard(large, 10, 100_000, owner, 4);
    expect(sent.map(({ cdb }) => cdb[0])).toEqual([0x42, 0x42]);
    const ranges = sent.map(({ data }) => [viewOf(data).getUint32(12), viewOf(data).getUint32(16)]);
    expect(ranges).toEqual([
      [73, 65_536],
      [65_609, 34_464],
    ]);
    for (const { tag } of sent) disks.onDone(tag, 0, NONE, NONE);
    disks.discard(large, 199_999, 2, owner, 5);
    disks.discard(large, 0, 1, owner, 6);
    const unknownCommand = sense(5);
    unknownCommand[12] = 0x20;
    disks.onDone(sent.at(-1)!.tag, 2, unknownCommand, NONE);
    expect(ended).toEqual(['4: 0 bytes', '5: EIO', '6: EOPNOTSUPP']);
  });

  it('addresses the disk from the start of the device', () => {
    const { disks, sent, owner } = setUp();
    disks.read(PARTITION, 5, 2, owner, 1);
    disks.write(DISK, 5, new Uint8Array(1024), owner, 2);
    disks.flush(PARTITION, owner, 3);
    const seen = sent.map(({ lun, cdb, data }) => [lun, cdb[0], (cdb[4]! << 8) | cdb[5]!, cdb[8], data.length]);
    expect(seen).toEqual([
      [3, 0x28, 68, 2, 0],
      [3, 0x2a, 5, 2, 1024],
      [3, 0x35, 0, 0, 0],
    ]);
  });

  it('that is written again has the bytes of its first attempt', () => {
    const { disks, sent, owner } = setUp();
    const lent = new Uint8Array(512).fill(1);
    disks.write(DISK, 0, lent, owner, 1);
    lent.fill(2);
    disks.onDone(sent[0]!.tag, UNIT_ATTENTION.status, UNIT_ATTENTION.sense, NONE);
    expect(sent[1]!.data[0]).toBe(1);
  });

  it.each([
    ['reading', (s: ReturnType<typeof setUp>) => s.disks.read(PARTITION, 99, 2, s.owner, 7)],
    ['writing', (s: ReturnType<typeof setUp>) => s.disks.write(PARTITION, 100, new Uint8Array(512), s.owner, 7)],
    ['reading before the start', (s: ReturnType<typeof setUp>) => s.disks.read(PARTITION, -1, 1, s.owner, 7)],
  ])('outside of its device fails and reaches no neighbour: %s', (_, transfer) => {
    const s = setUp();
    transfer(s);
    expect([s.sent, s.ended]).toEqual([[], ['7: EIO']]);
  });

  it('ends once: what comes with an unknown tag is nobody’s', () => {
    const { disks, sent, ended, owner } = setUp();
    disks.read(DISK, 0, 1, owner, 1);
    for (const tag of [sent[0]!.tag, sent[0]!.tag, 999]) disks.onDone(tag, 0, NONE, NONE);
    expect(ended).toHaveLength(1);
  });
});

describe('a device in several extents', () => {
  const VOLUME: BlockDevice = {
    path: '/dev/mapper/a-b',
    lun: 3,
    start: 500,
    blocks: 30,
    extents: [
      { lun: 3, start: 500, blocks: 10 },
      { lun: 4, start: 70, blocks: 15 },
      { lun: 3, start: 20, blocks: 5 },
    ],
  };
  const places = (sent: readonly DiskCommand[]): string[] =>
    sent.map(({ lun, cdb, data }) => `${lun}: ${(cdb[4]! << 8) | cdb[5]!} + ${cdb[8]} ${data[0] ?? ''}`.trim());

  it.each([
    [0, 10, ['3: 500 + 10']],
    [10, 15, ['4: 70 + 15']],
    [9, 2, ['3: 509 + 1', '4: 70 + 1']],
    [8, 20, ['3: 508 + 2', '4: 70 + 15', '3: 20 + 3']],
  ])('is read from block %d, %d blocks, in the right places', (at, blocks, expected) => {
    const { disks, sent, owner } = setUp();
    disks.read(VOLUME, at, blocks, owner, 1);
    expect(places(sent)).toEqual(expected);
  });

  it('gives what was read in order, whichever disk answers first', () => {
    const { disks, sent } = setUp();
    const read: Uint8Array[] = [];
    disks.read(VOLUME, 9, 2, { transferDone: (_id, data) => read.push(data.slice()) }, 1);
    for (const [i, fill] of [
      [1, 7],
      [0, 6],
    ] as const)
      disks.onDone(sent[i]!.tag, 0, NONE, new Uint8Array(512).fill(fill));
    expect([read.length, read[0]![511], read[0]![512], read[0]!.length]).toEqual([1, 6, 7, 1024]);
  });

  it('is written in parts, and fails when one of them does', () => {
    const { disks, sent, ended, owner } = setUp();
    const data = new Uint8Array(1024).fill(1, 0, 512).fill(2, 512);
    disks.write(VOLUME, 24, data, owner, 1);
    expect(places(sent)).toEqual(['4: 84 + 1 1', '3: 20 + 1 2']);
    disks.onDone(sent[0]!.tag, MEDIUM_ERROR.status, MEDIUM_ERROR.sense, NONE);
    expect(ended).toEqual([]);
    disks.onDone(sent[1]!.tag, 0, NONE, NONE);
    expect(ended).toEqual(['1: EIO']);
  });

  it('is flushed when each of its disks is', () => {
    const { disks, sent, ended, owner } = setUp();
    disks.flush(VOLUME, owner, 1);
    expect(sent.map(({ lun, cdb }) => [lun, cdb[0]])).toEqual([
      [3, 0x35],
      [4, 0x35],
    ]);
    for (const { tag } of sent) disks.onDone(tag, 0, NONE, NONE);
    expect(ended).toEqual(['1: 0 bytes']);
  });
});

it('a pass-through is sent once and gives back what the disk says', () => {
  const { disks, sent } = setUp();
  const replies: ScsiReply[] = [];
  disks.passThrough(DISK, Uint8Array.of(0, 0, 0, 0, 0, 0), NONE, (reply) => replies.push(reply));
  disks.onDone(sent[0]!.tag, UNIT_ATTENTION.status, UNIT_ATTENTION.sense, NONE);
  expect([sent.length, replies]).toEqual([1, [{ ...UNIT_ATTENTION, data: NONE }]]);
});

it.each([
  ['/dev/sda', DISK],
  ['/dev/block/8:0', DISK],
  ['/dev/sda1', PARTITION],
  ['/dev/sdb', undefined],
])('%s is found by its name', (path, device) => {
  const { disks } = setUp();
  expect(disks.device(path)).toBe(device);
  expect(disks.devices()).toEqual([DISK, PARTITION]);
});

describe('disks of several SCSI hosts', () => {
  const REMOTE: BlockDevice = { path: '/dev/sdb', host: 2, lun: 3, start: 0, blocks: 1000 };
  const VOLUME: BlockDevice = {
    path: '/dev/mapper/a-b',
    lun: 3,
    start: 500,
    blocks: 20,
    extents: [
      { lun: 3, start: 500, blocks: 10 },
      { host: 2, lun: 3, start: 0, blocks: 10 },
    ],
  };
  const setUpHosts = () => {
    const sent: string[] = [];
    const disks = new Disks([DISK], ({ lun, cdb }, host) => sent.push(`${host ?? 'shared'} ${lun}: ${cdb[0]}`));
    return { disks, sent, owner: { transferDone: () => {} } };
  };

  it('each get what is theirs', () => {
    const { disks, sent, owner } = setUpHosts();
    disks.addDisk(REMOTE);
    disks.read(DISK, 0, 1, owner, 1);
    disks.read(REMOTE, 0, 1, owner, 2);
    disks.passThrough(REMOTE, Uint8Array.of(0, 0, 0, 0, 0, 0), NONE, () => {});
    expect(sent).toEqual(['shared 3: 40', '2 3: 40', '2 3: 0']);
  });

  it('are different disks below one volume, be their LUNs the same', () => {
    const { disks, sent, owner } = setUpHosts();
    disks.flush(VOLUME, owner, 1);
    disks.read(VOLUME, 9, 2, owner, 2);
    expect(sent).toEqual(['shared 3: 53', '2 3: 53', 'shared 3: 40', '2 3: 40']);
  });

  it('come and go', () => {
    const { disks } = setUpHosts();
    disks.addDisk(REMOTE);
    expect(disks.wholeDisks).toEqual([DISK, REMOTE]);
    disks.removeDisk(REMOTE);
    expect([disks.wholeDisks, disks.device('/dev/sdb')]).toEqual([[DISK], undefined]);
  });
});

it('a pass-through hears of a path that broke as of one that is gone', () => {
  const { disks, sent } = setUp();
  const statuses: number[] = [];
  for (const { status } of [NO_PATH, PATH_BROKE]) {
    disks.passThrough(DISK, Uint8Array.of(0, 0, 0, 0, 0, 0), NONE, (reply) => statuses.push(reply.status));
    disks.onDone(sent.at(-1)!.tag, status, NONE, NONE);
  }
  expect(statuses).toEqual([-1, -1]);
});
