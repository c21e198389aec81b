import { Dlm, type DlmInput, LockFlag, Mode } from '@quorate/dlm';
import { MILLISECOND, viewOf } from '@quorate/kernel';
import { type CapturedConnection, TrafficCapture } from '@quorate/trace';
import { expect } from 'vitest';
import { itWith } from '../../oracle.js';
import { fileOf, tsharkFields } from './tshark.js';

const PORT = 21_064;
const CLIENT = { address: '10.0.0.1', port: 40_000 };
const SERVER = { address: '10.0.0.2', port: PORT };
const OPTS = 3;
const HEADER_BYTES = 16;
const ENVELOPE_BYTES = 24;

/** Command of a packet and, of one with a type, that: `2 5` is an RCOM STATUS_REPLY. In the envelope, if it has one. */
function packetText(packet: Uint8Array): string {
  const inner = packet[14] === OPTS ? packet.subarray(ENVELOPE_BYTES) : packet;
  const type = inner.length > HEADER_BYTES ? ` ${viewOf(inner).getUint32(16, true)}` : '';
  return `${inner[14]}${type}`;
}

/** Two nodes of a lockspace, which recovers, locks, converts, blocks, looks up and unlocks; and what they sent, as text. */
function lockspace(protocol: '3.1' | '3.2', sink: (bytes: Uint8Array) => void): readonly string[] {
  const capture = new TrafficCapture(sink);
  const members = [{ node: 1 }, { node: 2 }];
  const dlms = members.map(({ node }) => new Dlm({ nodeId: node, protocol }));
  const sent: string[] = [];
  const wire: [to: number, input: DlmInput][] = [];
  const connection: CapturedConnection = capture.connect(0, CLIENT, SERVER);
  let now = 0;

  const run = (to: number, first: DlmInput): void => {
    wire.push([to, first]);
    for (let next = wire.shift(); next !== undefined; next = wire.shift()) {
      const [node, input] = next;
      dlms[node - 1]!.step(now, input, (output) => {
        if (output.kind !== 'packet') return;
        const bytes = output.bytes.slice();
        connection.sent(now, node === 1 ? 'client' : 'server', bytes);
        sent.push(packetText(bytes));
        wire.push([output.to, { kind: 'packet', from: node, bytes }]);
      });
    }
  };

  const name = 'accounts';
  for (const { node } of members) run(node, { kind: 'create', lockspace: name, lvbLength: 8, isFs: false });
  for (const { node } of members) run(node, { kind: 'connected', node: 3 - node });
  const recover = (): void => {
    for (const { node } of members) run(node, { kind: 'start', lockspace: name, members });
    for (const end = now + 50 * MILLISECOND; now < end; now += MILLISECOND) {
      for (const { node } of members) run(node, { kind: 'wake' });
    }
  };
  recover();
  for (let handle = 1; handle <= 20; handle++) {
    const lock = { kind: 'lock', lockspace: name, handle, name: `account ${handle}`, flags: LockFlag.VALBLK } as const;
    run(1, { ...lock, mode: Mode.EX });
    run(2, { ...lock, mode: Mode.PR });
    run(1, { ...lock, mode: Mode.PR, flags: LockFlag.CONVERT | LockFlag.VALBLK, lvb: new Uint8Array(8).fill(handle) });
    if (handle % 2 === 0) run(2, { kind: 'unlock', lockspace: name, handle, flags: 0 });
  }
  // Locks and names go over the wire in a second recovery.
  for (const { node } of members) run(node, { kind: 'stop', lockspace: name });
  recover();
  connection.close(now, 'server');
  return sent;
}

const MALFORMED = ['_ws.malformed', '_ws.lua.error'];

itWith(['tshark'], "Wireshark's own dissector reads every packet of protocol 3.1", () => {
  let sent: readonly string[] = [];
  const file = fileOf((sink) => {
    sent = lockspace('3.1', sink);
  });
  const rows = tsharkFields(file, [], [...MALFORMED, 'dlm3.h.cmd', 'dlm3.m.type', 'dlm3.rc.type'], '-Y', 'dlm3');
  expect(rows.map(([malformed, error]) => `${malformed}${error}`).join('')).toBe('');
  expect(rows.map(([, , command, message, recovery]) => `${command} ${message}${recovery}`)).toEqual(sent);
  expect(sent.length).toBeGreaterThan(150);
});

itWith(['tshark'], 'and with dlm32.lua every packet of 3.2', () => {
  let sent: readonly string[] = [];
  const file = fileOf((sink) => {
    sent = lockspace('3.2', sink);
  });
  const fields = [...MALFORMED, 'dlm3.h.cmd', 'dlm3.m.type', 'dlm3.rc.type', 'dlm32.bare', 'tcp.analysis.flags'];
  const rows = tsharkFields(file, ['dlm32.lua'], fields, '-Y', 'dlm3');
  expect(rows.map(([malformed, error, , , , , flags]) => `${malformed}${error}${flags}`).join('')).toBe('');
  const found = rows.map(([, , commands, message, recovery]) => `${commands!.split(',').at(-1)} ${message}${recovery}`);
  expect(found.map((text) => text.trimEnd())).toEqual(sent);
  const bare = rows.filter(([, , , , , isBare]) => isBare !== '').map(([, , , , recovery]) => recovery);
  // STATUS, NAMES and their replies.
  expect([...new Set(bare)].sort()).toEqual(['1', '2', '5', '6']);
  expect(sent.length).toBeGreaterThan(150);
});
