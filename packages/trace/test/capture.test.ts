import { Checker, concatBytes, viewOf } from '@quorate/kernel';
import { decodeIpv4, decodeTcp, decodeUdp } from '@quorate/network';
import { describe, expect, it } from 'vitest';
import {
  checkCapture,
  Direction,
  exportPcapng,
  invariants,
  PcapngWriter,
  type ReadPacket,
  readPcapng,
  TrafficCapture,
} from '../src/index.js';
import { fileOf } from './captures.js';
import { failover } from './failover-trace.js';

const A = { address: '10.0.0.1', port: 5405 };
const B = { address: '10.0.0.2', port: 5405 };

function traffic(of: (capture: TrafficCapture) => void): readonly ReadPacket[] {
  const file = fileOf((sink) => of(new TrafficCapture(sink)));
  const checker = new Checker(invariants);
  checkCapture(file, checker);
  expect(checker.violations).toEqual([]);
  return [...readPcapng(file)];
}

const ascending = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i % 251);

describe('a file', () => {
  const file = fileOf((sink) => {
    const writer = new PcapngWriter(sink);
    const card = writer.addInterface('node1.eth0');
    const { outbound, inbound } = Direction;
    writer.add({ interface: card, at: 2 ** 52 + 1, bytes: ascending(61), direction: outbound });
    writer.add({ interface: card, at: 2 ** 53 - 1, bytes: ascending(60), direction: inbound, comment: 'ö' });
  });

  it('is read as it was written', () => {
    expect([...readPcapng(file)]).toEqual([
      {
        interface: 'node1.eth0',
        at: 2 ** 52 + 1,
        bytes: ascending(61),
        direction: Direction.outbound,
        comment: undefined,
      },
      { interface: 'node1.eth0', at: 2 ** 53 - 1, bytes: ascending(60), direction: Direction.inbound, comment: 'ö' },
    ]);
  });

  it.each<[string, (bytes: Uint8Array) => Uint8Array, RegExp]>([
    ['something else', () => Uint8Array.from({ length: 12 }, () => 65), /at byte 0: found 0x41414141, .*: no pcapng$/],
    ['one that was cut off', (bytes) => bytes.subarray(0, -4), /at byte 204: found a block of 112 bytes, expected/],
    ['a piece of a block', (bytes) => bytes.subarray(0, -108), /found 4 bytes, expected a block$/],
    ['no byte order', (bytes) => patched(bytes, 8, 0), /at byte 8: found byte order 0x0, expected 0x1a2b3c4d$/],
    ['no such interface', (bytes) => patched(bytes, 92 + 8, 3), /found interface 3, expected one below 1$/],
    ['a packet longer than its block', (bytes) => patched(bytes, 92 + 20, 999), /found a packet of 999 bytes, /],
  ])('%s is refused with the place', (_what, change, message) => {
    expect(() => [...readPcapng(change(file.slice()))]).toThrow(message);
  });
});

function patched(bytes: Uint8Array, at: number, value: number): Uint8Array {
  viewOf(bytes).setUint32(at, value, true);
  return bytes;
}

it('of another writer is read in the other byte order, in microseconds, with blocks of other types passed over', () => {
  const block = (type: number, ...words: readonly number[]): Uint8Array => {
    const bytes = new Uint8Array(12 + 4 * words.length);
    const view = viewOf(bytes);
    [type, bytes.length, ...words, bytes.length].forEach((word, i) => {
      view.setUint32(4 * i, word);
    });
    return bytes;
  };
  const file = concatBytes(
    block(0x0a0d0d0a, 0x1a2b3c4d, 0x0001_0000, 0xffff_ffff, 0xffff_ffff),
    block(1, 0x0001_0000, 0),
    block(5, 0, 0, 0),
    block(6, 0, 0, 7, 2, 2, 0xabcd_0000),
  );
  expect([...readPcapng(file)]).toEqual([
    {
      interface: '',
      at: 7000,
      bytes: Uint8Array.of(0xab, 0xcd),
      direction: Direction.unknown,
      comment: undefined,
    },
  ]);
});

it('of one card has only what that card saw', () => {
  const packetsOf = (node?: number): readonly ReadPacket[] => [
    ...readPcapng(concatBytes(...exportPcapng(failover(), { node }))),
  ];
  expect(packetsOf(1).map(({ interface: card, at }) => [card, at])).toEqual([['node1.eth0', 2_000_150_000]]);
  expect(packetsOf(2)).toEqual(packetsOf().filter(({ interface: card }) => card === 'node2.eth0'));
});

