import { fromHex, hex } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import {
  decodeVpd,
  IMMEDIATE_SERVICE,
  inquiry,
  modeSense6,
  requestSense,
  SparseStore,
  senseOf,
  senseText,
  testUnitReady,
  unmap,
  write10,
} from '../src/index.js';
import { Rig } from './rig.js';

const SETS = 8;
/** Blocks of a threshold set: 1 MiB. */
const SET = 2048;

/** `15 10 00 00 .. 00` with the length of the list, and the list of pages. */
function modeSelect(...pages: readonly string[]): [Uint8Array, Uint8Array] {
  const data = fromHex(`00000000${pages.join('')}`);
  return [Uint8Array.of(0x15, 0x10, 0, 0, data.length, 0), data];
}

const REPORTING = `010a${'00'.repeat(5)}80${'00'.repeat(4)}`;
const SILENT = `010a${'00'.repeat(10)}`;

/** The logical block provisioning mode page with that SITUA and these descriptors. */
function thresholds(situa: number, ...descriptors: readonly string[]): string {
  const all = descriptors.join('').padEnd(64, '0');
  return `5c02002c${hex(Uint8Array.of(situa))}${'00'.repeat(11)}${all}`;
}

/** So many threshold sets are used, or left. */
const usedAt = (sets: number): string => `81020000${sets.toString(16).padStart(8, '0')}`;
const leftAt = (sets: number): string => `80010000${sets.toString(16).padStart(8, '0')}`;

function rigOf(): Rig {
  return new Rig({ units: [{ isThin: true, service: IMMEDIATE_SERVICE, store: thinStore() }] }).login(1, 2);
}

const thinStore = (): SparseStore => new SparseStore({ blocks: SETS * SET });

/** Half a threshold set, so many of them, mapped or not. */
function map(rig: Rig, from: number, halves: number): void {
  for (let i = from; i < from + halves; i++) rig.outcome(1, write10((i * SET) / 2, SET / 2), new Uint8Array(SET * 256));
}

function unmapHalves(rig: Rig, from: number, halves: number): void {
  const { cdb, data } = unmap([{ lba: (from * SET) / 2, blocks: (halves * SET) / 2 }]);
  rig.outcome(1, cdb, data);
}

/** What a nexus hears with its next command, with the INFORMATION field. */
function heard(rig: Rig, nexus: number): string {
  const sense = senseOf(rig.run(nexus, testUnitReady()).sense);
  return sense === undefined ? 'nothing' : `${senseText(sense)} ${sense.information}`;
}

