import { Prng } from '@quorate/kernel';
import { SparseStore } from '@quorate/scsi';
import { describe, expect, it } from 'vitest';
import { isThorough } from '../../../tooling/thorough.js';
import {
  createVolume,
  extendVolume,
  FormatError,
  finish,
  lvsReport,
  mapVolume,
  pvsReport,
  readPartitionTable,
  type SectorDevice,
  scanVolumes,
  storeDevice,
  VolumeError,
  vgsReport,
  writePartitionTable,
} from '../src/index.js';
import { lvmChecksum } from '../src/lvm/checksum.js';
import { TestMachine } from './machine.js';

/** Where things stand on the disk, in bytes. */
const LABEL = 512;
const HEADER = 4096;
const AREA_SIZE = 1_044_480;

/** Where the text in force lies, in bytes from the start of its area. */
function textOf(store: SparseStore): { readonly offset: number; readonly size: number } {
  const header = new Uint8Array(512);
  store.read(HEADER / 512, 1, header);
  const view = new DataView(header.buffer);
  return { offset: Number(view.getBigUint64(40, true)), size: Number(view.getBigUint64(48, true)) };
}

function goesRoundEnd(store: SparseStore): boolean {
  const { offset, size } = textOf(store);
  return offset + size > AREA_SIZE;
}

/** A disk with a label and a group of three volumes; its text goes round the end of its area or not. */
function grown(goesRound: boolean): SparseStore {
  const machine = new TestMachine([64]).pvCreate(2);
  machine.vgCreate();
  for (const name of ['a', 'b', 'c']) machine.change((group) => createVolume(group, machine.newVolume(name, 2)));
  machine.change((group) => extendVolume(group, 'a', 3));
  const [store] = machine.stores;
  while (goesRound && !goesRoundEnd(store!)) machine.change((group) => group);
  return store!;
}

/** A device that counts what is read. */
function counted(store: SparseStore): { readonly device: SectorDevice; sectorsRead: number } {
  const below = storeDevice('/dev/sda', store);
  const counter = { device: below, sectorsRead: 0 };
  counter.device = {
    ...below,
    *read(sector, count) {
      counter.sectorsRead += count;
      return yield* below.read(sector, count);
    },
  };
  return counter;
}

/** Values that break sums, products and allocations which are not checked. */
const EXTREMES = [
  0n,
  1n,
  2n,
  511n,
  512n,
  4095n,
  1n << 31n,
  0xffff_ffffn,
  1n << 32n,
  1n << 53n,
  (1n << 63n) - 1n,
  (1n << 64n) - 1n,
];
const TOKENS = [
  '{',
  '}',
  '[',
  ']',
  '"',
  '#',
  ',',
  '=',
  '0',
  '-1',
  '99999999999999999999',
  '1e9',
  'segment1',
  '\0',
  '\n',
  '\\"',
];

/** One way to damage bytes. Returns what was done, for the message of a failure. */
function mutate(bytes: Uint8Array, prng: Prng): string {
  const at = prng.below(bytes.length);
  switch (prng.below(5)) {
    case 0:
      bytes[at] = bytes[at]! ^ (1 << prng.below(8));
      return `bit at ${at}`;
    case 1: {
      const field = at & ~7;
      const value = EXTREMES[prng.below(EXTREMES.length)]!;
      if (field + 8 <= bytes.length) new DataView(bytes.buffer, bytes.byteOffset).setBigUint64(field, value, true);
      return `${value} at ${field}`;
    }
    case 2: {
      const token = TOKENS[prng.below(TOKENS.length)]!;
      for (let i = 0; i < token.length && at + i < bytes.length; i++) bytes[at + i] = token.charCodeAt(i);
      return `${JSON.stringify(token)} at ${at}`;
    }
    case 3: {
      const from = prng.below(bytes.length);
      const length = prng.below(64);
      bytes.copyWithin(at, from, Math.min(from + length, bytes.length));
      return `${length} bytes from ${from} at ${at}`;
    }
    default: {
      const end = Math.min(at + prng.below(64), bytes.length);
      for (let i = at; i < end; i++) bytes[i] = prng.below(256);
      return `noise at ${at} to ${end}`;
    }
  }
}

/** Reads sectors, lets `change` have them, and writes them back. */
function patch(store: SparseStore, sector: number, count: number, change: (bytes: Uint8Array) => void): void {
  const bytes = new Uint8Array(count * 512);
  store.read(sector, count, bytes);
  change(bytes);
  store.write(sector, bytes);
}

function bytesAt(store: SparseStore, at: number, length: number): Uint8Array {
  const sector = Math.floor(at / 512);
  const bytes = new Uint8Array((Math.floor((at + length) / 512) + 1 - sector) * 512);
  store.read(sector, bytes.length / 512, bytes);
  return bytes.subarray(at % 512, (at % 512) + length);
}

