import { ByteWriter, fromHex, hex } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type CmanMessage,
  type MessageHeader,
  readHeader,
  readMessage,
  type TransitionMessage,
  writeHeader,
  writeMessage,
} from '../src/index.js';

function bytesOf(message: CmanMessage): Uint8Array {
  return writeMessage(new ByteWriter(true), message).bytes().slice();
}

const transition: TransitionMessage = {
  kind: 'transition',
  isFirst: true,
  clusterId: 25554,
  votes: 1,
  expectedVotes: 9,
  majorVersion: 6,
  minorVersion: 2,
  patchVersion: 0,
  configVersion: 34,
  flags: 0x20,
  fencedAt: 0,
  startedAt: 1_446_127_541,
  clusterName: 'my-cluster',
  fenceAgent: '',
};

describe('the layout of', () => {
  it('the header', () => {
    const header = { toPort: 177, fromPort: 178, from: 1, to: 0x12345678 };
    const bytes = writeHeader(new ByteWriter(true), header).bytes();
    expect(hex(bytes)).toBe('b1b200000000000001000000' + '78563412');
    expect(readHeader(bytes)).toEqual(header);
    expect(readHeader(bytes.subarray(0, 15))).toBeUndefined();
  });

  it.each<[CmanMessage, string]>([
    [{ kind: 'port-opened', port: 177 }, '02b1'],
    [{ kind: 'port-closed', port: 177 }, '03b1'],
    [{ kind: 'port-enquiry' }, '09'],
    [{ kind: 'port-status', ports: Uint8Array.of(1, 8, ...new Uint8Array(30)) }, `0a0108${'00'.repeat(30)}`],
    [{ kind: 'kill', node: 5, reason: 2 }, '06 00 0200 05000000'],
    [{ kind: 'leave', reason: 3 }, '07 00 0300'],
    [{ kind: 'reconfigure', param: 'config-version', node: 1, value: 35 }, '08 03 0000 01000000 23000000'],
    [
      { kind: 'fence-status', node: 2, isFenced: true, at: 0x5632_2775, agent: 'ipmi' },
      '0b 01 0000 02000000 7527325600000000 69706d6900',
    ],
    [
      transition,
      `05 01 d263 01000000 09000000 06000000 02000000 00000000 22000000 20000000
       0000000000000000 b527325600000000 6d792d636c7573746572000000000000 00`,
    ],
  ])('%j', (message, layout) => {
    expect(hex(bytesOf(message))).toBe(layout.replace(/\s/g, ''));
    expect(readMessage(bytesOf(message))).toEqual(message);
  });
});

const u32 = fc.nat(0xffff_ffff);
const seconds = fc.nat(Number.MAX_SAFE_INTEGER);
const agent = fc.stringMatching(/^[a-z_]{0,40}$/);
const port = fc.nat(255);
const messages: fc.Arbitrary<CmanMessage> = fc.oneof(
  fc.record({ kind: fc.constantFrom('port-opened' as const, 'port-closed' as const), port }),
  fc.constant({ kind: 'port-enquiry' as const }),
  fc.record({ kind: fc.constant('port-status' as const), ports: fc.uint8Array({ minLength: 32, maxLength: 32 }) }),
  fc.record({ kind: fc.constant('kill' as const), node: u32, reason: fc.nat(0xffff) }),
  fc.record({ kind: fc.constant('leave' as const), reason: fc.nat(0xffff) }),
  fc.record({
    kind: fc.constant('reconfigure' as const),
    param: fc.constantFrom('expected-votes' as const, 'node-votes' as const, 'config-version' as const),
    node: u32,
    value: u32,
  }),
  fc.record({ kind: fc.constant('fence-status' as const), node: u32, isFenced: fc.boolean(), at: seconds, agent }),
  fc.record({
    kind: fc.constant('transition' as const),
    isFirst: fc.boolean(),
    clusterId: fc.nat(0xffff),
    votes: u32,
    expectedVotes: u32,
    majorVersion: u32,
    minorVersion: u32,
    patchVersion: u32,
    configVersion: u32,
    flags: u32,
    fencedAt: seconds,
    startedAt: seconds,
    clusterName: fc.stringMatching(/^[a-z-]{0,15}$/),
    fenceAgent: agent,
  }),
);

describe('the codec', () => {
  it('reads what it wrote', () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(readMessage(bytesOf(message))).toEqual(message);
      }),
    );
  });

  it('calls every proper prefix truncated, up to the end of the fixed fields', () => {
    fc.assert(
      fc.property(messages, fc.nat(), (message, cut) => {
        const bytes = bytesOf(message);
        const fixed = message.kind === 'transition' ? 64 : message.kind === 'fence-status' ? 16 : bytes.length;
        expect(readMessage(bytes.subarray(0, cut % fixed))).toBe('truncated');
      }),
    );
  });

  it('never throws, whatever the bytes', () => {
    const header = fc.record({ toPort: port, fromPort: port, from: u32, to: u32 });
    fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => void [readHeader(bytes), readMessage(bytes)]));
    fc.assert(
      fc.property(header, (value: MessageHeader) => {
        expect(readHeader(writeHeader(new ByteWriter(true), value).bytes())).toEqual(value);
      }),
    );
  });

  it.each(['01', '04', '0c', 'ff', '08 00 0000 01000000 01000000', '08 04 0000 01000000 01000000'])(
    'does not know %s',
    (bytes) => expect(readMessage(fromHex(bytes))).toBe('unknown-message'),
  );
});
