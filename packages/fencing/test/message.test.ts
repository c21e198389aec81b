import { ByteWriter, hex } from '@quorate/kernel';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  decodeMessage,
  type FencedMessage,
  type Header,
  MessageFlag,
  MessageType,
  type NodeInfo,
  writeChangeInfo,
  writeHeader,
  writeNodeInfo,
  writeProtocol,
} from '../src/message.js';

function write(message: FencedMessage): Uint8Array {
  const writer = new ByteWriter(true);
  writeHeader(writer, message.header);
  switch (message.kind) {
    case 'protocol':
      writeProtocol(writer, message.protocol);
      break;
    case 'start':
    case 'complete':
      writeChangeInfo(writer, message.info, message.nodes.length);
      for (const node of message.nodes) writeNodeInfo(writer, node);
      break;
    case 'victim-done':
      writeNodeInfo(writer, message.node);
      break;
    case 'external':
      break;
  }
  return writer.bytes().slice();
}

const header = (type: number, changes: Partial<Header> = {}): Header => ({
  version: [1, 1, 1],
  type,
  from: 2,
  flags: 0,
  data: 7,
  ...changes,
});

describe('layout, little-endian', () => {
  it('the header has 40 bytes', () => {
    const bytes = write({ kind: 'external', header: header(MessageType.EXTERNAL, { flags: 2, data: 0x01020304 }) });
    expect(hex(bytes)).toBe(
      [
        '0100',
        '0100',
        '0100',
        '0500',
        '02000000',
        '00000000',
        '00000000',
        '02000000',
        '04030201',
        '00'.repeat(12),
      ].join(''),
    );
  });

  it('a protocol message adds 16', () => {
    const protocol = { max: [1, 1, 1], run: [1, 1, 1], isStateful: true } as const;
    const bytes = write({ kind: 'protocol', header: header(MessageType.PROTOCOL), protocol });
    expect(hex(bytes.slice(40))).toBe('0100010001000000' + '0100010001000100');
  });

  it('a start message tells of the change and of every node', () => {
    const info = { startedCount: 3, memberCount: 4, joinedCount: 0, removeCount: 1, failedCount: 1 };
    const node = { nodeId: 5, isMember: true, externalBy: 0, fencedBy: 1, how: 1, fenceTime: 0x55, externalTime: 0 };
    const bytes = write({ kind: 'start', header: header(MessageType.START), info, nodes: [node] });
    expect(hex(bytes.slice(40, 72))).toBe('20000000280000000100000003000000' + '04000000000000000100000001000000');
    expect(hex(bytes.slice(72))).toBe(
      '05000000010000000000000001000000' + '0100000000000000' + '5500000000000000' + '0000000000000000',
    );
    expect(bytes.length).toBe(40 + 32 + 40);
  });
});

describe('codec', () => {
  const u16 = fc.integer({ min: 0, max: 0xffff });
  const u32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const version = fc.tuple(u16, u16, u16);
  const anyHeader = (type: number): fc.Arbitrary<Header> =>
    fc.record({ version, type: fc.constant(type), from: u32, flags: u32, data: u32 });
  const node: fc.Arbitrary<NodeInfo> = fc.record({
    nodeId: u32,
    isMember: fc.boolean(),
    externalBy: u32,
    fencedBy: u32,
    how: u32,
    fenceTime: fc.maxSafeNat(),
    externalTime: fc.maxSafeNat(),
  });
  const info = fc.record({ startedCount: u32, memberCount: u32, joinedCount: u32, removeCount: u32, failedCount: u32 });
  const change = (kind: 'start' | 'complete', type: number): fc.Arbitrary<FencedMessage> =>
    fc.record({ kind: fc.constant(kind), header: anyHeader(type), info, nodes: fc.array(node, { maxLength: 6 }) });
  const message: fc.Arbitrary<FencedMessage> = fc.oneof(
    fc.record({
      kind: fc.constant('protocol' as const),
      header: anyHeader(MessageType.PROTOCOL),
      protocol: fc.record({ max: version, run: version, isStateful: fc.boolean() }),
    }),
    change('start', MessageType.START),
    change('complete', MessageType.COMPLETE),
    fc.record({ kind: fc.constant('victim-done' as const), header: anyHeader(MessageType.VICTIM_DONE), node }),
    fc.record({ kind: fc.constant('external' as const), header: anyHeader(MessageType.EXTERNAL) }),
  );

  it('a message comes back as it was written', () => {
    fc.assert(
      fc.property(message, (written) => {
        expect(decodeMessage(write(written))).toEqual(written);
      }),
    );
  });

  it('arbitrary bytes, and any beginning of a message, never throw', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void decodeMessage(bytes)));
    fc.assert(
      fc.property(message, fc.nat(120), (written, length) => void decodeMessage(write(written).slice(0, length))),
    );
  });

  it('a newer, longer node info is read by its size', () => {
    const nodes = [1, 2].map((nodeId) => ({
      nodeId,
      isMember: true,
      externalBy: 0,
      fencedBy: 0,
      how: 0,
      fenceTime: 0,
      externalTime: 0,
    }));
    const change = { startedCount: 1, memberCount: 2, joinedCount: 0, removeCount: 0, failedCount: 0 };
    const start = { kind: 'start' as const, header: header(MessageType.START), info: change, nodes };
    const bytes = write(start);
    const longer = new Uint8Array(bytes.length + 16);
    longer.set(bytes.slice(0, 112));
    longer.set(bytes.slice(112), 120);
    longer[44] = 48;
    expect(decodeMessage(longer)).toEqual(start);
  });

  it.each([
    ['nothing', new Uint8Array(0), 'short'],
    ['a type that nobody sends', write({ kind: 'external', header: header(9) }), 'unknown-type'],
    [
      'a protocol message without its versions',
      write({ kind: 'external', header: header(MessageType.PROTOCOL) }),
      'short',
    ],
    ['a victim without its node', write({ kind: 'external', header: header(MessageType.VICTIM_DONE) }), 'short'],
    ['a start without its change', write({ kind: 'external', header: header(MessageType.START) }), 'short'],
  ] as const)('%s', (_, bytes, defect) => {
    expect(decodeMessage(bytes)).toBe(defect);
  });

  it('flags have the numbers of the original', () => {
    expect(MessageFlag).toEqual({ JOINING: 1, COMPLETE: 2, DUPLICATE_CHANGE: 4 });
  });
});
