import { hex } from '@quorate/kernel';
import { describe, expect, it } from 'vitest';
import { DlmTransport } from '../src/dlm-transport.js';

const ADDRESSES = new Map([
  [1, '10.0.0.1'],
  [2, '10.0.0.2'],
  [3, '10.0.0.3'],
]);

function setUp() {
  const asked: string[] = [];
  const told: string[] = [];
  let connections = 0;
  const transport = new DlmTransport(ADDRESSES, {
    toStack: (input) => {
      const where = 'to' in input ? ` ${input.to}` : '';
      asked.push(`${input.kind}${'id' in input ? ` ${input.id}` : ''}${where}`);
    },
    newConnection: () => ++connections,
    received: (node, bytes) => told.push(`from ${node}: ${hex(bytes, 16)} of ${bytes.length}`),
    connected: (node) => told.push(`connected to ${node}`),
    disconnected: (node) => told.push(`disconnected from ${node}`),
  });
  transport.start();
  asked.length = 0;
  return { transport, asked, told };
}

/** A packet of which only the length in its header matters here. */
function packet(...payload: number[]): Uint8Array {
  const bytes = new Uint8Array(16 + payload.length);
  bytes[12] = bytes.length;
  bytes.set(payload, 16);
  return bytes;
}

describe('sending', () => {
  it('the first packet opens a connection and is the reliable layer’s to repeat', () => {
    const { transport, asked, told } = setUp();
    transport.send(2, packet(1));
    transport.send(2, packet(2));
    transport.onConnected(1);
    transport.send(2, packet(3));
    expect([asked, told]).toEqual([['tcp-connect 1 10.0.0.2', 'tcp-send 1'], ['connected to 2']]);
  });

  it('each side sends on its own connection: one that was accepted carries nothing out', () => {
    const { transport, asked } = setUp();
    transport.onAccepted(100, '10.0.0.2');
    transport.send(2, packet(1));
    expect(asked).toEqual(['tcp-connect 1 10.0.0.2']);
  });

  it('a connection that is lost is opened again when there is something to send', () => {
    const { transport, asked, told } = setUp();
    transport.send(2, packet(1));
    transport.onConnected(1);
    transport.onEnded(1);
    expect(asked).toEqual(['tcp-connect 1 10.0.0.2']);
    transport.send(2, packet(1));
    transport.onConnected(2);
    expect(asked).toEqual(['tcp-connect 1 10.0.0.2', 'tcp-connect 2 10.0.0.2']);
    expect(told).toEqual(['connected to 2', 'disconnected from 2', 'connected to 2']);
  });

  it('an attempt that fails is tried again by the next packet', () => {
    const { transport, asked, told } = setUp();
    for (const connection of [1, 2]) {
      transport.send(2, packet(1));
      transport.onEnded(connection);
    }
    expect(asked).toEqual(['tcp-connect 1 10.0.0.2', 'tcp-connect 2 10.0.0.2']);
    expect(told).toEqual(['disconnected from 2', 'disconnected from 2']);
  });

  it('a node that cluster.conf does not know is not called', () => {
    const { transport, asked } = setUp();
    transport.send(9, packet(1));
    expect(asked).toEqual([]);
  });
});

describe('receiving', () => {
  it.each([
    ['whole packets', [[...packet(0xaa), ...packet(0xbb, 0xcc)]]],
    ['byte by byte', [...packet(0xaa), ...packet(0xbb, 0xcc)].map((byte) => [byte])],
    ['cut in a header', [[...packet(0xaa), ...packet(0xbb, 0xcc).slice(0, 9)], [...packet(0xbb, 0xcc).slice(9)]]],
  ])('%s', (_, pieces) => {
    const { transport, told } = setUp();
    transport.onAccepted(100, '10.0.0.3');
    for (const piece of pieces) transport.onReceived(100, Uint8Array.from(piece));
    expect(told).toEqual(['from 3: aa of 17', 'from 3: bbcc of 18']);
  });

  it('more at once than the buffer holds', () => {
    const { transport, told } = setUp();
    transport.onAccepted(100, '10.0.0.3');
    const many = Array.from({ length: 1000 }, () => [...packet(0xaa)]).flat();
    transport.onReceived(100, Uint8Array.from(many));
    expect(told).toHaveLength(1000);
  });

  it.each([
    ['shorter than a header', 15],
    ['longer than the DLM sends', 4097],
  ])('a packet %s ends the connection', (_, length) => {
    const { transport, asked, told } = setUp();
    transport.onAccepted(100, '10.0.0.3');
    const bytes = packet();
    bytes[12] = length & 0xff;
    bytes[13] = length >> 8;
    transport.onReceived(100, bytes);
    transport.onReceived(100, packet(1));
    expect([asked, told]).toEqual([['tcp-abort 100'], []]);
  });

  it('a connection from a stranger is closed', () => {
    const { transport, asked, told } = setUp();
    transport.onAccepted(100, '10.0.0.99');
    transport.onReceived(100, packet(1));
    expect([asked, told]).toEqual([['tcp-abort 100'], []]);
  });
});

it('a dead node’s connections are closed in both directions, the others stay', () => {
  const { transport, asked, told } = setUp();
  for (const node of [2, 3]) transport.send(node, packet(1));
  transport.onAccepted(100, '10.0.0.2');
  transport.onAccepted(101, '10.0.0.3');
  asked.length = 0;
  transport.disconnect(2);
  expect(asked).toEqual(['tcp-abort 1', 'tcp-abort 100']);
  for (const connection of [1, 2]) transport.onConnected(connection);
  for (const connection of [100, 101]) transport.onReceived(connection, packet(0xaa));
  expect(told).toEqual(['connected to 3', 'from 3: aa of 17']);
});

it('stopping closes the port and every connection, once', () => {
  const { transport, asked } = setUp();
  transport.send(2, packet(1));
  transport.onAccepted(100, '10.0.0.2');
  asked.length = 0;
  transport.stop();
  transport.stop();
  expect(asked).toEqual(['tcp-unlisten', 'tcp-abort 1', 'tcp-abort 100']);
});
