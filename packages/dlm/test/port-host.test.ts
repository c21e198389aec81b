import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Dlm, Mode } from '@quorate/dlm';
import { DlmNode, type LockspaceClient } from '@quorate/dlm/client';
import { type MessagePortLike, PortHost } from '@quorate/dlm/ports';
import { afterEach, expect, it } from 'vitest';

const IDS = [1, 2, 3];
const MASTER = 2;
/** Of a message without name or value block. */
const MESSAGE_BYTES = 88;
const open: MessagePort[] = [];

afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

/** Nodes in this thread; `onPost` hears which node the master posts to, and how many bytes. */
function openNodes(onPost: (to: number, length: number) => void): Promise<LockspaceClient[]> {
  const ports = new Map<number, Map<number, MessagePortLike>>(IDS.map((id) => [id, new Map()]));
  for (const a of IDS) {
    for (const b of IDS.filter((id) => id > a)) {
      const { port1, port2 } = new MessageChannel();
      open.push(port1, port2);
      ports.get(a)!.set(b, a === MASTER ? told(port1, (length) => onPost(b, length)) : port1);
      ports.get(b)!.set(a, b === MASTER ? told(port2, (length) => onPost(a, length)) : port2);
    }
  }
  const opened = IDS.map((nodeId) => {
    const own = ports.get(nodeId)!;
    const host = new PortHost({ ports: own, clock: () => performance.now(), setTimer: setTimeout });
    const node = new DlmNode(new Dlm({ nodeId, protocol: '3.1' }), host);
    host.attach(node);
    return node.open('ls', { members: IDS.map((id) => ({ node: id })) });
  });
  return Promise.all(opened);
}

function told(port: MessagePort, onPost: (length: number) => void): MessagePortLike {
  return {
    postMessage(message) {
      onPost(message.length);
      port.postMessage(message);
    },
    addEventListener: (type, listener) => port.addEventListener(type, listener),
    start: () => port.start(),
  };
}

it('who waits for a lock hears of it before who gave it back hears of that', async () => {
  const posts: number[] = [];
  const [one, two, three] = await openNodes((to) => posts.push(to));
  await two!.lock('r', Mode.NL);
  for (const [owner, other, order] of [
    [one!, three!, [3, 1]],
    [three!, one!, [1, 3]],
  ] as const) {
    let onBlocking = (): void => {};
    const asked = new Promise<void>((resolve) => {
      onBlocking = resolve;
    });
    const held = await owner.lock('r', Mode.EX, { onBlocking });
    const waiting = other.lock('r', Mode.EX);
    await asked;
    posts.length = 0;
    await held.unlock();
    expect(posts).toEqual(order);
    await (await waiting).unlock();
  }
});

it('a lock that is given back is granted before what else its holder asks for is looked at', async () => {
  const posts: [to: number, length: number][] = [];
  const [one, two, three] = await openNodes((to, length) => posts.push([to, length]));
  await two!.lock('r', Mode.NL);
  let onBlocking = (): void => {};
  const asked = new Promise<void>((resolve) => {
    onBlocking = resolve;
  });
  const held = await one!.lock('r', Mode.EX, { onBlocking });
  const isInTheWay = new Promise<void>((resolve) => {
    void three!.lock('r', Mode.EX, { onBlocking: () => resolve() });
  });
  await asked;
  posts.length = 0;
  void held.unlock();
  void one!.lock('r', Mode.EX);
  await isInTheWay;
  expect(posts).toEqual([
    [3, MESSAGE_BYTES], // GRANT
    [3, MESSAGE_BYTES], // BAST
    [1, 2 * MESSAGE_BYTES],
  ]);
});