describe('datagrams', () => {
  it('have the addresses, ports and bytes they were sent with, on one wire', () => {
    const packets = traffic((capture) => {
      capture.datagram(1, A, B, ascending(57));
      capture.datagram(2, B, { address: '239.255.1.1', port: 5405 }, ascending(0));
    });
    expect(packets.map(({ interface: wire, at }) => [wire, at])).toEqual([
      ['wire', 1],
      ['wire', 2],
    ]);
    const [first, second] = packets.map(({ bytes }) => bytes);
    const ip = decodeIpv4(first!, 14);
    expect(ip).toMatchObject({ source: 0x0a000001, destination: 0x0a000002, protocol: 17, payloadBytes: 65 });
    expect(decodeUdp(first!, 34, 65, 0x0a000001, 0x0a000002)).toEqual({
      sourcePort: 5405,
      destinationPort: 5405,
      dataBytes: 57,
    });
    expect(first!.subarray(42)).toEqual(ascending(57));
    // A group's MAC address: 01:00:5e and 23 bits of the group.
    expect(second!.subarray(0, 6)).toEqual(Uint8Array.of(1, 0, 0x5e, 0x7f, 1, 1));
  });

  it.each([
    [1472, [1514]],
    [1473, [1514, 35]],
    [1500, [1514, 62]],
    [65_507, [...Array<number>(44).fill(1514), 429]],
  ])('of %d bytes take frames of %j', (length, sizes) => {
    const packets = traffic((capture) => capture.datagram(0, A, B, ascending(length)));
    expect(packets.map(({ bytes }) => bytes.length)).toEqual(sizes);
    const payload = concatBytes(...packets.map(({ bytes }) => bytes.subarray(34)));
    expect(payload.subarray(8)).toEqual(ascending(length));
  });

  it('that no network carries are refused', () => {
    const capture = new TrafficCapture(() => {});
    expect(() => capture.datagram(0, A, B, new Uint8Array(65_508))).toThrow(/found a datagram of 65508 bytes/);
    expect(() => capture.datagram(0, { ...A, address: 'node1' }, B, ascending(1))).toThrow(
      /found "node1", expected an IPv4/,
    );
  });
});

/** A segment in a line. */
function segmentText({ bytes }: ReadPacket): string {
  const ip = decodeIpv4(bytes, 14);
  if (typeof ip === 'string') return ip;
  const tcp = decodeTcp(bytes, 34, ip.payloadBytes, ip.source, ip.destination);
  if (typeof tcp === 'string') return tcp;
  const flags = ['FIN', 'SYN', 'RST', 'PSH', 'ACK'].filter((_, bit) => ((tcp.flags >> bit) & 1) === 1);
  return `${tcp.sourcePort} ${flags.join(',')} ${tcp.seq & 0xffffff} ${tcp.ack & 0xffffff} ${tcp.dataBytes}`;
}

describe('a connection', () => {
  const client = { address: '10.0.0.1', port: 40_000 };
  const server = { address: '10.0.0.2', port: 3260 };

  it('begins with a handshake, acknowledges what was sent, and ends', () => {
    const packets = traffic((capture) => {
      const connection = capture.connect(0, client, server);
      connection.sent(1, 'client', ascending(48));
      connection.sent(2, 'server', ascending(3000));
      connection.sent(3, 'server', ascending(0));
      connection.close(4, 'client');
      connection.close(5, 'server');
    });
    expect(packets.map(segmentText)).toEqual([
      '40000 SYN 0 0 0',
      '3260 SYN,ACK 0 1 0',
      '40000 ACK 1 1 0',
      '40000 PSH,ACK 1 1 48',
      '3260 ACK 1 49 0',
      '3260 ACK 1 49 1460',
      '3260 ACK 1461 49 1460',
      '3260 PSH,ACK 2921 49 80',
      '40000 ACK 49 3001 0',
      '40000 FIN,ACK 49 3001 0',
      '3260 FIN,ACK 3001 50 0',
      '40000 ACK 50 3002 0',
    ]);
  });

  it('may be reset, and says nothing more then', () => {
    const packets = traffic((capture) => {
      const connection = capture.connect(0, client, server);
      connection.abort(1, 'server');
      connection.abort(2, 'client');
      connection.close(3, 'client');
      expect(() => connection.sent(4, 'client', ascending(1))).toThrow(
        /found 1 bytes of the client, expected none after/,
      );
    });
    expect(packets.slice(3).map(segmentText)).toEqual(['3260 RST,ACK 1 1 0']);
  });

  it('between the same ports again has other sequence numbers', () => {
    const packets = traffic((capture) => {
      capture.connect(0, client, server).close(1, 'server');
      capture.connect(2, client, server).sent(3, 'client', ascending(10));
    });
    expect(new Set(packets.map(({ bytes }) => viewOf(bytes).getUint32(38) >>> 25)).size).toBe(4);
  });
});
