import { MessageChannel, type MessagePort } from 'node:worker_threads';
import { Dlm, Mode } from '@quorate/dlm';
import { DlmNode, type LockspaceClient } from '@quorate/dlm/client';
import { type MessagePortLike, PortHost } from '@quorate/dlm/ports';
import { afterEach, expect, it } from 'vitest';

const IDS = [1, 2, 3];
const MASTER = 2;
const open: MessagePort[] = [];

afterEach(() => {
  for (const port of open.splice(0)) port.close();
});

/** Nodes in this thread; `onPost` hears which node the master posts to. */
function openNodes(onPost: (to: number) => void): Promise<LockspaceClient[]> {
  const ports = new Map<number, Map<number, MessagePortLike>>(IDS.map((id) => [id, new Map()]));
  for (const a of IDS) {
    for (const b of IDS.filter((id) => id > a)) {
      const { port1, port2 } = new MessageChannel();
      open.push(port1, port2);
      ports.get(a)!.set(b, a === MASTER ? told(port1, () => onPost(b)) : port1);
      ports.get(b)!.set(a, b === MASTER ? told(port2, () => onPost(a)) : port2);
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

function told(port: MessagePort, onPost: () => void): MessagePortLike {
  return {
    postMessage(message) {
      onPost();
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
