import { encode } from '@msgpack/msgpack';
import { asciiBytes, concatBytes, crc32c, hex, viewOf } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readDamaged } from '../../../tooling/damage.js';
import { TraceError, TraceFile, TraceRing, TraceWriter, VarintReader, VarintWriter } from '../src/index.js';

describe('varints', () => {
  it.each([
    [300, 'ac02'],
    [16384, '808001'],
    [2 ** 32 - 1, 'ffffffff0f'],
    [2 ** 53 - 1, 'ffffffffffffff0f'],
  ])('%d is %s', (value, expected) => {
    const writer = new VarintWriter();
    writer.unsigned(value);
    expect(hex(writer.bytes())).toBe(expected);
    expect(new VarintReader(writer.bytes()).unsigned()).toBe(value);
  });

  it('signed values come back', () => {
    fc.assert(
      fc.property(fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), (value) => {
        const writer = new VarintWriter();
        writer.signed(value);
        expect(new VarintReader(writer.bytes()).signed()).toBe(value);
      }),
    );
  });
});

describe('the ring', () => {
  it('keeps the last records, oldest first', () => {
    const ring = new TraceRing(4);
    for (let n = 1; n <= 6; n++) ring.add(n * 10, n, 9, 2, 3, n, 5, 6);
    expect(ring.count).toBe(6);
    expect([...ring.records()].map(({ seq }) => seq)).toEqual([3, 4, 5, 6]);
    expect([...ring.records()][0]).toEqual({
      time: 30,
      seq: 3,
      kind: 9,
      node: 2,
      peer: 3,
      id: 3,
      a: 5,
      b: 6,
    });
  });
});

function write(records: number, isEnded = true): Uint8Array {
  const parts: Uint8Array[] = [];
  const header = { seed: '0000000000000007', scenario: 'hyperv-blog', nodes: [{ id: 1, name: 'my-vm1' }] };
  const writer = new TraceWriter(header, (bytes) => parts.push(bytes.slice()), { payloads: true });
  for (let n = 0; n < records; n++) {
    writer.add('send', 1, n * 1000, n, [n, 2, 4, 'udp', new Uint8Array([1, 2, 3, n & 255])]);
    writer.add('log', 255, n * 1000, n, ['info', 'kernel', `line ${n % 7}`]);
  }
  if (isEnded) writer.end('a49912c61528d96c');
  return concatBytes(...parts);
}

/** Sets the checksum of the first block right again, so that what is behind it gets to see the damage. */
function reseal(bytes: Uint8Array): Uint8Array {
  const view = viewOf(bytes);
  const at = 16 + view.getUint32(12, true);
  view.setUint32(at + 32, crc32c(bytes, at + 40, at + 40 + view.getUint32(at + 8, true)), true);
  return bytes;
}

/** A file of one record of a kind that only its header knows. */
function fileWith(kinds: unknown, record: readonly number[]): Uint8Array {
  const header = encode({ seed: '', scenario: '', nodes: [], kinds });
  const bytes = new Uint8Array(16 + header.length + 40 + record.length);
  const view = viewOf(bytes);
  bytes.set(asciiBytes('QRTRACE1'));
  view.setUint16(8, 1, true);
  view.setUint32(12, header.length, true);
  bytes.set(header, 16);
  const at = 16 + header.length;
  view.setUint32(at, 0x314b4c42, true);
  view.setUint32(at + 4, record.length, true);
  view.setUint32(at + 8, record.length, true);
  view.setUint32(at + 12, 1, true);
  bytes.set(record, at + 40);
  return reseal(bytes);
}

