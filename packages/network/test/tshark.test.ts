import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TAME_WORLD } from '@quorate/kernel';
import { expect, it } from 'vitest';
import { Segment } from './segment.js';

const TSHARK = 'tshark';
const hasTshark = spawnSync(TSHARK, ['--version']).status === 0;
const isRequired = process.env.QUORATE_REQUIRE_ORACLES === '1';

/**
 * A capture file in the classic format.
 *
 * offset size field
 *      0    4 magic 0xa1b23c4d  times in nanoseconds
 *      4    4 version           2, 4 (16 bits each)
 *      8    8 –                 time zone and accuracy, zero
 *     16    4 snap length
 *     20    4 link type         1 Ethernet
 *     24    … packets           seconds, nanoseconds, length kept, length (32 bits each), then the bytes
 */
function pcap(frames: readonly { readonly at: number; readonly bytes: Uint8Array }[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b23c4d, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  const packets = frames.map(({ at, bytes }) => {
    const head = Buffer.alloc(16);
    head.writeUInt32LE(Math.floor(at / 1e9), 0);
    head.writeUInt32LE(at % 1e9, 4);
    head.writeUInt32LE(bytes.length, 8);
    head.writeUInt32LE(bytes.length, 12);
    return Buffer.concat([head, bytes]);
  });
  return Buffer.concat([header, ...packets]);
}

/** A run that sends every kind of frame that a stack can send. */
function capture(): readonly { readonly at: number; readonly bytes: Uint8Array }[] {
  const frames: { at: number; bytes: Uint8Array }[] = [];
  const segment = new Segment({
    hosts: [
      { name: 'a', mac: '00:15:5d:4c:4a:01', addresses: ['10.156.76.74/22'], gateway: '10.156.76.1' },
      { name: 'b', mac: '00:15:5d:4c:4a:02', addresses: ['10.156.76.92/22'] },
    ],
    world: TAME_WORLD,
    onFrame: (_, bytes, now) => frames.push({ at: now, bytes: bytes.slice() }),
  });
  const ms = 1_000_000;
  segment.input('b', { kind: 'udp-bind', port: 5405, groups: ['239.192.99.54'] });
  segment.input('b', { kind: 'tcp-listen', port: 80 });
  segment.input('a', { kind: 'echo', id: 1, to: '10.156.76.92', ttl: 2, seq: 1, timeout: 1000 * ms });
  segment.run(10 * ms);
  for (const [to, port, size] of [
    ['239.192.99.54', 5405, 1405],
    ['10.156.76.92', 5405, 1500],
    ['10.156.76.92', 9, 33],
    ['10.156.79.255', 5405, 0],
  ] as const) {
    segment.input('a', { kind: 'udp-send', port: 5404, to, toPort: port, bytes: new Uint8Array(size).fill(0x55) });
    segment.run(10 * ms);
  }
  segment.input('a', { kind: 'tcp-connect', id: 1, to: '10.156.76.92', port: 80 });
  segment.run(10 * ms);
  segment.input('a', { kind: 'tcp-send', id: 1, bytes: Buffer.from('GET / HTTP/1.0\r\n\r\n') });
  segment.run(100 * ms);
  segment.input('a', { kind: 'tcp-send', id: 1, bytes: new Uint8Array(5001).fill(0x20) });
  segment.run(100 * ms);
  segment.input('a', { kind: 'tcp-close', id: 1 });
  segment.run(100 * ms);
  segment.input('a', { kind: 'tcp-connect', id: 2, to: '10.156.76.92', port: 81 });
  segment.input('b', { kind: 'announce', name: 'eth0', address: '10.156.76.58' });
  segment.input('a', { kind: 'probe', id: 3, name: 'eth0', address: '10.156.76.92', timeout: 1000 * ms });
  segment.run(100 * ms);
  return frames;
}

it.runIf(hasTshark || isRequired)('Wireshark finds every frame well formed and every checksum good', () => {
  const directory = mkdtempSync(join(tmpdir(), 'quorate-network-'));
  try {
    const file = join(directory, 'frames.pcap');
    const frames = capture();
    writeFileSync(file, pcap(frames));
    const checks = ['ip', 'udp', 'tcp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);
    const tshark = (...args: string[]): string =>
      execFileSync(TSHARK, ['-n', '-r', file, ...checks, ...args], { encoding: 'utf8', stdio: 'pipe' });
    const fields = ['_ws.malformed', ...['ip', 'udp', 'tcp', 'icmp'].map((protocol) => `${protocol}.checksum.status`)];
    const rows = tshark('-T', 'fields', ...fields.flatMap((field) => ['-e', field]))
      .split('\n')
      .slice(0, -1)
      .map((line) => line.split('\t'));
    const column = (field: string): readonly string[] => rows.map((row) => row[fields.indexOf(field)] ?? '');
    expect(column('_ws.malformed').join('')).toBe('');
    // 0 bad, 1 good, 2 not checked: of the datagram that an ICMP error quotes, most is missing.
    const good = (protocol: string): number => {
      const statuses = column(`${protocol}.checksum.status`);
      expect(statuses.filter((status) => status.includes('0'))).toEqual([]);
      return statuses.filter((status) => status.startsWith('1')).length;
    };
    expect(rows).toHaveLength(frames.length);
    expect(good('ip')).toBe(frames.filter(({ bytes }) => bytes[13] === 0).length);
    expect(good('udp')).toBe(4);
    expect(good('tcp')).toBe(frames.filter(({ bytes }) => bytes[13] === 0 && bytes[23] === 6).length);
    expect(good('icmp')).toBe(3);
    const lines = tshark();
    expect(lines).toContain('Gratuitous ARP for 10.156.76.58');
    expect(lines).toContain('Who has 10.156.76.92? (ARP Probe)');
    expect(lines).toContain('Destination unreachable (Port unreachable)');
    expect(lines).toContain('[SYN, ACK]');
    expect(lines).toContain('[RST, ACK]');
  } finally {
    rmSync(directory, { recursive: true });
  }
});

it.skipIf(hasTshark || isRequired)('skipped: tshark is not installed, so nobody but us has read our frames', () => {});
