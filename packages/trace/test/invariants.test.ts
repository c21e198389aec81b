import { Checker } from '@quorate/kernel';
import { ACK, ETHERTYPE_IPV4, encodeEthernet, encodeIpv4, encodeTcp, FIN, PSH, parseIpv4, SYN } from '@quorate/network';
import { expect, it } from 'vitest';
import { checkCapture, Direction, invariants, PcapngWriter } from '../src/index.js';
import { fileOf } from './captures.js';

const A = parseIpv4('10.0.0.1')!;
const B = parseIpv4('10.0.0.2')!;
const { inbound, outbound } = Direction;

/** A segment from A to B, or back. */
function segment(way: 'A>B' | 'B>A', flags: number, seq: number, ack: number, text = ''): Uint8Array {
  const [source, destination] = way === 'A>B' ? [A, B] : [B, A];
  const [sourcePort, destinationPort] = way === 'A>B' ? [40_000, 21_064] : [21_064, 40_000];
  const frame = new Uint8Array(54 + text.length);
  encodeEthernet(frame, 2, 1, ETHERTYPE_IPV4);
  const ip = { identification: 1, dontFragment: true, moreFragments: false, fragmentOffset: 0, ttl: 64, protocol: 6 };
  encodeIpv4(frame, 14, { ...ip, source, destination }, 20 + text.length);
  for (let i = 0; i < text.length; i++) frame[54 + i] = text.charCodeAt(i);
  const fields = { sourcePort, destinationPort, seq, ack, flags, window: 1000, mss: 0 };
  encodeTcp(frame, 34, fields, text.length, source, destination);
  return frame;
}

const SYN_SENT = segment('A>B', SYN, 100, 0);
const OPEN = [SYN_SENT, segment('B>A', SYN | ACK, 500, 101), segment('A>B', ACK, 101, 501)];
const HELLO = segment('A>B', ACK | PSH, 101, 501, 'hello');

/** Ids of the rules that frames on one card break, each 1 ns after the one before unless told. */
function broken(frames: readonly Uint8Array[], times: readonly number[] = [], direction: Direction = outbound): string {
  const file = fileOf((sink) => {
    const writer = new PcapngWriter(sink);
    writer.addInterface('a');
    frames.forEach((bytes, i) => {
      writer.add({ interface: 0, at: times[i] ?? i, bytes, direction });
    });
  });
  const checker = new Checker(invariants);
  checkCapture(file, checker);
  return checker.violations.map(({ invariant, message }) => `${invariant}: ${message}`).join('\n');
}

it.each<[string, readonly Uint8Array[]]>([
  ['a connection', [...OPEN, HELLO, segment('B>A', ACK, 501, 106), segment('A>B', ACK | FIN, 106, 501)]],
  ['what is sent twice', [...OPEN, HELLO, HELLO, segment('A>B', ACK, 103, 501, 'llo you')]],
  ['what is lost before it arrives here', [...OPEN, segment('A>B', ACK, 131, 501, 'later'), HELLO]],
  ['a connection that began elsewhere', [HELLO, segment('B>A', ACK, 501, 200)]],
  ['a probe of the peer', [...OPEN, segment('A>B', ACK, 100, 501, 'x')]],
  ['another connection between the same ports', [...OPEN, HELLO, segment('A>B', SYN, 9000, 0), HELLO]],
])('%s breaks no rule', (_what, frames) => {
  expect(broken(frames)).toBe('');
});

it.each<[string, readonly Uint8Array[], string]>([
  ['bytes that change', [...OPEN, HELLO, segment('A>B', ACK, 101, 501, 'hallo')], 'byte 1 is 97, and was 101 before'],
  [
    'bytes after the end',
    [...OPEN, segment('A>B', ACK | FIN, 101, 501), segment('A>B', ACK, 102, 501, 'x')],
    'bytes up to 2 after a FIN at 0',
  ],
  ['an end before the end', [...OPEN, HELLO, segment('A>B', ACK | FIN, 104, 501)], 'a FIN at 3 after bytes up to 5'],
  ['what nobody sent is acknowledged', [...OPEN, segment('B>A', ACK, 501, 106)], 'acknowledges 5, where 0 were sent'],
])('%s: broken', (_what, frames, message) => {
  expect(broken(frames)).toMatch(/^trace\.C3: packet \d on a, 10\.0\.0\.\d:\d+ to 10\.0\.0\.\d:\d+: /);
  expect(broken(frames)).toContain(message);
});

it('time that runs backward is told', () => {
  expect(broken(OPEN, [5, 7, 6])).toBe('trace.C1: packet 3 on a at 6 ns, after one at 7 ns');
});

it('what arrives and was not sent is told, unless it was damaged on the way', () => {
  expect(broken([SYN_SENT], [], inbound)).toBe('trace.C2: packet 1 arrived at a, and nobody has sent it');
  const damaged = SYN_SENT.slice();
  damaged[40]! ^= 1;
  expect(broken([damaged], [], inbound)).toBe('');
});
