import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { type Remote, wrap } from 'comlink';
import type { AllocThreadData } from '../alloc-thread.js';
import type { Figure } from '../figures.js';
import { endpointOf } from '../locks/endpoint.js';
import { BLOCK } from './forgetful-disk.js';
import type { RealTimeNode } from './real-time-node.js';

const WRITERS = 4;
const MIB = 16_384;

/** Four nodes that append to a file each in real time, beside one of them that does so while the others are idle. */
export async function threadsFigures(seconds = 2): Promise<Figure[]> {
  const { nodes, end } = await openThreads(WRITERS, MIB);
  try {
    const appending = (writers: number, path: string, span: number): Promise<number[]> =>
      Promise.all(nodes.slice(0, writers).map((node, i) => node.append(`/${path}${i}`, span)));
    const rate = async (writers: number, path: string): Promise<number> =>
      (await appending(writers, path, seconds)).reduce((sum, blocks) => sum + blocks, 0) / seconds;
    await appending(WRITERS, 'warm up ', seconds);
    const one = await rate(1, 'alone ');
    const four = await rate(WRITERS, 'one of four ');
    return [
      { name: 'one thread', value: one / 1e3, unit: 'k calls/s' },
      { name: 'in bytes', value: (one * BLOCK) / 1e6, unit: 'MB/s' },
      { name: 'four threads', value: four / 1e3, unit: 'k calls/s' },
      { name: 'in bytes', value: (four * BLOCK) / 1e6, unit: 'MB/s' },
      { name: 'four beside one', value: four / one, unit: 'times' },
    ];
  } finally {
    await end();
  }
}

interface Threads {
  readonly nodes: readonly Remote<RealTimeNode>[];
  end(): Promise<unknown>;
}

/** A thread for each node, one for the disk, and one that hands on the packets of the lock managers; all nodes have mounted. */
async function openThreads(count: number, mib: number): Promise<Threads> {
  const workers: Worker[] = [];
  const begin = (data: AllocThreadData, transferList: MessagePort[]): void => {
    workers.push(new Worker(new URL('./alloc-thread.js', import.meta.url), { workerData: data, transferList }));
  };
  const ids = Array.from({ length: count }, (_, i) => i + 1);
  const disks = ids.map(() => new MessageChannel());
  const ports = disks.map(({ port2 }) => port2);
  begin({ kind: 'disk', mib, ports }, ports);
  const peers = new Map(ids.map((id) => [id, new Map<number, MessagePort>()]));
  const crossings: (readonly [MessagePort, MessagePort])[] = [];
  for (const a of ids) {
    for (const b of ids.filter((id) => id > a)) {
      const [near, far] = [new MessageChannel(), new MessageChannel()];
      peers.get(a)!.set(b, near.port1);
      peers.get(b)!.set(a, far.port1);
      crossings.push([near.port2, far.port2]);
    }
  }
  begin({ kind: 'switch', crossings }, crossings.flat());
  const nodes = ids.map((id, i) => {
    const { port1, port2: control } = new MessageChannel();
    const [disk, others] = [disks[i]!.port1, peers.get(id)!];
    begin({ kind: 'node', id, control, disk, peers: others }, [control, disk, ...others.values()]);
    return wrap<RealTimeNode>(endpointOf(port1));
  });
  const [first, ...others] = nodes;
  await first!.mount(true);
  await Promise.all(others.map((node) => node.mount(false)));
  return { nodes, end: () => Promise.all(workers.map((worker) => worker.terminate())) };
}
