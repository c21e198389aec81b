import { SECOND } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeIpv4, encodeIpv4, type Ipv4Header } from '../src/ipv4.js';
import { Reassembly } from '../src/reassembly.js';

interface Fragment {
  readonly header: Ipv4Header;
  readonly bytes: Uint8Array;
}

function fragment(payload: Uint8Array, start: number, end: number, identification = 1): Fragment {
  const bytes = new Uint8Array(20 + end - start);
  const fields = {
    identification,
    dontFragment: false,
    moreFragments: end < payload.length,
    fragmentOffset: start,
    ttl: 64,
    protocol: 17,
    source: 1,
    destination: 2,
  };
  encodeIpv4(bytes, 0, fields, end - start);
  bytes.set(payload.subarray(start, end), 20);
  return { header: decodeIpv4(bytes, 0) as Ipv4Header, bytes };
}

function fragments(payload: Uint8Array, size: number): readonly Fragment[] {
  const all: Fragment[] = [];
  for (let at = 0; at < payload.length; at += size) {
    all.push(fragment(payload, at, Math.min(at + size, payload.length)));
  }
  return all;
}

const payloadOf = (packet: Uint8Array): number[] => [...packet.subarray(20)];

describe('reassembly', () => {
  it('gives the datagram whatever the order, the sizes and the repetitions of its fragments', () => {
    const cases = fc.record({
      payload: fc.uint8Array({ minLength: 9, maxLength: 9000 }),
      units: fc.integer({ min: 1, max: 200 }),
      seed: fc.infiniteStream(fc.nat(1000)),
    });
    fc.assert(
      fc.property(cases, ({ payload, units, seed }) => {
        const reassembly = new Reassembly();
        const all = fragments(payload, units * 8);
        const shuffled = all
          .slice(1)
          .concat(all)
          .map((piece) => ({ piece, key: seed.next().value ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ piece }) => piece);
        let whole: Uint8Array | undefined;
        for (const { header, bytes } of shuffled) whole ??= reassembly.add(0, header, bytes, 0);
        expect(whole).toBeDefined();
        expect(payloadOf(whole!)).toEqual([...payload]);
        expect(decodeIpv4(whole!, 0)).toMatchObject({ moreFragments: false, fragmentOffset: 0, source: 1 });
      }),
      { numRuns: 60 },
    );
  });

  it('where fragments overlap, the one that came first counts', () => {
    const reassembly = new Reassembly();
    const first = fragment(new Uint8Array(24).fill(1), 0, 16);
    const second = fragment(new Uint8Array(24).fill(2), 8, 24);
    expect(reassembly.add(0, first.header, first.bytes, 0)).toBeUndefined();
    const whole = reassembly.add(0, second.header, second.bytes, 0);
    expect(payloadOf(whole!)).toEqual([...new Array(16).fill(1), ...new Array(8).fill(2)]);
  });

  it('a fragment that is no whole number of units, or reaches beyond 65 535 bytes, is not kept', () => {
    const reassembly = new Reassembly();
    const odd = fragment(new Uint8Array(24), 0, 12);
    const far = fragment(new Uint8Array(65_528), 65_512, 65_528);
    for (const { header, bytes } of [odd, far]) expect(reassembly.add(0, header, bytes, 0)).toBeUndefined();
    expect(reassembly.size).toBe(0);
  });

  it('after 30 s it gives up, and quotes the first fragment when that had come', () => {
    const reassembly = new Reassembly();
    const payload = new Uint8Array(40).fill(7);
    const withFirst = fragment(payload, 0, 16, 1);
    const without = fragment(payload, 16, 40, 2);
    reassembly.add(0, withFirst.header, withFirst.bytes, 0);
    reassembly.add(SECOND, without.header, without.bytes, 0);
    expect(reassembly.deadline()).toBe(30 * SECOND);
    expect(reassembly.expire(30 * SECOND).map((quote) => quote.length)).toEqual([28]);
    expect(reassembly.deadline()).toBe(31 * SECOND);
    expect(reassembly.expire(31 * SECOND)).toEqual([]);
    expect(reassembly.deadline()).toBe(Infinity);
  });

  it('holds 64 datagrams; a further one takes the place of the oldest', () => {
    const reassembly = new Reassembly();
    const payload = new Uint8Array(24);
    for (let id = 0; id < 65; id++) {
      const { header, bytes } = fragment(payload, 0, 16, id);
      reassembly.add(id, header, bytes, 0);
    }
    expect(reassembly.size).toBe(64);
    const oldest = fragment(payload, 16, 24, 0);
    expect(reassembly.add(99, oldest.header, oldest.bytes, 0)).toBeUndefined();
    const second = fragment(payload, 16, 24, 2);
    expect(reassembly.add(99, second.header, second.bytes, 0)).toBeDefined();
  });
});
