import { fromHex, hex } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeArp, encodeArp } from '../src/arp-packet.js';
import { addWords, internetChecksum } from '../src/checksum.js';
import { decodeEthernet, encodeEthernet, isGroupMac } from '../src/ethernet.js';
import { decodeIcmp, encodeIcmp } from '../src/icmp.js';
import { decodeIpv4, encodeIpv4 } from '../src/ipv4.js';
import { readQuoted } from '../src/quoted-packet.js';
import { decodeTcp, encodeTcp, tcpHeaderBytes } from '../src/tcp-segment.js';
import { decodeUdp, encodeUdp } from '../src/udp.js';

const u16 = fc.nat(0xffff);
const u32 = fc.nat(0xffff_ffff);
const mac = fc.nat(0xffff_ffff_ffff);
const data = fc.uint8Array({ maxLength: 1600 });
/** Headers stand in the middle of frames: every codec is tried at an odd and an even offset. */
const place = fc.nat(3);

describe('the Internet checksum', () => {
  it('is the example of RFC 1071, section 3', () => {
    const bytes = fromHex('0001 f203 f4f5 f6f7');
    expect(addWords(0, bytes, 0, 8) % 0xffff).toBe(0xddf2);
    expect(internetChecksum(addWords(0, bytes, 0, 8))).toBe(0xffff - 0xddf2);
  });

  it('takes an odd last byte as the high half of a word', () => {
    expect(addWords(0, fromHex('0102 03'), 0, 3)).toBe(0x0102 + 0x0300);
  });

  it('is the sum of the words one by one', () => {
    fc.assert(
      fc.property(data, fc.nat(3), (bytes, start) => {
        let sum = 0;
        for (let at = start; at < bytes.length; at += 2) sum += bytes[at]! * 256 + (bytes[at + 1] ?? 0);
        expect(addWords(0, bytes, start, bytes.length)).toBe(sum);
      }),
    );
  });
});

describe('headers of known frames', () => {
  it('an IPv4 header as Wikipedia computes its checksum by hand', () => {
    const bytes = fromHex('4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7');
    const whole = new Uint8Array(0x73);
    whole.set(bytes);
    expect(decodeIpv4(whole, 0)).toMatchObject({ protocol: 17, ttl: 64, dontFragment: true, payloadBytes: 0x73 - 20 });
    const again = new Uint8Array(20);
    const header = decodeIpv4(whole, 0);
    if (typeof header !== 'string') encodeIpv4(again, 0, header, header.payloadBytes);
    expect(hex(again)).toBe(hex(bytes));
  });

  it('the ARP request of a host that looks for the gateway', () => {
    const frame = new Uint8Array(42);
    encodeEthernet(frame, 0xffff_ffff_ffff, 0x0015_5d4c_4a01, 0x0806);
    const packet = {
      operation: 1,
      senderMac: 0x0015_5d4c_4a01,
      senderAddress: 0x0a9c_4c4a,
      targetMac: 0,
      targetAddress: 0x0a9c_4c01,
    };
    encodeArp(frame, 14, packet);
    expect(hex(frame)).toBe(
      'ffffffffffff00155d4c4a0108060001080006040001' + '00155d4c4a010a9c4c4a' + '0000000000000a9c4c01',
    );
    expect(decodeArp(frame, 14)).toEqual(packet);
  });

  it('the low bit of the first byte makes a group address', () => {
    expect([0xffff_ffff_ffff, 0x0100_5e40_6336, 0x0015_5d4c_4a01].map(isGroupMac)).toEqual([true, true, false]);
  });
});

