import type { ScsiReply } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { type BlockDevice, type DiskCommand, Disks } from '../src/os/disks.js';

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
const NO_PATH = { status: -1, sense: NONE };

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
