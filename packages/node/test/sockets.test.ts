import type { IpInput } from '@quorate/network';
import { describe, expect, it } from 'vitest';
import { Sockets } from '../src/os/sockets.js';

const OWNER = 40;

function setUp() {
  const asked: string[] = [];
  const replies: [number, unknown][] = [];
  let connections = 0;
  const sockets = new Sockets(
    (input: IpInput) => asked.push(`${input.kind} ${'id' in input ? input.id : 'port' in input ? input.port : ''}`),
    () => ++connections,
    (task, value) => replies.push([task, value instanceof Uint8Array ? [...value] : value]),
  );
  return { sockets, asked, replies };
}

/** A listener on port 80. */
function listening() {
  const s = setUp();
  const listener = s.sockets.listen(80, OWNER);
  if (typeof listener === 'string') throw new Error(listener);
  return { ...s, listener };
}

/** A socket of task 1 that is connected as connection 1. */
function connected() {
  const s = setUp();
  const socket = s.sockets.connect(1, OWNER, '10.0.0.9', 80);
  s.sockets.onConnected(1);
  s.asked.length = s.replies.length = 0;
  return { ...s, socket };
}

describe('a listener', () => {
  it('gives a connection to the task that waits, and keeps others until one asks', () => {
    const { sockets, listener, replies } = listening();
    sockets.accept(1, listener);
    sockets.onAccepted(100, 80);
    sockets.onAccepted(101, 80);
    expect(replies.map(([task]) => task)).toEqual([1]);
    sockets.accept(2, listener);
    expect(replies.map(([task]) => task)).toEqual([1, 2]);
    expect(replies[0]![1]).not.toBe(replies[1]![1]);
  });

  it('leaves connections to other ports alone', () => {
    const { sockets } = listening();
    expect([sockets.onAccepted(100, 21064), sockets.owns(100)]).toEqual([false, false]);
  });

  it('has its port for itself until it is closed', () => {
    const { sockets, listener, asked } = listening();
    expect(sockets.listen(80, 41)).toBe('EADDRINUSE');
    sockets.close(listener);
    expect(sockets.listen(80, 41)).not.toBe('EADDRINUSE');
    expect(asked).toEqual(['tcp-listen 80', 'tcp-unlisten 80', 'tcp-listen 80']);
  });

  it('closes what nobody has accepted with it', () => {
    const { sockets, listener, asked } = listening();
    sockets.onAccepted(100, 80);
    sockets.close(listener);
    expect(asked).toEqual(['tcp-listen 80', 'tcp-unlisten 80', 'tcp-close 100']);
  });
});

describe('a connection', () => {
  it.each([
    ['is refused', 'ECONNREFUSED' as const],
    ['finds no host', 'EHOSTUNREACH' as const],
  ])('%s: whoever connects is told, and the socket is gone', (_, errno) => {
    const { sockets, replies } = setUp();
    sockets.connect(1, OWNER, '10.0.0.9', 80);
    sockets.onFailed(1, errno);
    expect([replies, sockets.owns(1)]).toEqual([[[1, errno]], false]);
  });

  it('is given up after its time, unless it has ended otherwise', () => {
    const { sockets, replies, asked } = setUp();
    const [slow, quick] = [sockets.connect(1, OWNER, '10.0.0.9', 80), sockets.connect(2, OWNER, '10.0.0.9', 80)];
    sockets.onConnected(2);
    for (const socket of [slow, quick]) sockets.giveUp(socket);
    expect(replies).toEqual([
      [2, quick],
      [1, 'ETIMEDOUT'],
    ]);
    expect(asked.at(-1)).toBe('tcp-abort 1');
  });

  it('keeps what comes until it is asked for, and ends with nothing', () => {
    const { sockets, socket, replies } = connected();
    sockets.onReceived(1, Uint8Array.of(1));
    sockets.onReceived(1, Uint8Array.of(2));
    sockets.onClosed(1);
    for (const task of [1, 2, 3]) sockets.receive(task, socket);
    expect(replies).toEqual([
      [1, [1]],
      [2, [2]],
      [3, []],
    ]);
  });

  it.each([
    ['its bytes', (s: Sockets) => s.onReceived(1, Uint8Array.of(7)), [7]],
    ['its end', (s: Sockets) => s.onClosed(1), []],
    ['its failure', (s: Sockets) => s.onFailed(1, 'ECONNRESET'), 'ECONNRESET'],
  ])('a task that waits is told of %s', (_, happen, value) => {
    const { sockets, socket, replies } = connected();
    sockets.receive(5, socket);
    happen(sockets);
    expect(replies).toEqual([[5, value]]);
  });

  it('that has failed says so to whoever comes later, and is not closed again', () => {
    const { sockets, socket, replies, asked } = connected();
    sockets.onFailed(1, 'ECONNRESET');
    sockets.receive(5, socket);
    expect([replies, sockets.send(socket, Uint8Array.of(1))]).toEqual([[[5, 'ECONNRESET']], 'EPIPE']);
    sockets.close(socket);
    expect(asked).toEqual([]);
  });

  it('is closed with the process that opened it, as is one that its listener took', () => {
    const { sockets, asked } = listening();
    sockets.connect(1, OWNER, '10.0.0.9', 80);
    sockets.connect(1, 41, '10.0.0.9', 80);
    sockets.onAccepted(100, 80);
    asked.length = 0;
    sockets.closeOf(OWNER);
    expect(asked.sort()).toEqual(['tcp-close 1', 'tcp-close 100', 'tcp-unlisten 80']);
  });
});

it('a number that is no socket is EBADF', () => {
  const { sockets, listener, replies } = listening();
  sockets.accept(1, 99);
  sockets.receive(2, listener);
  expect([replies, sockets.send(99, Uint8Array.of(1))]).toEqual([
    [
      [1, 'EBADF'],
      [2, 'EBADF'],
    ],
    'EBADF',
  ]);
});
