import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PacketStream } from '@quorate/dlm';
import { Checker } from '@quorate/kernel';
import { decodeIpv4, decodeTcp, ETHERTYPE_IPV4, PROTOCOL_TCP } from '@quorate/network';
import { checkCapture, invariants, type ReadPacket, readPcapng, TraceFile } from '@quorate/trace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { lacksPrograms } from '../../../tooling/oracle.js';
import { tsharkFields } from '../../../tooling/wireshark/test/tshark.js';
import { runCommand } from '../src/run-command.js';
import { capturedIo } from './captured-io.js';
import { ring } from './ring-scenario.js';

const folder = mkdtempSync(join(tmpdir(), 'quorate-capture-'));
afterAll(() => rmSync(folder, { recursive: true }));

const TRACE = join(folder, 'ring.qtrace');
let capture: Uint8Array;

async function run(...argv: readonly string[]): Promise<void> {
  const io = capturedIo();
  expect(`${await runCommand(argv, io, ring)} ${io.stderr.text}`).toBe('0 ');
}

async function exported(...options: readonly string[]): Promise<Uint8Array> {
  const path = join(folder, 'exported.pcapng');
  await run('trace', 'export', TRACE, '--to', 'pcapng', '-o', path, ...options);
  return readFileSync(path);
}

beforeAll(async () => {
  const path = join(folder, 'ring.pcapng');
  await run('sim', 'run', 'ring', '--quiet', '--trace', TRACE, '--trace-mode', 'payload', '--pcap', path);
  capture = readFileSync(path);
});

it('the frames that a run captures are those of its trace', async () => {
  expect(Buffer.compare(await exported(), capture)).toBe(0);
});

it('no rule of captures is broken', () => {
  const checker = new Checker(invariants);
  checkCapture(capture, checker);
  expect(checker.violations).toEqual([]);
});

it('each frame is where it was sent, where it arrived and where it was dropped', () => {
  const kinds = [...new TraceFile(readFileSync(TRACE)).records()].map(({ kind }) => kind);
  const packets = [...readPcapng(capture)];
  const dropped = packets.filter(({ comment }) => comment?.startsWith('dropped on the way to '));
  const arrived = packets.filter(({ direction }) => direction === 1);
  expect(dropped).toHaveLength(kinds.filter((kind) => kind === 'net.drop').length);
  expect(arrived).toHaveLength(kinds.filter((kind) => kind === 'net.recv').length);
  // Whatever else is there was sent: once for all receivers of a group.
  expect(packets.length).toBeGreaterThan(dropped.length + arrived.length);
  const cards = new Set(packets.map(({ interface: card }) => card));
  expect([...cards].sort()).toEqual(['browser.eth0', 'gateway.eth0', 'node1.eth0', 'node2.eth0', 'node3.eth0']);
});

const SCRIPTS = ['totem31.lua', 'dlm32.lua'];
const MALFORMED = ['_ws.malformed', '_ws.lua.error', 'totem31.malformed'];
const CHECKSUMS = ['ip', 'udp', 'tcp'].flatMap((protocol) => ['-o', `${protocol}.check_checksum:TRUE`]);
const CHECKSUM_FIELDS = ['ip', 'udp', 'tcp', 'icmp'].map((protocol) => `${protocol}.checksum.status`);
const BAD = '0';

const lacks = lacksPrograms('tshark');

describe.skipIf(lacks !== undefined)(`tshark reads it${lacks === undefined ? '' : ` (${lacks})`}`, () => {
  it('finds nothing malformed and every checksum right, and dissects every datagram of the ring', () => {
    const fields = [...MALFORMED, ...CHECKSUM_FIELDS, 'udp.dstport', 'totem31.type', 'frame.time_epoch'];
    const rows = tsharkFields(capture, SCRIPTS, fields, ...CHECKSUMS);
    const column = (field: string): readonly string[] => rows.map((row) => row[fields.indexOf(field)] ?? '');
    for (const field of MALFORMED) expect(column(field).filter((value) => value !== '')).toEqual([]);
    for (const field of CHECKSUM_FIELDS) expect(column(field).filter((status) => status === BAD)).toEqual([]);
    const toRing = column('udp.dstport').filter((port) => port === '5405').length;
    expect(toRing).toBeGreaterThan(500);
    expect(column('totem31.type').filter((type) => type !== '')).toHaveLength(toRing);
    const times = column('frame.time_epoch').map(Number);
    expect(times.every((time, i) => i === 0 || time >= times[i - 1]!)).toBe(true);
  });

  it('on one card sees whole connections, and as many packets of the DLM in them as we do', async () => {
    const card = await exported('--node', 'node2');
    const rows = tsharkFields(
      card,
      SCRIPTS,
      ['tcp.analysis.flags', 'tcp.analysis.retransmission', 'dlm3'],
      '-Y',
      'tcp',
    );
    expect(rows.map(([flags, retransmission]) => `${flags}${retransmission}`).join('')).toBe('');
    const found = rows.flatMap(([, , packets]) => packets!.split(',')).filter((packet) => packet !== '');
    expect(found.length).toBeGreaterThan(50);
    expect(found).toHaveLength(dlmPackets([...readPcapng(card)]));
  });
});

const DLM_PORT = 21_064;

/** Packets in the streams of the DLM that a card saw. */
function dlmPackets(packets: readonly ReadPacket[]): number {
  const streams = new Map<string, PacketStream>();
  let count = 0;
  for (const { bytes } of packets) {
    const isIpv4 = bytes[12]! * 256 + bytes[13]! === ETHERTYPE_IPV4;
    const ip = isIpv4 ? decodeIpv4(bytes, 14) : 'ip-truncated';
    if (typeof ip === 'string' || ip.protocol !== PROTOCOL_TCP) continue;
    const tcp = decodeTcp(bytes, 34, ip.payloadBytes, ip.source, ip.destination);
    if (typeof tcp === 'string' || (tcp.sourcePort !== DLM_PORT && tcp.destinationPort !== DLM_PORT)) continue;
    const name = `${ip.source}:${tcp.sourcePort}>${ip.destination}:${tcp.destinationPort}`;
    const stream = streams.get(name) ?? new PacketStream();
    streams.set(name, stream);
    const whole = stream.push(bytes.subarray(tcp.dataAt, tcp.dataAt + tcp.dataBytes));
    if (whole === 'bad-length') throw new Error(`a packet of the DLM with a length that is none, ${name}`);
    for (let at = 0; at < whole.length; at += whole[at + 12]! + whole[at + 13]! * 256) count += 1;
  }
  return count;
}