describe('thresholds of a thin unit', () => {
  it('B2h: a threshold set is 1 MiB; a thick unit has none, and neither the page', () => {
    expect(hex(decodeVpd(rigOf().run(1, inquiry(0xb2)).data)!.body)).toBe('0be40200');
    const large = new SparseStore({ blocks: 2 ** 43 });
    const rig = new Rig({
      units: [
        { isThin: true, store: large },
        { isThin: true, store: new SparseStore({ blocks: 64, blockLength: 4096 }) },
        {},
      ],
    }).login(1);
    const exponents = [0, 1, 2].map((lun) => decodeVpd(rig.run(1, inquiry(0xb2), undefined, lun).data)!.body[0]);
    expect(exponents).toEqual([12, 8, 0]);
    expect(rig.outcome(1, ...modeSelect(REPORTING))).toBe('00');
    const thick = new Rig().login(1);
    expect(thick.outcome(1, ...modeSelect(REPORTING))).toBe('5/26/00');
    expect(thick.outcome(1, ...modeSelect(thresholds(0)))).toBe('5/26/00');
  });

  it('the page is what was set, until a reset', () => {
    const rig = rigOf();
    const page = thresholds(1, usedAt(4), leftAt(2));
    const sense = modeSense6(0x1c);
    sense[3] = 0x02;
    expect(rig.outcome(1, ...modeSelect(page))).toBe('00');
    expect(hex(rig.run(1, sense).data.subarray(12))).toBe(page);
    expect(rig.outcome(2, testUnitReady())).toBe('6/2A/01');
    rig.step({ kind: 'task-management', nexus: 1, lun: 0, function: 'lun-reset', id: 1 });
    rig.outcome(1, testUnitReady());
    expect(hex(rig.run(1, sense).data.subarray(12))).toBe(thresholds(0));
  });

  it.each([
    ['a percentage', '89020000', 0x10],
    ['what is left, when it grows', '81010000', 0x10],
    ['what is used, when it shrinks', '80020000', 0x10],
    ['a resource that there is not', '80070000', 0x10],
    ['a reserved byte', '81020100', 0x12],
  ])('refuses %s', (_what, head, byte) => {
    const rig = rigOf();
    const { sense } = rig.run(1, ...modeSelect(thresholds(0, `${head}00000004`)));
    // Four bytes of header come before the page.
    expect([senseText(senseOf(sense)!), senseOf(sense)!.field?.byte]).toEqual(['5/26/00', 4 + byte]);
  });

  it.each([
    // descriptor, half sets mapped before; then each step: halves mapped from there on, or unmapped if it is negative, and
    // whether the last of them is heard: one before would take the attention
    [
      'used crosses upwards',
      usedAt(2),
      0,
      [
        [0, 4, false],
        [4, 1, true],
      ],
    ],
    [
      'left crosses downwards',
      leftAt(6),
      0,
      [
        [0, 4, false],
        [4, 1, true],
      ],
    ],
    [
      'once, until it was below again',
      usedAt(2),
      0,
      [
        [0, 5, true],
        [5, 2, false],
        [-5, 2, false],
        [5, 2, false],
        [-3, 4, false],
        [3, 2, true],
      ],
    ],
    [
      'nothing while it moves inside the range',
      usedAt(2),
      0,
      [
        [0, 4, false],
        [-3, 1, false],
        [3, 1, false],
      ],
    ],
    [
      'a threshold that is behind already waits until it was below',
      usedAt(1),
      4,
      [
        [4, 2, false],
        [-1, 5, false],
        [1, 2, true],
      ],
    ],
    ['a threshold that is not enabled', usedAt(2).replace('81', '01'), 0, [[0, 8, false]]],
  ] as const)('%s', (_what, descriptor, before, steps) => {
    const rig = rigOf();
    map(rig, 0, before);
    rig.outcome(1, ...modeSelect(REPORTING, thresholds(0, descriptor)));
    expect(heard(rig, 2)).toBe('6/2A/01 undefined');
    for (const [from, halves, isHeard] of steps) {
      if (from < 0) unmapHalves(rig, -from, halves);
      else map(rig, from, halves);
      for (const nexus of [1, 2]) expect(heard(rig, nexus)).toBe(isHeard ? '6/38/07 16' : 'nothing');
    }
  });

  it('nobody hears of it without LBPERE', () => {
    const rig = rigOf();
    rig.outcome(1, ...modeSelect(SILENT, thresholds(0, usedAt(1))));
    rig.outcome(2, testUnitReady());
    map(rig, 0, 8);
    expect([heard(rig, 1), heard(rig, 2)]).toEqual(['nothing', 'nothing']);
  });

  it('SITUA: only who crossed it, and two at once are two attentions with their descriptors', () => {
    const rig = rigOf();
    rig.outcome(1, ...modeSelect(REPORTING, thresholds(1, usedAt(1), leftAt(7))));
    rig.outcome(2, testUnitReady());
    map(rig, 0, 3);
    expect(heard(rig, 2)).toBe('nothing');
    expect([heard(rig, 1), heard(rig, 1), heard(rig, 1)]).toEqual(['6/38/07 16', '6/38/07 24', 'nothing']);
    const events = rig.other.filter((output) => output.kind === 'unit-event');
    expect(events.map(({ nexus, sense }) => [nexus, senseText(senseOf(sense)!)])).toEqual([
      [1, '6/38/07'],
      [1, '6/38/07'],
    ]);
  });
});

describe('informational exceptions', () => {
  const page = (flags: string, method: string): string => `1c0a${flags}${method}${'00'.repeat(8)}`;

  it('TEST with MRIE 2: every nexus gets a unit attention once', () => {
    const rig = new Rig().login(1, 2);
    expect(rig.outcome(1, ...modeSelect(page('04', '02')))).toBe('00');
    expect([rig.outcome(1, testUnitReady()), rig.outcome(1, testUnitReady())]).toEqual(['6/5D/FF', '00']);
    const outcomes = [1, 2, 3].map(() => rig.outcome(2, testUnitReady()));
    expect(outcomes).toEqual(['6/2A/01', '6/5D/FF', '00']);
  });

  it('TEST with MRIE 6: REQUEST SENSE tells, as often as it is asked, until it is set otherwise', () => {
    const rig = new Rig().login(1);
    const requested = (): string => senseText(senseOf(rig.run(1, requestSense()).data)!);
    rig.outcome(1, ...modeSelect(page('04', '06')));
    expect([requested(), requested(), rig.outcome(1, testUnitReady())]).toEqual(['0/5D/FF', '0/5D/FF', '00']);
    rig.outcome(1, ...modeSelect(page('08', '06')));
    expect(requested()).toBe('0/00/00');
  });

  it.each([
    ['TEST and DEXCPT', '0c', '00', 2],
    ['a method that there is not', '00', '04', 3],
    ['PERF', '88', '00', 2],
  ])('refuses %s', (_what, flags, method, byte) => {
    const { sense } = new Rig().login(1).run(1, ...modeSelect(page(flags, method)));
    expect([senseText(senseOf(sense)!), senseOf(sense)!.field?.byte]).toEqual(['5/26/00', 4 + byte]);
  });
});
