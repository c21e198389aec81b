import { Checker, type Choices, SeededWorld, type Stamped } from '@quorate/kernel';
import { describe, expect, it, vi } from 'vitest';
import {
  DISK_DURABLE,
  FaultyStore,
  IMMEDIATE_SERVICE,
  ReserveOut,
  read10,
  type ScsiFact,
  SparseStore,
  type StoreFault,
  testUnitReady,
  write10,
} from '../src/index.js';
import { Rig, type RigOptions, stamp } from './rig.js';

function filled(blocks: number, fill: number): Uint8Array {
  return new Uint8Array(512 * blocks).fill(fill);
}

/** First byte of each block; `!` for one that cannot be read. */
function shown(store: FaultyStore, lba: number, blocks: number): string {
  return Array.from({ length: blocks }, (_, i) => {
    const bytes = new Uint8Array(512);
    try {
      store.read(lba + i, 1, bytes);
      return bytes[0]!.toString(16);
    } catch {
      return '!';
    }
  }).join(' ');
}

function faulty(): { store: FaultyStore; faults: string[] } {
  const faults: string[] = [];
  const tell = ({ fault, lba, blocks }: StoreFault): void => {
    faults.push(`${fault} ${lba}+${blocks}`);
  };
  const store = new FaultyStore(new SparseStore({ blocks: 64 }), tell);
  store.write(0, filled(4, 1));
  return { store, faults };
}

describe('FaultyStore', () => {
  it.each([
    ['a latent sector error', (store: FaultyStore) => store.spoil(1, 2), '1 ! ! 1', ['unreadable 1+2']],
    ['a rotten byte', (store: FaultyStore) => store.rot(2, 0), '1 1 fe 1', ['rotten 2+1']],
    [
      'a lost write',
      (store: FaultyStore) => {
        store.loseNextWrite();
        store.write(1, filled(2, 7));
      },
      '1 1 1 1',
      ['lost 1+2'],
    ],
    [
      'a misdirected write',
      (store: FaultyStore) => {
        store.misdirectNextWrite(3);
        store.write(0, filled(2, 7));
      },
      '1 1 1 7 7',
      ['lost 0+2', 'overwritten 3+2'],
    ],
    [
      'a misdirected write over the end',
      (store: FaultyStore) => {
        store.misdirectNextWrite(64);
        store.write(0, filled(2, 7));
      },
      '1 1 1 1',
      ['lost 0+2'],
    ],
  ] as const)('%s lasts until the blocks are written or the disk heals', (_what, fail, expected, told) => {
    const { store, faults } = faulty();
    const blocks = expected.split(' ').length;
    fail(store);
    expect(shown(store, 0, blocks)).toBe(expected);
    expect(shown(store, 0, blocks)).toBe(expected);
    expect(faults).toEqual(told);
    store.write(0, filled(2, 9));
    expect(shown(store, 0, blocks).slice(0, 3)).toBe('9 9');
    store.heal();
    expect(store.faultyBlocks).toBe(0);
    expect(shown(store, 0, blocks)).not.toContain('!');
  });

  it('a stale read gives the version before, once', () => {
    const { store, faults } = faulty();
    store.holdBack(1, 1);
    expect(shown(store, 0, 2)).toBe('1 1');
    store.write(0, filled(2, 7));
    expect([shown(store, 0, 2), shown(store, 0, 2)]).toEqual(['7 1', '7 7']);
    expect(faults).toEqual(['stale 1+1']);
  });

  it('a full pool takes what has room already', () => {
    const { store } = faulty();
    store.fill(true);
    expect(() => store.write(6, filled(4, 2))).toThrow('byte 4096');
    store.write(6, filled(2, 2));
    store.fill(false);
    store.write(6, filled(4, 2));
    expect(shown(store, 6, 4)).toBe('2 2 2 2');
  });

  it('the store below has the truth at any time', () => {
    const { store } = faulty();
    store.loseNextWrite();
    store.write(0, filled(2, 7));
    store.rot(3, 0);
    const bytes = new Uint8Array(4 * 512);
    store.pristine.read(0, 4, bytes);
    expect([bytes[0], bytes[3 * 512]]).toEqual([7, 1]);
    expect([...store.pages()][0]!.bytes[0]).toBe(7);
    store.unmap!(0, 4);
    expect(shown(store, 0, 4)).toBe('0 0 0 0');
  });
});

/** A unit over a disk that fails, with its facts and what S17 makes of them. */
function watched(options: RigOptions = {}) {
  const checker = new Checker([DISK_DURABLE]);
  let seq = 0;
  let rig: Rig | undefined;
  const observe = (fact: ScsiFact): void => {
    seq += 1;
    checker.observe(stamp(fact, seq) as Stamped);
  };
  const store = new FaultyStore(new SparseStore({ blocks: 2048 }), (fault) =>
    observe({ kind: 'scsi.store-fault', now: rig?.now ?? 0, lun: 0, ...fault }),
  );
  const units = [{ store, tellsContent: true, isThin: true, service: IMMEDIATE_SERVICE }];
  rig = new Rig({ ...options, units, observe }).login(1, 2);
  return { rig, store, violations: () => checker.violations.map((violation) => violation.message) };
}