describe('the file', () => {
  it('gives back what was written, over several blocks', () => {
    const file = new TraceFile(write(5000));
    const records = [...file.records()];
    expect(file.header.scenario).toBe('hyperv-blog');
    expect(file.hash).toBe('a49912c61528d96c');
    expect(records).toHaveLength(10_000);
    expect(records[9998]).toEqual({
      time: 4_999_000,
      seq: 4999,
      node: 1,
      kind: 'net.send',
      fields: { id: 4999, to: 2, bytes: 4, protocol: 'udp', payload: new Uint8Array([1, 2, 3, 4999 & 255]) },
    });
    expect(records[9999]!.fields).toEqual({ level: 'info', tag: 'kernel', text: `line ${4999 % 7}` });
  });

  it('leaves payloads out unless it is asked for them', () => {
    const parts: Uint8Array[] = [];
    const writer = new TraceWriter({ seed: '', scenario: '', nodes: [] }, (bytes) => parts.push(bytes.slice()));
    writer.add('receive', 1, 5, 1, [7, 3, 0, new Uint8Array([1, 2, 3])]);
    writer.end('');
    const [record] = [...new TraceFile(concatBytes(...parts)).records()];
    expect(record).toMatchObject({ kind: 'net.recv', fields: { id: 7, bytes: 3, payload: new Uint8Array(0) } });
  });

  it('has blocks that decode alone: without the first the others are still whole', () => {
    const bytes = write(10_000, false);
    const view = viewOf(bytes);
    const first = 16 + view.getUint32(12, true);
    const second = first + 40 + view.getUint32(first + 8, true);
    const linesOf = (file: Uint8Array): string[] =>
      Array.from(new TraceFile(file).records(), ({ time, seq, fields }) => `${time} ${seq} ${Object.values(fields)}`);
    const all = linesOf(bytes);
    const rest = linesOf(concatBytes(bytes.subarray(0, first), bytes.subarray(second)));
    expect(rest.length).toBeGreaterThan(1000);
    expect(rest.join('\n') === all.slice(-rest.length).join('\n')).toBe(true);
  });

  it('may have kinds that its reader has not heard of: a package’s kind that is not listed is passed over', () => {
    const kinds = [[60, 'state.change', [['size', 'd']]]];
    const passedOver = [200, 1, 5, 1, 2, 0xff, 0xff];
    const double = [60, 1, 5, 1, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f];
    const records = [...new TraceFile(fileWith(kinds, [...passedOver, ...double])).records()];
    expect(records).toEqual([{ time: 10, seq: 2, node: 1, kind: 'state.change', fields: { size: 1.5 } }]);
  });

  it.each([
    ['deflated', () => fileWith([], []).fill(1, 10, 11), 'at byte 10: the blocks are deflated'],
    ['a header that lists no kinds', () => fileWith('none', []), 'at byte 16: the header is no map'],
    [
      'a field of a type that is none',
      () => fileWith([[1, 'a', [['x', 'q']]]], []),
      'at byte 16: the header is no map',
    ],
    [
      'a kind that is not listed',
      () => fileWith([], [5, 1, 0, 0]),
      'a record of kind 5, which the header does not list',
    ],
    ['a string that is not there', () => fileWith([[0, 'a', [['x', 's']]]], [0, 1, 0, 0, 3]), 'names a string'],
    ['a double cut off', () => fileWith([[0, 'a', [['x', 'd']]]], [0, 1, 0, 0, 3]), 'past the end of its block'],
    ['a longer header than the file', () => write(1).subarray(0, 40), 'at byte 12: the header has'],
  ])('is refused for %s', (_what, make, message) => {
    expect(() => [...new TraceFile(make()).records()]).toThrow(TraceError);
    expect(() => [...new TraceFile(make()).records()]).toThrow(message);
  });

  it('however it is damaged, is read or refused with the byte where it breaks', () => {
    const whole = write(20);
    const read = (bytes: Uint8Array): void => {
      try {
        for (const record of new TraceFile(bytes).records()) expect(record.kind).not.toBe('string');
      } catch (error) {
        if (!(error instanceof TraceError)) throw error;
        expect(error.offset).toBeGreaterThanOrEqual(0);
      }
    };
    const header = 16 + viewOf(whole).getUint32(12, true);
    readDamaged(whole, read, (broken, at) => (at > header + 40 ? reseal(broken) : undefined));
  });

  it('without its footer is readable up to the last whole block', () => {
    const bytes = write(10_000, false);
    const file = new TraceFile(bytes.subarray(0, bytes.length - 100));
    expect(file.hash).toBeUndefined();
    const count = [...file.records()].length;
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThan(20_000);
  });

  it('refuses what is no trace, another version and a flipped bit, and says where', () => {
    expect(() => new TraceFile(new Uint8Array([1, 2, 3]))).toThrow(TraceError);
    const other = write(10);
    other[8] = 9;
    expect(() => new TraceFile(other)).toThrow('at byte 8: found version 9, expected 1');
    const broken = write(10);
    broken[broken.length - 120]! ^= 1;
    expect(() => [...new TraceFile(broken).records()]).toThrow(/checksum/);
  });
});
