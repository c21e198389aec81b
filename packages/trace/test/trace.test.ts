import { concatBytes, hex } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
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
      flags: 0,
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
    writer.add('send', 1, n * 1000, n, [n, 'my-vm2', 4, new Uint8Array([1, 2, 3, n & 255])]);
    writer.add('log', 255, n * 1000, n, ['info', 'kernel', `line ${n % 7}`]);
  }
  if (isEnded) writer.end('a49912c61528d96c');
  return concatBytes(...parts);
}

describe('the file', () => {
  it('gives back what was written, over several blocks', () => {
    const file = new TraceFile(write(10_000));
    const records = [...file.records()];
    expect(file.header.scenario).toBe('hyperv-blog');
    expect(file.hash).toBe('a49912c61528d96c');
    expect(records).toHaveLength(20_000);
    expect(records[19_998]).toEqual({
      time: 9_999_000,
      seq: 9_999,
      node: 1,
      kind: 'net.send',
      fields: { id: 9_999, peer: 'my-vm2', bytes: 4, payload: new Uint8Array([1, 2, 3, 9_999 & 255]) },
    });
    expect(records[19_999]!.fields).toEqual({ level: 'info', tag: 'kernel', text: `line ${9_999 % 7}` });
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
