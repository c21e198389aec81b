import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fromHex, type Nanos, Prng, SECOND } from '@quorate/kernel';
import { TrafficCapture } from '@quorate/trace';
import { expect } from 'vitest';
import { RECORDINGS, recorded } from '../../../packages/totem/test/recorded.js';
import { itUnless, itWith } from '../../oracle.js';
import { isThorough } from '../../thorough.js';
import { samples } from './messages.js';
import { type Dissected, dissect, fileOf } from './tshark.js';

const SCRIPTS = ['totem31.lua'];
const PORT = 5405;

interface Datagram {
  readonly at: Nanos;
  readonly from: string;
  readonly to: string;
  readonly sourcePort?: number;
  readonly bytes: Uint8Array;
}

function dissectAll(datagrams: readonly Datagram[]): readonly Dissected[] {
  const file = fileOf((sink) => {
    const capture = new TrafficCapture(sink);
    for (const { at, from, to, sourcePort = PORT, bytes } of datagrams) {
      capture.datagram(at, { address: from, port: sourcePort }, { address: to, port: PORT }, bytes);
    }
  });
  return dissect(file, SCRIPTS, 'totem31');
}

const addressOf = (node: number): string => `10.99.0.${node}`;

/** Datagrams that nobody else has between the same two hosts. */
function alone(bytes: readonly Uint8Array[]): readonly Datagram[] {
  return bytes.map((each, at) => ({ at, from: addressOf(1), to: addressOf(2), bytes: each }));
}

const defectOf = ({ fields }: Dissected): string => fields.get('_ws.expert.message')?.join() ?? '';
const isMalformed = ({ fields }: Dissected): boolean => fields.has('totem31.malformed');

/** Nothing is malformed, and every byte is in a field. */
function expectWhole(all: readonly Dissected[], count: number): void {
  expect(all.filter(isMalformed).map(defectOf)).toEqual([]);
  expect(all.filter(({ uncovered }) => uncovered.length > 0)).toEqual([]);
  expect(all).toHaveLength(count);
}

itWith(['tshark'], 'every field of every message has its name and value, in both byte orders', () => {
  const all = [true, false].flatMap(samples);
  const dissected = dissectAll(alone(all.map(({ bytes }) => bytes)));
  expectWhole(dissected, all.length);
  for (const [i, { name, title, expected }] of all.entries()) {
    const { title: found, fields } = dissected[i]!;
    expect(found.slice(-title.length), name).toBe(title);
    for (const [field, values] of Object.entries(expected)) {
      expect(fields.get(`totem31.${field}`), `${name}: ${field}`).toEqual(values.map(String));
    }
  }
});

const QUICK: readonly (typeof RECORDINGS)[number][] = ['cpg-hello', 'recovery-old-messages'];

for (const recording of isThorough ? RECORDINGS : QUICK) {
  itWith(['tshark'], `of the recording ${recording} no byte is left`, () => {
    const datagrams = recorded(recording).flatMap(({ at, from, to, bytes }) =>
      to.map((receiver) => ({ at, from: addressOf(from), to: addressOf(receiver), bytes })),
    );
    expectWhole(dissectAll(datagrams), datagrams.length);
  });
}

/** All that was recorded, with the other transport; not everybody has it. */
const WHOLE = new URL('../../../../shared/vectors/totem/', import.meta.url);

const lacksWhole = existsSync(WHOLE) ? undefined : 'the whole recordings are not here';

itUnless(lacksWhole ?? (isThorough ? undefined : 'for CI'), 'of whole recordings no byte is left', () => {
  const found = new Map<string, number>();
  let datagrams = 0;
  for (const name of readdirSync(WHOLE).filter((file) => file.endsWith('.jsonl'))) {
    const all = wholeRecording(readFileSync(new URL(name, WHOLE), 'utf8'));
    const dissected = dissectAll(all);
    expectWhole(dissected, all.length);
    datagrams += all.length;
    for (const { fields } of dissected) {
      const type = fields.get('totem31.type')![0]!;
      found.set(type, (found.get(type) ?? 0) + 1);
    }
  }
  // What a decoder of others has counted in them.
  expect(datagrams).toBe(6956);
  expect([...found].sort()).toEqual([
    ['0', 3188 + 42],
    ['1', 1481 + 15],
    ['2', 241],
    ['3', 1853 + 3],
    ['4', 106],
    ['5', 27],
  ]);
});