describe('decode(encode(x)) is x', () => {
  it('Ethernet', () => {
    fc.assert(
      fc.property(mac, mac, u16, (destination, source, type) => {
        const frame = new Uint8Array(14);
        encodeEthernet(frame, destination, source, type);
        expect(decodeEthernet(frame)).toEqual({ destination, source, type });
      }),
    );
  });

  it('ARP', () => {
    const packets = fc.record({
      operation: fc.constantFrom(1, 2),
      senderMac: mac,
      senderAddress: u32,
      targetMac: mac,
      targetAddress: u32,
    });
    fc.assert(
      fc.property(packets, place, (packet, at) => {
        const bytes = new Uint8Array(at + 28);
        encodeArp(bytes, at, packet);
        expect(decodeArp(bytes, at)).toEqual(packet);
      }),
    );
  });

  it('IPv4', () => {
    const headers = fc.record({
      identification: u16,
      dontFragment: fc.boolean(),
      moreFragments: fc.boolean(),
      fragmentOffset: fc.nat(0x1fff).map((units) => units * 8),
      ttl: fc.nat(255),
      protocol: fc.nat(255),
      source: u32,
      destination: u32,
    });
    fc.assert(
      fc.property(headers, fc.nat(1480), place, (header, payloadBytes, at) => {
        const bytes = new Uint8Array(at + 20 + payloadBytes);
        encodeIpv4(bytes, at, header, payloadBytes);
        expect(decodeIpv4(bytes, at)).toEqual({ ...header, headerBytes: 20, payloadBytes });
      }),
    );
  });

  it('ICMP', () => {
    const headers = fc.record({ type: fc.nat(255), code: fc.nat(255), identifier: u16, sequence: u16 });
    fc.assert(
      fc.property(headers, data, place, (header, content, at) => {
        const bytes = new Uint8Array(at + 8 + content.length);
        bytes.set(content, at + 8);
        encodeIcmp(bytes, at, header, content.length);
        expect(decodeIcmp(bytes, at, 8 + content.length)).toEqual(header);
      }),
    );
  });

  it('UDP', () => {
    fc.assert(
      fc.property(u16, u16, data, u32, u32, place, (sourcePort, destinationPort, content, source, destination, at) => {
        const bytes = new Uint8Array(at + 8 + content.length);
        bytes.set(content, at + 8);
        const header = { sourcePort, destinationPort, dataBytes: content.length };
        encodeUdp(bytes, at, header, source, destination);
        expect(bytes[at + 6]! | bytes[at + 7]!).not.toBe(0);
        expect(decodeUdp(bytes, at, 8 + content.length, source, destination)).toEqual(header);
      }),
    );
  });

  it('TCP', () => {
    const segments = fc.record({
      sourcePort: u16,
      destinationPort: u16,
      seq: u32,
      ack: u32,
      flags: fc.nat(63),
      window: u16,
      mss: fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 0xffff })),
    });
    fc.assert(
      fc.property(segments, data, u32, u32, place, (segment, content, source, destination, at) => {
        const headerBytes = tcpHeaderBytes(segment.mss);
        const bytes = new Uint8Array(at + headerBytes + content.length);
        bytes.set(content, at + headerBytes);
        encodeTcp(bytes, at, segment, content.length, source, destination);
        expect(decodeTcp(bytes, at, headerBytes + content.length, source, destination)).toEqual({
          ...segment,
          dataAt: at + headerBytes,
          dataBytes: content.length,
        });
      }),
    );
  });
});

describe('arbitrary bytes never throw', () => {
  it.each([
    ['Ethernet', (bytes: Uint8Array) => decodeEthernet(bytes)],
    ['ARP', (bytes: Uint8Array) => decodeArp(bytes, 0)],
    ['IPv4', (bytes: Uint8Array) => decodeIpv4(bytes, 0)],
    ['ICMP', (bytes: Uint8Array) => decodeIcmp(bytes, 0, bytes.length)],
    ['UDP', (bytes: Uint8Array) => decodeUdp(bytes, 0, bytes.length, 1, 2)],
    ['TCP', (bytes: Uint8Array) => decodeTcp(bytes, 0, bytes.length, 1, 2)],
    ['a quoted packet', (bytes: Uint8Array) => readQuoted(bytes, 0)],
  ])('%s', (_, decode) => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        decode(bytes);
      }),
      { numRuns: 500 },
    );
  });

  it('one turned bit is found by the checksum of each protocol', () => {
    const bytes = new Uint8Array(60);
    encodeTcp(bytes, 0, { sourcePort: 1, destinationPort: 2, seq: 3, ack: 4, flags: 16, window: 5, mss: 0 }, 40, 6, 7);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      const damaged = bytes.slice();
      damaged[bit >> 3] = damaged[bit >> 3]! ^ (1 << (bit & 7));
      expect(typeof decodeTcp(damaged, 0, 60, 6, 7)).toBe('string');
    }
  });
});

describe('what a decoder refuses', () => {
  const ip = new Uint8Array(28);
  const fields = { identification: 1, dontFragment: false, moreFragments: false, fragmentOffset: 0, ttl: 64 };
  encodeIpv4(ip, 0, { ...fields, protocol: 17, source: 1, destination: 2 }, 8);
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = ip.slice();
    bytes[at] = value;
    return bytes;
  };

  it.each([
    ['a frame of 13 bytes', decodeEthernet(new Uint8Array(13)), 'runt'],
    ['ARP for something else than IPv4', decodeArp(new Uint8Array(28), 0), 'bad-arp'],
    ['IP version 6', decodeIpv4(changed(0, 0x65), 0), 'bad-ip-header'],
    ['a header of 4 words', decodeIpv4(changed(0, 0x44), 0), 'bad-ip-header'],
    ['a total length below the header', decodeIpv4(changed(3, 19), 0), 'bad-ip-header'],
    ['a packet cut short', decodeIpv4(ip.subarray(0, 27), 0), 'ip-truncated'],
    ['a changed time to live', decodeIpv4(changed(8, 63), 0), 'bad-ip-checksum'],
    ['ICMP of 7 bytes', decodeIcmp(new Uint8Array(7), 0, 7), 'icmp-truncated'],
    ['UDP longer than its packet', decodeUdp(fromHex('0001 0002 0009 0000'), 0, 8, 1, 2), 'udp-truncated'],
    ['a TCP header beyond its packet', decodeTcp(new Uint8Array(20).fill(0xff), 0, 20, 1, 2), 'tcp-truncated'],
  ])('%s: %s', (_, result, reason) => {
    expect(result).toBe(reason);
  });

  it('a UDP checksum of 0 is none at all', () => {
    expect(decodeUdp(fromHex('0001 0002 0008 0000'), 0, 8, 1, 2)).toEqual({
      sourcePort: 1,
      destinationPort: 2,
      dataBytes: 0,
    });
  });
});
