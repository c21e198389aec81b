import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeStatus, encodeStatus } from '../src/index.js';
import { unknownPeer } from '../src/peer.js';
import { SlotReader } from '../src/slot-reader.js';

describe('reading a slot again', () => {
  it('says the same as decoding it, whatever changed', () => {
    const change = fc.record({ timestamp: fc.nat(3), state: fc.nat(7), flip: fc.option(fc.nat(130)) });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 8 }), (changes) => {
        const reader = new SlotReader();
        const sector = new Uint8Array(512);
        for (const { flip, ...changed } of changes) {
          encodeStatus(sector, { ...unknownPeer(1, 0).status, ...changed });
          if (flip !== null) sector[flip]! ^= 1;
          expect(reader.read(sector)).toEqual(decodeStatus(sector));
        }
      }),
    );
  });

  it('gives the same object for equal bytes', () => {
    const reader = new SlotReader();
    const sector = new Uint8Array(512);
    encodeStatus(sector, unknownPeer(1, 5).status);
    expect(reader.read(sector)).toBe(reader.read(sector.slice()));
  });
});
