import { isMainThread, MessageChannel, type MessagePort, parentPort, Worker, workerData } from 'node:worker_threads';
import { Dlm, Mode } from '@quorate/dlm';
import { DlmNode } from '@quorate/dlm/client';
import { PortHost } from '@quorate/dlm/ports';

const ids = [1, 2, 3, 4];

async function count(nodeId: number, ports: Map<number, MessagePort>): Promise<number> {
  const host = new PortHost({ ports, clock: () => performance.now(), setTimer: setTimeout, defer: setImmediate });
  const node = new DlmNode(new Dlm({ nodeId, protocol: '3.1' }), host);
  host.attach(node);
  const lockspace = await node.open('example', { members: ids.map((id) => ({ node: id })) });
  const lock = await lockspace.lock('counter', Mode.NL, { valueBlock: true });
  const value = new DataView(lock.valueBlock!.buffer);
  for (let i = 0; i < 1000; i++) {
    await lock.convert(Mode.EX);
    value.setUint32(0, value.getUint32(0) + 1);
    await lock.convert(Mode.NL);
  }
  return value.getUint32(0);
}

if (isMainThread) {
  const ports = new Map(ids.map((id) => [id, new Map<number, MessagePort>()]));
  for (const a of ids) {
    for (const b of ids.filter((id) => id > a)) {
      const { port1, port2 } = new MessageChannel();
      ports.get(a)!.set(b, port1);
      ports.get(b)!.set(a, port2);
    }
  }
  const counts = ids.map((id) => {
    const own = ports.get(id)!;
    const worker = new Worker(new URL(import.meta.url), { workerData: { id, own }, transferList: [...own.values()] });
    return new Promise<number>((resolve, reject) => worker.once('message', resolve).once('error', reject));
  });
  console.log(`counted to ${Math.max(...(await Promise.all(counts)))}`);
  process.exit();
}
parentPort!.postMessage(await count(workerData.id, workerData.own));