describe('a unit over such a disk', () => {
  it('a latent sector error is a medium error with its LBA, until the block is written', () => {
    const { rig, store } = watched();
    store.spoil(5, 1);
    expect(rig.outcome(1, read10(4, 4))).toBe('3/11/00');
    expect(rig.ended.at(-1)!.sense.slice(3, 7)).toEqual(Uint8Array.of(0, 0, 0, 5));
    expect(rig.outcome(1, write10(5, 1), filled(1, 1))).toBe('00');
    expect(rig.outcome(1, read10(4, 4))).toBe('00');
  });

  it('a full pool is SPACE ALLOCATION FAILED', () => {
    const { rig, store } = watched();
    store.fill(true);
    expect(rig.outcome(1, write10(8, 1), filled(1, 1))).toBe('7/27/07');
  });

  it.each([
    ['busy', '08'],
    ['task-set-full', '28'],
  ] as const)('a nexus that gets %s', (answer, outcome) => {
    const { rig } = watched();
    rig.step({ kind: 'impair', nexus: 1, impairment: { answer } });
    expect([rig.outcome(1, read10(0, 1)), rig.outcome(2, read10(0, 1))]).toEqual([outcome, '00']);
    rig.step({ kind: 'impair', nexus: 1, impairment: {} });
    expect(rig.outcome(1, testUnitReady())).toBe('00');
  });
});

describe('S17 disk-durable', () => {
  it('holds over writes, rewrites, unmaps and torn writes', () => {
    const { rig, violations } = watched({ world: new SeededWorld({ hi: 0, lo: 9 }) });
    for (let i = 0; i < 200; i++) {
      const lba = (i * 37) % 60;
      rig.outcome(1 + (i % 2), write10(lba, 1 + (i % 5)), filled(1 + (i % 5), i));
      if (i % 7 === 0) rig.outcome(1, Uint8Array.of(0x41, 0x08, 0, 0, 0, lba, 0, 0, 3, 0), filled(1, 0));
      rig.outcome(2, read10((i * 11) % 60, 8));
    }
    expect(rig.facts.filter((fact) => fact.kind === 'scsi.read').length).toBe(200);
    expect(violations()).toEqual([]);
  });

  it('finds a write that a store forgets', () => {
    const { rig, store, violations } = watched();
    rig.outcome(1, write10(0, 1), filled(1, 1));
    const write = vi.spyOn(store.pristine, 'write').mockImplementation(() => {});
    rig.outcome(1, write10(0, 1), filled(1, 2));
    write.mockRestore();
    rig.outcome(2, read10(0, 1));
    expect(violations()).toEqual([
      expect.stringMatching(/^block 0 of LUN 0 is not what was written last: found .{8},/),
    ]);
  });

  it.each([
    ['lost', (store: FaultyStore) => store.loseNextWrite()],
    ['misdirected', (store: FaultyStore) => store.misdirectNextWrite(4)],
    ['misdirected onto itself', (store: FaultyStore) => store.misdirectNextWrite(1)],
    ['stale', (store: FaultyStore) => store.holdBack(0, 4)],
    ['rotten', (store: FaultyStore) => store.rot(1, 77)],
  ] as const)('leaves out what was declared: %s', (_what, fail) => {
    const { rig, store, violations } = watched();
    for (const lba of [0, 4]) rig.outcome(1, write10(lba, 4), filled(4, 1));
    fail(store);
    rig.outcome(1, write10(0, 2), filled(2, 2));
    for (let i = 0; i < 2; i++) rig.outcome(2, read10(0, 8));
    for (const lba of [0, 4]) rig.outcome(1, write10(lba, 4), filled(4, 3));
    rig.outcome(2, read10(0, 8));
    expect(violations()).toEqual([]);
  });

  it('does not forgive what heals without having been told', () => {
    const { rig, store, violations } = watched();
    rig.outcome(1, write10(0, 2), filled(2, 1));
    store.pristine.write(1, filled(1, 9));
    rig.outcome(2, read10(0, 2));
    expect(violations().length).toBe(1);
  });
});

it('a victim whose aborted write the store cannot take does not spoil the answer of who fences it', () => {
  const choices: Choices = {
    choose: (kind) => (kind === 'abort' || kind === 'torn' ? 1 : 0),
    happens: () => false,
    exponential: () => 0,
  };
  const store = new FaultyStore(new SparseStore({ blocks: 2048 }));
  const rig = new Rig({ units: [{ store, isThin: true }], world: { choices: () => choices } }).login(1, 2);
  rig.reserveOut(1, ReserveOut.register, 0, 0n, 1n);
  rig.reserveOut(2, ReserveOut.register, 0, 0n, 2n);
  rig.reserveOut(1, ReserveOut.reserve, 5, 1n);
  store.fill(true);
  const tag = rig.send(2, write10(0, 2048), filled(2048, 7));
  expect(rig.reserveOut(1, ReserveOut.preemptAndAbort, 5, 1n, 2n)).toBe('00');
  expect(rig.responseTo(2, tag)).toBeUndefined();
});