/** Makes checksums right again, so that what lies behind them is reached. */
function reseal(store: SparseStore): void {
  patch(store, HEADER / 512, 1, (header) => {
    const view = new DataView(header.buffer);
    const offset = Number(view.getBigUint64(40, true));
    const size = Number(view.getBigUint64(48, true));
    if (offset >= 512 && offset < AREA_SIZE && size <= 64 * 1024) {
      const first = Math.min(size, AREA_SIZE - offset);
      const head = bytesAt(store, HEADER + offset, first);
      view.setUint32(56, lvmChecksum(head, bytesAt(store, HEADER + 512, size - first)), true);
    }
    view.setUint32(0, lvmChecksum(header.subarray(4)), true);
  });
  patch(store, LABEL / 512, 1, (label) => {
    new DataView(label.buffer).setUint32(16, lvmChecksum(label.subarray(20)), true);
  });
}

/** What a scan and everything that looks at its result may come to. */
function outcomeOf(store: SparseStore): { readonly kind: string; readonly sectorsRead: number } {
  const counter = counted(store);
  const scan = finish(scanVolumes([counter.device]));
  for (const { error } of scan.defects) {
    expect(error).toBeInstanceOf(FormatError);
    expect(error.message).toBe(
      `${error.structure} at byte ${error.offset}: ${error.message.split(': ').slice(1).join(': ')}`,
    );
    expect(error.message.length).toBeLessThan(400);
  }
  pvsReport(scan);
  vgsReport(scan.groups);
  lvsReport(scan.groups);
  for (const { group } of scan.groups) {
    for (const { name } of group.logicalVolumes) {
      try {
        mapVolume(group, name);
      } catch (error) {
        expect(error).toBeInstanceOf(VolumeError);
      }
    }
  }
  const kind = scan.defects[0]?.error.structure ?? (scan.groups.length > 0 ? 'a group' : 'nothing');
  return { kind, sectorsRead: counter.sectorsRead };
}

const HEADERS = isThorough ? 10_000 : 2000;

describe(`${HEADERS} mutated headers`, () => {
  const bases = [grown(false), grown(true)];
  /** What is damaged: label, header of the area, and the text as far as the end of its area. */
  const targets = bases.map((base) => {
    const { offset, size } = textOf(base);
    return [
      { sector: LABEL / 512, bytes: 176 },
      { sector: HEADER / 512, bytes: 96 },
      { sector: (HEADER + offset) / 512, bytes: Math.min(size, AREA_SIZE - offset) },
    ];
  });

  it('each is read, or refused with structure and offset, and never more than a few areas are read', () => {
    const prng = Prng.derive({ hi: 0, lo: 7 }, 'volumes/mutations');
    const counts: Record<string, number> = {};
    for (let i = 0; i < HEADERS; i++) {
      const store = new SparseStore({ base: bases[i % 2]! });
      const done: string[] = [];
      for (let times = 1 + prng.below(3); times > 0; times--) {
        const { sector, bytes } = targets[i % 2]![prng.below(3)]!;
        patch(store, sector, Math.ceil(bytes / 512), (read) => done.push(mutate(read.subarray(0, bytes), prng)));
      }
      if (prng.below(4) > 0) reseal(store);
      try {
        const { kind, sectorsRead } = outcomeOf(store);
        counts[kind] = (counts[kind] ?? 0) + 1;
        expect(sectorsRead).toBeLessThan(4 + 28 * (1 + 2040));
      } catch (cause) {
        throw new Error(`mutation ${i}: ${done.join(', ')}`, { cause });
      }
    }
    // The damage reaches every layer, and is not always noticed: a bit of a name is as good as another.
    expect(Object.keys(counts).sort()).toEqual([
      'a group',
      'label_header',
      'mda_header',
      'metadata text',
      'nothing',
      'pv_header',
    ]);
  });
});

it('two thousand mutated partition tables are read, or refused', () => {
  const disk = new SparseStore({ blocks: 200_000 });
  const extended = { number: 1, isActive: false, type: 5, start: 63, sectors: 150_000 };
  const logical = [5, 6, 7, 8].map((number, i) => {
    const ebr = 63 + i * 16_065;
    return { number, isActive: false, type: 0x83, start: ebr + 63, sectors: 10_000, ebr };
  });
  finish(writePartitionTable(storeDevice('/dev/sda', disk), { signature: 1, partitions: [extended, ...logical] }));
  const prng = Prng.derive({ hi: 0, lo: 8 }, 'volumes/mutations');
  let refused = 0;
  for (let i = 0; i < 2000; i++) {
    const store = new SparseStore({ base: disk });
    const sector = new Uint8Array(512);
    const at = [0, ...logical.map(({ ebr }) => ebr)][prng.below(5)]!;
    store.read(at, 1, sector);
    mutate(sector.subarray(440), prng);
    store.write(at, sector);
    try {
      finish(readPartitionTable(storeDevice('/dev/sda', store)));
    } catch (error) {
      expect(error).toBeInstanceOf(FormatError);
      refused += 1;
    }
  }
  expect(refused).toBeGreaterThan(100);
});
