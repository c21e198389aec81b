import { concatBytes, fromHex, hex, Prng } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { isDigestRight, putDigest } from '../src/pdu/digest.js';
import { lunField, Pdu } from '../src/pdu/pdu.js';
import { PduReader } from '../src/pdu/pdu-reader.js';
import { PduWriter } from '../src/pdu/pdu-writer.js';
import { isBefore } from '../src/pdu/serial.js';

it.each([
  // RFC 7143, appendix A
  ['32 bytes of zeroes', new Uint8Array(32), 'aa36918a'],
  ['32 bytes of ones', new Uint8Array(32).fill(0xff), '43aba862'],
  ['32 bytes that go up', Uint8Array.from({ length: 32 }, (_, i) => i), '4e79dd46'],
  ['32 bytes that go down', Uint8Array.from({ length: 32 }, (_, i) => 31 - i), '5cdb3f11'],
])('the digest of %s', (_what, bytes, digest) => {
  const both = concatBytes(bytes, new Uint8Array(4));
  putDigest(both, 0, 32, both, 32);
  expect(hex(both.subarray(32))).toBe(digest);
  expect(isDigestRight(both, 0, 32)).toBe(true);
  both[7]! ^= 1;
  expect(isDigestRight(both, 0, 32)).toBe(false);
});

it.each([
  ['0000000000000000', 0],
  ['0005000000000000', 5],
  ['4005000000000000', 5],
  ['4100000000000000', 256],
  ['7fff000000000000', 16_383],
  ['0105000000000000', -1],
  ['8005000000000000', -1],
  ['0005000100000000', -1],
  ['0005000000000001', -1],
])('the LUN field %s is LUN %i', (field, lun) => {
  const pdu = new Pdu();
  pdu.aim(concatBytes(new Uint8Array(8), fromHex(field), new Uint8Array(32)), 0, 48, 0);
  expect(pdu.lun).toBe(lun);
});

it.each([0, 5, 255, 256, 16_383])('LUN %i is written as it is read', (lun) => {
  const pdu = new Pdu();
  const bytes = new Uint8Array(48);
  new DataView(bytes.buffer).setUint16(8, lunField(lun));
  pdu.aim(bytes, 0, 48, 0);
  expect(pdu.lun).toBe(lun);
});

it.each([
  [1, 2, true],
  [2, 1, false],
  [5, 5, false],
  [0xffff_ffff, 0, true],
  [0, 0xffff_ffff, false],
])('serial number %i before %i: %s', (a, b, answer) => {
  expect(isBefore(a, b)).toBe(answer);
});

/** What a writer makes of PDUs with data segments of these lengths. */
function written(lengths: readonly number[], header: boolean, data: boolean): Uint8Array {
  const parts: Uint8Array[] = [];
  const writer = new PduWriter();
  writer.hasHeaderDigest = header;
  writer.hasDataDigest = data;
  writer.sendTo((bytes) => parts.push(bytes.slice()));
  lengths.forEach((length, i) => {
    writer
      .begin(0x05, 0x80)
      .u32(16, i)
      .end(Uint8Array.from({ length }, (_, at) => at + i));
  });
  writer.flush();
  return concatBytes(...parts);
}

function read(reader: PduReader, chunks: readonly Uint8Array[]): string[] {
  const found: string[] = [];
  for (const chunk of chunks) {
    const lent = chunk.slice();
    reader.feed(lent);
    let next = reader.next();
    for (; next === 'pdu'; next = reader.next()) {
      const { pdu } = reader;
      const isRight = pdu.data.every((byte, at) => byte === ((at + pdu.initiatorTaskTag) & 0xff));
      found.push(
        `${pdu.initiatorTaskTag}:${pdu.data.length}${isRight ? '' : ' wrong'}${pdu.hasBadDataDigest ? ' bad' : ''}`,
      );
    }
    reader.keep();
    lent.fill(0xee);
    if (next !== 'more') {
      found.push(next);
      break;
    }
  }
  return found;
}

const LENGTHS = [0, 1, 2, 3, 4, 511, 512, 8191, 8192, 8193, 70_001, 0, 5];

describe.each([
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])('header digest %s, data digest %s', (header, data) => {
  const reader = (): PduReader =>
    Object.assign(new PduReader(70_001), { hasHeaderDigest: header, hasDataDigest: data });
  const bytes = written(LENGTHS, header, data);
  const expected = LENGTHS.map((length, i) => `${i}:${length}`);

  it.each([1, 2, 47, 48, 49, 1000, 65_536, Infinity])('chunks of %d bytes', (size) => {
    const chunks: Uint8Array[] = [];
    for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, Math.min(bytes.length, at + size)));
    expect(read(reader(), chunks)).toEqual(expected);
  });

  it('chunks of any size', () => {
    const prng = Prng.derive({ hi: 0, lo: 7 }, 'chunks');
    for (let run = 0; run < 50; run++) {
      const chunks: Uint8Array[] = [];
      for (let at = 0; at < bytes.length; ) {
        const size = prng.below(3) === 0 ? prng.below(60) : prng.below(20_000);
        chunks.push(bytes.subarray(at, at + size));
        at += size;
      }
      expect(read(reader(), chunks)).toEqual(expected);
    }
  });

  it('keeps what was not read when the reading stops', () => {
    const one = reader();
    one.feed(bytes.slice(0, 9000));
    expect(one.next()).toBe('pdu');
    one.keep();
    expect(read(one, [bytes.subarray(9000)])).toEqual(expected.slice(1));
  });
});

it('a header digest that is wrong ends the stream, a data digest that is wrong the PDU', () => {
  const bytes = written([512, 512], true, true);
  const spoil = (at: number): Uint8Array => bytes.slice().fill(bytes[at]! ^ 1, at, at + 1);
  const reader = (): PduReader => Object.assign(new PduReader(1024), { hasHeaderDigest: true, hasDataDigest: true });
  expect(read(reader(), [spoil(20)])).toEqual(['bad-header-digest']);
  expect(read(reader(), [spoil(60)])).toEqual(['0:512 wrong bad', '1:512']);
});

it('a data segment that is too long ends the stream before it came', () => {
  expect(read(new PduReader(512), [written([512, 513], false, false).subarray(0, 48 + 512 + 48)])).toEqual([
    '0:512',
    'data-segment-too-long',
  ]);
});
