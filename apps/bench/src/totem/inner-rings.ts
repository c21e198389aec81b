import { MessageChannel, type MessagePort, Worker } from 'node:worker_threads';
import { corosync31 } from '@quorate/totem';
import { Corosync, type CorosyncInput } from '@quorate/totem/corosync';
import type { ThreadData } from '../totem-thread.js';
import { LoadedProcess } from './loaded-process.js';

/** Own messages of node 1 a second, of a ring whose nodes are threads with a message port to each other. */
export async function threadFlood(nodes: number, bytes: number, seconds: number): Promise<number> {
  const ids = Array.from({ length: nodes }, (_, i) => i + 1);
  const ports = new Map<number, Map<number, MessagePort>>(ids.map((id) => [id, new Map()]));
  for (const a of ids) {
    for (const b of ids.filter((id) => id > a)) {
      const { port1, port2 } = new MessageChannel();
      ports.get(a)!.set(b, port1);
      ports.get(b)!.set(a, port2);
    }
  }
  const workers = ids.map((nodeId) => {
    const own = ports.get(nodeId)!;
    const workerData: ThreadData = { nodeId, ports: own };
    return new Worker(new URL('./totem-thread.js', import.meta.url), { workerData, transferList: [...own.values()] });
  });
  const [first] = workers;
  return new Promise<number>((resolve, reject) => {
    for (const worker of workers) worker.once('error', reject);
    first!.on('message', (line: string) => {
      if (line === `members ${nodes}`) first!.postMessage(`flood ${bytes} ${seconds}`);
      else if (line.startsWith('flood ')) resolve(Number(line.slice('flood '.length)));
    });
  }).finally(() => Promise.all(workers.map((worker) => worker.terminate())));
}

/** Own messages of node 1 for each second that the CPU works, of a ring in one heap on a clock of its own. */
export function heapFlood(nodes: number, bytes: number, cpuSeconds: number): number {
  const ids = Array.from({ length: nodes }, (_, i) => i + 1);
  const timings = corosync31(nodes);
  const queue: { readonly to: number; readonly input: CorosyncInput }[] = [];
  let head = 0;
  let now = 0;
  const machines = ids.map((nodeId) => {
    const config = { nodeId, nodes: ids.map((id) => ({ id })), timings, ringSeq: 0 };
    return new Corosync(config);
  });
  const loads = ids.map((id) => new LoadedProcess(id, (input) => queue.push({ to: id, input })));
  const step = (id: number, input: CorosyncInput): void =>
    machines[id - 1]!.step(now, input, (output) => {
      if (output.kind === 'unicast') queue.push({ to: output.to, input: datagram(output.bytes) });
      else if (output.kind !== 'multicast') loads[id - 1]!.hear(output);
      else {
        const input = datagram(output.bytes);
        for (const to of ids) if (to !== id) queue.push({ to, input });
      }
    });
  const runUntil = (isOver: () => boolean): void => {
    while (!isOver()) {
      if (head < queue.length) {
        const { to, input } = queue[head++]!;
        step(to, input);
        if (head === queue.length) queue.length = head = 0;
      } else {
        now = Math.min(...machines.map((machine) => machine.deadline()));
        for (const id of ids) if (machines[id - 1]!.deadline() <= now) step(id, { kind: 'wake' });
      }
    }
  };
  for (const id of ids) step(id, { kind: 'network-up' });
  runUntil(() => loads.every(({ members }) => members === nodes));
  let messages: number | undefined;
  const start = process.cpuUsage();
  const isOver = (): boolean => secondsSince(start) > cpuSeconds;
  loads[0]!.flood(bytes, isOver, (count) => {
    messages = count;
  });
  runUntil(() => messages !== undefined);
  return messages! / cpuSeconds;
}

function datagram(bytes: Uint8Array): CorosyncInput {
  return { kind: 'datagram', bytes: bytes.slice() };
}

function secondsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1e6;
}
