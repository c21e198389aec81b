import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type BatchRecord, BatchWriter, RecordKind, readBatch } from '../src/wire/batch.js';

const at = fc.nat(Number.MAX_SAFE_INTEGER);
const u32 = fc.nat(0xffff_ffff);
const bytes = fc.uint8Array({ maxLength: 300 });
const NOTHING = new Uint8Array(0);

/** A record, and how it is written. */
const anyRecord = fc.oneof(
  fc.tuple(at, bytes).map(([at, data]) => ({
    record: recordOf(RecordKind.frame, { at, data }),
    write: (batch: BatchWriter) => batch.frame(at, data),
  })),
  fc.tuple(at, fc.boolean()).map(([at, isUp]) => ({
    record: recordOf(RecordKind.nic, { at, state: isUp ? 1 : 0 }),
    write: (batch: BatchWriter) => batch.nic(at, isUp),
  })),
  fc.tuple(at, u32).map(([at, number]) => ({
    record: recordOf(RecordKind.login, { at, number }),
    write: (batch: BatchWriter) => batch.login(at, number),
  })),
  fc.tuple(at, fc.boolean()).map(([at, isNoticed]) => ({
    record: recordOf(RecordKind.nexusLost, { at, state: isNoticed ? 1 : 0 }),
    write: (batch: BatchWriter) => batch.nexusLost(at, isNoticed),
  })),
  fc.tuple(at, u32, u32, bytes, bytes).map(([at, number, tag, head, data]) => ({
    record: recordOf(RecordKind.command, { at, number, tag, head, data }),
    write: (batch: BatchWriter) => batch.command(at, number, tag, head, data),
  })),
  fc.tuple(at, u32, u32, fc.nat(255), bytes, bytes).map(([at, number, tag, state, head, data]) => ({
    record: recordOf(RecordKind.response, { at, number, tag, state, head, data }),
    write: (batch: BatchWriter) => batch.response(at, number, tag, state, head, data),
  })),
);

function recordOf(kind: number, fields: Partial<BatchRecord>): BatchRecord {
  return { kind, state: 0, at: 0, tag: 0, number: 0, head: NOTHING, data: NOTHING, ...fields };
}

function recordsOf(batch: Uint8Array): BatchRecord[] {
  const records: BatchRecord[] = [];
  readBatch(batch, (record) => records.push({ ...record, head: record.head.slice(), data: record.data.slice() }));
  return records;
}

describe('a batch', () => {
  it('gives back the records that were written, in their order', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { minLength: 1, maxLength: 20 }), (entries) => {
        const batch = new BatchWriter();
        for (const { write } of entries) write(batch);
        expect(recordsOf(new Uint8Array(batch.take()!))).toEqual(entries.map(({ record }) => record));
      }),
    );
  });

  it('has its bytes as the table says', () => {
    const batch = new BatchWriter();
    batch.response(0x0102_0304_0506, 7, 0xdead_beef, 2, Uint8Array.of(0x70), Uint8Array.of(0xaa, 0xbb));
    const hex = Buffer.from(batch.take()!).toString('hex');
    expect(hex).toBe('060200010000000200000102030405' + '06deadbeef0000000770aabb');
  });

  it('is in a buffer of its own size, so that it can be transferred, and the next one is empty', () => {
    const batch = new BatchWriter();
    batch.frame(1, new Uint8Array(60));
    expect(batch.take()?.byteLength).toBe(84);
    expect(batch.take()).toBeUndefined();
  });

  it('that is cut off anywhere gives the records before that and throws', () => {
    const batch = new BatchWriter();
    batch.frame(1, new Uint8Array(10));
    batch.frame(2, new Uint8Array(10));
    const whole = new Uint8Array(batch.take()!);
    for (let length = 35; length < whole.length; length++) {
      const seen: number[] = [];
      expect(() => readBatch(whole.subarray(0, length), ({ at }) => seen.push(at))).toThrow(RangeError);
      expect(seen).toEqual([1]);
    }
  });

  it('of arbitrary bytes is read or refused with a RangeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (noise) => {
        try {
          readBatch(noise, () => {});
        } catch (error) {
          expect(error).toBeInstanceOf(RangeError);
        }
      }),
    );
  });
});