function wholeRecording(text: string): readonly Datagram[] {
  return text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { t: number; src: string; sport: number; dst: string; hex?: string })
    .filter(({ hex }) => hex !== undefined)
    .map(({ t, src, sport, dst, hex }) => ({
      at: Math.round(t * SECOND),
      from: src,
      to: dst,
      sourcePort: sport,
      bytes: fromHex(hex!),
    }));
}

itWith(['tshark'], 'a message too short or too long is malformed, and what is left of it is shown', () => {
  const whole = samples(true);
  const shorter = whole.map(({ name, bytes }) => ({ name: `a byte less: ${name}`, bytes: bytes.subarray(0, -1) }));
  const longer = whole.map(({ name, bytes }) => ({ name: `a byte more: ${name}`, bytes: Uint8Array.of(...bytes, 0) }));
  const all = [...shorter, ...longer];
  const dissected = dissectAll(alone(all.map(({ bytes }) => bytes)));
  expect(all.filter((_, i) => !isMalformed(dissected[i]!)).map(({ name }) => name)).toEqual([]);
  for (const each of dissected) {
    expect(defectOf(each)).toMatch(/^found .*\d+ bytes/);
    expect(each.uncovered).toEqual([]);
  }
});

itWith(['tshark'], 'what cannot be is told with what was expected', () => {
  const [token, , , , , holdCancel, barrier] = samples(true).map(({ bytes }) => bytes);
  const changed = (bytes: Uint8Array | undefined, at: number, value: number): Uint8Array => {
    const copy = bytes!.slice();
    copy[at] = value;
    return copy;
  };
  const cases: readonly (readonly [bytes: Uint8Array, defect: string])[] = [
    [Uint8Array.of(0x70, 0xc0), 'found 2 bytes, expected 13 of the header'],
    [changed(token, 0, 0x71), 'found magic 0x71c0, expected 0xc070 in one of the two byte orders'],
    [changed(token, 2, 2), 'found version 2, expected 3'],
    [changed(token, 3, 6), 'found type 6, expected 0 to 5'],
    [changed(token, 53, 3), 'found 32 bytes, expected 3 requests of 16 bytes'],
    [changed(token, 53, 31), 'found 31 requests, expected at most 30'],
    [changed(token, 56, 0xff), 'found 32 bytes, expected -16777214 requests of 16 bytes'],
    [changed(holdCancel, 3, 2), 'found 8 bytes, expected 12 of Ring'],
    [changed(barrier, 4, 3), 'found encapsulated 3, expected 1 or 2'],
    [changed(barrier, 51, 0), 'found no piece of a message, expected at least one'],
    [changed(barrier, 53, 39), 'found 40 bytes of messages, expected 39'],
  ];
  const dissected = dissectAll(alone(cases.map(([bytes]) => bytes)));
  expect(dissected.map(defectOf)).toEqual(cases.map(([, defect]) => defect));
  expect(dissected.filter(isMalformed)).toHaveLength(cases.length);
});

itWith(['tshark'], 'whatever else comes is malformed', () => {
  const prng = Prng.derive({ hi: 0, lo: 1 }, 'random payloads');
  const random = (length: number): Uint8Array => Uint8Array.from({ length }, () => prng.below(256));
  const noise = Array.from({ length: 300 }, () => random(1 + prng.below(300)));
  const header = samples(true)[0]!.bytes.subarray(0, 13);
  // The header of each type but hold cancel, whose bytes may be any.
  const beheaded = Array.from({ length: 300 }, (_, i) => {
    const bytes = Uint8Array.of(...header, ...random(40 + prng.below(300)));
    bytes[3] = i % 5;
    if (i % 5 === 1) bytes[4] = 1 + prng.below(2);
    return bytes;
  });
  const dissected = dissectAll(alone([...noise, ...beheaded]));
  expect(dissected).toHaveLength(600);
  expect(dissected.filter((each) => !isMalformed(each)).map(({ title }) => title)).toEqual([]);
  expect(dissected.filter(({ fields }) => fields.has('_ws.lua.error'))).toEqual([]);
});
